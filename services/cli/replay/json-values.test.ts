import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ValueSplitter } from './json-values.ts';

const MAX_BYTES = 200;

/** The pieces of a text that comes in chunks of so many bytes, as `line: text`. */
function split(text: string | Buffer, chunkBytes = 1 << 16): string[] {
  const splitter = new ValueSplitter(MAX_BYTES);
  const bytes = Buffer.from(text as string);
  const pieces: string[] = [];
  const take = (found: ReturnType<ValueSplitter['end']>) => {
    for (const { line, bytes } of found) pieces.push(`${line}: ${bytes === undefined ? '(too long)' : bytes}`);
  };
  for (let at = 0; at < bytes.length; at += chunkBytes) take(splitter.add(bytes.subarray(at, at + chunkBytes)));
  take(splitter.end());
  return pieces;
}

const LONG = 'x'.repeat(MAX_BYTES);

const INPUTS: [name: string, text: string, pieces: string[]][] = [
  ['nothing', '', []],
  ['blank lines', ' \r\n\t\n\n', []],
  ['lines', '{"a":1}\n{"a":2}\n', ['1: {"a":1}', '2: {"a":2}']],
  ['no line break at the end', '{"a":1}\n{"a":2}', ['1: {"a":1}', '2: {"a":2}']],
  ['CRLF, blank lines, white space', '\r\n {"a":1} \r\n\n\t{"a":2}\r\n', ['2: {"a":1}', '4: {"a":2}']],
  ['CR alone', '{"a":1}\r{"a":2}\r', ['1: {"a":1}', '1: {"a":2}']],
  ['several on a line', '{"a":1}{"a":2} {"a":3}, {"a":4}', [1, 2, 3, 4].map((n) => `1: {"a":${n}}`)],
  ['a comma behind each line', '{"a":1},\n{"a":2},\n', ['1: {"a":1}', '2: {"a":2}']],
  ['over several lines', '{\n  "a": {\n    "b": []\n  }\n}\n{\n}', ['1: {\n  "a": {\n    "b": []\n  }\n}', '6: {\n}']],
  ['an array on a line', '[{"a":1},{"a":[{}, {"b":"]"}]}]', ['1: {"a":1}', '1: {"a":[{}, {"b":"]"}]}']],
  ['an array over lines', '[\n  {"a":1},\n  {"a":2}\n]\n{"a":3}', ['2: {"a":1}', '3: {"a":2}', '5: {"a":3}']],
  ['arrays one a line', '[{"a":1}]\n[]\n[{"a":2}]', ['1: {"a":1}', '3: {"a":2}']],
  ['what is no object in an array', '[null,5, "a,]" ,[{}],{}]', ['1: null', '1: 5', '1: "a,]"', '1: [{}]', '1: {}']],
  ['an array that is cut off', '[{"a":1},\n', ['1: {"a":1}']],
  ['byte order marks', '\ufeff{"a":1}\n\ufeff{"a":2}', ['1: {"a":1}', '2: {"a":2}']],
  ['brackets and quotes in texts', '{"a":"}{\\"\\\\"}\n{"a":"[,"}', ['1: {"a":"}{\\"\\\\"}', '2: {"a":"[,"}']],

  [
    'comments and CSV',
    '# by hand\na,"b",c\n{"a":1}\n1,2,3\n',
    ['1: # by hand', '2: a,"b",c', '3: {"a":1}', '4: 1,2,3'],
  ],
  ['texts, numbers and null', '"a"\n7\nnull\n', ['1: "a"', '2: 7', '3: null']],
  ['spaces that JSON has not', '{"a":1}\u2028\n\u00a0\n{"a":2}', ['1: {"a":1}\u2028', '2: \u00a0', '3: {"a":2}']],
  ['NUL', '{"a":1}\n\0\0', ['1: {"a":1}', '2: \0\0']],
  ['a line cut off in a text', '{"a":"\n{"a":2}\n', ['1: {"a":"', '2: {"a":2}']],
  ['a line cut off behind a comma', '{"a":1,\n{"a":2}\n', ['1: {"a":1', '2: {"a":2}']],
  ['a line cut off behind a colon', '{"a":\n{"a":2}\n{"a":3}\n', ['1: {"a":', '2: {"a":2}', '3: {"a":3}']],
  ['a line cut off in a list', '{"a":[{"b":1},\n{"a":2}\n{"a":3}', ['1: {"a":[{"b":1}', '2: {"a":2}', '3: {"a":3}']],
  ['a last line cut off', '{"a":1}\n{"a"', ['1: {"a":1}', '2: {"a"']],
  ['a bracket too many', '{"a":1}}\n{"a":2}', ['1: {"a":1}}', '2: {"a":2}']],
  ['a bracket too few', '{"a":{"b":1}\n{"a":2}', ['1: {"a":{"b":1}', '2: {"a":2}']],
  ['brackets that do not match', '{"a":[}\n{"a":2}', ['1: {"a":[}', '2: {"a":2}']],
  ['a quote that is not escaped', '{"a":"b" c"}\n{"a":2}', ['1: {"a":"b" c"}', '2: {"a":2}']],
  ['garbage behind an object', '{"a":1}; {"a":2}\n{"a":3}', ['1: {"a":1}; {"a":2}', '2: {"a":3}']],
  ['lines that would close each other', '{"a":{"b":1}\n{"a":2}}\n{}', ['1: {"a":{"b":1}', '2: {"a":2}}', '3: {}']],
  ['texts that would close each other', '{"a":"\n{"}\n{}', ['1: {"a":"', '2: {"}', '3: {}']],
  ['a broken one over lines', '{\n  "a": "\n}\n\n# b\n{}', ['1: {\n  "a": "\n}\n\n# b', '6: {}']],
  ['a broken one in an array', '[\n  {"a":"},\n  {"a":2}\n]', ['2: {"a":"}', '3: {"a":2}']],
  [
    'a broken one in an array on a line',
    '[{"a":"b"c"}, {"a":2},{"a":}]',
    ['1: {"a":"b"c"}', '1: {"a":2}', '1: {"a":}'],
  ],
  ['an array behind a broken one', '[{"a":\n[{"a":2}]\n[{"a":3}]', ['1: {"a":', '2: {"a":2}', '3: {"a":3}']],
  ['brackets that are never closed', `{"a":${'['.repeat(100)}\n{}`, [`1: {"a":${'['.repeat(100)}`, '2: {}']],

  ['an object too long', `{"a":"${LONG}"}\n{"a":2}`, ['1: (too long)', '2: {"a":2}']],
  ['a line too long that is none', `# ${LONG}\n# b`, ['1: (too long)', '2: # b']],
  ['one too long without an end', `{"a":1}\n{"a":"${LONG}`, ['1: {"a":1}', '2: (too long)']],
  ['one too long in an array', `[{"a":"${LONG}"},{"a":2}]`, ['1: (too long)', '1: {"a":2}']],
  ['many in an array on a line', `[${'{"a":1},'.repeat(50)}null]`, [...Array(50).fill('1: {"a":1}'), '1: null']],
];

