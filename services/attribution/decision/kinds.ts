import type { PartitionProgress } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import type { EventType } from '../../contract/event-rules.ts';

/**
 * What an event is to attribution: a touch may be credited with outcomes, an outcome is shared among touches. Within a
 * user and a role an id is one event's, whatever the type: what is published names touches and outcomes by their ids.
 */
export const ROLES = ['touch', 'outcome'] as const;
export type Role = (typeof ROLES)[number];

interface KindOf<T extends EventType> {
  type: T;
  /** Other events correct one of those: an adjustment an outcome, a verdict a touch. */
  role: Role | 'adjustment' | 'verdict';
  /** Field of PartitionProgress that counts its duplicates. */
  duplicates: Extract<keyof PartitionProgress, `${string}Duplicates`>;
}

/** Every event type there is. A new one does not compile before it has its entry. */
export const KINDS = {
  click: { type: 'click', role: 'touch', duplicates: 'clickDuplicates' },
  conversion: { type: 'conversion', role: 'outcome', duplicates: 'conversionDuplicates' },
  adjustment: { type: 'adjustment', role: 'adjustment', duplicates: 'adjustmentDuplicates' },
  verdict: { type: 'verdict', role: 'verdict', duplicates: 'verdictDuplicates' },
} as const satisfies { [T in EventType]: KindOf<T> };

export type Kind = (typeof KINDS)[keyof typeof KINDS];
export type TouchKind = Extract<Kind, { role: 'touch' }>;
export type OutcomeKind = Extract<Kind, { role: 'outcome' }>;
export type CorrectingKind = Extract<Kind, { role: 'adjustment' | 'verdict' }>;

/** By the role of an event, that of the ids which tell whether it comes a second time, or too late. */
export const ID_ROLES = {
  touch: 'touch',
  outcome: 'outcome',
  adjustment: 'outcome',
  verdict: 'touch',
} as const satisfies Record<Kind['role'], Role>;

/** Stands where all cases of a union are dealt with: if one is forgotten, the call does not compile. */
export function assertNever(value: never): never {
  throw new Error(`a case that the types rule out: ${JSON.stringify(value)}`);
}
