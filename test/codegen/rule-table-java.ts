import type { EventShape, FieldShape } from '../../services/contract/event-rules.ts';
import { MAX_BATCH_ITEMS, MAX_REQUEST_BYTES } from '../../services/contract/limits.ts';
import {
  BLANKS,
  digits,
  type Fact,
  factsOf,
  inGo,
  LIMITS,
  MADE_BY,
  nobodyPatterns,
  PATTERNS,
  quoted,
  ranges,
  TABLE,
} from './rule-tables.ts';

export function javaRules(shapes: readonly EventShape[]): string {
  const field = (shape: FieldShape) => {
    const facts = factsOf(shape).map(([name, fact]) => `.${name}(${inJava(fact)})`);
    return `new FieldRule("${shape.name}", "${shape.rule.case}")${facts.join('')}`;
  };
  const type = ({ type, fields }: EventShape) =>
    `          "${type}",\n          List.of(\n              ${fields.map(field).join(',\n              ')})`;
  const patterns = nobodyPatterns().map((pattern) => `Pattern.compile(${inJava(pattern)}, Pattern.DOTALL)`);
  return `// ${MADE_BY}
package io.clickmesh;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** What must hold for the fields of events. */
final class EventRules {
  private EventRules() {}

${FIELD_RULE_IN_JAVA}
  /** ${TABLE} */
  static final Map<String, List<FieldRule>> EVENT_RULES =
      Map.of(
${shapes.map(type).join(',\n')});

  /** ${PATTERNS} For matches(). */
  static final List<Pattern> NOBODY =
      List.of(
          ${patterns.join(',\n          ')});

  /** ${BLANKS} */
  static final int[][] BLANKS = {
${ranges('{', '}', '    ')}  };

  /** ${LIMITS} */
  static final int MAX_CALL_EVENTS = ${MAX_BATCH_ITEMS};

  static final int MAX_CALL_BYTES = ${digits(MAX_REQUEST_BYTES)};
}
`;
}

/** Setters, so that a row of the table names what it says and leaves out the rest. */
const FIELD_RULE_IN_JAVA = `  /** What must hold for a field of an event. Limits are in bytes of UTF-8 and in ms. */
  static final class FieldRule {
    /** In the contract, such as "user_id". */
    final String name;

    /** "uuid", "text", "time", "number", "integer", "map", "currency", "choice" or "flag". */
    final String kind;

    boolean required;
    /** Absent is not the same as empty. */
    boolean optional;
    int maxBytes;
    boolean isId;
    /** The field that the gateway finds the text by where it is left out; else empty. */
    String foundBy = "";
    long minMs;
    long maxAheadMs;
    long max;
    /** The field of the same number in micros; else empty. */
    String storedIn = "";
    /** The event type that takes from the number; else empty. */
    String reducedBy = "";
    int maxEntries;
    List<String> values = List.of();
    List<String> withoutValue = List.of();

    private FieldRule(String name, String kind) {
      this.name = name;
      this.kind = kind;
    }

    private FieldRule required() {
      required = true;
      return this;
    }

    private FieldRule optional() {
      optional = true;
      return this;
    }

    private FieldRule maxBytes(int value) {
      maxBytes = value;
      return this;
    }

    private FieldRule isId() {
      isId = true;
      return this;
    }

    private FieldRule foundBy(String value) {
      foundBy = value;
      return this;
    }

    private FieldRule minMs(long value) {
      minMs = value;
      return this;
    }

    private FieldRule maxAheadMs(long value) {
      maxAheadMs = value;
      return this;
    }

    private FieldRule max(long value) {
      max = value;
      return this;
    }

    private FieldRule storedIn(String value) {
      storedIn = value;
      return this;
    }

    private FieldRule reducedBy(String value) {
      reducedBy = value;
      return this;
    }

    private FieldRule maxEntries(int value) {
      maxEntries = value;
      return this;
    }

    private FieldRule values(String... value) {
      values = List.of(value);
      return this;
    }

    private FieldRule withoutValue(String... value) {
      withoutValue = List.of(value);
      return this;
    }
  }
`;

/** As an argument: that of a flag's setter is none. */
function inJava(fact: Fact): string {
  if (Array.isArray(fact)) return fact.map(quoted).join(', ');
  if (typeof fact === 'boolean') return '';
  const isLong = typeof fact !== 'string' && fact > 0x7fffffff;
  return isLong ? `${digits(fact)}L` : inGo(fact);
}
