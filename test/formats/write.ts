import { writeFileSync } from 'node:fs';
import { FORMATS } from './samples.ts';

/**
 * `node test/formats/write.ts VERSION`: writes VERSION.json with what this build stores and what it reads of that. For
 * a new version and, before its release, after a change of a format; never for a version that is released.
 */
const [version] = process.argv.slice(2);
if (version === undefined) throw new Error('which version, such as 0.1.0?');
const samples: Record<string, unknown> = {};
for (const [name, format] of Object.entries(FORMATS)) {
  const stored = await format.write();
  samples[name] = { stored, reads: await format.read(stored) };
}
const json = JSON.stringify(samples, (_, value) => (typeof value === 'bigint' ? String(value) : value), 1);
writeFileSync(new URL(`${version}.json`, import.meta.url), `${json}\n`);
