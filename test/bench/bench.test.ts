import { expect, test } from 'vitest';
import { whyNoKafka } from '../fixtures/kafka.ts';
import { runScenario, SCENARIOS } from './scenarios.ts';

const skipped = await whyNoKafka();
/** The other clusters differ from these in numbers only. */
const CLUSTERS = skipped === undefined ? ['cluster-2', 'recovery-checkpoint'] : [];
const runnable = SCENARIOS.filter(({ name, start }) => start === undefined || CLUSTERS.includes(name));

test.each(runnable.map((scenario) => [scenario.name, scenario] as const))(
  '%s',
  async (_, scenario) => {
    const figures = await runScenario(scenario, true);
    expect(figures.length).toBeGreaterThan(0);
    expect(figures.filter(({ value }) => !Number.isFinite(value) || value < 0)).toEqual([]);
  },
  120_000,
);
