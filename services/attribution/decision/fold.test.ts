import { describe, expect, test } from 'vitest';
import { CandidateReason } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { play } from '../../../test/fixtures/play.ts';
import type { Decision } from './effects.ts';
import { explain } from './explain.ts';

describe('last click', () => {
  test.each([
    ['the latest click before the conversion wins', 'click A @1 \n click B @2 \n conversion X @3', ['X <- B']],
    ['whatever came first', 'click B @2 \n click A @1 \n conversion X @3', ['X <- B']],
    ['a click after the conversion does not count', 'click A @1 \n conversion X @3 \n click B @4', ['X <- A']],
    ['a click at the same instant counts', 'click A @3 \n conversion X @3', ['X <- A']],
    ['24 h is inside the window', 'click A @1 \n conversion X @25', ['X <- A']],
    ['more than 24 h is not', 'click A @1 \n conversion X @25.0001', []],
    ['a tie goes to the greatest id', 'click B @1 \n click A @1 \n conversion X @3', ['X <- B']],
    ['two conversions share a click', 'click A @1 \n conversion X @3 \n conversion Y @4', ['X <- A', 'Y <- A']],
    ['a late click attributes', 'conversion X @3 \n click A @1', ['X <- A']],
    ['a late click at the same instant does, too', 'conversion X @3 \n click A @3', ['X <- A']],
    [
      'a late better click corrects',
      'click A @1 \n conversion X @3 \n click B @2',
      ['X <- A', 'X <- A withdrawn', 'X <- B'],
    ],
    ['a late worse click does not', 'click B @2 \n conversion X @3 \n click A @1', ['X <- B']],
    ['a conversion sent twice counts once', 'click A @1 \n conversion X @3 \n conversion X @3', ['X <- A']],
    ['a late click too old for the window', 'conversion X @30 \n click A @1', []],
  ])('%s', (_, journey, rows) => {
    expect(play(journey).rows).toEqual(rows);
  });

  test('the lookback window can differ by conversion type', () => {
    const journey = 'click A @1 \n conversion X @40';
    expect(play(journey, { LOOKBACK_HOURS_BY_TYPE: 'buy=48' }).rows).toEqual(['X <- A']);
    expect(play(journey, { LOOKBACK_HOURS_BY_TYPE: 'install=48' }).rows).toEqual([]);
  });
});

test('a correction moves the counters from the old campaign to the new', () => {
  const { increments, totals } = play('click A @1 red \n conversion X @3 \n click B @2 blue');
  const revenue = increments.filter((i) => i.model !== '').map((i) => `${i.touch?.campaignId} ${i.revenueMicros}`);
  expect(revenue).toEqual(['red 5000000', 'red -5000000', 'blue 5000000']);
  expect(totals).toMatchObject({ clicks: 2, attributed: 1, unattributed: 0, corrections: 1 });
});

test.each([
  ['70.00 over A B A', 70_000_000n, ['A', 'B', 'A'], { A: 46_666_667n, B: 23_333_333n }],
  ['3,000,000.00 over three', 3_000_000_000_000n, ['A', 'B', 'C'], { A: 10n ** 12n, B: 10n ** 12n, C: 10n ** 12n }],
])('a value is shared by the weights themselves, to the micro: %s', (_, value, campaigns, shares) => {
  const clicks = campaigns.map((campaign, i) => `click ${i} @${i} ${campaign.toLowerCase()}`);
  const { increments } = play([...clicks, `conversion X @3 ${value}`].join('\n'), { MODELS: 'linear' });
  const byCampaign = Map.groupBy(increments, ({ touch }) => touch!.campaignId.toUpperCase());
  const sums = [...byCampaign].map(([campaign, of]) => [campaign, of.reduce((sum, i) => sum + i.revenueMicros, 0n)]);
  expect(Object.fromEntries(sums)).toEqual(shares);
});

test('the decision lists every click in the window with the reason', () => {
  const { decisions } = play('click A @1 \n click B @2 \n click C @2 \n click D @9 \n conversion X @3');
  expect(namedBy(decisions.at(-1)!)).toEqual([
    'C CREDITED 1000000',
    'B LOST_TIE_ON_EVENT_ID 0',
    'A OLDER_THAN_WINNER 0',
  ]);
});

test('an unattributed conversion has a decision too', () => {
  const { decisions, totals } = play('conversion X @3');
  expect(decisions).toMatchObject([{ conversion: { conversionId: 'X' }, shares: { byModel: [] }, candidates: [] }]);
  expect(totals).toMatchObject({ attributed: 0, unattributed: 1 });
});

test('duplicates are counted and change nothing; a different payload under the same id is a conflict', () => {
  const { rows, totals, duplicates } = play(
    'click A @1 red \n click A @1 red \n click A @2 blue \n conversion X @3 \n conversion X @4',
  );
  expect(rows).toEqual(['X <- A']);
  expect(totals).toMatchObject({ clicks: 1, conflicts: 2 });
  expect(duplicates).toMatchObject({ click: 2, conversion: 1 });
});

