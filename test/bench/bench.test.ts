import { expect, test } from 'vitest';
import { secondsTaken } from './load-tools.ts';
import { resultsPage, withSections } from './results-page.ts';
import { runScenario, SCENARIOS } from './scenarios.ts';

/** They differ from others in numbers only, and start a cluster or a broker of their own. */
const LIKE_OTHERS =
  /^(cluster-[14]|recovery-replay|failover-[01]|drain|drain-many-users|drain-hot-user|kafka-(grpc|batch)|stats-month)$/;
for (const scenario of SCENARIOS) {
  if (LIKE_OTHERS.test(scenario.name)) continue;
  test(scenario.name, { tags: ['long', ...(scenario.needs ?? [])], timeout: 120_000 }, async () => {
    const figures = await runScenario(scenario, true);
    expect(figures.length).toBeGreaterThan(0);
    expect(figures.filter(({ value }) => !Number.isFinite(value) || value < 0)).toEqual([]);
  });
}

test('a scenario measured apart takes its place on the page, and says how', () => {
  const [first, second, third] = ['a', 'b', 'c'].map((name) => ({ ...SCENARIOS[0]!, name }));
  const figures = [{ name: 'rate', value: 5, unit: 'events/s' }];
  const measured = (scenario: (typeof SCENARIOS)[number], value: number) => {
    return { scenario, runs: [[{ ...figures[0]!, value }]], failures: [] };
  };
  const page = resultsPage([['CPU', 'one']], [measured(first!, 1), measured(second!, 2)], 1);
  const inserted = withSections(page, [measured(first!, 3), measured(third!, 4)], 'Measured apart.');
  const sections = inserted.split(/\n(?=## )/);
  expect(sections.map((text) => text.split('\n', 1)[0])).toEqual([
    ...['# Results', '## Goals', `## ${first!.name}`, `## ${second!.name}`, `## ${third!.name}`],
  ]);
  const rate = (text: string) => [/rate \| (\d)/.exec(text)?.[1], text.includes('Measured apart.')];
  expect(sections.slice(2).map(rate)).toEqual([
    ['3', true],
    ['2', false],
    ['4', true],
  ]);
  expect(withSections(inserted, [measured(first!, 3)], 'Measured apart.')).toBe(inserted);
});

test.each([
  ['1.00s', 1],
  ['999.98ms', 0.99998],
  ['512us', 0.000512],
])('h2load tells that it took %s', (text, seconds) => {
  expect(secondsTaken(`finished in ${text}, 20147.00 req/s, 590.54KB/s`)).toBeCloseTo(seconds, 9);
});
