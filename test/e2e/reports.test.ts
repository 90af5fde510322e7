import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAX_BATCH_ITEMS } from '../../services/contract/limits.ts';
import { type MeshProcess, startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';
import {
  type Asked,
  daysAfter,
  type Folded,
  type FoldedMeasures,
  type FoldedRow,
  foldReport,
  type SentEvent,
} from '../fixtures/report-fold.ts';
import { REAL_CLICKS } from '../needs.ts';

const ZONES = ['UTC', 'Asia/Kolkata', 'America/New_York'];
const MODELS = ['last_click', 'linear'] as const;

/** Days around which journeys are: clocks of New York going back and ahead, New Year's weeks, and leap days. */
const AROUND = ['2023-11-05', '2024-03-10', '2024-12-31', '2024-02-29', '2023-02-28', '2025-01-05'];

let folder: ReturnType<typeof temporaryFolder>;
let mesh: MeshProcess;
let events: SentEvent[];

beforeAll(async () => {
  folder = temporaryFolder();
  mesh = await startMeshProcess(join(folder.path, 'data'), { CURRENCY: 'EUR' });
  events = journeys(20_241_128);
  await send(events);
});

afterAll(async () => {
  await mesh.kill();
  folder[Symbol.dispose]();
});

/** Sends events, and resolves once every report knows them: by what was accepted last, partition by partition. */
async function send(sent: readonly SentEvent[]): Promise<void> {
  const last = new Map<number, number>();
  for (let i = 0; i < sent.length; i += MAX_BATCH_ITEMS) {
    const answer = await fetch(`${mesh.url}/api/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(sent.slice(i, i + MAX_BATCH_ITEMS)),
    });
    const { results } = (await answer.json()) as { results: { status: string; partition: number; offset: number }[] };
    expect(results.filter(({ status }) => status !== 'accepted')).toEqual([]);
    for (const { partition, offset } of results) last.set(partition, offset);
  }
  for (const [partition, offset] of last) {
    const path = `start_date=2024-01-01&end_date=2024-01-01&min_watermark=${partition}:${offset}`;
    expect((await fetch(`${mesh.url}/api/v1/report?${path}`)).status).toBe(200);
  }
}

/** Journeys of some users around the days, from a generator that gives the same every time. */
function journeys(seed: number): SentEvent[] {
  let state = seed;
  const below = (n: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  const made: SentEvent[] = [];
  const id = () => `${(made.length + 1).toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`;
  const pick = <T>(of: readonly T[]): T => of[below(of.length)]!;
  for (let i = 0; i < 900; i++) {
    const user_id = `user-${below(90)}`;
    const begin = Date.parse(pick(AROUND)) + (below(6 * 24 * 60) - 3 * 24 * 60) * 60_000;
    const campaign = below(4);
    const metadata: Record<string, string> = below(3) === 0 ? {} : { geo: pick(['de', 'in', 'us']) };
    const of = { ad_id: `ad-${campaign}-${below(2)}`, campaign_id: `camp-${campaign}`, source: pick(['web', 'app']) };
    const click: SentEvent = { event_type: 'click', event_id: id(), user_id, timestamp: begin, ...of, metadata };
    made.push(click);
    if (below(8) === 0) {
      const verdict = { event_type: 'verdict' as const, user_id, click_id: click.event_id };
      made.push({ ...verdict, event_id: id(), timestamp: begin + below(9) * 1000, valid: false });
      if (below(3) === 0) made.push({ ...verdict, event_id: id(), timestamp: begin + below(9) * 1000, valid: true });
    }
    if (below(3) > 0) continue;
    const conversion: SentEvent = {
      ...{ event_type: 'conversion', event_id: id(), user_id, source: 'shop', type: pick(['buy', 'install']) },
      ...{ timestamp: begin + below(30 * 60) * 60_000, value: below(1_000_000) / 10_000 },
    };
    made.push(conversion);
    for (let left = below(4); left > 1; left--) {
      const adjustment = { event_type: 'adjustment' as const, user_id, conversion_id: conversion.event_id };
      const kind = pick(['refund', 'refund', 'restate', 'retract'] as const);
      const timestamp = conversion.timestamp + below(5) * 1000;
      const value = kind === 'retract' ? {} : { value: below(1_000_000) / 10_000 };
      made.push({ ...adjustment, event_id: id(), kind, timestamp, ...value });
    }
  }
  return made;
}

interface Answer {
  rows: Record<string, unknown>[];
  totals: Record<string, unknown>;
  unattributed: Record<string, unknown>;
  stamp: { rollup: string; compared_from: number; compared_until: number };
}

function queryOf({ group_by, models, filters = {}, exclude = {}, ...rest }: Asked, more = ''): string {
  const query = new URLSearchParams({ ...rest, models: models.join(','), limit: '10000' });
  if (group_by.length > 0) query.set('group_by', group_by.join(','));
  for (const [name, values] of Object.entries(filters))
    for (const value of values) query.append(name, value || '(none)');
  for (const [name, values] of Object.entries(exclude)) for (const value of values) query.append(`${name}!`, value);
  return query.toString() + more;
}

async function report(asked: Asked, more = ''): Promise<Answer> {
  const answer = await fetch(`${mesh.url}/api/v1/report?${queryOf(asked, more)}`);
  const text = await answer.text();
  expect(answer.status, text).toBe(200);
  return JSON.parse(text);
}

/** A row of an answer as the fold has it. */
function read(row: Record<string, unknown>, models: readonly string[]): FoldedRow {
  const of = (from: Record<string, number>): FoldedMeasures => {
    const names = ['conversions', 'revenue', 'gross_conversions', 'gross_revenue', 'refunds'] as const;
    return Object.fromEntries(names.map((name) => [name, Math.round(from[name]! * 1e6)])) as unknown as FoldedMeasures;
  };
  const measures = models.length === 1 ? [row] : models.map((model) => (row.models as Record<string, unknown>)[model]);
  return {
    ...{ clicks: row.clicks as number, invalid_clicks: row.invalid_clicks as number },
    models: measures.map((each) => of(each as Record<string, number>)),
  };
}

function expectSame(answer: Answer, folded: Folded, asked: Asked): void {
  const rows = answer.rows.map((row) => {
    const key = [row.date ?? '', ...asked.group_by.map((name) => row[name])];
    return [JSON.stringify(key), read(row, asked.models)] as const;
  });
  expect(folded.rows.size).toBeGreaterThan(0);
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(folded.rows));
  expect(rows).toHaveLength(folded.rows.size);
  expect(read(answer.totals, asked.models)).toEqual(folded.totals);
  const [unattributed] = read({ clicks: 0, invalid_clicks: 0, ...answer.unattributed }, ['']).models;
  expect(unattributed).toEqual(folded.unattributed);
}

const YEARS = { start_date: '2023-02-01', end_date: '2025-01-31' };

describe.each(ZONES)('in %s every report equals a fold over the events', (time_zone) => {
  test.each<[string, Omit<Asked, 'time_zone' | 'models' | 'start_date' | 'end_date'> & Partial<Asked>]>([
    ['days by campaign', { interval: 'day', group_by: ['campaign_id'] }],
    ['weeks by ad', { interval: 'week', group_by: ['campaign_id', 'ad_id'] }],
    ['months by source and type', { interval: 'month', group_by: ['source', 'conversion_type'] }],
    ['hours', { interval: 'hour', group_by: [] }],
    ['hours by campaign', { interval: 'hour', group_by: ['campaign_id'] }],
    ['all by metadata', { interval: 'none', group_by: ['metadata.geo'] }],
    ['days of the click', { interval: 'day', group_by: ['campaign_id'], time_basis: 'click' }],
    ['hours of the click', { interval: 'hour', group_by: ['ad_id'], time_basis: 'click' }],
    [
      'a week over New Year',
      { interval: 'week', group_by: ['source'], start_date: '2024-12-30', end_date: '2025-01-05' },
    ],
    ['a leap day', { interval: 'day', group_by: ['ad_id'], start_date: '2024-02-29', end_date: '2024-02-29' }],
    [
      'filters',
      { interval: 'day', group_by: ['ad_id'], filters: { campaign_id: ['camp-1', 'camp-3'], source: ['web'] } },
    ],
    [
      'exclusion',
      { interval: 'month', group_by: ['campaign_id'], exclude: { campaign_id: ['camp-0'], conversion_type: ['buy'] } },
    ],
    ['none of metadata', { interval: 'month', group_by: ['source'], filters: { 'metadata.geo': ['', 'de'] } }],
    ['a type', { interval: 'week', group_by: [], filters: { conversion_type: ['install'] } }],
  ])('%s', async (_, change) => {
    const asked: Asked = { ...YEARS, models: [...MODELS], time_zone, ...change };
    expectSame(await report(asked), foldReport(events, asked), asked);
  });

  test('one model is the row itself, and rows by model are those of each', async () => {
    const asked: Asked = { ...YEARS, time_zone, interval: 'month', group_by: ['campaign_id'], models: ['linear'] };
    expectSame(await report(asked), foldReport(events, asked), asked);
    const both = await report({ ...asked, group_by: ['model', 'campaign_id'], models: [...MODELS] });
    for (const model of MODELS) {
      const one = await report({ ...asked, models: [model] });
      const own = both.rows.filter((row) => row.model === model).map(({ model: _, ...row }) => row);
      expect(own).toEqual(one.rows);
    }
  });

  const COMPARED: [string, Asked['interval'], string, string, 'previous_period' | 'previous_year'][] = [
    ['days before', 'day', '2024-03-08', '2024-03-12', 'previous_period'],
    ['weeks before', 'week', '2025-01-01', '2025-01-06', 'previous_period'],
    ['the year before a leap day', 'day', '2024-02-27', '2024-03-02', 'previous_year'],
    ['the month before a year', 'month', '2024-02-01', '2024-03-31', 'previous_year'],
    ['no interval', 'none', '2024-11-01', '2025-01-10', 'previous_year'],
  ];
  test.each(COMPARED)('compared with %s', async (_, interval, start_date, end_date, compare) => {
    const asked: Asked = { start_date, end_date, time_zone, interval, group_by: ['campaign_id'], models: [...MODELS] };
    const answer = await report(asked, `&compare=${compare}`);
    const length = 1 + (Date.parse(end_date) - Date.parse(start_date)) / 86_400_000;
    const isPeriod = compare === 'previous_period';
    const before = isPeriod
      ? { ...asked, start_date: daysAfter(start_date, -length), end_date: daysAfter(end_date, -length) }
      : { ...asked, start_date: yearBefore(start_date), end_date: yearBefore(end_date) };
    const shift = isPeriod ? (day: string) => daysAfter(day, length) : yearAfter;
    const previous = foldReport(events, before, shift);
    if (interval === 'day' && start_date <= '2024-02-29' && end_date >= '2024-02-29') {
      const of28th = { ...before, start_date: '2023-02-28', end_date: '2023-02-28' };
      const again = foldReport(events, of28th, () => '2024-02-29');
      for (const [key, row] of again.rows) previous.rows.set(key, row);
    }
    const told = answer.rows.filter((row) => row.previous !== undefined);
    const rows = told.map((row) => {
      const key = JSON.stringify([row.date ?? '', row.campaign_id]);
      return [key, read(row.previous as Record<string, unknown>, MODELS)];
    });
    expect(previous.rows.size).toBeGreaterThan(0);
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(previous.rows));
    expect(read(answer.totals.previous as Record<string, unknown>, MODELS)).toEqual(previous.totals);
    const own = answer.rows.filter((row) => {
      const { clicks, invalid_clicks, models } = read(row, MODELS);
      return clicks + invalid_clicks > 0 || models.some((each) => each.gross_conversions + each.gross_revenue > 0);
    });
    expectSame({ ...answer, rows: own }, foldReport(events, asked), asked);
  });
});

/** The same date a year before or after; the 28th stands for 29 February where there is none. */
function yearBefore(date: string): string {
  const year = Number(date.slice(0, 4)) - 1;
  return date.endsWith('-02-29') ? `${year}-02-28` : `${year}${date.slice(4)}`;
}
function yearAfter(date: string): string {
  const year = Number(date.slice(0, 4)) + 1;
  return date.endsWith('-02-29') ? `${year}-02-28` : `${year}${date.slice(4)}`;
}

describe('over real clicks', { tags: ['real-clicks', 'long'] }, () => {
  const FILE = join(REAL_CLICKS, 'talkingdata-clicks.ndjson.gz');
  const NOVEMBER = { start_date: '2017-11-06', end_date: '2017-11-10' };
  let real: SentEvent[];

  beforeAll(async () => {
    real = gunzipSync(readFileSync(FILE))
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    await send(real);
  }, 180_000);

  test.each<[string, Omit<Asked, 'start_date' | 'end_date' | 'models'>]>([
    ['days by campaign and source', { interval: 'day', group_by: ['campaign_id', 'source'] }],
    ['days of Kolkata by ad', { interval: 'day', group_by: ['ad_id'], time_zone: 'Asia/Kolkata' }],
    ['hours of New York', { interval: 'hour', group_by: [], time_zone: 'America/New_York' }],
    ['all by device', { interval: 'none', group_by: ['metadata.device'] }],
  ])('%s', async (_, change) => {
    const asked: Asked = { ...NOVEMBER, models: [...MODELS], ...change };
    expectSame(await report(asked), foldReport(real, asked), asked);
  });
});
