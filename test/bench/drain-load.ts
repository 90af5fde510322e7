import { fromBinary } from '@bufbuild/protobuf';
import { AttributedConversionSchema } from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import type { Click, Conversion } from '../../gen/ts/clickmesh/v1/event_pb.js';
import { encodeEvent } from '../../gen/wire/event-wire.ts';
import { createRandom } from '../../services/cli/generate/random.ts';
import { DAY_MS, HOUR_MS } from '../../services/contract/limits.ts';
import type { EventLog, NewRecord } from '../../services/log/event-log.ts';

export interface DrainLoad {
  /** Appends the events of the next span of event time. */
  produce(log: EventLog): Promise<void>;
  /** Throws unless attributed-events credits exactly the last clicks that it should for everything produced. */
  verify(log: EventLog): Promise<void>;
}

export interface DrainLoadOptions {
  users: number;
  /** Share of all events that are one user's. */
  hotShare: number;
  eventsPerSpan: number;
  spans: number;
}

/** As the load generator of the Java peers has them. */
const SPAN_MS = 36 * HOUR_MS;
const JITTER_MS = 2000;
const BASE_MS = Date.UTC(2026, 0, 5);
const CONVERSION_SHARE = 0.1;
const DUPLICATE_SHARE = 0.05;
/** A duplicate repeats one of so many conversions. */
const RECENT = 10_000;
const CAMPAIGNS = 1000;
const SOURCES = ['facebook', 'google', 'tiktok', 'email'];
const BROWSERS = ['Chrome', 'Firefox', 'Safari', 'Edge'];
const GEOS = ['US', 'DE', 'FR', 'GB', 'JP', 'BR'];
/** Of the default configuration. */
const LOOKBACK_MS = DAY_MS;

const CHUNK = 5000;
const CHUNKS_IN_FLIGHT = 4;
const NONE = -1;

/**
 * Clicks and conversions in nearly the order of their times, as raw-events is filled for the Java peers: 10 %
 * conversions, 5 % of these exact repetitions. The ids are UUIDs, which the mesh requires. An event's number is the end
 * of its id, which is how what came out is compared with what should have.
 */
export function drainLoad({ users, hotShare, eventsPerSpan, spans }: DrainLoadOptions): DrainLoad {
  const random = createRandom(42);
  const draw = (below: number) => Math.floor(random.unit() * below);
  const drawUser = () => (random.unit() < hotShare ? 0 : draw(users));
  const total = eventsPerSpan * spans;
  const times = new Float64Array(total);
  const userOf = new Int32Array(total);
  /** Of each click, the one of the same user that arrived before it. */
  const clickBefore = new Int32Array(total);
  const lastClick = new Int32Array(users).fill(NONE);
  const winners = new Int32Array(total).fill(NONE);
  const recent: NewRecord[] = [];
  let undecided: number[] = [];
  let conversions = 0;
  let produced = 0;

  function next(): NewRecord {
    const i = produced++;
    const time = Math.floor(BASE_MS + (i / eventsPerSpan) * SPAN_MS) + draw(2 * JITTER_MS + 1) - JITTER_MS;
    const isConversion = random.unit() < CONVERSION_SHARE;
    if (isConversion && recent.length > 0 && random.unit() < DUPLICATE_SHARE) return recent[draw(recent.length)]!;
    times[i] = time;
    const user = drawUser();
    userOf[i] = user;
    if (isConversion) {
      undecided.push(i);
      const record = recordOf(user, conversion(i, user, time, draw));
      recent[conversions++ % RECENT] = record;
      return record;
    }
    clickBefore[i] = lastClick[user]!;
    lastClick[user] = i;
    return recordOf(user, click(i, user, time, draw));
  }

  /** The user's last click before the conversion. Earlier arrivals than looked at here are older than the jitter. */
  function winnerOf(i: number): number {
    const time = times[i]!;
    let best = NONE;
    for (let c = lastClick[userOf[i]!]!; c !== NONE; c = clickBefore[c]!) {
      if (times[c]! < (best === NONE ? time - LOOKBACK_MS : times[best]!) - 2 * JITTER_MS) break;
      if (times[c]! > time || time - times[c]! > LOOKBACK_MS) continue;
      if (best === NONE || isLater(c, best, times)) best = c;
    }
    return best;
  }

  /** Decides the conversions before which no click can arrive any more. */
  function decide(before: number): void {
    for (const i of undecided) if (times[i]! < before) winners[i] = winnerOf(i);
    undecided = undecided.filter((i) => times[i]! >= before);
  }

  return {
    async produce(log) {
      const end = produced + eventsPerSpan;
      const appends: Promise<unknown>[] = [];
      while (produced < end) {
        appends.push(log.append(Array.from({ length: Math.min(CHUNK, end - produced) }, next)));
        if (appends.length >= CHUNKS_IN_FLIGHT) await appends.shift();
        decide(BASE_MS + (produced / eventsPerSpan) * SPAN_MS - 2 * JITTER_MS);
      }
      await Promise.all(appends);
    },
    async verify(log) {
      decide(Number.POSITIVE_INFINITY);
      const credited = await creditedClicks(log, total);
      const wrong = winners.findIndex((winner, i) => credited[i] !== winner);
      if (wrong !== -1) throw new Error(`${eventId(wrong)} is credited to ${credited[wrong]}, not ${winners[wrong]}`);
    },
  };
}

