import { describe, expect, test } from 'vitest';
import { play } from '../../../test/fixtures/play.ts';
import { MAX_CORRECTIONS, MAX_USER_CORRECTIONS } from './corrections.ts';
import { creditsOf } from './decide.ts';

const HOURS_90_DAYS = 90 * 24;

/** Net conversions, net revenue, what was retracted, adjusted and refunded, in whole ones, under last_click. */
function sums(journey: string, env: Record<string, string> = {}) {
  const { increments, totals } = play(journey, env);
  const sum = [0n, 0n, 0n, 0n, 0n];
  for (const of of increments) {
    const { conversionsMicros, revenueMicros, retractedMicros, adjustedMicros, refundsMicros } = of;
    [conversionsMicros, revenueMicros, retractedMicros, adjustedMicros, refundsMicros].forEach((micros, i) => {
      sum[i]! += micros;
    });
  }
  return { sum: sum.map((micros) => Number(micros) / 1e6), totals };
}

describe('what holds of a conversion of 10', () => {
  const conversion = 'click A @1 \n conversion X @3 10000000';
  test.each([
    ['without adjustments', '', [1, 10, 0, 0, 0]],
    ['a refund takes its value', 'refund R @4 X 4000000', [1, 6, 0, 4, 4]],
    ['refunds add up', 'refund R @4 X 4000000 \n refund S @4 X 1000000', [1, 5, 0, 5, 5]],
    ['never below 0', 'refund R @4 X 7000000 \n refund S @5 X 7000000', [1, 0, 0, 10, 10]],
    ['a restate takes its place', 'restate R @4 X 20000000', [1, 20, 0, -10, 0]],
    ['less refunds later than it', 'restate R @4 X 20000000 \n refund S @5 X 5000000', [1, 15, 0, -5, 5]],
    ['not those before it', 'refund S @4 X 5000000 \n restate R @5 X 20000000', [1, 20, 0, -10, 0]],
    ['by time, not arrival', 'restate R @5 X 20000000 \n refund S @4 X 5000000', [1, 20, 0, -10, 0]],
    ['of two at a time, by id', 'restate R @5 X 20000000 \n refund S @5 X 5000000', [1, 15, 0, -5, 5]],
    ['the latest restate', 'restate R @5 X 8000000 \n restate S @4 X 9000000', [1, 8, 0, 2, 0]],
    ['the greater id at a time', 'restate S @5 X 8000000 \n restate R @5 X 9000000', [1, 8, 0, 2, 0]],
    ['nothing once retracted', 'retract R @4 X', [0, 0, 1, 10, 0]],
    ['whatever comes beside', 'refund S @9 X 5000000 \n retract R @4 X \n restate T @8 X 1', [0, 0, 1, 10, 0]],
    ['an adjustment of another changes nothing', 'refund R @4 Y 4000000', [1, 10, 0, 0, 0]],
  ])('%s', (_, adjustments, expected) => {
    const reversed = adjustments.split('\n').reverse().join('\n');
    expect(sums(`${conversion} \n ${adjustments || 'click B @9'}`).sum).toEqual(expected);
    expect(sums(`${reversed || 'click B @9'} \n ${conversion}`).sum).toEqual(expected);
  });

  test('the same holds of one that is attributed to nothing', () => {
    expect(sums('conversion X @3 10000000 \n refund R @4 X 4000000').sum).toEqual([1, 6, 0, 4, 4]);
    expect(sums('retract R @4 X \n conversion X @3 10000000').sum).toEqual([0, 0, 1, 10, 0]);
  });

  test('each adjustment is named with what it does', () => {
    const refunds = 'refund P @4 X 9 \n restate Q @5 X 6 \n refund R @6 X 4 \n refund S @7 X 4 \n refund T @8 X 4';
    const named = (journey: string) =>
      play(journey).decisions[0]!.corrections.map(({ correction, effect }) => `${correction.eventId} ${effect}`);
    expect(named(`${conversion} \n ${refunds}`)).toEqual([
      ...['P superseded', 'Q applied', 'R applied', 'S applied_in_part', 'T exceeded'],
    ]);
    expect(named(`${conversion} \n refund P @4 X 9 \n retract Q @3 X`)).toEqual(['Q applied', 'P void']);
  });
});

