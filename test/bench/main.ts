import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { temporaryFolder } from '../fixtures/mesh-process.ts';
import { commit, describeMachine, startBystanderMeter } from './machine.ts';
import { buildPeers } from './peers.ts';
import { type Measured, resultsPage } from './results-page.ts';
import { runScenario, SCENARIOS } from './scenarios.ts';

/**
 * `npm run bench -- [--quick] [--only NAME] [--runs N] [--peers FOLDER]`: prints the results page, and writes it to
 * RESULTS.md unless it is only a part. Peers are measured in turn with ours.
 */
const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    runs: { type: 'string' },
    peers: { type: 'string' },
  },
});
const runs = Number(options.runs ?? (options.quick ? 1 : 3));
using folder = temporaryFolder();
const peers = options.peers === undefined ? [] : buildPeers(options.peers, folder.path);
const all = [...SCENARIOS, ...peers];
const chosen = all.filter(({ name }) => options.only?.includes(name) ?? true);
if (!(runs >= 1) || chosen.length === 0) {
  throw new Error(`--runs is at least 1, --only one of ${all.map(({ name }) => name).join(', ')}`);
}
const scenarios: typeof chosen = [];
for (const scenario of chosen) {
  const why = await scenario.whyNot?.();
  if (why === undefined) scenarios.push(scenario);
  else process.stderr.write(`SKIPPED: ${scenario.name}, because ${why}\n`);
}

const commitAtStart = commit();
const machine = await describeMachine();
const bystanders = startBystanderMeter();
const measured: Measured[] = scenarios.map((scenario) => ({ scenario, runs: [], failures: [] }));
for (let run = 1; run <= runs; run++) {
  for (const { scenario, runs: done, failures } of measured) {
    process.stderr.write(`run ${run} of ${runs}: ${scenario.name}\n`);
    try {
      done.push(await runScenario(scenario, options.quick));
    } catch (error) {
      // The others took hours.
      done.push(undefined);
      failures.push(`run ${run}: ${(error as Error).message}`);
      process.stderr.write(`FAILED: ${(error as Error).stack}\n`);
      process.exitCode = 1;
    }
  }
}
machine.push(['other processes used', `${(bystanders() * 100).toFixed(1)} % of the CPU time meanwhile`]);
if (commit() !== commitAtStart) machine.push(['clickmesh changed while measuring', `now ${commit()}`]);

const page = resultsPage(machine, measured, runs);
process.stdout.write(page);
if (!options.quick && options.only === undefined) writeFileSync(new URL('RESULTS.md', import.meta.url), page);