test.each(INPUTS)('%s', (_, text, pieces) => {
  expect(split(text)).toEqual(pieces);
});

test.each(INPUTS)('%s: cut into chunks anywhere, it is the same', (_, text, pieces) => {
  for (const chunkBytes of [1, 2, 3, 7, 50]) expect(split(text, chunkBytes)).toEqual(pieces);
});

test.each(['{"a":"', '# ', '[{"a":"'])('of what is too long, no more is waited for or kept: %s', (begin) => {
  const splitter = new ValueSplitter(MAX_BYTES);
  const chunk = Buffer.alloc(1 << 16, 'x');
  expect([...splitter.add(Buffer.concat([Buffer.from(begin), chunk]))]).toEqual([{ line: 1, bytes: undefined }]);
  for (let i = 0; i < 100; i++) expect([...splitter.add(chunk)]).toEqual([]);
  const [next] = splitter.add(Buffer.from('\n{"a":2}\n'));
  expect(next!.bytes!.toString()).toBe('{"a":2}');
});

test('a broken value ends before the next line that begins an object, however far that is', () => {
  for (let blanks = 1000; blanks < 1050; blanks++) {
    const [gap, width] = [' '.repeat(blanks), blanks - 990];
    const splitter = new ValueSplitter(10_000);
    const pieces = [...splitter.add(Buffer.from(`{x${gap}\n${' '.repeat(width)}{"a":2}\n{"a":3}\n`))];
    expect(pieces.map(({ line, bytes }) => `${line}: ${bytes}`)).toEqual(['1: {x', '2: {"a":2}', '3: {"a":3}']);
  }
});

test('any objects are found again, however they are written', () => {
  const objects = fc.array(fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }));
  const indent = fc.constantFrom(undefined, 2, '\t');
  const between = fc.constantFrom('\n', '', ' ', ',', ',\n', '\r\n');
  fc.assert(
    fc.property(objects, indent, between, fc.boolean(), fc.integer({ min: 1, max: 40 }), (values, ...how) => {
      const [spaces, separator, array, chunkBytes] = how;
      const short = values.filter((value) => JSON.stringify(value, null, spaces).length <= MAX_BYTES / 6);
      const text = short.map((value) => JSON.stringify(value, null, spaces)).join(separator);
      const pieces = split(array ? `[${text}]` : text, chunkBytes);
      expect(pieces.map((piece) => JSON.parse(piece.replace(/^\d+: /, '')))).toEqual(
        short.map((value) => JSON.parse(JSON.stringify(value))),
      );
    }),
  );
});
