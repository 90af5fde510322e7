import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MAX_ID_BYTES } from '../contract/event-rules.ts';
import { fillIn } from './migrate.ts';
import { fillInTemplates } from './sql-template.ts';
import { STREAMS } from './streams.ts';

const SQL_DIR = new URL('../../sql/', import.meta.url);
const MIGRATIONS = readdirSync(SQL_DIR).map((name) => ({ name, text: readFileSync(new URL(name, SQL_DIR), 'utf8') }));

test('limits stand in SQL by name, days as those of the timestamps', () => {
  expect(fillInTemplates('a.sql', 'length(id) > {{MAX_ID_BYTES}}')).toBe(`length(id) > ${MAX_ID_BYTES}`);
  expect(fillInTemplates('a.sql', "toDate32({{MIN_DAY}}) = '2000-01-01'")).toBe("toDate32(10957) = '2000-01-01'");
  expect(fillInTemplates('a.sql', '{{MIN_TIMESTAMP_MS}}..{{MAX_DAY}}')).toBe('946684800000..84006');
});

test('a column is named after the template', () => {
  expect(fillInTemplates('a.sql', 'NOT {{uuid id}}')).toMatch(/^NOT match\(id, '/);
  expect(fillInTemplates('a.sql', '{{ms at}} AS time')).toBe(
    "fromUnixTimestamp64Milli(clamp(at, 0, 7258118400000), 'UTC') AS time",
  );
});

test('a sum is put together from its columns', () => {
  expect(fillInTemplates('a.sql', '{{int128 high low}} AS sum')).toBe(
    'toInt128(high) * 1000000000000000000 + low AS sum',
  );
});

test.each(['{{nothing}}', '{{MAX_ID}}', '{{}}', '{{ uuid id}}'])(
  'an unknown template is an error that names its place: %s',
  (template) => {
    const text = `-- Comment.\nSELECT {{uuid id}},\n    ${template};\n`;
    expect(() => fillInTemplates('070_more.sql', text)).toThrow(`070_more.sql:3: ${template}: unknown template`);
  },
);

test('the errors of a topic that nothing reads are an error that names its place', () => {
  expect(() => fillInTemplates('070_more.sql', '\n{{errors clicks}};\n')).toThrow(
    '070_more.sql:2: {{errors clicks}}: no stream reads the topic clicks',
  );
});

test.each(MIGRATIONS)('nothing is left open in $name once it is filled in for a server', ({ name, text }) => {
  for (const options of [{}, { kafkaBrokers: 'broker:9092', cluster: 'clickmesh' }]) {
    expect(fillIn(fillInTemplates(name, text), options)).not.toContain('{{');
  }
});

test('whenever the view of the rows of a stream is made, so is that of its errors', () => {
  const all = MIGRATIONS.map(({ name, text }) => fillInTemplates(name, text)).join('\n');
  const made = (what: string) => all.split(`CREATE ${what}`).length - 1;
  for (const { queue } of STREAMS) {
    const errors = queue.replace('_queue', '_errors_mv');
    const rows = queue.replace('_queue', '_mv').replace('raw_', '');
    const times = made(`MATERIALIZED VIEW IF NOT EXISTS ${rows} TO`);
    expect(times, rows).toBeGreaterThan(0);
    expect(made(`MATERIALIZED VIEW IF NOT EXISTS ${errors} TO ingest_errors AS`), errors).toBe(times);
  }
});
