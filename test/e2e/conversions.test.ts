import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clickmesh, type MeshProcess, startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';
import { type CountedConversion, type Recounted, recount } from '../fixtures/recount.ts';
import { paths, quantile, sum } from '../fixtures/recount-paths.ts';
import type { SentEvent } from '../fixtures/report-fold.ts';
import { REAL_CLICKS } from '../needs.ts';

const HOUR = 3_600_000;
const ZONES = ['UTC', 'Asia/Kolkata', 'America/New_York'];
/** Three weeks in which clocks in New York go back, two of them asked for. */
const GENERATED = { start: '2025-10-27', end: '2025-11-09' };
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
  const options =
    '--events 6000 --users 150 --campaigns 8 --conversion-rate 0.3 --refunds 0.3 --invalid 0.15 --late 0.2';
  const period = `--days 21 --end ${GENERATED.end} --seed ${SEED}`;
  const { stdout } = await clickmesh(['generate', ...options.split(' '), ...period.split(' ')]);
  counted = await replay(Buffer.from(stdout));
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

async function get<T>(path: string, parameters: Record<string, string | number> | string[][]): Promise<T> {
  const pairs = Array.isArray(parameters) ? parameters : Object.entries(parameters).map(([k, v]) => [k, String(v)]);
  const response = await fetch(`${mesh.url}/api/v1/${path}?${new URLSearchParams(pairs)}`);
  const body = await response.text();
  expect(response.status, body).toBe(200);
  return JSON.parse(body) as T;
}

/** Conversions on days of a zone, as that has them by the calendar of Intl. */
function onDays({ conversions }: Recounted, { start, end }: typeof GENERATED, timeZone: string): CountedConversion[] {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone });
  return conversions.filter(({ time }) => {
    const day = format.format(time);
    return day >= start && day <= end;
  });
}

interface Listed {
  conversion_id: string;
  truncated: boolean;
  credit: number;
  corrected_by: string[];
}

async function listAll(parameters: Record<string, string | number>): Promise<{ all: Listed[]; total: number }> {
  const all: Listed[] = [];
  for (let token = ''; ; ) {
    const page = await get<{ conversions: Listed[]; total: number; next_page_token: string }>(
      'conversions',
      token === '' ? parameters : { ...parameters, page_token: token },
    );
    all.push(...page.conversions);
    token = page.next_page_token;
    if (token === '') return { all, total: page.total };
  }
}

function days(timeZone: string, { start, end } = GENERATED) {
  return { start_date: start, end_date: end, time_zone: timeZone };
}

/** A conversion as it is to be listed, under linear. */
function listed(conversion: CountedConversion) {
  const { valid, invalid, linear, kinds } = conversion;
  const most = Math.max(...linear);
  const best = valid[linear.lastIndexOf(most)];
  return {
    ...{ conversion_id: conversion.id, user_id: conversion.userId, conversion_type: conversion.type },
    ...{ conversion_time: conversion.time, value: conversion.valueMicros / 1e6, net_value: conversion.netMicros / 1e6 },
    ...{ attributed: valid.length > 0, retracted: conversion.retracted, touches: valid.length + invalid.length },
    ...{ lag_ms: best === undefined ? null : conversion.time - best.time, click_id: best?.id ?? '' },
    ...{ campaign_id: best?.campaignId ?? '', ad_id: best?.adId ?? '', source: best?.source ?? '' },
    corrected_by: [...kinds, ...(invalid.length > 0 ? ['verdict'] : [])].sort(),
  };
}

/** Without what only says of the last change that it was a click's, or a verdict's that a click is valid after all. */
function asListed({ corrected_by, truncated, credit, ...row }: Listed, { invalid }: CountedConversion) {
  const by = corrected_by.filter((each) => each !== 'late_click' && (each !== 'verdict' || invalid.length > 0));
  return { ...row, corrected_by: by.sort() };
}

function byTime(a: CountedConversion, b: CountedConversion): number {
  return b.time - a.time || (a.id < b.id ? -1 : 1);
}