test('an adjustment changes amounts, and who is credited not, though the click is gone', () => {
  const journey = 'click A @1 \n conversion X @2 10 \n click C @3 \n click D @4 \n refund R @5 X 4';
  const { rows, decisions, totals } = play(journey, { MAX_TOUCHES: '2' });
  expect(rows).toEqual(['X <- A', 'X <- A']);
  expect(decisions[0]).toMatchObject({ cause: { eventId: 'R', type: 'adjustment' }, candidates: [{ clickId: 'A' }] });
  expect(creditsOf(decisions[0]!.shares)).toMatchObject([{ valueMicros: 6n, adjustedMicros: 4n, refundsMicros: 4n }]);
  expect(totals).toMatchObject({ adjustments: 1, corrections: 1, attributed: 1, waiting: 0, exceeded: 0 });
});

test('it is shared under the models that were in use, whatever is in use now', () => {
  const touches = ['A', 'B'].map((clickId) => {
    return { clickId, timestamp: 1, arrival: 0, adId: 'ad', campaignId: 'camp', source: 'src', metadata: '' };
  });
  const credits = touches.map((touch) => {
    return { model: 'linear', touch, creditMicros: 500_000, valueMicros: 5n, adjustedMicros: 0n, refundsMicros: 0n };
  });
  const of = { conversionId: 'X', timestamp: 2, arrival: 0, type: 'buy', valueMicros: 10n, credits };
  const conversion = { ...of, isCounted: true, models: ['linear'] };
  const { decisions, rows } = play('refund R @4 X 4', {}, { conversions: [conversion] });
  expect(rows).toEqual(['X <- A', 'X <- B']);
  expect(decisions[0]).toMatchObject({ models: ['linear'], candidates: [{ clickId: 'A' }, { clickId: 'B' }] });
  expect(creditsOf(decisions[0]!.shares).map(({ valueMicros, creditMicros }) => [valueMicros, creditMicros])).toEqual([
    ...[3n, 3n].map((value) => [value, 500_000]),
  ]);

  const ofNoModel = credits.slice(0, 1).map((credit) => ({ ...credit, model: 'last_half', creditMicros: 1_000_000 }));
  const both = { ...conversion, models: ['linear', 'last_half'], credits: [...credits, ...ofNoModel] };
  const later = play('refund R @4 X 4', {}, { conversions: [both] });
  // Another build had one more: what it gave under that is taken back.
  expect(later.rows.toSorted()).toEqual(['X <- A', 'X <- A withdrawn', 'X <- B']);
  expect(later.decisions[0]!.models).toEqual(['linear']);
  expect(creditsOf(later.decisions[0]!.shares)).toEqual(creditsOf(decisions[0]!.shares));
});

test.each([
  ['a verdict and the one that takes it back', 'invalid V @4 A \n valid W @5 A'],
  ['while no click was left', 'invalid V @4 A \n invalid W @4 B \n valid Y @5 A \n valid Z @5 B'],
])('it is decided anew under them, too: %s', (_, verdicts) => {
  const models = 'last_click,first_click,linear';
  const before = play('click A @1 \n click B @2 \n conversion X @3', { MODELS: models });
  const given = creditsOf(before.decisions[0]!.shares);
  const { decisions } = play(verdicts, { MODELS: 'linear' }, before.user);
  expect(decisions[0]!.models).toEqual(models.split(','));
  expect(creditsOf(decisions[0]!.shares)).toEqual(given);
});

describe('verdicts', () => {
  const journey = 'click A @1 \n click B @2 \n conversion X @3';
  test.each([
    ['credit falls to the next', `${journey} \n invalid V @4 B`, ['X <- B', 'X <- B withdrawn', 'X <- A']],
    ['before the conversion', 'click A @1 \n click B @2 \n invalid V @4 B \n conversion X @3', ['X <- A']],
    ['before the click', `invalid V @4 B \n ${journey}`, ['X <- A']],
    [
      'a late click that is invalid changes nothing',
      'invalid V @4 B \n click A @1 \n conversion X @3 \n click B @2',
      ['X <- A'],
    ],
    ['the latest stands', `${journey} \n valid V @5 B \n invalid W @4 B`, ['X <- B']],
    ['the greater id at a time', `${journey} \n valid W @4 B \n invalid V @4 B`, ['X <- B']],
    ['what has no credit can lose none', `${journey} \n invalid V @4 A`, ['X <- B']],
    [
      'valid again, all is as it was',
      `${journey} \n invalid V @4 B \n valid W @5 B`,
      ['X <- B', 'X <- B withdrawn', 'X <- A', 'X <- A withdrawn', 'X <- B'],
    ],
    ['the last click lost', 'click A @1 \n conversion X @3 \n invalid V @4 A', ['X <- A', 'X <- A withdrawn']],
  ])('%s', (_, rows, expected) => {
    expect(play(rows).rows).toEqual(expected);
  });

  test('a click counts as valid or as invalid, a conversion as attributed or not', () => {
    const { clicks, totals, decisions } = play('click A @1 \n conversion X @3 \n invalid V @4 A');
    expect(clicks.map(({ clicks, invalidClicks }) => [clicks, invalidClicks])).toEqual([
      [1, 0],
      [-1, 1],
    ]);
    expect(totals).toMatchObject({ clicks: 1, invalidClicks: 1, attributed: 0, unattributed: 1, verdicts: 1 });
    expect(decisions[0]).toMatchObject({ candidates: [], invalid: [{ clickId: 'A' }], shares: { byModel: [] } });
  });

  test('an invalid click sent again is a duplicate', () => {
    const { totals, duplicates } = play('click A @1 \n invalid V @4 A \n click A @1 \n click A @2');
    expect(duplicates).toMatchObject({ click: 2 });
    expect(totals).toMatchObject({ clicks: 1, invalidClicks: 1, conflicts: 1 });
  });
});

