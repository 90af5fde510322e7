import type { Click, Conversion, Event } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { RejectReason } from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { type Fault, type Rejected, rejected } from './accept.ts';

/** `{"event_type": "click", "event_id": …}`: a click as the REST API writes it. */
interface ClickJson {
  event_id?: string | null;
  user_id?: string | null;
  ad_id?: string | null;
  campaign_id?: string | null;
  source?: string | null;
  timestamp?: number | null;
  metadata?: Record<string, string> | null;
}

/** `{"event_type": "conversion", "event_id": …}`: a conversion as the REST API writes it. */
interface ConversionJson {
  event_id?: string | null;
  user_id?: string | null;
  type?: string | null;
  value?: number | null;
  value_micros?: number | null;
  source?: string | null;
  timestamp?: number | null;
}

interface Kind {
  matches: (value: unknown) => boolean;
  name: string;
}

const TEXT: Kind = { matches: (value) => typeof value === 'string', name: 'a string' };
const NUMBER: Kind = { matches: (value) => typeof value === 'number', name: 'a number, without quotes' };
const INTEGER: Kind = { matches: Number.isSafeInteger, name: 'an integer, without quotes' };
const TEXTS: Kind = {
  matches: (value) => isObject(value) && Object.values(value).every((text) => typeof text === 'string'),
  name: 'an object of strings',
};

const CLICK_FIELDS: Record<keyof ClickJson, Kind> = {
  event_id: TEXT,
  user_id: TEXT,
  ad_id: TEXT,
  campaign_id: TEXT,
  source: TEXT,
  timestamp: INTEGER,
  metadata: TEXTS,
};
const CONVERSION_FIELDS: Record<keyof ConversionJson, Kind> = {
  event_id: TEXT,
  user_id: TEXT,
  type: TEXT,
  value: NUMBER,
  value_micros: INTEGER,
  source: TEXT,
  timestamp: INTEGER,
};

const FIELDS = { click: Object.entries(CLICK_FIELDS), conversion: Object.entries(CONVERSION_FIELDS) };

export type EventType = 'click' | 'conversion';
export type Read = { kind: 'event'; event: Event } | Rejected;

/**
 * Reads one event of the REST API. Missing and null fields are left empty, which accept judges; unknown fields are
 * ignored. `impliedType` is for endpoints that take one type of event only.
 */
export function readEventJson(json: unknown, impliedType?: EventType): Read {
  if (!isObject(json)) return malformed('', 'event', 'the event must be a JSON object');
  const eventId = typeof json.event_id === 'string' ? json.event_id : '';
  const type = json.event_type ?? impliedType;
  if (type === undefined) return rejected(eventId, MISSING_TYPE);
  if (type !== 'click' && type !== 'conversion') return rejected(eventId, UNKNOWN_TYPE);
  for (const [field, kind] of FIELDS[type]) {
    const value = json[field] ?? undefined;
    if (value !== undefined && !kind.matches(value)) return malformed(eventId, field, `${field} must be ${kind.name}`);
  }
  return { kind: 'event', event: type === 'click' ? clickEvent(json) : conversionEvent(json) };
}

/** The rejection of an item that can't be read. */
export function malformed(eventId: string, field: string, message: string): Rejected {
  return rejected(eventId, { field, reason: RejectReason.MALFORMED, message });
}

function clickEvent(json: ClickJson): Event {
  const value: Click = {
    $typeName: 'clickmesh.v1.Click',
    eventId: json.event_id ?? '',
    userId: json.user_id ?? '',
    adId: json.ad_id ?? '',
    campaignId: json.campaign_id ?? '',
    source: json.source ?? '',
    timestamp: BigInt(json.timestamp ?? 0),
    metadata: json.metadata ?? {},
  };
  return { $typeName: 'clickmesh.v1.Event', event: { case: 'click', value } };
}

function conversionEvent(json: ConversionJson): Event {
  const value: Conversion = {
    $typeName: 'clickmesh.v1.Conversion',
    eventId: json.event_id ?? '',
    userId: json.user_id ?? '',
    type: json.type ?? '',
    value: json.value ?? 0,
    valueMicros: BigInt(json.value_micros ?? 0),
    source: json.source ?? '',
    timestamp: BigInt(json.timestamp ?? 0),
  };
  return { $typeName: 'clickmesh.v1.Event', event: { case: 'conversion', value } };
}

const MISSING_TYPE: Fault = {
  field: 'event_type',
  reason: RejectReason.REQUIRED,
  message: 'event_type is required',
};
const UNKNOWN_TYPE: Fault = {
  field: 'event_type',
  reason: RejectReason.UNKNOWN_EVENT_TYPE,
  message: 'event_type must be "click" or "conversion"',
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