describe('retention is by arrival', () => {
  test('a backfill of old events attributes', () => {
    expect(play('click A @1 +9000 \n conversion X @3 +9001').rows).toEqual(['X <- A']);
  });

  test('a click is forgotten lookback + lateness after it arrived', () => {
    expect(play('click A @1 +1 \n conversion X @3 +49').rows).toEqual(['X <- A']);
    expect(play('click A @1 +1 \n conversion X @3 +49.1').rows).toEqual([]);
  });

  test('without lateness it is forgotten as soon as it is out of the window', () => {
    const none = { ALLOWED_LATENESS_HOURS: '0' };
    expect(play('click A @1 +1 \n conversion X @3 +25', none).rows).toEqual(['X <- A']);
    expect(play('click A @1 +1 \n conversion X @3 +25.1', none).rows).toEqual([]);
  });

  test('a conversion is no longer re-decided when it is as old', () => {
    expect(play('conversion X @3 +1 \n click A @1 +49').rows).toEqual(['X <- A']);
    expect(play('conversion X @3 +1 \n click A @1 +49.1').rows).toEqual([]);
  });

  test('a candidate stays as long as its conversion can be re-decided', () => {
    const journey = 'click B @2 +1 \n conversion X @3 +40 \n click A @1 +60';
    expect(play(journey).rows).toEqual(['X <- B']);
    expect(play(journey, { MODELS: 'linear' }).rows).toEqual(['X <- B', 'X <- A', 'X <- B']);
  });

  test.each([
    ['click', 30],
    ['conversion', 120],
  ])('the id of a %s is known for %i days', (type, days) => {
    const again = (hour: number) => play(`${type} X @3 +1 \n ${type} X @3 +${hour}`).duplicates;
    expect(again(24 * days + 1)).toMatchObject({ [type]: 1 });
    expect(again(24 * days + 1.1)).toMatchObject({ [type]: 0 });
  });

  test.each([
    ['click X @3 +1 red', 'click X @3 +90 red', 0],
    ['click X @3 +1 red', 'click X @3 +90 blue', 1],
    ['click X @3 +1', 'click X @4 +90', 1],
    ['conversion X @3 +1', 'conversion X @3 +90', 0],
    ['conversion X @3 +1', 'conversion X @4 +90', 1],
  ])('of what is forgotten but for its id, another payload is a conflict still: %s, %s', (first, again, conflicts) => {
    expect(play(`${first} \n ${again}`).totals).toMatchObject({ conflicts });
  });
});

test('of very many candidates a decision names those with credit and the latest', () => {
  const journey = [...manyClicks(300), 'conversion X @3'].join('\n');
  const { decisions } = play(journey, { MAX_TOUCHES: '1000', MODELS: 'first_click' });
  const named = namedBy(decisions.at(-1)!).map((text) => text.split(' ')[0]);
  expect(named).toHaveLength(257);
  expect([named[0], named.at(-2), named.at(-1)]).toEqual([299, 44, 0].map(manyClickId));
});

/** Clicks, with the reason and the credit under the first model. */
function namedBy(decision: Decision): string[] {
  const named: string[] = [];
  explain(decision, (from, to, [creditMicros], [reason]) => {
    const touches = decision.candidates.slice(from, to).reverse();
    named.push(...touches.map(({ clickId }) => `${clickId} ${CandidateReason[reason!]} ${creditMicros}`));
  });
  return named;
}

test('a duplicate among very many touches is known, of the first and of the last', () => {
  const clicks = manyClicks(300);
  const journey = [...clicks, clicks[0], clicks[150], clicks[299], `click ${manyClickId(300)} @1`].join('\n');
  const { totals, duplicates, user } = play(journey, { MAX_TOUCHES: '1000' });
  expect(totals).toMatchObject({ clicks: 301 });
  expect(duplicates.click).toBe(3);
  expect(user.touches).toHaveLength(301);
});

const manyClickId = (i: number) => `6f1b0e0a-1f7e-4a0e-9d0a-${String(i).padStart(12, '0')}`;
const manyClicks = (count: number) =>
  Array.from({ length: count }, (_, i) => `click ${manyClickId(i)} @${1 + i / 1000}`);

describe('touches are bounded', () => {
  const limited = { MAX_TOUCHES: '2' };

  test('the oldest is dropped and counted, and the latest still win', () => {
    const { rows, totals, user } = play('click A @1 \n click B @2 \n click C @3 \n conversion X @4', limited);
    expect(user.touches.map((touch) => touch.clickId)).toEqual(['B', 'C']);
    expect(totals).toMatchObject({ clicks: 3, touchesDropped: 1 });
    expect(rows).toEqual(['X <- C']);
  });

  test('a duplicate of a dropped click is still known', () => {
    const { totals, duplicates } = play('click A @1 \n click B @2 \n click C @3 \n click A @1', limited);
    expect(totals).toMatchObject({ clicks: 3 });
    expect(duplicates.click).toBe(1);
  });

  test('a late click older than all that are kept changes no decision', () => {
    const { rows } = play('click A @1 \n conversion X @2 \n click C @3 \n click D @4 \n click B @0', limited);
    expect(rows).toEqual(['X <- A']);
  });

  test('conversions are bounded alike, and their duplicates known', () => {
    const journey = 'conversion X @1 \n conversion Y @2 \n conversion Z @3 \n conversion X @1';
    const { user, totals, duplicates } = play(journey, limited);
    expect(user.conversions.map((conversion) => conversion.conversionId)).toEqual(['Y', 'Z']);
    expect(totals).toMatchObject({ unattributed: 3 });
    expect(duplicates.conversion).toBe(1);
  });
});
