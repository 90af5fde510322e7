import { create, toBinary } from '@bufbuild/protobuf';
import {
  type AttributionSetting,
  AttributionSettingSchema,
  type EventConflict,
  EventConflictSchema,
  type PartitionProgress,
  PartitionProgressSchema,
} from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { letterHeaders, SET_ASIDE } from '../../contract/dead-letters.ts';
import type { LogRecord, NewRecord } from '../../log/event-log.ts';
import type { Traces } from '../../telemetry/tracing.ts';
import type { Conflict, Effects } from '../decision/effects.ts';
import { assertNever } from '../decision/kinds.ts';
import { settingName } from '../store/keys.ts';
import { beginBatch, encodeAttributed, encodeDecision, MAX_CLICKS } from './encode-outputs.ts';
import type { OutputMemory } from './output-memory.ts';

// What a partition publishes goes to the partition it came from: so the order of a key's versions is that of the log.

export interface DeadLetter {
  record: LogRecord;
  reason: string;
}

/** Records of what follows from single events, whose values lie in `memory`. */
export function rowRecords(rows: {
  partition: number;
  effects: Effects;
  deadLetters: readonly DeadLetter[];
  traces: Traces;
  memory: OutputMemory;
}): NewRecord[] {
  const { partition, effects, deadLetters, traces, memory } = rows;
  const records: NewRecord[] = [];
  beginBatch();
  for (const change of effects.changes) {
    const { touches, userId: key, offset } = change;
    if (touches[0] === undefined) continue;
    for (let from = 0; from < touches.length; from += MAX_CLICKS) {
      const value = encodeAttributed(change, from, Math.min(touches.length, from + MAX_CLICKS), memory);
      records.push({ topic: 'attributed-events', partition, key, value, headers: traces.get(offset) });
    }
  }
  for (const decision of effects.decisions.values()) {
    const { userId: key, offset } = decision;
    const value = encodeDecision(decision, memory);
    records.push({ topic: 'conversion-decisions', partition, key, value, headers: traces.get(offset) });
  }
  for (const conflict of effects.conflicts) {
    const { userId: key, offset } = conflict;
    const value = toBinary(EventConflictSchema, conflictMessage(conflict));
    records.push({ topic: 'event-conflicts', partition, key, value, headers: traces.get(offset) });
  }
  for (const letter of deadLetters) records.push(deadLetterRecord(partition, letter));
  return records;
}

function conflictMessage(conflict: Conflict): EventConflict {
  const { type: eventType, userId } = conflict;
  const version = BigInt(conflict.offset);
  switch (conflict.role) {
    case 'touch': {
      const { clickId: eventId, timestamp, adId, campaignId, source } = conflict.touch;
      const of = { eventType, eventId, userId, timestamp: BigInt(timestamp), version };
      return create(EventConflictSchema, { ...of, adId, campaignId, source });
    }
    case 'outcome': {
      const { conversionId: eventId, timestamp, type: conversionType, valueMicros } = conflict.conversion;
      const of = { eventType, eventId, userId, timestamp: BigInt(timestamp), version };
      return create(EventConflictSchema, { ...of, conversionType, valueMicros });
    }
    case 'adjustment':
    case 'verdict': {
      const { eventId, timestamp, targetId, kind, valueMicros } = conflict.correction;
      const of = { eventType, eventId, userId, timestamp: BigInt(timestamp), version };
      return create(EventConflictSchema, { ...of, targetId, kind, valueMicros });
    }
    default:
      return assertNever(conflict);
  }
}

export function settingRecord(setting: AttributionSetting): NewRecord {
  const { partition } = setting;
  const value = toBinary(AttributionSettingSchema, setting);
  return { topic: 'attribution-settings', partition, key: `${partition}\0${settingName(setting)}`, value };
}

export function progressRecord(progress: PartitionProgress): NewRecord {
  const { partition } = progress;
  const value = toBinary(PartitionProgressSchema, progress);
  return { topic: 'attribution-progress', partition, key: String(partition), value };
}

/** The letter of a record that is set aside for what the fold failed with. */
export function setAsideRecord(record: LogRecord, reason: string): NewRecord {
  return deadLetterRecord(record.partition, { record, reason: SET_ASIDE + reason });
}

/** The record as it was, with headers that tell where it was, and the reason. */
function deadLetterRecord(partition: number, { record, reason }: DeadLetter): NewRecord {
  const headers = { ...record.headers, ...letterHeaders(record, reason) };
  return { topic: 'raw-events.DLT', partition, key: record.key, value: record.value, headers };
}
