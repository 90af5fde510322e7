import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { incrementsOf, rowsOf } from '../../../test/fixtures/credits.ts';
import { eventName } from '../../../test/fixtures/event-name.ts';
import { logRecord } from '../../../test/fixtures/log-record.ts';
import { memoryStateStore } from '../../../test/fixtures/memory-state-store.ts';
import { memoryOverflow } from '../../../test/fixtures/overflow.ts';
import { plainState, plainTouch } from '../../../test/fixtures/plain-state.ts';
import { expectMet, testRuns } from '../../../test/fixtures/test-runs.ts';
import { decodeUser, newUser } from '../../../test/fixtures/user-bytes.ts';
import { HOUR_MS } from '../../contract/limits.ts';
import { type AttributionConfig, attributionConfig, parseAttributionEnvironment } from '../decision/config.ts';
import { targetRole } from '../decision/corrections.ts';
import { digestOf } from '../decision/digest.ts';
import { type Effects, newEffects } from '../decision/effects.ts';
import { type FoldContext, type FoldEvent, fold } from '../decision/fold.ts';
import { arrivalOf, CORRECTIONS, type CorrectionKind, type SpilledId, type UserState } from '../decision/state.ts';
import { readEvent } from '../input/read-event.ts';
import { TouchSpace } from '../memory/touch-memory.ts';
import { PLACES_FROM, PLACES_TO, SPILLED_FROM, SPILLED_TO, userKey } from '../store/keys.ts';
import { readConversions, readCorrections, StateWriter } from '../store/user-codec.ts';
import { EventBatch } from './event-batch.ts';
import { OVERFLOW } from './user-slots.ts';
import { Users } from './users.ts';

/** What the fold does beside, as it may for an event type to come. */
const beside = vi.hoisted(() => ({ fold: (_: UserState): unknown => undefined }));
vi.mock('../decision/fold.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../decision/fold.ts')>();
  return {
    ...original,
    fold(context: FoldContext, user: UserState, event: FoldEvent, effects: Effects) {
      original.fold(context, user, event, effects);
      beside.fold(user);
    },
  };
});
afterEach(() => {
  beside.fold = () => undefined;
});

const START_HOUR = 400_000;

