import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect';
import {
  ListConflictsResponseSchema,
  ListDeadLettersResponseSchema,
  RunAuditResponseSchema,
  type TailEventsRequest,
  TailEventsResponseSchema,
} from '../../gen/ts/clickmesh/v1/reports_pb.js';
import { json } from '../../services/http/exchange/http-message.ts';
import { campaignName, chance } from './made-up-rows.ts';

type Answer = MessageInitShape<typeof TailEventsResponseSchema>;
type MadeUpEvent = NonNullable<Answer['events']>[number];

export type MadeUpOperations = ReturnType<typeof madeUpOperations>;

/** What the views Live and Health ask for. */
export function madeUpOperations() {
  const followers = new Set<{ tell(answer: Answer): void; fail(error: Error): void }>();
  const operations = {
    /** Requests for a tail so far, the newest last. */
    tails: [] as TailEventsRequest[],
    /** Every tail is refused while it is set. */
    isDown: false,
    hasStatus: true,
    hasAudit: true,
    /** Tells everyone who follows the tail. */
    tell(answer: Answer) {
      for (const follower of followers) follower.tell(answer);
    },
    /** Ends every tail with an error. */
    lose() {
      for (const { fail } of followers) fail(new ConnectError('lost', Code.Unavailable));
    },
    methods: {
      async *tailEvents(request: TailEventsRequest, { signal }: HandlerContext) {
        operations.tails.push(request);
        if (operations.isDown) throw new ConnectError('down', Code.Unavailable);
        const answers: Answer[] = [firstAnswer(request)];
        let next = Promise.withResolvers<void>();
        const follower = {
          tell(answer: Answer) {
            answers.push(answer);
            next.resolve();
          },
          fail: (error: Error) => next.reject(error),
        };
        followers.add(follower);
        signal.addEventListener('abort', () => next.resolve());
        try {
          while (!signal.aborted) {
            for (const answer of answers.splice(0)) yield create(TailEventsResponseSchema, answer);
            await next.promise;
            next = Promise.withResolvers();
          }
        } finally {
          followers.delete(follower);
        }
      },
      listDeadLetters: () => DEAD_LETTERS,
      listConflicts: () => CONFLICTS,
      async *runAudit() {
        if (!operations.hasAudit) throw new ConnectError('not here', Code.Unimplemented);
        yield create(RunAuditResponseSchema, { checks: CHECKS.slice(0, 2) });
        yield create(RunAuditResponseSchema, { checks: CHECKS, done: true, finishedAt: BigInt(Date.now()) });
      },
    },
    status: (settings: object) => (operations.hasStatus ? json({ ...settings, ...statusOf() }) : json({}, 404)),
    readyz: {
      method: 'GET',
      path: '/readyz',
      summary: 'made up',
      handle: async () => json({ ready: true, checks: { log: { ok: true }, clickhouse: { ok: true } } }),
    },
  };
  return operations;
}

const TYPES = ['click', 'click', 'conversion', 'click', 'verdict', 'click', 'adjustment'] as const;

const valueMicros = (n: number) => BigInt(Math.round(20 + 90 * chance(n))) * 1_000_000n - 10_000n;

/** The n-th of a made-up tail. */
export function madeUpEvent(n: number, own: MadeUpEvent = {}): MadeUpEvent {
  const eventType = own.eventType ?? TYPES[n % TYPES.length]!;
  const isClick = eventType === 'click';
  return {
    eventType,
    eventId: `0191f8a0-0000-7000-8000-${String(n).padStart(12, '0')}`,
    userId: `user-${(n * 7919) % 100_000}`,
    campaignId: isClick ? campaignName(Math.floor(8 * chance(n))) : '',
    adId: isClick ? `banner-${n % 23}` : '',
    conversionType: eventType === 'conversion' ? 'purchase' : '',
    valueMicros: isClick || eventType === 'verdict' ? 0n : eventType === 'adjustment' ? -24_000_000n : valueMicros(n),
    kind: eventType === 'verdict' ? 'invalid' : eventType === 'adjustment' ? 'refund' : '',
    targetId: eventType === 'verdict' || eventType === 'adjustment' ? 'c6830000-0000-7000-8000-0000000000a9' : '',
    timestamp: BigInt(Date.now() - 2000),
    arrivalTime: BigInt(Date.now() - 1000),
    outcome: eventType === 'conversion' ? (['pending', 'attributed', 'unattributed'][n % 3] ?? '') : 'counted',
    creditedCampaignId: eventType === 'conversion' && n % 3 === 1 ? campaignName(n % 7) : '',
    ...own,
  };
}

