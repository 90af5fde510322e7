import { expect, test } from 'vitest';
import { secondsTaken } from './load-tools.ts';
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

test.each([
  ['1.00s', 1],
  ['999.98ms', 0.99998],
  ['512us', 0.000512],
])('h2load tells that it took %s', (text, seconds) => {
  expect(secondsTaken(`finished in ${text}, 20147.00 req/s, 590.54KB/s`)).toBeCloseTo(seconds, 9);
});
