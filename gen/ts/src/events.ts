/** The event types of the contract. */
export type EventType = 'click' | 'conversion' | 'adjustment' | 'verdict';

/**
 * A time: a Date, milliseconds since 1970-01-01 UTC as a whole number, a bigint or digits, or RFC 3339 text with a
 * zone, such as "2026-11-20T12:00:00Z".
 */
export type Time = Date | number | bigint | string;

/** Context of an event. Numbers and booleans become text, what nests its JSON; null is left out. */
export type Metadata = Readonly<Record<string, unknown>>;

interface OfEveryEvent {
  /** Any text of 1 to 128 bytes, which retries must repeat. A random UUID if absent. */
  eventId?: string | null;
  /** When it happened. The time of the call if absent. */
  timestamp?: Time | null;
}

/** A user clicked an ad. */
export interface ClickFields extends OfEveryEvent {
  /** Who clicked. */
  userId: string;
  adId: string;
  campaignId: string;
  /** Where the ad was shown, such as "facebook". */
  source: string;
  /** Free context, such as browser or geo. At most 32 entries and 4,096 bytes. */
  metadata?: Metadata | null;
}

interface Money {
  /** In units of the currency: a number, or decimal text, of which every micro counts, such as "19.99". */
  value?: number | bigint | string | null;
  /** In micros (1,000,000 are one unit), in place of `value`. */
  valueMicros?: bigint | number | string | null;
  /** Code (ISO 4217) of the currency, which must be that of the mesh. */
  currency?: string | null;
}

/** A user did what the advertiser pays for. */
export interface ConversionFields extends OfEveryEvent, Money {
  /** Who converted: matched with the clicks of the same user. */
  userId: string;
  /** What was done, such as "purchase". */
  type: string;
  /** Where it was reported from, such as "ios_app". */
  source: string;
  metadata?: Metadata | null;
}

/** A retract: the conversion did not happen. */
export interface RetractFields extends OfEveryEvent {
  /** The event_id of the conversion, as it was sent. */
  conversionId: string;
  /** Whose conversion it is. Where it is absent, a gateway with ClickHouse finds it. */
  userId?: string | null;
  /** Why, for people. */
  reason?: string | null;
}

/** A refund takes its value from the conversion's; a restate puts its value in place of it. */
export interface RefundFields extends RetractFields, Money {}

/** What became of a conversion later. */
export interface AdjustmentFields extends RefundFields {
  kind: 'refund' | 'restate' | 'retract';
}

/** A click turned out not to be one. */
export interface InvalidateFields extends OfEveryEvent {
  /** The event_id of the click, as it was sent. */
  clickId: string;
  /** Whose click it is. Where it is absent, a gateway with ClickHouse finds it. */
  userId?: string | null;
  /** Why, for people. */
  reason?: string | null;
}

/** What a click turned out to be. */
export interface VerdictFields extends InvalidateFields {
  valid: boolean;
}

export type ClickEvent = { event: 'click' } & ClickFields;
export type ConversionEvent = { event: 'conversion' } & ConversionFields;
export type AdjustmentEvent = { event: 'adjustment' } & AdjustmentFields;
export type VerdictEvent = { event: 'verdict' } & VerdictFields;

/** A generated message of clickmesh.v1.Event. */
export interface EventMessage {
  readonly $typeName: 'clickmesh.v1.Event';
  readonly event: { readonly case: string | undefined; readonly value?: object };
}

/**
 * What calls take: what a helper made, its fields with the name of the event type as `event` (or as `type`, but for a
 * conversion, which has a type of its own), or a generated message.
 */
export type EventInput =
  | ClickEvent
  | ({ type: 'click' } & ClickFields)
  | ConversionEvent
  | AdjustmentEvent
  | ({ type: 'adjustment' } & AdjustmentFields)
  | VerdictEvent
  | ({ type: 'verdict' } & VerdictFields)
  | EventMessage;

/** An event with its id and time (in ms since 1970-01-01 UTC), as it is sent. Calls take it as any other. */
export type CompletedEvent = (ClickEvent | ConversionEvent | AdjustmentEvent | VerdictEvent) & {
  readonly eventId: string;
  readonly timestamp: number;
};

/** A click. */
export function click(fields: ClickFields): ClickEvent {
  return { ...fields, event: 'click' };
}

/** A conversion, such as a purchase. */
export function conversion(fields: ConversionFields): ConversionEvent {
  return { ...fields, event: 'conversion' };
}

/** An adjustment of a conversion, of any kind. */
export function adjustment(fields: AdjustmentFields): AdjustmentEvent {
  return { ...fields, event: 'adjustment' };
}

/** Takes its value from that of a conversion. */
export function refund(fields: RefundFields): AdjustmentEvent {
  return { ...fields, event: 'adjustment', kind: 'refund' };
}

/** Puts its value in place of that of a conversion. */
export function restate(fields: RefundFields): AdjustmentEvent {
  return { ...fields, event: 'adjustment', kind: 'restate' };
}

/** Makes a conversion not have happened. */
export function retract(fields: RetractFields): AdjustmentEvent {
  return { ...fields, event: 'adjustment', kind: 'retract' };
}

/** What a click turned out to be. */
export function verdict(fields: VerdictFields): VerdictEvent {
  return { ...fields, event: 'verdict' };
}

/** Makes a click count as invalid. */
export function invalidate(fields: InvalidateFields): VerdictEvent {
  return { ...fields, event: 'verdict', valid: false };
}
