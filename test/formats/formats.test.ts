import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { FORMATS, type Sample } from './samples.ts';

/** What builds of every version have stored, committed; each must be read for as long as it may still be somewhere. */
const folder = new URL('.', import.meta.url);
const versions = readdirSync(folder).filter((name) => name.endsWith('.json'));
type Samples = Record<string, { stored: Sample; reads: unknown }>;
const samplesOf = (file: string) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Samples;
const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;

describe.each(versions)('what %s has stored', (version) => {
  const samples = samplesOf(version);

  test.each(Object.keys(samples))('is read as it was then: %s', async (name) => {
    const { stored, reads } = samples[name]!;
    expect(plain(await FORMATS[name]!.read(stored))).toEqual(reads);
  });
});

describe(`what ${packageJson.version} stores`, () => {
  const samples = samplesOf(`${packageJson.version}.json`);

  test.each(Object.keys(FORMATS))(
    'is what is committed of it, or `node test/formats/write.ts VERSION` is due: %s',
    async (name) => expect(plain(await FORMATS[name]!.write())).toEqual(samples[name]?.stored),
  );
});
