import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import {
  ReportInterval,
  RunReportRequestSchema,
  TimeLagRequestSchema,
} from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { beginOfDay, parseTimeZone } from './dates.ts';
import { parseFilters } from './filters.ts';
import { readParameters } from './query-parameters.ts';

const KNOWN_OF_LAG =
  'Known are start_date, end_date, time_zone, model, campaign_id, ad_id, source, conversion_type, metadata.KEY, and ' +
  'these with ! for all but a value';

test('parameters of every kind are read into their fields', () => {
  const text =
    'interval=week&group_by=campaign_id,metadata.geo&models=linear&order_by=-revenue&limit=4294967295&' +
    'min_watermark=3:18446744073709551615&campaign_id=a&campaign_id=b+c&source!=x&metadata.geo=(none)';
  const request = create(RunReportRequestSchema, {
    ...{ interval: ReportInterval.WEEK, groupBy: ['campaign_id', 'metadata.geo'], models: ['linear'] },
    ...{ orderBy: '-revenue', limit: 2 ** 32 - 1, minWatermark: { partition: 3, offset: 2n ** 64n - 1n } },
    filters: [
      { dimension: 'campaign_id', values: ['a', 'b c'] },
      { dimension: 'source', values: ['x'], exclude: true },
      { dimension: 'metadata.geo', values: [''] },
    ],
  });
  expect(readParameters(RunReportRequestSchema, text)).toEqual(request);
});

test.each([
  ['limit=-1', 'limit', 'limit is not a whole number in [1, 4294967295]: "-1"'],
  ['limit=0', 'limit', 'limit is not a whole number in [1, 4294967295]: "0"'],
  ['limit=4294967296', 'limit', 'limit is not a whole number in [1, 4294967295]: "4294967296"'],
  ['limit=1e3', 'limit', 'limit is not a whole number in [1, 4294967295]: "1e3"'],
  ['limit=1&limit=1', 'limit', 'limit is given more than once'],
  ['min_watermark=3', 'min_watermark', 'min_watermark is not PARTITION:OFFSET'],
  ['min_watermark=3:x', 'min_watermark', 'min_watermark is not a whole number in [0, 18446744073709551615]: "x"'],
  ['interval=daily', 'interval', 'interval "daily" is unknown. Known are hour, day, week, month, none'],
  ['campaign_id=', 'campaign_id', 'campaign_id is empty: give it a value, or leave it out'],
  ['campaign_id!=', 'campaign_id!', 'campaign_id! is empty: give it a value, or leave it out'],
])('%s is refused', (text, field, message) => {
  expect(readParameters(RunReportRequestSchema, text)).toEqual({ field, message });
});

test.each([
  ['filters=a', 'filters', `filters is unknown. ${KNOWN_OF_LAG}`],
  ['metadata.=a', 'metadata.', `metadata. is unknown: is metadata.KEY meant? ${KNOWN_OF_LAG}`],
  ['campaign=a', 'campaign', `campaign is unknown: is campaign_id meant? ${KNOWN_OF_LAG}`],
])('%s is unknown', (text, field, message) => {
  expect(readParameters(TimeLagRequestSchema, text)).toEqual({ field, message });
});

test.each([
  [
    [{ dimension: 'campaign', values: ['a'] }],
    'filters "campaign" is unknown: is campaign_id meant? Known are campaign_id, ad_id, source, conversion_type, metadata.KEY',
  ],
  [[{ dimension: 'ad_id', values: [] }], 'filters must have 1 to 100 values of ad_id: it has 0'],
  [
    [{ dimension: 'ad_id', values: Array<string>(101).fill('a') }],
    'filters must have 1 to 100 values of ad_id: it has 101',
  ],
  [
    [
      { dimension: 'ad_id', values: ['a'] },
      { dimension: 'ad_id', values: ['b'], exclude: true },
    ],
    'filters has ad_id twice: put its values into one, or leave some out',
  ],
  [[{ dimension: 'ad_id', values: ['\0'] }], 'ad_id has NUL or half of a surrogate pair, which no event has'],
])('filters %j are refused', (filters, message) => {
  const { filters: read } = create(TimeLagRequestSchema, { filters });
  expect(parseFilters(read)).toMatchObject({ message });
});

test.each(['+05:30', 'utc ', 'Mars/Olympus', '', 'EST5EDT,M3.2.0'])('no time zone is "%s"', (name) => {
  expect(parseTimeZone(name)).toMatchObject({ field: 'time_zone' });
});

test.each([
  ['2026-03-08', 'UTC', '2026-03-08T00:00:00Z'],
  ['2026-03-08', 'Asia/Kolkata', '2026-03-07T18:30:00Z'],
  ['2026-03-08', 'America/New_York', '2026-03-08T05:00:00Z'],
  // The day after clocks went forward, and that after they went back.
  ['2026-03-09', 'America/New_York', '2026-03-09T04:00:00Z'],
  ['2026-11-02', 'America/New_York', '2026-11-02T05:00:00Z'],
  ['2024-02-29', 'Pacific/Kiritimati', '2024-02-28T10:00:00Z'],
  // Midnight is skipped, and struck twice.
  ['2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00Z'],
  ['2022-11-06', 'America/Havana', '2022-11-06T04:00:00Z'],
  // The whole day is skipped.
  ['2011-12-30', 'Pacific/Apia', '2011-12-30T10:00:00Z'],
])('%s begins in %s at %s', (date, timeZone, begin) => {
  const day = Date.parse(date) / 86_400_000;
  expect(new Date(beginOfDay(day, timeZone)).toISOString()).toBe(begin.replace('Z', '.000Z'));
});