function eventId(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

function click(hour: number, number = hour): Uint8Array {
  const timestamp = BigInt((START_HOUR + hour) * HOUR_MS);
  const ids = { adId: 'ad', campaignId: 'c', source: 's' };
  const value = { eventId: eventId(number), userId: 'ann', ...ids, timestamp };
  return toBinary(EventSchema, create(EventSchema, { event: { case: 'click', value } }));
}

function conversion(hour: number, number = hour): Uint8Array {
  const timestamp = BigInt((START_HOUR + hour) * HOUR_MS);
  const value = { eventId: eventId(number), userId: 'ann', type: 'buy', source: 's', timestamp, valueMicros: 60n };
  return toBinary(EventSchema, create(EventSchema, { event: { case: 'conversion', value } }));
}

/** What corrects the conversion, or the click, of a number. */
function correction(kind: CorrectionKind, number: number, hour: number, target: number): Uint8Array {
  const timestamp = BigInt((START_HOUR + hour) * HOUR_MS);
  const of = { eventId: eventId(number), userId: 'ann', timestamp };
  const valueMicros = BigInt(hour);
  const event: EventInit =
    targetRole(kind) === 'touch'
      ? { case: 'verdict', value: { ...of, clickId: eventId(target), valid: kind === 'valid' } }
      : { case: 'adjustment', value: { ...of, conversionId: eventId(target), kind, valueMicros } };
  return toBinary(EventSchema, create(EventSchema, { event }));
}

type EventInit = NonNullable<MessageInitShape<typeof EventSchema>['event']>;

function start(env: NodeJS.ProcessEnv = {}, closing: Partial<AttributionConfig> = {}) {
  const config = { ...attributionConfig(parseAttributionEnvironment({ MODELS: 'last_click', ...env })), ...closing };
  const store = memoryStateStore();
  let conversions = 0;
  let clicks = 0;
  const open = () => {
    const users = new Users(config, () => Number.POSITIVE_INFINITY);
    const { table } = users;
    const [takesTouch, takesConversion] = [table.takesTouch.bind(table), table.takesConversion.bind(table)];
    // A spy would keep all tables.
    table.takesTouch = (...args) => {
      const taken = takesTouch(...args);
      if (taken) clicks++;
      return taken;
    };
    table.takesConversion = (...args) => {
      const taken = takesConversion(...args);
      if (taken) conversions++;
      return taken;
    };
    return users;
  };
  let users = open();
  return {
    config,
    /** How many events took the short way. */
    taken: () => ({ clicks, conversions }),
    /** From what is in the store. */
    reopen() {
      users = open();
    },
    fold(value: Uint8Array, arrival: number) {
      const batch = new EventBatch(1, users.table);
      readEvent(logRecord({ value }), arrival, batch);
      const effects = users.fold(store, batch, () => {});
      return { effects, event: batch.eventAt(0) };
    },
    click(hour: number) {
      return this.fold(click(hour), (START_HOUR + hour) * HOUR_MS);
    },
    conversion(hour: number) {
      return this.fold(conversion(hour, 1000 + hour), (START_HOUR + hour) * HOUR_MS);
    },
    /** What was written, by kind: how many bytes. */
    flush(expired: Buffer[] = [], hour = 0) {
      const { deletes, puts, appends } = users.takeChanges(store, expired, (START_HOUR + hour) * HOUR_MS);
      const sizes = { deletes: [...deletes].length, puts: [] as number[], appends: [] as number[] };
      const noting = function* (entries: typeof puts, into: number[]) {
        for (const entry of entries) {
          into.push(entry.value.length);
          yield entry;
        }
      };
      store.write({ deletes, puts: noting(puts, sizes.puts), appends: noting(appends, sizes.appends) });
      return sizes;
    },
    /** The user in memory. */
    state(): UserState {
      const { table } = users;
      const slot = table.index.findText('ann');
      const writer = new StateWriter();
      table.copyConversions(slot, 0, writer);
      const conversions = readConversions(writer.bytes, 0, writer.length);
      return {
        touches: table.touchesOf(slot, new TouchSpace(table.texts)),
        conversions,
        ...readCorrections(table.corrections(slot)),
        hasOverflow: table.slots.has(slot, OVERFLOW),
        lastClosed: table.lastClosed(slot),
      };
    },
    stored(): UserState | undefined {
      const [bytes] = store.getMany([userKey('ann')]);
      return bytes && decodeUser(bytes);
    },
    /** Ids that were spilled from the user's state, and of what lies beside it. */
    storedIds: () =>
      [store.scan(SPILLED_FROM, SPILLED_TO, Number.POSITIVE_INFINITY), store.scan(PLACES_FROM, PLACES_TO, 1000)].flat(),
    storedHours() {
      return this.stored()?.touches.map(({ timestamp }) => timestamp / HOUR_MS - START_HOUR);
    },
  };
}

const TOUCH_BYTES = 37 + 'adc\0s'.length;
/** Of the longest window, which is stored once. */
const LONGEST_BYTES = 24;

test('of a user that the store has, only what is new is written', () => {
  const ann = start();
  ann.click(1);
  expect(ann.flush()).toEqual({ deletes: 0, puts: [2 + TOUCH_BYTES, LONGEST_BYTES], appends: [] });
  ann.click(2);
  ann.click(3);
  expect(ann.flush()).toEqual({ deletes: 0, puts: [], appends: [2 * TOUCH_BYTES] });
  ann.conversion(4);
  expect(ann.flush()).toEqual({ deletes: 0, puts: [], appends: [65 + 'buy'.length + 'l'.length] });
  expect(ann.flush()).toEqual({ deletes: 0, puts: [], appends: [] });
  expect(ann.storedHours()).toEqual([1, 2, 3]);
  expect(ann.stored()!.conversions).toMatchObject([{ models: ['last_click'], windows: { maxTouches: 1024 } }]);
});

test('of a conversion that is decided anew nothing is written: its credits follow from its candidates', () => {
  const ann = start();
  ann.click(1);
  ann.conversion(4);
  ann.flush();
  ann.click(3);
  expect(ann.flush()).toEqual({ deletes: 0, puts: [], appends: [TOUCH_BYTES] });
});

test('a user with a click before others is written whole', () => {
  const ann = start();
  ann.click(3);
  ann.flush();
  ann.click(1);
  expect(ann.flush()).toEqual({ deletes: 0, puts: [2 + 2 * TOUCH_BYTES], appends: [] });
});

test('a user whose clicks are kept for conversions of before goes the whole way once, not with every event', () => {
  const ann = start();
  ann.click(1);
  ann.conversion(4);
  // From then on the click is kept for the conversion only.
  ann.click(100);
  const { clicks, conversions } = ann.taken();
  for (const hour of [101, 102, 103]) ann.click(hour);
  ann.conversion(104);
  expect(ann.taken()).toEqual({ clicks: clicks + 3, conversions: conversions + 1 });
  ann.flush();
  expect(ann.storedHours()).toEqual([1, 100, 101, 102, 103]);
  expect(ann.stored()!.conversions).toHaveLength(2);
});

test('a user that was deleted as expired and comes back is written whole', () => {
  const ann = start();
  ann.click(1);
  ann.flush();
  expect(ann.flush([userKey('ann')], 60)).toEqual({ deletes: 1, puts: [12], appends: [] });
  expect(ann.storedHours()).toBeUndefined();
  expect(ann.click(1).effects.duplicates.click).toBe(1);
  ann.click(60);
  ann.flush();
  expect(ann.storedHours()).toEqual([60]);
});

test('a user that came back before it could be deleted stays', () => {
  const ann = start();
  ann.click(1);
  ann.flush();
  ann.click(40);
  expect(ann.flush([userKey('ann')], 60).deletes).toBe(0);
  expect(ann.storedHours()).toEqual([1, 40]);
});

test.each<[string, (user: UserState) => unknown]>([
  ['a conversion loses its credits', ({ conversions: [first] }) => Object.assign(first!, { credits: [] })],
  ['another conversion takes the place of one', ({ conversions }) => conversions.splice(0, 1, OTHER_CONVERSION)],
  ['a conversion goes', ({ conversions }) => conversions.shift()],
  ['a conversion comes', ({ conversions }) => conversions.push(OTHER_CONVERSION)],
  ['a touch goes', ({ touches }) => touches.shift()],
  ['a touch goes, another comes', ({ touches }) => touches.unshift(plainTouch(touches.pop()!))],
])('what a fold changes is stored, whatever the event: %s', (_, change) => {
  const ann = start();
  ann.click(1);
  ann.click(2);
  ann.conversion(4);
  ann.conversion(5);
  ann.flush();
  const expected = plainState(ann.stored()!);
  change(expected);
  beside.fold = change;
  // A duplicate, which changes nothing of itself.
  ann.conversion(4);
  ann.flush();
  expect(plainState(ann.stored()!)).toEqual(plainState(expected));
});

const OTHER_CONVERSION = {
  conversionId: eventId(1006),
  timestamp: START_HOUR * HOUR_MS,
  arrival: START_HOUR * HOUR_MS,
  type: 'buy',
  valueMicros: 0n,
  credits: [],
  isCounted: true,
  models: [],
};

/** Limits of a user's state, and times that are over within a history. */
const SHORT = { LOOKBACK_HOURS: '10', ALLOWED_LATENESS_HOURS: '5', EVENT_ID_DAYS: '1' };
const ENVIRONMENTS: Parameters<typeof start>[] = [
  [{ MAX_TOUCHES: '3' }],
  [{ MAX_TOUCHES: '20', ADJUSTMENT_DAYS: '1', ...SHORT }],
  [{ MAX_TOUCHES: '20', ...SHORT }, { closing: { conversions: 2, touches: 3 } }],
];

testRuns('an event that takes the short way ends as the fold would have it', 800, (numRuns) => {
  const hours = fc.integer({ min: 0, max: 60 });
  const event = fc.record({
    kind: fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('click' as const, 'conversion' as const) },
      { weight: 1, arbitrary: fc.constantFrom(...CORRECTIONS) },
    ),
    number: fc.nat(7),
    hour: hours,
    pause: fc.oneof({ weight: 9, arbitrary: fc.nat(20) }, { weight: 1, arbitrary: fc.constantFrom(300, 600, 8000) }),
    next: fc.constantFrom('go on', 'go on', 'flush', 'reopen'),
  });
  const met = {
    ...{ clicks: 0, conversions: 0, duplicatesOfSpilled: 0, forgotten: 0 },
    ...{ corrected: 0, movedOut: 0, tooLate: 0, closed: 0 },
  };
  fc.assert(
    fc.property(
      fc.array(event, { minLength: 20, maxLength: 40, size: 'max' }),
      fc.constantFrom(...ENVIRONMENTS),
      (events, env) => {
        const ann = start(...env);
        // With the same events, but written as one.
        const unwritten = start(...env);
        const expected = newUser();
        const spilled = new Map<string, SpilledId>();
        const overflow = memoryOverflow(spilled);
        let arrival = START_HOUR * HOUR_MS;
        for (const { kind, number, hour, pause, next } of events) {
          arrival += (pause * HOUR_MS) / 10;
          // So that some are in one bucket, and of one hash.
          const id = 400 * number;
          const value = eventOf(kind, hour, id);
          const folded = ann.fold(value, arrival);
          unwritten.fold(value, arrival);
          const effects = newEffects();
          const plainOne = plainEvent(folded.event);
          let isSpilled = false;
          const known = () => {
            const id = spilled.get(eventName(plainOne));
            isSpilled = id !== undefined;
            return id;
          };
          const before = expected.conversions;
          const { config } = ann;
          const of = { config, watermark: arrival, longestApartMs: config.retentionMs.touch };
          fold({ ...of, spilled: known, overflow }, expected, plainOne, effects);
          for (const each of effects.spilled.splice(0)) {
            spilled.set(eventName(each), { arrival: arrivalOf(each), digest: digestOf(each) });
          }
          const { duplicates } = effects;
          if (isSpilled && duplicates.click + duplicates.conversion > 0) met.duplicatesOfSpilled++;
          if (expected.conversions !== before) met.forgotten++;
          if (rowsOf(effects).some(({ cause }) => cause.type === 'adjustment' || cause.type === 'verdict'))
            met.corrected++;
          met.tooLate += effects.totals.tooLate;
          if (isOfMoved(plainOne, expected, effects)) met.movedOut++;
          expect({ ...outcomeOf(folded.effects), state: plainState(ann.state()) }).toEqual({
            ...outcomeOf(effects),
            state: plainState(expected),
          });
          if (next === 'go on') continue;
          ann.flush();
          expect(plainState(ann.stored()!)).toEqual(plainState(expected));
          if (next === 'reopen') ann.reopen();
        }
        ann.flush();
        unwritten.flush();
        expect(ann.storedIds()).toEqual(unwritten.storedIds());
        if (expected.lastClosed > 0) met.closed++;
        met.clicks += ann.taken().clicks;
        met.conversions += ann.taken().conversions;
      },
    ),
    { numRuns },
  );
  expectMet(met, 1 / 4, numRuns);
});

