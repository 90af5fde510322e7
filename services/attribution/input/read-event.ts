import { fromBinary } from '@bufbuild/protobuf';
import { type Event, EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { type ClickFields, findFields } from '../../../gen/wire/event-wire.ts';
import { parseUuid, UUID_LENGTH, UUID_WORDS } from '../../contract/uuid.ts';
import type { LogRecord } from '../../log/event-log.ts';
import { assertNever, KINDS } from '../decision/kinds.ts';
import { idAt, putFields, putTouch } from '../memory/touch-memory.ts';
import { type EventBatch, touchAt } from '../users/event-batch.ts';
import { breachOf } from './check-event.ts';

/**
 * Reads a record of raw-events into a batch. Returns why it can't be folded, as `breachOf` does; undefined if it can.
 *
 * @param arrival the partition's clock at this record, in ms
 */
export function readEvent(record: LogRecord, arrival: number, batch: EventBatch): string | undefined {
  const { bytes, start, end, offset } = record;
  const fields = findFields(bytes, start, end);
  if (fields === undefined) return readMessage(record, arrival, batch);
  switch (fields.kind) {
    case 'click':
      if (!readTouch(bytes, fields, arrival, batch)) return readMessage(record, arrival, batch);
      batch.add(KINDS.click, offset, bytes, fields.userId, fields.userIdEnd, undefined);
      return undefined;
    case 'conversion': {
      if (!parseUuid(bytes, fields.eventId, conversionId, 0)) return readMessage(record, arrival, batch);
      const conversion = {
        conversionId: latin1(bytes, fields.eventId, fields.eventId + UUID_LENGTH),
        timestamp: fields.timestamp,
        arrival,
        type: latin1(bytes, fields.type, fields.typeEnd),
        valueMicros: BigInt(fields.valueMicros),
        windows: undefined,
        credits: [],
        isCounted: false,
        models: [],
      };
      batch.add(KINDS.conversion, offset, bytes, fields.userId, fields.userIdEnd, conversion);
      return undefined;
    }
    default:
      return assertNever(fields);
  }
}

const conversionId = new Int32Array(UUID_WORDS);

/** False if the click's id is no UUID. */
function readTouch(bytes: Buffer, click: ClickFields, arrival: number, { touches, texts, count }: EventBatch) {
  const at = touchAt(count);
  if (!parseUuid(bytes, click.eventId, touches.words, idAt(at))) return false;
  const { timestamp, campaignId, campaignIdEnd, source, sourceEnd } = click;
  const ad = texts.adOf(bytes, click.adId, click.adIdEnd, click.metadata, click.metadataEnd);
  const campaignSource = texts.campaignSourceOf(bytes, campaignId, campaignIdEnd, source, sourceEnd);
  putFields(touches, at, { timestamp, arrival, ad, campaignSource });
  return true;
}

/** Reads a record as `readEvent` does, by way of the message, which takes several times as long. */
export function readMessage({ value, offset }: LogRecord, arrival: number, batch: EventBatch): string | undefined {
  let event: Event['event'];
  try {
    event = fromBinary(EventSchema, value).event;
  } catch (error) {
    return `not an Event: ${(error as Error).message}`;
  }
  const breach = breachOf(event);
  if (breach !== undefined || event.case === undefined) return breach ?? 'unknown event type';
  const { eventId, userId } = event.value;
  const timestamp = Number(event.value.timestamp);
  switch (event.case) {
    case 'click': {
      const { adId, campaignId, source } = event.value;
      const metadata = batch.texts.metadata.of(event.value.metadata);
      const touch = { clickId: eventId, timestamp, arrival, adId, campaignId, source, metadata };
      putTouch(batch.touches, touchAt(batch.count), touch, batch.texts);
      batch.addText(KINDS.click, offset, userId, undefined);
      return undefined;
    }
    case 'conversion': {
      const { type, valueMicros } = event.value;
      const of = { conversionId: eventId, timestamp, arrival, type, valueMicros };
      const conversion = { ...of, windows: undefined, credits: [], isCounted: false, models: [] };
      batch.addText(KINDS.conversion, offset, userId, conversion);
      return undefined;
    }
    case 'adjustment': {
      const { conversionId: targetId, valueMicros = 0n } = event.value;
      // breachOf has seen that it is one of these.
      const kind = event.value.kind as 'refund' | 'restate' | 'retract';
      const of = { targetId, eventId, kind, timestamp, arrival };
      batch.addText(KINDS.adjustment, offset, userId, { ...of, valueMicros: kind === 'retract' ? 0n : valueMicros });
      return undefined;
    }
    case 'verdict': {
      const { clickId: targetId, valid } = event.value;
      const kind = valid ? 'valid' : 'invalid';
      batch.addText(KINDS.verdict, offset, userId, { targetId, eventId, kind, valueMicros: 0n, timestamp, arrival });
      return undefined;
    }
    default:
      return assertNever(event);
  }
}

function latin1(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('latin1', start, end);
}
