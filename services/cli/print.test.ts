import { expect, test } from 'vitest';
import { lines, oneLine, widthOf } from './print.ts';
import { renderTable } from './table.ts';

test.each([
  ['\x1b]0;title\x07', '\\u001b]0;title\\u0007'],
  ['\x9b2J', '\\u009b2J'],
  ['a\r\nb\tc', 'a\\u000d\\u000ab\\u0009c'],
  ['abc\u202egpj.exe', 'abc\\u202egpj.exe'],
  ['half \ud83d', 'half \\ud83d'],
  ['東京 👩‍👩‍👧 é', '東京 👩‍👩‍👧 é'],
])('%j is %j on a terminal', (text, shown) => {
  expect(oneLine(text)).toBe(shown);
});

test('ends of lines are left where there may be several', () => {
  expect(lines('a\r\nb\nc\rd\x1b')).toBe('a\r\nb\nc\\u000dd\\u001b');
});

test.each([
  ['abc', 3],
  ['東京', 4],
  ['한국', 4],
  ['ｆｕ', 4],
  ['é', 1],
  ['e\u0301', 1],
  ['👍', 2],
  ['👩‍👩‍👧', 2],
  ['🇩🇪', 2],
  ['❤️', 2],
  ['–', 1],
])('%s takes %i columns', (text, width) => {
  expect(widthOf(text)).toBe(width);
});

test('columns align whatever is in them', () => {
  const columns = [
    { title: 'name', text: ([name]: readonly [string, number]) => name },
    { title: 'n', text: ([, n]: readonly [string, number]) => String(n), right: true },
  ];
  expect(renderTable(columns, [['東京', 5] as const, ['👍\x1b[2J', 12] as const])).toBe(
    ['name          n', '東京          5', '👍\\u001b[2J  12', ''].join('\n'),
  );
});
