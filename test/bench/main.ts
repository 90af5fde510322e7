import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { temporaryFolder } from '../fixtures/mesh-process.ts';
import { listed, unmetNeeds } from '../needs.ts';
import { keepRun, readKeptRuns } from './kept-runs.ts';
import { commit, describeMachine, startBystanderMeter } from './machine.ts';
import { buildPeers } from './peers.ts';
import { type Measured, resultsPage, withSections } from './results-page.ts';
import { runScenario, SCENARIOS } from './scenarios.ts';

/**
 * `npm run bench -- [--quick] [--only NAME] [--runs N] [--peers FOLDER] [--resume FILE] [--insert]`: prints the results
 * page, and writes it to RESULTS.md unless it is only a part; with --insert, a part is written into the page that is
 * there. Peers are measured in turn with ours. All of it takes hours: with --resume, FILE gets the figures of every
 * run, and what it has is not measured again; the page has all that is in it.
 */
const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    runs: { type: 'string' },
    peers: { type: 'string' },
    resume: { type: 'string' },
    insert: { type: 'boolean', default: false },
  },
});
const runs = Number(options.runs ?? (options.quick ? 1 : 3));
using folder = temporaryFolder();
const peers = options.peers === undefined ? [] : buildPeers(options.peers, folder.path);
const all = [...SCENARIOS, ...peers];
const isChosen = ({ name }: { name: string }) => options.only?.includes(name) ?? true;
const kept = options.resume === undefined ? [] : readKeptRuns(options.resume);
const chosen = all.filter((each) => isChosen(each) || kept.some(({ scenario }) => scenario === each.name));
if (!(runs >= 1) || chosen.length === 0) {
  throw new Error(`--runs is at least 1, --only one of ${all.map(({ name }) => name).join(', ')}`);
}
const scenarios: typeof chosen = [];
for (const scenario of chosen) {
  const unmet = unmetNeeds(scenario.needs ?? []);
  if (unmet.length === 0) scenarios.push(scenario);
  else process.stderr.write(`SKIPPED: ${scenario.name}, for want of ${listed(unmet)}\n`);
}

const commitAtStart = commit();
const machine = await describeMachine();
const bystanders = startBystanderMeter();
const measured: Measured[] = scenarios.map((scenario) => ({ scenario, runs: [], failures: [] }));
for (let run = 1; run <= runs; run++) {
  for (const { scenario, runs: done, failures } of measured) {
    const before = kept.find((each) => each.scenario === scenario.name && each.run === run)?.figures;
    if (before !== undefined || !isChosen(scenario)) {
      done.push(before);
      continue;
    }
    process.stderr.write(`run ${run} of ${runs}: ${scenario.name}\n`);
    try {
      const figures = await runScenario(scenario, options.quick);
      const date = new Date().toISOString();
      const keep = { scenario: scenario.name, run, commit: commitAtStart, date, figures };
      if (options.resume !== undefined) keepRun(options.resume, keep);
      done.push(figures);
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

if (kept.length > 0) {
  const builds = [...new Set(kept.map(({ commit }) => commit))].join('; ');
  machine.push([
    'taken up',
    `${kept.length} runs of a scenario measured before, since ${kept[0]!.date.slice(0, 16)}, of ${builds}`,
  ]);
}

const page = resultsPage(machine, measured, runs);
process.stdout.write(page);
const isWhole = options.only === undefined || options.resume !== undefined;
const file = new URL('RESULTS.md', import.meta.url);
if (options.insert) {
  const [cpu] = machine;
  const how = `Measured apart, at ${commitAtStart}, ${new Date().toISOString().slice(0, 10)}, ${cpu![1]}; runs: ${runs}.`;
  writeFileSync(file, withSections(readFileSync(file, 'utf8'), measured, how));
} else if (!options.quick && isWhole) {
  writeFileSync(file, page);
}