function firstAnswer({ eventTypes }: TailEventsRequest): Answer {
  const second = Math.floor(Date.now() / 1000) * 1000;
  const events = Array.from({ length: 40 }, (_, n) => {
    const arrival = Date.now() - 1000 - Math.round((39 - n) * 430 + 300 * chance(n, 'arrival'));
    return madeUpEvent(n, { arrivalTime: BigInt(arrival), timestamp: BigInt(arrival - 800) });
  });
  return {
    events: events.filter(({ eventType }) => eventTypes.length === 0 || eventTypes.includes(eventType!)),
    seconds: Array.from({ length: 60 }, (_, i) => ({
      time: BigInt(second - i * 1000),
      clicks: BigInt(5 + Math.floor(6 * chance(i, 'clicks'))),
      conversions: BigInt(Math.floor(1.3 * chance(i, 'conversions'))),
      verdicts: BigInt(i % 20 === 0 ? 1 : 0),
    })),
  };
}

const DEAD_LETTERS = create(ListDeadLettersResponseSchema, {
  total: 1n,
  deadLetters: [
    {
      topic: 'raw-events',
      partition: 1,
      offset: 5_740_831n,
      arrivalTime: BigInt(Date.UTC(2026, 10, 26, 3, 12, 44)),
      error: 'not an Event: wire type 7 at byte 14',
      value: new TextEncoder().encode('not an event at all'),
    },
  ],
  setAside: [
    {
      topic: 'raw-events',
      partition: 6,
      offset: 5_741_002n,
      arrivalTime: BigInt(Date.UTC(2026, 10, 26, 4, 2, 9)),
      error: 'set aside: RangeError: Invalid time value',
      value: new TextEncoder().encode('user-77120'),
    },
  ],
});

const CONFLICT = { eventType: 'conversion', eventId: 'b1f07c3a-0000-7000-8000-0000000090e2', userId: 'user-40718' };
const CONFLICTS = create(ListConflictsResponseSchema, {
  total: 1n,
  conflicts: [
    {
      kept: { ...CONFLICT, valueMicros: 49_990_000n, version: 12n },
      notKept: { ...CONFLICT, valueMicros: 59_990_000n, version: 5_506_980n },
      arrivalTime: BigInt(Date.UTC(2026, 10, 21, 18, 2, 31)),
    },
  ],
});

const CHECKS = [
  { name: 'every record became exactly one thing', outcome: 'ok', compared: 46_020_944n, text: '46020944 compared' },
  { name: 'every partition is read to its end', outcome: 'ok', compared: 8n, text: '8 compared' },
  { name: 'corrections', outcome: 'limit', compared: 2n, text: '2 compared; 1 differ: too late' },
  { name: 'daily_stats', outcome: 'differs', compared: 68_214n, differing: 3n, text: '3 of 68214 differ' },
];

function statusOf() {
  const partitions = Array.from({ length: 8 }, (_, partition) => ({
    partition,
    first: 0,
    end: 5_700_000 + partition + (Date.now() % 1_000_000),
    inserted: 5_700_000 + (Date.now() % 1_000_000),
  }));
  return {
    topics: [{ topic: 'raw-events', partitions }],
    attribution: partitions.map(({ partition, end }) => ({ partition, next_offset: end - 1, committed: end - 4 })),
    stalls: [],
    traces_url: 'http://traces.example/trace/{trace_id}',
    set_aside: [{ partition: 1, records: 2 }],
    lookback_hours: 24,
    owners: [{ name: 'attribution-1', partitions: [0, 1, 2, 3] }],
    watermarks: partitions.map(({ partition }) => ({ partition, watermark: '2026-11-27 12:04:07.000' })),
    checkpoints: partitions.map(({ partition }) => ({ partition, takenAt: Date.now() - 120_000 })),
  };
}