/** Whether an event corrected what is not in its user's state. */
function isOfMoved(
  event: FoldEvent,
  { touches, invalidTouches, conversions }: UserState,
  { totals }: Effects,
): boolean {
  if (!('correction' in event) || totals.adjustments + totals.verdicts === 0 || totals.waiting > 0) return false;
  const ids = [...touches, ...invalidTouches].map(({ clickId }) => clickId);
  if (event.role === 'adjustment') ids.splice(0, ids.length, ...conversions.map((each) => each.conversionId));
  return !ids.includes(event.correction.targetId);
}

function eventOf(kind: 'click' | 'conversion' | CorrectionKind, hour: number, id: number): Uint8Array {
  if (kind === 'click') return click(hour, id);
  if (kind === 'conversion') return conversion(hour, id);
  return correction(kind, hour, hour, id);
}

function outcomeOf(effects: Effects) {
  const { totals, duplicates, decisions } = effects;
  return {
    totals,
    duplicates,
    attributed: rowsOf(effects).map(({ conversion, credit, retracted }) => [
      ...[conversion.conversionId, credit.touch.clickId, credit.creditMicros, credit.valueMicros, retracted],
      ...[credit.adjustedMicros, credit.refundsMicros],
    ]),
    increments: incrementsOf(effects).map(({ touch, ...of }) => ({ ...of, click: touch?.clickId })),
    decisions: Array.from(decisions.values(), ({ conversion, offset, candidates, invalid, standing, corrections }) => [
      ...[conversion.conversionId, offset, ...candidates.map(({ clickId }) => clickId), standing, corrections],
      ...invalid.map(({ clickId }) => clickId),
    ]),
  };
}

/** The event with objects of its own, as the naive state keeps them. */
function plainEvent(event: FoldEvent): FoldEvent {
  if (event.role === 'touch') return { ...event, touch: plainTouch(event.touch) };
  if (event.role === 'outcome')
    return { ...event, conversion: { ...event.conversion, credits: [], isCounted: false, models: [] } };
  return event;
}