function click(i: number, user: number, time: number, draw: (below: number) => number): Click {
  const campaign = draw(CAMPAIGNS);
  return {
    ...{ $typeName: 'clickmesh.v1.Click', eventId: eventId(i), userId: `user-${user}`, timestamp: BigInt(time) },
    // An ad is of one campaign, which the Java peers, who count none, do not know.
    ...{ adId: `ad-${10 * campaign + draw(10)}`, campaignId: `camp-${campaign}`, source: SOURCES[draw(4)]! },
    metadata: { browser: BROWSERS[draw(4)]!, geo: GEOS[draw(6)]! },
  };
}

function conversion(i: number, user: number, time: number, draw: (below: number) => number): Conversion {
  return {
    ...{ $typeName: 'clickmesh.v1.Conversion', eventId: eventId(i), userId: `user-${user}`, timestamp: BigInt(time) },
    ...{ type: 'purchase', source: 'ios_app', value: 0, valueMicros: BigInt(100 + draw(99_900)) * 10_000n },
    ...{ metadata: {}, currency: '' },
  };
}

function recordOf(user: number, arm: Click | Conversion): NewRecord {
  return {
    topic: 'raw-events',
    key: `user-${user}`,
    value: encodeEvent(arm, arm.eventId, arm.$typeName === 'clickmesh.v1.Conversion' ? arm.valueMicros : 0n),
  };
}

/** By the number of a conversion the number of the click that has its credit in the end, or NONE. */
async function creditedClicks(log: EventLog, total: number): Promise<Int32Array> {
  const credited = new Int32Array(total).fill(NONE);
  for (const [partition, { start, end }] of (await log.offsets('attributed-events')).entries()) {
    for (let offset = start; offset < end; ) {
      const records = await log.read('attributed-events', { partition, offset }, { maxBytes: 4 << 20, waitMs: 1000 });
      for (const { value } of records) {
        const { conversionId, clicks, models } = fromBinary(AttributedConversionSchema, value);
        const [i, m] = [numberOf(conversionId), models.indexOf('last_click')];
        for (const { clickId, creditsMicros } of clicks) {
          const click = numberOf(clickId);
          if ((creditsMicros[m] ?? 0n) > 0n) credited[i] = click;
          else if (credited[i] === click) credited[i] = NONE;
        }
      }
      offset = (records.at(-1)?.offset ?? offset - 1) + 1;
    }
  }
  return credited;
}

/** Of two clicks at the same time the greater id wins. */
function isLater(a: number, b: number, times: Float64Array): boolean {
  return times[a]! > times[b]! || (times[a] === times[b] && eventId(a) > eventId(b));
}

/** A UUID that looks random but for its last digits, which are the number. */
export function eventId(i: number): string {
  const [a, b] = [hex(scrambled(i), 8), hex(scrambled(~i), 8)];
  return `${a}-${b.slice(0, 4)}-4${b.slice(4, 7)}-8${b.slice(5)}-${hex(i, 12)}`;
}

function numberOf(eventId: string): number {
  return Number.parseInt(eventId.slice(-12), 16);
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/** A number of 32 bits that looks random. */
export function scrambled(i: number): number {
  const mixed = Math.imul(i ^ (i >>> 16), 0x21f0aaad);
  return Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97) >>> 0;
}
