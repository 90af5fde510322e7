import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DAY_MS } from '../../services/contract/limits.ts';
import {
  byTime,
  daysIn,
  expectLags,
  expectLengths,
  expectListed,
  expectPaths,
  expectTouches,
  getJson,
  listAll,
  onDays,
  type Path,
  type Range,
} from '../fixtures/conversion-reports.ts';
import { clickmesh, type MeshProcess, startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';
import { type CountedConversion, type Recounted, recount } from '../fixtures/recount.ts';
import { paths, sum } from '../fixtures/recount-paths.ts';
import type { SentEvent } from '../fixtures/report-fold.ts';
import { REAL_CLICKS } from '../needs.ts';

const HOUR = 3_600_000;
const ZONES = ['UTC', 'Asia/Kolkata', 'America/New_York'];
/** Two weeks of three in which clocks in New York go back. */
const GENERATED: Range = { start: '2025-10-27', end: '2025-11-09' };
/** Beside them, with as many days before as events are of. */
const RANGES: readonly [name: string, range: Range, days: number][] = [
  ['two weeks in which clocks go back', GENERATED, 21],
  ['the day on which they go ahead', { start: '2025-03-09', end: '2025-03-09' }, 2],
  ['the week over New Year', { start: '2024-12-30', end: '2025-01-05' }, 8],
  ['a leap day', { start: '2024-02-29', end: '2024-02-29' }, 2],
];
const SEED = 20_251_128;

const folder = temporaryFolder();
let mesh: MeshProcess;
/** Generated journeys with refunds and verdicts. */
let counted: Recounted;
/** Where clicks came from, by their ids, as their metadata says. */
const geos = new Map<string, string>();

beforeAll(async () => {
  const settings = { MODELS: 'last_click,linear', LOOKBACK_HOURS_BY_TYPE: 'signup=100' };
  mesh = await startMeshProcess(join(folder.path, 'data'), settings);
  const options = '--users 150 --campaigns 8 --conversion-rate 0.3 --refunds 0.3 --invalid 0.15 --late 0.2';
  let generated = '';
  for (const [i, [, { end }, days]] of RANGES.entries()) {
    // Zones end the day at other times.
    const after = new Date(Date.parse(end) + DAY_MS).toISOString().slice(0, 10);
    const period = `--events ${300 * days} --days ${days + 1} --end ${after} --seed ${SEED + i}`;
    generated += (await clickmesh(['generate', ...options.split(' '), ...period.split(' ')])).stdout;
  }
  counted = await replay(Buffer.from(generated));
}, 120_000);
afterAll(async () => {
  await mesh.stop();
  folder[Symbol.dispose]();
});

/** Sends events, and waits until they are counted and in ClickHouse. */
async function replay(ndjson: Buffer): Promise<Recounted> {
  expect(await clickmesh(['replay', '-', '--url', mesh.url], { input: ndjson })).toMatchObject({ code: 0 });
  expect(await clickmesh(['audit', '--url', mesh.url])).toMatchObject({ code: 0 });
  const events = ndjson
    .toString()
    .trim()
    .split('\n')
    .map((line): SentEvent => JSON.parse(line));
  for (const { event_id, metadata } of events) geos.set(event_id, metadata?.geo ?? '');
  return recount(events, (type) => (type === 'signup' ? 100 : 24) * HOUR);
}

const REPORTS = [expectListed, expectPaths, expectTouches, expectLags, expectLengths];

describe.each(ZONES)('in %s', (zone) => {
  test.each(RANGES)('conversions, paths, lags and lengths are those of a recount: %s', async (_, range) => {
    const asked = onDays(counted, range, zone);
    expect(asked.some(({ adjustments }) => adjustments > 0)).toBe(true);
    expect(asked.some(({ invalid }) => invalid.length > 0)).toBe(true);
    for (const expectReport of REPORTS) await expectReport(mesh.url, counted, range, zone);
  });
});

test.each([
  ['time', ({ time }: CountedConversion) => time],
  ['value', ({ netMicros }: CountedConversion) => netMicros],
  ['touches', ({ valid, invalid }: CountedConversion) => valid.length + invalid.length],
  ['corrections', ({ adjustments, invalid }: CountedConversion) => adjustments + invalid.length],
  ['lag', ({ time, valid }: CountedConversion) => (valid.length === 0 ? -1 : time - valid.at(-1)!.time)],
])('they come by %s, from either end', async (order, numberOf) => {
  const expected = onDays(counted, GENERATED, 'UTC');
  for (const sign of [1, -1]) {
    const ordered = expected.toSorted((a, b) => sign * (numberOf(a) - numberOf(b)) || (a.id < b.id ? -1 : 1));
    const { all } = await listAll(mesh.url, {
      ...daysIn('UTC', GENERATED),
      order_by: sign < 0 ? `-${order}` : order,
      limit: 400,
    });
    expect(all.map((row) => row.conversion_id)).toEqual(ordered.map(({ id }) => id));
  }
});

test('filters are on the credited click under the model, and on any candidate without one', async () => {
  const all = onDays(counted, GENERATED, 'UTC').sort(byTime);
  const { campaignId, source } = all.find(({ valid }) => valid.length > 1)!.valid[0]!;
  const is = (click: { campaignId: string; source: string }) =>
    click.campaignId === campaignId && click.source !== source;
  const asked = { ...daysIn('UTC', GENERATED), campaign_id: campaignId, 'source!': source, limit: 1000 };
  const ids = async (parameters: object) =>
    (await listAll(mesh.url, { ...asked, ...parameters })).all.map((row) => row.conversion_id);
  const expected = (by: (conversion: CountedConversion) => boolean) => all.filter(by).map(({ id }) => id);
  expect(await ids({})).toEqual(expected(({ valid }) => valid.some(is)));
  expect(await ids({ model: 'last_click' })).toEqual(expected(({ valid }) => valid.slice(-1).some(is)));
  const type = { conversion_type: 'signup', attributed: 'yes' };
  expect(await ids(type)).toEqual(expected((each) => each.type === 'signup' && each.valid.some(is)));
  const linear = (await listAll(mesh.url, { ...asked, model: 'linear' })).all;
  const credits = all
    .filter(({ valid }) => valid.some(is))
    .map(({ valid, linear: shares }) => {
      return sum(shares.filter((_, i) => is(valid[i]!))) / 1e6;
    });
  expect(linear.map(({ credit }) => credit)).toEqual(credits);
});

test('filters are on the metadata of clicks, too, in every list', async () => {
  const all = onDays(counted, GENERATED, 'UTC').sort(byTime);
  const geo = geos.get(all.find(({ valid }) => valid.length > 1)!.valid[0]!.id)!;
  const is = ({ id }: { id: string }) => geos.get(id) === geo;
  const ids = async (parameters: Record<string, string>) =>
    (await listAll(mesh.url, { ...daysIn('UTC', GENERATED), limit: 1000, ...parameters })).all.map(
      (row) => row.conversion_id,
    );
  const idsOf = (conversions: readonly CountedConversion[]) => conversions.map(({ id }) => id);
  expect(await ids({ 'metadata.geo': geo })).toEqual(idsOf(all.filter(({ valid }) => valid.some(is))));
  const last = all.filter(({ valid }) => valid.slice(-1).some((click) => !is(click)));
  expect(await ids({ 'metadata.geo!': geo, model: 'last_click' })).toEqual(idsOf(last));
  expect(await ids({ 'metadata.geo': '(none)' })).toEqual(idsOf(all.filter(({ valid }) => valid.length === 0)));
  const counting = all.filter(({ retracted }) => !retracted);
  const has = counting.filter(({ valid }) => valid.some(is));
  expect(await getJson(mesh.url, 'paths', { ...daysIn('UTC', GENERATED), 'metadata.geo': geo })).toMatchObject({
    conversions: has.length,
  });
  const { buckets } = await getJson<{ buckets: { conversions: number }[] }>(mesh.url, 'path-length', {
    ...{ ...daysIn('UTC', GENERATED), 'metadata.geo!': geo },
  });
  expect(sum(buckets.map(({ conversions }) => conversions))).toBe(counting.length - has.length);
  const lag = await getJson<{ buckets: typeof buckets }>(mesh.url, 'time-lag', {
    ...daysIn('UTC', GENERATED),
    'metadata.geo': geo,
    model: 'last_click',
  });
  expect(sum(lag.buckets.map(({ conversions }) => conversions))).toBe(
    counting.filter(({ valid }) => valid.slice(-1).some(is)).length,
  );
});

test('those that no click is credited for, of one user', async () => {
  const all = onDays(counted, GENERATED, 'UTC').sort(byTime);
  const none = all.filter(({ valid }) => valid.length === 0);
  const ways: Record<string, string>[] = [
    { attributed: 'no' },
    { campaign_id: '(none)' },
    { source: '(none)', model: 'linear' },
  ];
  for (const parameters of ways) {
    const { all: ids } = await listAll(mesh.url, { ...daysIn('UTC', GENERATED), ...parameters, limit: 1000 });
    expect(ids.map((row) => row.conversion_id)).toEqual(none.map(({ id }) => id));
  }
  const [{ userId }] = none as [CountedConversion];
  const { all: ids } = await listAll(mesh.url, { ...daysIn('UTC', GENERATED), user_id: userId });
  expect(ids.map((row) => row.conversion_id)).toEqual(all.filter((each) => each.userId === userId).map(({ id }) => id));
});

test('paths that have a touch, and those that have none', async () => {
  const conversions = onDays(counted, GENERATED, 'UTC').filter(
    ({ valid, retracted }) => valid.length > 0 && !retracted,
  );
  const { source } = conversions[0]!.valid[0]!;
  const has = conversions.filter(({ valid }) => valid.some((click) => click.source === source)).length;
  const parameters = { ...daysIn('UTC', GENERATED), dimension: 'ad_id' };
  expect(await getJson(mesh.url, 'paths', { ...parameters, source })).toMatchObject({ conversions: has });
  expect(await getJson(mesh.url, 'paths', { ...parameters, 'source!': source })).toMatchObject({
    conversions: conversions.length - has,
  });
});

test('paths of so many touches and more, repeats counted', async () => {
  const long = onDays(counted, GENERATED, 'UTC').filter(({ valid, retracted }) => valid.length >= 3 && !retracted);
  const parameters = { ...daysIn('UTC', GENERATED), dimension: 'source', collapse_repeats: 'true', limit: 1000 };
  const answer = await getJson<{ paths: Path[]; conversions: number }>(mesh.url, 'paths', {
    ...parameters,
    min_touches: 3,
  });
  const expected = paths(long, 8, true);
  expect(answer.conversions).toBe(long.length);
  const told = answer.paths.map(({ steps, longer }) => `${longer ? '… ' : ''}${steps.join(' ')}`);
  expect(new Set(told)).toEqual(new Set(expected.map(({ path }) => path)));
});

test('the clicks of a user, on pages, with what verdicts and conversions make of them', async () => {
  const byUser = Map.groupBy(counted.clicks, ({ userId }) => userId);
  const [userId, clicks] = [...byUser].reduce((most, each) => (each[1].length > most[1].length ? each : most));
  const expected = clicks.toSorted((a, b) => b.time - a.time || (a.id < b.id ? 1 : -1));
  const all: Record<string, unknown>[] = [];
  for (let token: string | undefined; token !== ''; ) {
    const parameters = { user_id: userId, limit: 50, ...(token === undefined ? {} : { page_token: token }) };
    const page = await getJson<{ clicks: (typeof all)[0][]; total: number; next_page_token: string }>(
      mesh.url,
      'clicks',
      parameters,
    );
    expect(page.total).toBe(expected.length);
    all.push(...page.clicks);
    token = page.next_page_token;
  }
  expect(all.map(({ metadata, ...click }) => click)).toEqual(
    expected.map(({ id, adId, campaignId, source, time, invalid, conversions }) => ({
      ...{ click_id: id, ad_id: adId, campaign_id: campaignId, source, click_time: time, invalid, conversions },
    })),
  );
  expect(all.some(({ invalid }) => invalid)).toBe(true);
});

test('what holds of a conversion is explained, with what each adjustment made of it', async () => {
  const adjusted = counted.conversions.filter(({ adjustments }) => adjustments > 1).slice(0, 20);
  const none = counted.conversions.filter(({ valid }) => valid.length === 0).slice(0, 20);
  expect(Math.min(adjusted.length, none.length)).toBeGreaterThan(5);
  for (const conversion of [...adjusted, ...none]) {
    const answer = await getJson<Explained>(mesh.url, 'explain', { conversion_id: conversion.id, model: 'linear' });
    expect(answer).toMatchObject({ attributed: conversion.valid.length > 0, net_value: conversion.netMicros / 1e6 });
    expect(answer.summary).toMatch(conversion.valid.length > 0 ? /^credited to / : /^not credited: /);
    const values = answer.corrections.filter(({ event_type }) => event_type === 'adjustment');
    const chain = values.flatMap(({ value_before, value_after }) => [value_before, value_after]);
    expect(chain.at(0) ?? answer.net_value).toBe(conversion.valueMicros / 1e6);
    expect(chain.at(-1) ?? answer.net_value).toBe(conversion.netMicros / 1e6);
    expect(chain.slice(1, -1).filter((value, i, all) => i % 2 === 0 && value !== all[i + 1])).toEqual([]);
  }
});

interface Explained {
  net_value: number;
  summary: string;
  corrections: { event_type: string; value_before: number; value_after: number }[];
}

describe('real clicks', { tags: ['real-clicks', 'long'] }, () => {
  const range = { start: '2017-11-06', end: '2017-11-07' };
  let real: Recounted;
  beforeAll(async () => {
    real = await replay(gunzipSync(readFileSync(join(REAL_CLICKS, 'talkingdata-clicks.ndjson.gz'))));
  }, 180_000);

  test.each(ZONES)('give the conversions, paths, lags and lengths that a recount gives, in %s', async (zone) => {
    for (const expectReport of REPORTS) await expectReport(mesh.url, real, range, zone);
  });
});