test('the same adjustment or verdict again is a duplicate, and a conflict if it says something else', () => {
  const again = 'refund R @4 X 4 \n refund R @4 X 5 \n invalid R @4 A \n invalid R @4 A \n valid R @4 A';
  const { duplicates, totals } = play(`click A @1 \n conversion X @3 10 \n refund R @4 X 4 \n ${again}`);
  expect(duplicates).toMatchObject({ adjustment: 2, verdict: 2 });
  expect(totals).toMatchObject({ adjustments: 1, verdicts: 1, conflicts: 2 });
});

test('what waits is told, until what it is about comes', () => {
  expect(play('refund R @4 X 4 \n invalid V @4 A').totals).toMatchObject({ adjustments: 1, verdicts: 1, waiting: 2 });
  const { totals } = play('refund R @4 X 40 \n invalid V @4 A \n click A @1 \n conversion X @3 10');
  expect(totals).toMatchObject({ waiting: 0, exceeded: 1, invalidClicks: 1, clicks: 1 });
});

test('no more than so many corrections of one are taken', () => {
  const refunds = Array.from({ length: MAX_CORRECTIONS + 1 }, (_, i) => `refund R${i} @4 X 1`);
  const { totals, refused } = play(['conversion X @3 5000', ...refunds, 'refund S @4 Y 1'].join('\n'));
  expect(totals).toMatchObject({ adjustments: MAX_CORRECTIONS + 1, waiting: 1 });
  expect(refused).toEqual([{ offset: MAX_CORRECTIONS + 1, reason: 'more than 1000 corrections: of X' }]);
});

test('a user does not have more than so many', () => {
  const refunds = Array.from({ length: MAX_USER_CORRECTIONS + 1 }, (_, i) => `refund R${i} @4 X${i} 1`);
  const { totals, refused } = play([...refunds, 'conversion X0 @3'].join('\n'));
  expect(totals).toMatchObject({ adjustments: MAX_USER_CORRECTIONS, waiting: MAX_USER_CORRECTIONS - 1 });
  expect(refused).toEqual([{ offset: MAX_USER_CORRECTIONS, reason: 'more than 10000 corrections of a user' }]);
});

