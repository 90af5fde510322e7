import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fromBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { type PartitionProgress, PartitionProgressSchema } from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import { MODELS } from '../../services/attribution/decision/models.ts';
import { GROUP } from '../../services/attribution/partition/opening.ts';
import { audit } from '../../services/cli/audit/audit.ts';
import type { EventLog } from '../../services/log/event-log.ts';
import { startMeshProcess } from '../fixtures/mesh-process.ts';
import { startService } from '../fixtures/service-process.ts';
import { KAFKA } from '../needs.ts';
import { type BenchKafka, startBenchKafka } from './bench-kafka.ts';
import { grpcClient } from './clients.ts';
import { measureIngest } from './measure-ingest.ts';
import type { Figure, Scenario, Subject } from './scenario.ts';
import { peakResidentBytes } from './usage.ts';
import { type VarietyOptions, variedEvent } from './variety-load.ts';

const PER_REQUEST = 1000;
const IN_FLIGHT = 8;
const PER_APPEND = 5000;
const POLL_MS = 50;
const AUDIT_TIMEOUT_S = 60;
const FULL = { events: 1_000_000, users: 200_000, keys: [100, 1_000, 10_000, 100_000, 1_000_000] };
const QUICK: typeof FULL = { events: 5_000, users: 1_000, keys: [100, 1_000_000] };
const MOST_MIB = 1536;

/** A folder, for one mesh after the other. */
interface Folder extends Subject {
  dir: string;
}

const all: Scenario<Folder> = {
  name: 'variety',
  method:
    `${FULL.events.toLocaleString('en-US')} events of ${FULL.users.toLocaleString('en-US')} users, 40 % conversions, with ` +
    'five models and else the defaults, with more and more distinct campaigns, sources, ads and conversion types (a fifth ' +
    `of the keys each, the users being the last fifth, on as many days, at most 400), by IngestBatch of ${PER_REQUEST}; ` +
    'each on a mesh of its own, until all is in the stats. All must be counted, and `clickmesh audit` clean. Memory is ' +
    'the peak of the process that has gateway, log and pipeline; ClickHouse is another.',
  start: async (dir) => ({ dir, stop: async () => {} }),
  run: runVariety,
};

const node: Scenario<BenchKafka> = {
  name: 'variety-node',
  method:
    'The same events, with the most keys and the fewest, in raw-events (4 partitions) of one broker; then one process ' +
    '`clickmesh attribution` with five models folds them, one after the other. From when the process is ready until all ' +
    'is committed; memory is the peak of the process.',
  needs: KAFKA,
  start: startBenchKafka,
  run: runNode,
};

export const variety: readonly Scenario<Subject>[] = [all, node];

async function runNode(kafka: BenchKafka, quick: boolean): Promise<Figure[]> {
  const { events, users, keys } = quick ? QUICK : FULL;
  const figures: Figure[] = [];
  let end = 0;
  for (const each of [keys[0]!, keys.at(-1)!]) {
    await produce(kafka.log, { events, users, keys: each });
    end += events;
    const { perSecond, mib } = await measureNode(kafka, events, end);
    const name = `${each.toLocaleString('en-US')} keys`;
    figures.push(
      { name: `${name}: committed`, value: perSecond, unit: 'events/s' },
      { name: `${name}: peak memory`, value: mib, unit: 'MiB', floor: { atMost: MOST_MIB } },
    );
  }
  return figures;
}

async function produce(log: EventLog, options: VarietyOptions): Promise<void> {
  for (let from = 0; from < options.events; from += PER_APPEND) {
    const count = Math.min(PER_APPEND, options.events - from);
    const events = Array.from({ length: count }, (_, i) => variedEvent(from + i, options));
    await log.append(events.map(({ userId, value }) => ({ topic: 'raw-events', key: userId, value })));
  }
}

