import type { Click, Conversion } from '../../gen/ts/clickmesh/v1/event_pb.js';
import { encodeEvent } from '../../gen/wire/event-wire.ts';
import { DAY_MS, HOUR_MS } from '../../services/contract/limits.ts';
import { MAX_METADATA_VALUE_BYTES } from '../../services/contract/rollups.ts';
import { eventId, scrambled } from './drain-load.ts';

/** An event of the load. */
export interface VariedEvent {
  userId: string;
  /** The value of its record in raw-events. */
  value: Buffer;
}

export interface VarietyOptions {
  events: number;
  users: number;
  /** Distinct campaigns, sources, ads and conversion types together with as many users. */
  keys: number;
  /** Whether each click has a value of its own as `metadata.geo`, as long as one may be that counts as what it is. */
  geos?: boolean;
}

/** What the events of a user are, an hour after each other. */
const ROUNDS = ['click', 'click', 'conversion', 'click', 'conversion'] as const;
const DIMENSIONS = 5;
const MOST_DAYS = 400;
const BASE_MS = Date.UTC(2025, 0, 1);

function kindOf(i: number, users: number) {
  return ROUNDS[Math.floor(i / users) % ROUNDS.length]!;
}

/**
 * The event of a number: all users take turns, each on a day of its own, of at most 400. Texts are drawn at random once
 * each was used. However few keys there are, each of the users has as many events: more of them would make other work.
 */
export function variedEvent(i: number, { users, keys, geos = false }: VarietyOptions): VariedEvent {
  const each = Math.ceil(keys / DIMENSIONS);
  const user = i % users;
  const round = Math.floor(i / users);
  const timestamp = BigInt(BASE_MS + (user % Math.min(each, MOST_DAYS)) * DAY_MS + round * HOUR_MS);
  // Those of another load are others, so that none of its events is a duplicate.
  const userId = `user-${keys}-${user}`;
  const pick = (salt: number) => (i < each ? i : scrambled(i ^ salt) % each);
  const ids = { eventId: eventId(i), userId, timestamp };
  const kind = kindOf(i, users);
  if (kind === 'click') {
    const texts = {
      adId: `ad-${pick(0x51ed270)}`,
      campaignId: `campaign-${pick(0)}`,
      source: `source-${pick(0x3c6ef37)}`,
    };
    const metadata: Record<string, string> = geos ? { geo: String(i).padStart(MAX_METADATA_VALUE_BYTES, 'g') } : {};
    const click: Click = { $typeName: 'clickmesh.v1.Click', ...ids, ...texts, metadata };
    return { userId, value: encodeEvent(click, click.eventId, 0n) };
  }
  const type = `type-${(i - 2 * users) % each}`;
  const valueMicros = BigInt(1 + (i % 1000)) * 10_000n;
  const conversion: Conversion = {
    ...{ $typeName: 'clickmesh.v1.Conversion', ...ids, type, source: 'app', value: 0, valueMicros },
    ...{ metadata: {}, currency: '' },
  };
  return { userId, value: encodeEvent(conversion, conversion.eventId, valueMicros) };
}