describe('time is by arrival', () => {
  const sold = 'click A @1 +1 \n click B @2 +1 \n conversion X @3 10000000 +1';
  const last = `+${HOURS_90_DAYS + 1}`;
  const later = `+${HOURS_90_DAYS + 1.1}`;

  test('a conversion can be adjusted for 90 days', () => {
    expect(sums(`${sold} \n refund R @4 X 4000000 ${last}`).sum).toEqual([1, 6, 0, 4, 4]);
    const { sum, totals } = sums(`${sold} \n refund R @4 X 4000000 ${later} \n refund R @4 X 4000000 ${later}`);
    expect(sum).toEqual([1, 10, 0, 0, 0]);
    expect(totals).toMatchObject({ adjustments: 0, tooLate: 2, waiting: 0 });
  });

  test('and its clicks be judged', () => {
    const { rows } = play(`${sold} \n invalid V @4 B ${last} \n valid W @5 B ${last}`);
    expect(rows).toEqual(['X <- B', 'X <- B withdrawn', 'X <- A', 'X <- A withdrawn', 'X <- B']);
    expect(play(`${sold} \n invalid V @4 B ${later}`).rows).toEqual(['X <- B']);
  });

  test('a click without a conversion is forgotten sooner, and what judges it then is too late', () => {
    expect(play('click A @1 +1 \n invalid V @4 A +49').totals).toMatchObject({ invalidClicks: 1, tooLate: 0 });
    expect(play('click A @1 +1 \n invalid V @4 A +49.1').totals).toMatchObject({ invalidClicks: 0, tooLate: 1 });
  });

  test('what waits does so for 90 days', () => {
    const sell = (arrival: string) => `refund R @4 X 4000000 +1 \n conversion X @3 10000000 ${arrival}`;
    expect(sums(sell(last)).sum).toEqual([1, 6, 0, 4, 4]);
    expect(sums(sell(later)).sum).toEqual([1, 10, 0, 0, 0]);
  });

  test('ADJUSTMENT_DAYS says how long', () => {
    const env = { ADJUSTMENT_DAYS: '10' };
    expect(sums(`${sold} \n refund R @4 X 4000000 +241`, env).sum).toEqual([1, 6, 0, 4, 4]);
    expect(sums(`${sold} \n refund R @4 X 4000000 +241.1`, env).totals).toMatchObject({ tooLate: 1 });
  });

  test('a click that is kept for corrections alone is credited with nothing that comes', () => {
    expect(play(`${sold} \n conversion Y @3 +49`).rows).toEqual(['X <- B', 'Y <- B']);
    expect(play(`${sold} \n conversion Y @3 +49.1`).rows).toEqual(['X <- B']);
    expect(play(`${sold} \n click C @2.5 +49.1 \n invalid V @4 B +50`).rows).toEqual([
      ...['X <- B', 'X <- B withdrawn', 'X <- A'],
    ]);
  });

  test('of the conversions of a click those change that can still be corrected', () => {
    const journey = `click B @2 +1 \n conversion X @3 +1 \n conversion Y @3 +40 \n invalid V @4 B ${later}`;
    expect(play(journey).rows).toEqual(['X <- B', 'Y <- B', 'Y <- B withdrawn']);
  });

  test('a state keeps clicks for the conversions that they are candidates of', () => {
    const touches = (journey: string) => play(journey).user.touches.map(({ clickId }) => clickId);
    expect(touches('click A @1 +1 \n click B @9 +1 \n conversion X @26 +1 \n click Z @99 +60')).toEqual(['B', 'Z']);
    expect(touches('conversion X @3 +1 \n click B @2 +49.1 \n click Z @99 +100')).toEqual(['Z']);
  });

  test('a state forgets what can no longer be changed', () => {
    const known = `${sold} \n refund R @4 X 4000000 +2 \n invalid V @4 B +2`;
    const { user } = play(`${known} \n click Z @1 ${later}`);
    expect(user.touches.map(({ clickId }) => clickId)).toEqual(['Z']);
    expect([user.invalidTouches, user.corrections]).toEqual([[], []]);
    expect(play(`${known} \n click Z @1 ${last}`).user).toMatchObject({
      ...{ touches: [{ clickId: 'A' }, { clickId: 'Z' }], invalidTouches: [{ clickId: 'B' }] },
      corrections: [{ eventId: 'R' }, { eventId: 'V' }],
    });
  });
});