/** Starts a node on raw-events, of which the last `events` records are not committed, and stops it when they are. */
async function measureNode({ bootstrap, dir, log }: BenchKafka, events: number, end: number) {
  const environment = {
    KAFKA_BROKERS: bootstrap,
    STATE_DIR: join(dir, 'state'),
    MODELS: Object.keys(MODELS).join(','),
  };
  const worker = await startService('attribution', environment);
  try {
    const began = performance.now();
    for (let committed = 0; committed < end; await sleep(POLL_MS)) {
      committed = (await log.committed('raw-events', GROUP)).reduce((sum, { offset }) => sum + offset, 0);
    }
    const seconds = (performance.now() - began) / 1000;
    const counted = await countedIn(log);
    if (counted !== end) throw new Error(`${counted} events are counted of ${end}`);
    return { perSecond: events / seconds, mib: peakResidentBytes(worker.pid) / 2 ** 20 };
  } finally {
    await worker.stop();
  }
}

/** Clicks and conversions in the totals that are published last. */
async function countedIn(log: EventLog): Promise<number> {
  let counted = 0n;
  for (const [partition, { start, end }] of (await log.offsets('attribution-progress')).entries()) {
    let totals: PartitionProgress | undefined;
    for (let offset = start; offset < end; ) {
      const from = { partition, offset };
      const records = await log.read('attribution-progress', from, { maxBytes: 4 << 20, waitMs: 1000 });
      if (records.length === 0) break;
      totals = fromBinary(PartitionProgressSchema, records.at(-1)!.value);
      offset = records.at(-1)!.offset + 1;
    }
    if (totals !== undefined) counted += totals.clicks + totals.attributed + totals.unattributed;
  }
  return Number(counted);
}

async function runVariety({ dir }: Folder, quick: boolean): Promise<Figure[]> {
  const { events, users, keys } = quick ? QUICK : FULL;
  const figures: Figure[] = [];
  for (const each of keys) {
    const folder = join(dir, String(each));
    const { perSecond, mib, clickhouseMib } = await runKeys(folder, { events, users, keys: each });
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    const name = `${each.toLocaleString('en-US')} keys`;
    figures.push(
      { name: `${name}: until all is in the stats`, value: perSecond, unit: 'events/s' },
      { name: `${name}: peak memory`, value: mib, unit: 'MiB', floor: { atMost: MOST_MIB } },
      { name: `${name}: peak memory of ClickHouse`, value: clickhouseMib, unit: 'MiB' },
    );
  }
  return figures;
}

async function runKeys(dir: string, options: VarietyOptions) {
  const mesh = await startMeshProcess(dir, { MODELS: Object.keys(MODELS).join(',') });
  try {
    const ingest = await measureIngest(
      mesh,
      () => sendAll(mesh.url, options),
      () => options.events,
    );
    const [mib, clickhouseMib] = [mesh.pid, mesh.childPids()[0]!].map((pid) => peakResidentBytes(pid) / 2 ** 20);
    const differing = (await audit({ url: mesh.url, timeout: AUDIT_TIMEOUT_S })).filter((check) => check.differing > 0);
    if (differing.length > 0) throw new Error(`the audit is not clean: ${JSON.stringify(differing)}`);
    return { perSecond: options.events / ingest.seconds, mib: mib!, clickhouseMib: clickhouseMib! };
  } finally {
    await mesh.stop();
  }
}

async function sendAll(url: string, options: VarietyOptions): Promise<void> {
  using client = grpcClient(url, '/clickmesh.v1.IngestService/IngestBatch', 1);
  let next = 0;
  async function repeat() {
    while (next < options.events) {
      const from = next;
      next += PER_REQUEST;
      await client.send(batchOf(from, Math.min(next, options.events), options));
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, repeat));
}

/** An IngestBatchRequest. */
function batchOf(from: number, to: number, options: VarietyOptions): Buffer {
  const request = new BinaryWriter();
  for (let i = from; i < to; i++) request.tag(1, WireType.LengthDelimited).bytes(variedEvent(i, options).value);
  return Buffer.from(request.finish());
}
