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

test('names that senders chose stand in the summary without what steers a terminal, in reasons as well', () => {
  const summary = new ReplaySummary();
  summary.countIgnored(['a\u001b[31m\0b']);
  const others = { message: '', received: '', event_id: '' };
  summary.countRejected({ reason: 'misnamed_value', field: 'am\u001b]ount\u202e', ...others });
  expect([...summary.ignored.keys()]).toEqual(['a\u001b[31m\0b']);
  const text = summaryText(summary);
  expect(text).toContain('a?[31m?b');
  expect(text).toContain('misnamed_value am?]ount?');
});