describe('what a state has no room for is corrected, too', () => {
  const env = { MAX_TOUCHES: '2' };
  const days = (count: number) => `+${count * 24}`;

  test('a conversion', () => {
    const sell = 'refund Q @4 X 1 \n click A @1 \n conversion X @1 9 \n conversion Y @2 9 \n conversion Z @3 9';
    const [both, moved] = [{}, env].map((each) => sums(`${sell} \n refund R @4 X 2 \n retract T @5 Y`, each));
    expect(moved!.totals).toEqual({ ...both!.totals, touchesDropped: 0 });
    expect(moved!.totals).toMatchObject({ adjustments: 3, tooLate: 0, waiting: 0 });
    expect(moved!.sum).toEqual(both!.sum);
  });

  const clicks = Array.from({ length: 5 }, (_, i) => `click C${i} @${i}`).join('\n');

  test('a click, whose credit falls to the one before, and which gets it back', () => {
    const journey = `conversion X @3.5 \n ${clicks} \n conversion Y @1.5 \n invalid V @9 C1`;
    const { rows, totals } = play(`${journey} \n valid W @10 C1`, env);
    const came = ['X <- C0', ...[1, 2, 3].flatMap((i) => [`X <- C${i - 1} withdrawn`, `X <- C${i}`])];
    expect(rows).toEqual([...came, 'Y <- C1', 'Y <- C1 withdrawn', 'Y <- C0', 'Y <- C0 withdrawn', 'Y <- C1']);
    expect(totals).toMatchObject({ clicks: 5, invalidClicks: 0, verdicts: 2, tooLate: 0 });
    expect(
      play(journey, env)
        .decisions.at(-1)!
        .invalid.map(({ clickId }) => clickId),
    ).toEqual(['C1']);
  });

  test('clicks that are all invalid', () => {
    const verdicts = Array.from({ length: 5 }, (_, i) => `invalid V${i} @9 C${i}`).join('\n');
    const { rows, totals } = play(`${clicks} \n ${verdicts} \n conversion X @9 \n valid W @10 C0`, env);
    expect(rows).toEqual(['X <- C0']);
    expect(totals).toMatchObject({ invalidClicks: 4, verdicts: 6, tooLate: 0, attributed: 1 });
  });

  const sold = 'click A @1 +1 \n conversion X @2 9 +1 \n click B @1 +2 \n click C @1 +2';
  const many = `${sold} \n conversion Y @8 9 +2 \n conversion Z @8 9 +2`;

  test('for 90 days after it arrived, though its id is forgotten before', () => {
    const correct = (at: string) => `refund R @4 X 4 ${at} \n invalid V @4 A ${at} \n valid W @5 A ${at}`;
    const [last, later, gone] = [`+${HOURS_90_DAYS + 1}`, `+${HOURS_90_DAYS + 2.1}`, days(121)].map((at) =>
      play(`${many} \n ${correct(at)}`, { ...env, EVENT_ID_DAYS: '3' }),
    );
    expect(last!.totals).toMatchObject({ adjustments: 1, verdicts: 2, tooLate: 0, waiting: 0 });
    expect(last!.decisions.findLast(({ conversion }) => conversion.conversionId === 'X')).toMatchObject({
      standing: { valueMicros: 5n },
    });
    expect(later!.totals).toMatchObject({ adjustments: 0, tooLate: 1, waiting: 2 });
    expect(gone!.totals).toMatchObject({ adjustments: 1, tooLate: 0, waiting: 3 });
  });

  test('a click that has left the state since, as what it was judged to be', () => {
    const moved = 'click A @1 +1 \n click B @2 +1 \n conversion X @3 +1 \n conversion Y @40 +1 \n conversion Z @40 +1';
    const judged = `${moved} \n invalid V @4 B +10 \n conversion W @99 +60 \n invalid U @5 A +61`;
    const rows = ['X <- B', 'X <- B withdrawn', 'X <- A', 'X <- A withdrawn'];
    expect(play(judged, env)).toMatchObject({ rows, totals: { invalidClicks: 2 } });
    const again = play(`${judged} \n valid T @6 B +62`, env);
    expect(again).toMatchObject({ rows: [...rows, 'X <- B'], totals: { invalidClicks: 1 } });
  });

  test('by all that corrected it before, though that is older', () => {
    const waits = 'refund Q @4 X 1 +1 \n conversion X @2 9 +2000 \n conversion Y @8 9 +2000 \n conversion Z @8 9 +2000';
    const { decisions } = play(`${waits} \n refund R @5 X 2 +3000`, env);
    expect(decisions.at(-1)).toMatchObject({ standing: { valueMicros: 6n }, corrections: [{}, {}] });
  });
});

test('what a build before left unattributed is taken from no counter', () => {
  const of = {
    timestamp: 3 * 3_600_000,
    arrival: 0,
    type: 'buy',
    valueMicros: 5n,
    credits: [],
    isCounted: false,
    models: [],
  };
  const { increments } = play('click A @1 \n refund R @4 X 2', {}, { conversions: [{ ...of, conversionId: 'X' }] });
  expect(increments.map(({ touch, revenueMicros }) => `${touch?.clickId} ${revenueMicros}`)).toEqual([
    ...['A 5', 'A -2'],
  ]);
  const refunded = play('refund R @4 X 2', {}, { conversions: [{ ...of, conversionId: 'X' }] });
  expect(refunded.increments).toEqual([]);
  // An audit knows by that which decisions are of conversions that no counter has.
  expect(refunded.decisions).toMatchObject([{ models: [], standing: { valueMicros: 3n } }]);
  const credited = play('refund R @4 X 2 \n click A @1', {}, { conversions: [{ ...of, conversionId: 'X' }] });
  expect(credited.decisions).toMatchObject([{ models: ['last_click'] }]);
});
