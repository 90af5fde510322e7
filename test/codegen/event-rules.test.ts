import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EVENT_TYPES, EVENTS, type FieldShape } from '../../services/contract/event-rules.ts';

/** Comments of the contract, by message and field, as generated code has them. */
const { components } = JSON.parse(readFileSync('gen/openapi/openapi.json', 'utf8')) as {
  components: { schemas: Record<string, { properties: Record<string, { description: string }> }> };
};

/** What the comment of a field with this rule must say. */
function stated({ rule, required }: FieldShape): RegExp[] {
  const facts = required ? [/\bRequired\b/] : [];
  switch (rule.case) {
    case 'uuid':
    case 'text':
      return [...facts, new RegExp(`at most ${rule.value.maxBytes} bytes`)];
    case 'time':
      return [...facts, /\[2000-01-01, now \+ 24 h\]/];
    case 'number':
    case 'integer':
      return [...facts, new RegExp(`\\[0, ${Number(rule.value.max).toExponential().replace('+', '')}\\]`)];
    case 'map':
      return [
        ...facts,
        new RegExp(`${rule.value.maxEntries} entries and ${rule.value.maxBytes.toLocaleString('en')} bytes`),
      ];
    case 'choice':
      return [...facts, ...rule.value.values.map((value) => new RegExp(`"${value}"`))];
    case 'currency':
    case 'flag':
    case undefined:
      return facts;
  }
}

const fields = EVENT_TYPES.flatMap((type) => EVENTS[type].fields.map((field) => [type, field] as const));

test.each(fields.map(([type, field]) => [type, field.name, field] as const))(
  'the comment of %s.%s says what its rule says',
  (type, _, field) => {
    const { message } = EVENTS[type];
    const { description } = components.schemas[message.name]!.properties[message.field[field.localName]!.jsonName]!;
    for (const fact of stated(field)) expect(description).toMatch(fact);
    if (!field.required) expect(description).not.toMatch(/\bRequired\b/);
  },
);
