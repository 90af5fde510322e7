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
  role: Role;
  /** Field of PartitionProgress that counts its duplicates. */
  duplicates: Extract<keyof PartitionProgress, `${string}Duplicates`>;
}

/** The event types that are folded; records of the others are dead-lettered. */
export type FoldedType = Exclude<EventType, 'adjustment' | 'verdict'>;

/** Every event type that is folded. A new one does not compile before it has its entry. */
export const KINDS = {
  click: { type: 'click', role: 'touch', duplicates: 'clickDuplicates' },
  conversion: { type: 'conversion', role: 'outcome', duplicates: 'conversionDuplicates' },
} as const satisfies { [T in FoldedType]: KindOf<T> };
export const FOLDED_TYPES = Object.keys(KINDS) as FoldedType[];

export type Kind = (typeof KINDS)[keyof typeof KINDS];
export type TouchKind = Extract<Kind, { role: 'touch' }>;
export type OutcomeKind = Extract<Kind, { role: 'outcome' }>;

/** Stands where all cases of a union are dealt with: if one is forgotten, the call does not compile. */
export function assertNever(value: never): never {
  throw new Error(`a case that the types rule out: ${JSON.stringify(value)}`);
}
