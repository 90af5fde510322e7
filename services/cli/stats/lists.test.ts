import { expect, test } from 'vitest';
import { type ConversionsAnswer, conversionsTable } from './conversions.ts';
import { type Explanation, explanationText } from './explain.ts';
import { csvOf, exactly, linesOf, spanText } from './forms.ts';
import { type PathsAnswer, pathsTable } from './paths.ts';

const TIME = 1_764_547_200_000;
const CLICK = { click_id: 'k', campaign_id: 'red\x1b[2J', ad_id: 'ad', source: '東京' };

test('an explanation has the answer first, then the clicks, and what changed it', () => {
  const text = explanationText(
    exactly<Explanation>(
      JSON.stringify({
        decision: {
          ...{ conversion_id: 'order-1', user_id: 'ann\n', conversion_type: 'buy', conversion_time: TIME, value: 10 },
          ...{ retracted: false, models: ['last_click', 'linear'], candidates_left_out: 3, corrections_left_out: 0 },
          candidates: [
            { ...CLICK, click_time: TIME - 3_600_000, credits: [1, 0.5], reasons: ['credited', 'credited'] },
            { ...CLICK, click_time: TIME - 90_000_000, credits: [0, 0.5], reasons: ['older_than_winner', 'credited'] },
          ],
        },
        late_clicks: [{ click_id: 'c-2', text: 'arrived 2 h after the conversion' }],
        trace_id: '0af7651916cd43dd8448eb211c80319c',
        near_misses: [{ ...CLICK, click_time: TIME + 1500, text: '1 s after' }],
        corrections: [
          {
            event_type: 'adjustment',
            kind: 'refund',
            timestamp: TIME,
            reason: '',
            effect: 'applied',
            text: '10 → 7.5',
          },
        ],
        ...{ net_value: 7.5, summary: 'credited to campaign red\x1b[2J' },
      }),
    ),
  );
  expect(text).toBe(
    [
      'credited to campaign red\\u001b[2J',
      'buy of 7.50 of 10.00 by ann\\u000a at 2025-12-01T00:00:00.000Z, order-1',
      '',
      'click                         conversion  campaign_id   ad_id  source         last_click  linear  click_id',
      '2025-11-30T23:00:00.000Z      1 h before  red\\u001b[2J  ad     東京                    1     0.5  k',
      '2025-11-29T23:00:00.000Z  1 d 1 h before  red\\u001b[2J  ad     東京    older than winner     0.5  k',
      '3 more clicks in the window',
      '',
      'click                     conversion  campaign_id   ad_id  source  no candidate because',
      '2025-12-01T00:00:01.500Z   1 s after  red\\u001b[2J  ad     東京    1 s after',
      '',
      'changed                   by                 reason  effect   which means',
      '2025-12-01T00:00:00.000Z  adjustment refund  –       applied  10 → 7.5',
      'late click c-2 arrived 2 h after the conversion',
      'trace 0af7651916cd43dd8448eb211c80319c',
      '',
    ].join('\n'),
  );
});

test('conversions', () => {
  const conversion = {
    ...{ conversion_id: 'order-1', user_id: 'ann', conversion_type: 'buy', conversion_time: TIME, value: 10 },
    ...{
      net_value: 0.000001,
      touches: 0,
      lag_ms: null,
      campaign_id: '',
      ad_id: '',
      source: '',
      corrected_by: ['refund'],
    },
  };
  const answer = exactly<ConversionsAnswer>(JSON.stringify({ conversions: [conversion] }));
  expect(conversionsTable(answer).split('\n')[1]).toBe(
    '2025-12-01T00:00:00.000Z  order-1        ann      buy   10.00  0.000001  –            –      –             0    –  refund',
  );
  expect(conversionsTable({ ...answer, conversions: [] })).toBe('no conversions in these days\n');
});

test('paths say how many there are', () => {
  const path = {
    longer: true,
    conversions: 3,
    revenue: 4.5,
    share: 0.375,
    median_lag_ms: 61_000,
    median_last_lag_ms: 5,
  };
  const paths = [{ ...path, steps: ['a', ''] }];
  const answer = exactly<PathsAnswer>(JSON.stringify({ paths, conversions: 8, total_paths: 2, revenue: 9 }));
  expect(pathsTable(answer)).toBe(
    [
      'conversions  share  revenue  median lag  from the last  path',
      '          3  37.5%     4.50   1 min 1 s           5 ms  … > a > (none)',
      '8 conversions with 9.00 took 2 paths; the first 1 are shown',
      '',
    ].join('\n'),
  );
});

test('cells that a spreadsheet would run are texts in CSV, unless raw; numbers are numbers', () => {
  const columns = [
    { title: 'ad_id', text: ([ad]: readonly [string, string]) => ad },
    { title: 'net', text: ([, net]: readonly [string, string]) => net, right: true },
  ];
  const rows = [
    ['=HYPERLINK("x")', '-1.5'],
    ['+1', '2'],
    ['＠x', '3'],
  ] as const;
  expect(csvOf(columns, rows, { bom: true })).toBe(
    '\ufeffad_id,net\r\n"\'=HYPERLINK(""x"")",-1.5\r\n\'+1,2\r\n\'＠x,3\r\n',
  );
  expect(csvOf(columns, rows, { raw: true })).toBe('ad_id,net\r\n"=HYPERLINK(""x"")",-1.5\r\n+1,2\r\n＠x,3\r\n');
});

test('lines of JSON keep every digit', () => {
  const item = '{"id":"a\\nb","value":123456789012345678.000001,"none":null}';
  expect(linesOf(`{"total":1,"items":[${item}, ${item}]}`, 'items')).toBe(`${item}\n${item}\n`);
});

test.each([
  ['0', '0 ms'],
  ['999', '999 ms'],
  ['1000', '1 s'],
  ['3600000', '1 h'],
  ['3601000', '1 h'],
  ['90061000', '1 d 1 h'],
])('%s ms are %s', (ms, text) => {
  expect(spanText(ms)).toBe(text);
});
