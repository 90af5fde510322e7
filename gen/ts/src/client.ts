import { type Client, createClient } from '@connectrpc/connect';
import { connect, createSender, openStore, watch, watchSigterm } from '#platform';
import { IngestService } from '../clickmesh/v1/ingest_service_pb.js';
import { StatsService } from '../clickmesh/v1/stats_service_pb.js';
import { attempts } from './attempts.ts';
import { type Cancel, IngestClient, type Surroundings } from './ingest-client.ts';
import { addressOf, type ClickmeshOptions, type Settings, settingsOf } from './options.ts';
import { acceptingSender } from './sender.ts';
import { attempt, type Connection } from './sender-protobuf.ts';
import { requestOf, rowOf, type StatsQuery, type StatsRow } from './stats.ts';

export type { Counters } from './reports.ts';
export * from './shared.ts';
export type { StatsQuery, StatsRow } from './stats.ts';

/** Sends events and reads statistics. */
export class Clickmesh extends IngestClient {
  readonly #settings: Settings;
  readonly #connection: Connection;
  /** The generated clients, for every other call. They make one attempt. */
  readonly ingestService: Client<typeof IngestService>;
  readonly statsService: Client<typeof StatsService>;

  constructor(settings: Settings, connection: Connection, surroundings: Surroundings) {
    super(settings, surroundings);
    this.#settings = settings;
    this.#connection = connection;
    this.ingestService = createClient(IngestService, connection.transport);
    this.statsService = createClient(StatsService, connection.transport);
  }

  /**
   * Clicks, conversions, revenue and conversion rate by period, campaign and source. Repeated as events are; rejects
   * with an Error that says how often it was tried.
   */
  async stats(query: StatsQuery, { signal }: Cancel = {}): Promise<StatsRow[]> {
    const request = requestOf(query);
    const { data } = await attempts(this.#settings, signal ?? new AbortController().signal, (timeoutMs, ended) =>
      attempt(this.#connection, { timeoutMs, signal: ended }, (call) => this.statsService.getStats(request, call)),
    );
    return data.map(rowOf);
  }
}

/**
 * A client of the gateway at `url`, such as "http://127.0.0.1:8080". It connects with the first call. Throws a
 * TypeError for an address or an option that can't be.
 */
export function connectClickmesh(url: string, options: ClickmeshOptions = {}): Clickmesh {
  const address = addressOf(url);
  const settings = settingsOf(options);
  const connection = connect(address, settings);
  const isStoring = settings.store !== undefined && !settings.disabled;
  return new Clickmesh(settings, connection, {
    sender: settings.disabled ? acceptingSender() : createSender(address, settings, connection),
    store: isStoring ? openStore(settings.store!, settings.storeBytes) : undefined,
    watch,
    watchSigterm,
  });
}
