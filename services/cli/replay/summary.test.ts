import { expect, test } from 'vitest';
import { ReplaySummary, summaryText } from './summary.ts';

test('what was accepted is told by type, in the order of the contract', () => {
  const summary = new ReplaySummary();
  summary.countAccepted('conversion');
  for (let i = 0; i < 1800; i++) summary.countAccepted('click');
  expect(summaryText(summary)).toMatch(/^sent .*\n\naccepted are 1,800 clicks, 1 conversion\n$/);
});

test('where nothing was accepted, no types are told', () => {
  expect(summaryText(new ReplaySummary())).not.toContain('are');
});