interface Path {
  steps: string[];
  longer: boolean;
}

test.each(ZONES)('every conversion of two weeks in %s is listed once, on pages', async (zone) => {
  const { all, total } = await listAll({ ...days(zone), model: 'linear', limit: 150 });
  const expected = onDays(counted, GENERATED, zone).sort(byTime);
  expect(expected.length).toBeGreaterThan(500);
  expect(all.map((row, i) => asListed(row, expected[i]!))).toEqual(expected.map(listed));
  expect(total).toBe(expected.length);
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
    const { all } = await listAll({ ...days('UTC'), order_by: sign < 0 ? `-${order}` : order, limit: 400 });
    expect(all.map((row) => row.conversion_id)).toEqual(ordered.map(({ id }) => id));
  }
});

test('filters are on the credited click under the model, and on any candidate without one', async () => {
  const all = onDays(counted, GENERATED, 'UTC').sort(byTime);
  const { campaignId, source } = all.find(({ valid }) => valid.length > 1)!.valid[0]!;
  const is = (click: { campaignId: string; source: string }) =>
    click.campaignId === campaignId && click.source !== source;
  const asked = { ...days('UTC'), campaign_id: campaignId, 'source!': source, limit: 1000 };
  const ids = async (parameters: object) =>
    (await listAll({ ...asked, ...parameters })).all.map((row) => row.conversion_id);
  const expected = (by: (conversion: CountedConversion) => boolean) => all.filter(by).map(({ id }) => id);
  expect(await ids({})).toEqual(expected(({ valid }) => valid.some(is)));
  expect(await ids({ model: 'last_click' })).toEqual(expected(({ valid }) => valid.slice(-1).some(is)));
  const type = { conversion_type: 'signup', attributed: 'yes' };
  expect(await ids(type)).toEqual(expected((each) => each.type === 'signup' && each.valid.some(is)));
  const linear = (await listAll({ ...asked, model: 'linear' })).all;
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
    (await listAll({ ...days('UTC'), limit: 1000, ...parameters })).all.map((row) => row.conversion_id);
  const idsOf = (conversions: readonly CountedConversion[]) => conversions.map(({ id }) => id);
  expect(await ids({ 'metadata.geo': geo })).toEqual(idsOf(all.filter(({ valid }) => valid.some(is))));
  const last = all.filter(({ valid }) => valid.slice(-1).some((click) => !is(click)));
  expect(await ids({ 'metadata.geo!': geo, model: 'last_click' })).toEqual(idsOf(last));
  expect(await ids({ 'metadata.geo': '(none)' })).toEqual(idsOf(all.filter(({ valid }) => valid.length === 0)));
  const counting = all.filter(({ retracted }) => !retracted);
  const has = counting.filter(({ valid }) => valid.some(is));
  expect(await get('paths', { ...days('UTC'), 'metadata.geo': geo })).toMatchObject({ conversions: has.length });
  const { buckets } = await get<{ buckets: { conversions: number }[] }>('path-length', {
    ...{ ...days('UTC'), 'metadata.geo!': geo },
  });
  expect(sum(buckets.map(({ conversions }) => conversions))).toBe(counting.length - has.length);
  const lag = await get<{ buckets: typeof buckets }>('time-lag', {
    ...days('UTC'),
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
    const { all: ids } = await listAll({ ...days('UTC'), ...parameters, limit: 1000 });
    expect(ids.map((row) => row.conversion_id)).toEqual(none.map(({ id }) => id));
  }
  const [{ userId }] = none as [CountedConversion];
  const { all: ids } = await listAll({ ...days('UTC'), user_id: userId });
  expect(ids.map((row) => row.conversion_id)).toEqual(all.filter((each) => each.userId === userId).map(({ id }) => id));
});

test.each(ZONES)('the paths of two weeks in %s', async (zone) => {
  const conversions = onDays(counted, GENERATED, zone);
  for (const [max_steps, collapse] of [
    [8, false],
    [2, true],
  ] as const) {
    const parameters = {
      ...days(zone),
      dimension: 'source',
      max_steps,
      collapse_repeats: String(collapse),
      limit: 1000,
    };
    const answer = await get<{ paths: Path[]; conversions: number; total_paths: number; revenue: number }>(
      'paths',
      parameters,
    );
    const expected = paths(conversions, max_steps, collapse);
    const told = answer.paths.map(({ steps, longer, ...path }) => {
      return { path: `${longer ? '… ' : ''}${steps.join(' ')}`, ...path };
    });
    expect(new Set(told)).toEqual(new Set(expected));
    const counts = told.map((path) => (path as unknown as { conversions: number }).conversions);
    expect(counts).toEqual(counts.toSorted((a, b) => b - a));
    expect(answer).toMatchObject({
      ...{ conversions: sum(expected.map((path) => path.conversions)), total_paths: expected.length },
      revenue: expect.closeTo(sum(expected.map(({ revenue }) => revenue)), 6),
    });
  }
});

test('paths that have a touch, and those that have none', async () => {
  const conversions = onDays(counted, GENERATED, 'UTC').filter(
    ({ valid, retracted }) => valid.length > 0 && !retracted,
  );
  const { source } = conversions[0]!.valid[0]!;
  const has = conversions.filter(({ valid }) => valid.some((click) => click.source === source)).length;
  const parameters = { ...days('UTC'), dimension: 'ad_id' };
  expect(await get('paths', { ...parameters, source })).toMatchObject({ conversions: has });
  expect(await get('paths', { ...parameters, 'source!': source })).toMatchObject({
    conversions: conversions.length - has,
  });
});

test('paths of so many touches and more, repeats counted', async () => {
  const long = onDays(counted, GENERATED, 'UTC').filter(({ valid, retracted }) => valid.length >= 3 && !retracted);
  const parameters = { ...days('UTC'), dimension: 'source', collapse_repeats: 'true', limit: 1000 };
  const answer = await get<{ paths: Path[]; conversions: number }>('paths', { ...parameters, min_touches: 3 });
  const expected = paths(long, 8, true);
  expect(answer.conversions).toBe(long.length);
  const told = answer.paths.map(({ steps, longer }) => `${longer ? '… ' : ''}${steps.join(' ')}`);
  expect(new Set(told)).toEqual(new Set(expected.map(({ path }) => path)));
});

test.each(ZONES)('how many conversions of two weeks in %s had a touch of a campaign', async (zone) => {
  const conversions = onDays(counted, GENERATED, zone).filter(({ valid, retracted }) => valid.length > 0 && !retracted);
  const names = new Set(conversions.flatMap(({ valid }) => valid.map(({ campaignId }) => campaignId)));
  const values = [...names].map((value) => {
    const of = conversions.filter(({ valid }) => valid.some(({ campaignId }) => campaignId === value));
    return { value, conversions: of.length, revenue: sum(of.map(({ netMicros }) => netMicros)) / 1e6 };
  });
  values.sort((a, b) => b.conversions - a.conversions || (a.value < b.value ? -1 : 1));
  const rounded = values.map((row) => ({ ...row, revenue: expect.closeTo(row.revenue, 6) }));
  const all = { conversions: conversions.length, total_values: names.size };
  expect(await get('touches', days(zone))).toEqual({ values: rounded, ...all });
  expect(await get('touches', { ...days(zone), limit: 2 })).toEqual({ values: rounded.slice(0, 2), ...all });
});

test.each(ZONES)('how long after their clicks conversions of two weeks in %s came', async (zone) => {
  const conversions = onDays(counted, GENERATED, zone).filter(({ retracted }) => !retracted);
  for (const model of ['lastClick', 'linear'] as const) {
    const lags = conversions.flatMap((conversion) =>
      conversion.valid.map(({ time }, i) => ({ lag: conversion.time - time, credit: conversion[model][i]! })),
    );
    const name = model === 'linear' ? model : 'last_click';
    const answer = await get<{ buckets: { from_ms: number; to_ms: number; conversions: number; revenue: number }[] }>(
      'time-lag',
      { ...days(zone), model: name },
    );
    const counts = answer.buckets.map(({ from_ms, to_ms }) => {
      return sum(lags.filter(({ lag }) => lag >= from_ms && lag < to_ms).map(({ credit }) => credit)) / 1e6;
    });
    expect(answer.buckets.map((bucket) => bucket.conversions)).toEqual(counts);
    expect(sum(counts)).toBeCloseTo(conversions.filter(({ valid }) => valid.length > 0).length, 6);
    const revenue = sum(conversions.filter(({ valid }) => valid.length > 0).map(({ netMicros }) => netMicros)) / 1e6;
    expect(sum(answer.buckets.map((bucket) => bucket.revenue))).toBeCloseTo(revenue, 6);
    const credited = lags.filter(({ credit }) => credit > 0);
    const [p50_ms, p90_ms, p99_ms] = [0.5, 0.9, 0.99].map((share) => quantile(credited, share));
    expect(answer).toMatchObject({ p50_ms, p90_ms, p99_ms });
    const edges = answer.buckets.flatMap(({ from_ms, to_ms }) => [from_ms, to_ms]);
    expect(edges.slice(1, -1).filter((edge, i, all) => i % 2 === 0 && edge !== all[i + 1])).toEqual([]);
  }
});

test.each(ZONES)('how many touches conversions of two weeks in %s had', async (zone) => {
  const conversions = onDays(counted, GENERATED, zone).filter(({ retracted }) => !retracted);
  const byTouches = Map.groupBy(conversions, ({ valid }) => valid.length);
  const buckets = [...byTouches]
    .sort(([a], [b]) => a - b)
    .map(([touches, of]) => ({
      ...{ touches, conversions: of.length },
      revenue: sum(of.map(({ netMicros }) => netMicros)) / 1e6,
    }));
  expect(await get('path-length', days(zone))).toEqual({
    buckets: buckets.map((bucket) => ({ ...bucket, revenue: expect.closeTo(bucket.revenue, 6) })),
  });
});

test('the clicks of a user, on pages, with what verdicts and conversions make of them', async () => {
  const byUser = Map.groupBy(counted.clicks, ({ userId }) => userId);
  const [userId, clicks] = [...byUser].reduce((most, each) => (each[1].length > most[1].length ? each : most));
  const expected = clicks.toSorted((a, b) => b.time - a.time || (a.id < b.id ? 1 : -1));
  const all: Record<string, unknown>[] = [];
  for (let token: string | undefined; token !== ''; ) {
    const parameters = { user_id: userId, limit: 50, ...(token === undefined ? {} : { page_token: token }) };
    const page = await get<{ clicks: (typeof all)[0][]; total: number; next_page_token: string }>('clicks', parameters);
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
    const answer = await get<Explained>('explain', { conversion_id: conversion.id, model: 'linear' });
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

describe('real clicks', { tags: 'real-clicks' }, () => {
  test('give the conversions, paths and lags that a recount gives', async () => {
    const real = await replay(gunzipSync(readFileSync(join(REAL_CLICKS, 'talkingdata-clicks.ndjson.gz'))));
    for (const zone of ZONES) {
      const range = { start: '2017-11-06', end: '2017-11-07' };
      const conversions = onDays(real, range, zone).sort(byTime);
      const { all } = await listAll({ ...days(zone, range), model: 'linear', limit: 100 });
      expect(all.map((row, i) => asListed(row, conversions[i]!))).toEqual(conversions.map(listed));
      const answer = await get<{ paths: (Path & Record<string, unknown>)[] }>('paths', {
        ...{ ...days(zone, range), dimension: 'source', max_steps: 3, limit: 1000 },
      });
      const told = answer.paths.map(({ steps, longer, ...path }) => {
        return { path: `${longer ? '… ' : ''}${steps.join(' ')}`, ...path };
      });
      expect(new Set(told)).toEqual(new Set(paths(conversions, 3, false)));
    }
  }, 180_000);
});
