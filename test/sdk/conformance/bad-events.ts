import type { Case, Told } from './case.ts';
import type { LanguageName } from './driver.ts';

/** An event that no client may queue. */
export interface BadEvent {
  name: string;
  event(one: Case): Told | null;
  /** What is rejected, as the contract names it. */
  field: string;
  reason: string;
  /** Languages in which nobody can write such an event. */
  not?: readonly LanguageName[];
}

const LONG = 'x'.repeat(129);
const HOUR_MS = 3_600_000;

/** One of each kind of fault. */
export const BAD_EVENTS: readonly BadEvent[] = [
  click('no user', { user_id: '' }, 'user_id', 'REQUIRED'),
  click('a long text', { ad_id: LONG }, 'ad_id', 'TOO_LONG'),
  click('a long id', { event_id: LONG }, 'event_id', 'TOO_LONG'),
  click('a placeholder', { campaign_id: 'undefined' }, 'campaign_id', 'PLACEHOLDER'),
  click('blanks', { user_id: ' \u200b' }, 'user_id', 'PLACEHOLDER'),
  click('NUL', { source: 'a\0b' }, 'source', 'MALFORMED'),
  click('half a letter', { user_id: { $: 'half', value: 'x' } }, 'user_id', 'MALFORMED'),
  click('a time in seconds', { timestamp: 1_700_000_000 }, 'timestamp', 'OUT_OF_RANGE'),
  click('a time to come', () => ({ timestamp: Date.now() + 48 * HOUR_MS }), 'timestamp', 'OUT_OF_RANGE'),
  conversion('a negative value', { value: -1 }, 'value', 'OUT_OF_RANGE'),
  conversion('no number', { value: { $: 'nan' } }, 'value', 'NOT_FINITE'),
  conversion(
    'a value and other micros',
    { value: 5, value_micros: { $: 'integer', value: '6000000' } },
    'value_micros',
    'CONTRADICTION',
  ),
  {
    name: 'no such kind',
    event: ({ name }) => ({
      type: 'adjustment',
      fields: { user_id: `${name}-bad`, conversion_id: 'order-1', kind: 'cancel', value: 1 },
    }),
    field: 'kind',
    reason: 'UNKNOWN_CHOICE',
  },
  {
    name: 'more than 1 MiB',
    event: (one) => one.click({ metadata: { blob: { $: 'repeat', value: 'x', count: 1_200_000 } } }),
    field: 'event',
    reason: 'TOO_LONG',
  },
  { name: 'null', event: () => null, field: 'event', reason: 'UNKNOWN_EVENT_TYPE' },
  { ...click('an unknown name', { campain_id: 'x' }, 'campain_id', 'MALFORMED'), not: ['go', 'java'] },
  { ...conversion('an unknown sum', { revenue: 49.9 }, 'revenue', 'MALFORMED'), not: ['go', 'java'] },
];

type Fields = Record<string, unknown> | (() => Record<string, unknown>);

function click(name: string, fields: Fields, field: string, reason: string): BadEvent {
  return { name, event: (one) => one.click(typeof fields === 'function' ? fields() : fields), field, reason };
}

function conversion(name: string, fields: Record<string, unknown>, field: string, reason: string): BadEvent {
  return { name, event: (one) => one.conversion(fields), field, reason };
}

export function badEventsIn(language: LanguageName): readonly BadEvent[] {
  return BAD_EVENTS.filter(({ not }) => !not?.includes(language));
}
