import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { clickmesh } from '../fixtures/mesh-process.ts';

/** A text on one line, so that where it is broken does not matter. */
function plain(text: string): string {
  return text.replaceAll(/^ *\/\/ ?/gm, '').replaceAll(/\s+/g, ' ');
}

const PROTO = 'proto/clickmesh/v1';
const contracts = readdirSync(PROTO).map((name) => readFileSync(join(PROTO, name), 'utf8'));
const openapi = JSON.parse(readFileSync('gen/openapi/openapi.json', 'utf8')) as { info: { description: string } };
const help = async (command: string) => plain((await clickmesh([command, '--help'])).stdout);

/** Where people look for what counts as what. */
const PLACES: Readonly<Record<string, string>> = {
  README: plain(readFileSync('README.md', 'utf8')),
  'the contract': plain(contracts.join('\n')),
  OpenAPI: plain(openapi.info.description),
  'stats --help': await help('stats'),
  'explain --help': await help('explain'),
  'replay --help': await help('replay'),
};

const EVERYWHERE = ['README', 'the contract', 'OpenAPI'];

test.each<[what: string, says: RegExp, more: string[]]>([
  ['texts are taken as they are', /[Nn]othing is decoded, trimmed(, normalized)? or case-folded/, ['replay', 'stats']],
  ['days are of UTC', /REPORT_TIME_ZONE.{0,60}UTC by default/, ['stats']],
  [
    'of clicks at one time the greater event_id is the later',
    /the greater (event_id )?is the later|greater event_id/,
    [],
  ],
  [
    'time_decay has a half-life of a quarter of the window',
    /quarter of the lookback window.*half-life of 6 hours/,
    ['explain'],
  ],
  ['position_based is 40, 20, 40', /40 % to the first, 40 % to the last,? (and )?20 %/, ['explain']],
  ['two ids are two clicks', /[Tt]wo (event_)?ids are two clicks/, ['replay']],
  ['bots count', /[Bb]ots/, ['replay']],
  ['what cvr divides', /cvr\W+is conversions (divided )?by clicks of the same row/, ['stats']],
  ['how long a day may still change', /day may still change.*48 hours.*(90|ADJUSTMENT_DAYS)/, ['stats']],
])('%s is written down where it is looked for', (_, says, more) => {
  for (const place of [...EVERYWHERE, ...more.map((command) => `${command} --help`)]) {
    expect(PLACES[place], place).toMatch(says);
  }
});
