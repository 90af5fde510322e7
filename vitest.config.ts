import { defineConfig } from 'vitest/config';
import { LeftOutReporter, testTags, unmetNeeds } from './test/needs.ts';

const unmet = unmetNeeds();
/** `.ci/run` counts what is in it. */
const { TEST_REPORT } = process.env;
const report: ['json', object][] = TEST_REPORT === undefined ? [] : [['json', { outputFile: TEST_REPORT }]];

export default defineConfig({
  test: {
    include: ['services/**/*.test.ts', 'test/**/*.test.ts'],
    tags: testTags(unmet),
    reporters: ['default', new LeftOutReporter(unmet), ...report],
    // Whole meshes start in some tests; on two cores more files at a time only make each other wait.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
