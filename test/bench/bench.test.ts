import { expect, test } from 'vitest';
import { runScenario, SCENARIOS } from './scenarios.ts';

test.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))('%s', async (_, scenario) => {
  const figures = await runScenario(scenario, true);
  expect(figures.length).toBeGreaterThan(0);
  expect(figures.filter(({ value }) => !Number.isFinite(value) || value < 0)).toEqual([]);
});
