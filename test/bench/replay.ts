import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clickmesh, type MeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';
import { measureIngest } from './measure-ingest.ts';
import type { Figure, Scenario } from './scenario.ts';

/** 100,000 real mobile ad clicks and their 227 installs. */
const REAL_CLICKS = '../shared/data/talkingdata-clicks.ndjson.gz';
const SYNTHETIC_EVENTS = 100_000;
const QUICK_EVENTS = 1000;
const useReal = existsSync(REAL_CLICKS);

export const replay: Scenario = {
  name: 'replay',
  method:
    `clickmesh replay of ${useReal ? '100,227 real events (TalkingData)' : `${SYNTHETIC_EVENTS} synthetic events`}, ` +
    'from the start of the command until attribution and ClickHouse have everything.',
  run: runReplay,
};

async function runReplay(mesh: MeshProcess, quick: boolean): Promise<Figure[]> {
  using folder = temporaryFolder();
  const file = useReal && !quick ? REAL_CLICKS : await generate(folder.path, quick ? QUICK_EVENTS : SYNTHETIC_EVENTS);
  const rejects = join(folder.path, 'rejects.ndjson');
  const { events, seconds, catchUpSeconds } = await measureIngest(
    mesh,
    () => run(['replay', file, '--url', mesh.url, '--rejects', rejects]),
    (summary) => Number(/accepted (\d+)/.exec(summary)?.[1]),
  );
  return [
    { name: 'until all is in the stats', value: events / seconds, unit: 'events/s' },
    { name: 'until all is acknowledged', value: events / (seconds - catchUpSeconds), unit: 'events/s' },
  ];
}

async function generate(folder: string, events: number): Promise<string> {
  const file = join(folder, 'journeys.ndjson');
  writeFileSync(file, await run(['generate', '--events', String(events), '--duplicates', '0']));
  return file;
}

async function run(args: string[]): Promise<string> {
  const { code, stdout, stderr } = await clickmesh(args);
  if (code !== 0) throw new Error(`clickmesh ${args[0]} exited with ${code}: ${stderr}`);
  return stdout;
}
