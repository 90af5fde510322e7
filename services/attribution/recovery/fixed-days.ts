import { fromBinary } from '@bufbuild/protobuf';
import { AttributionSettingSchema } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { ReportDays, reportDays, UTC } from '../../contract/report-days.ts';
import type { EventLog } from '../../log/event-log.ts';
import { readRange } from '../../log/read-range.ts';
import { SETTINGS_FROM, SETTINGS_TO } from '../store/keys.ts';
import { loadProgress } from '../store/progress.ts';
import { entriesBetween, type StateStore } from '../store/state-store.ts';
import { loadPublishedTotals } from './published-totals.ts';

/**
 * The days by which a partition counts: those of its state; or of any other partition, so that all have one table; or
 * else of the setting, as nothing is counted. Throws if these are of another zone than the setting.
 *
 * @param zone the setting REPORT_TIME_ZONE
 */
export async function daysToCountBy(
  log: EventLog,
  zone: string,
  partition: number,
  store: StateStore,
): Promise<ReportDays> {
  const fixed = daysOfStore(store, partition) ?? (await daysOfLog(log));
  if (fixed !== undefined) refuseOther(fixed, zone);
  return fixed ?? reportDays(zone);
}

/** Throws if anything is counted by days of another zone than the setting. */
export async function refuseOtherTimeZone(log: EventLog, zone: string): Promise<void> {
  const fixed = await daysOfLog(log);
  if (fixed !== undefined) refuseOther(fixed, zone);
}

function refuseOther(fixed: ReportDays, zone: string): void {
  if (fixed.zone === zone) return;
  throw new Error(
    `REPORT_TIME_ZONE is ${zone}, but what is counted is so by days of ${fixed.zone}, which are fixed with the first ` +
      `event: start with REPORT_TIME_ZONE=${fixed.zone}, or without data (an empty DATA_DIR, or other topics and ` +
      'another database) to send all events again',
  );
}

/** The days of a state; undefined if it has counted nothing. */
function daysOfStore(store: StateStore, partition: number): ReportDays | undefined {
  for (const { value } of entriesBetween(store, SETTINGS_FROM, SETTINGS_TO)) {
    const days = daysOf(value);
    if (days !== undefined) return days;
  }
  const counted = loadProgress(store, partition).records || loadPublishedTotals(store)?.totals.records;
  return counted ? reportDays(UTC) : undefined;
}

/** The days of what is published of any partition; undefined if nothing is. */
async function daysOfLog(log: EventLog): Promise<ReportDays | undefined> {
  for (const [partition, range] of (await log.offsets('attribution-settings')).entries()) {
    for await (const records of readRange(log, 'attribution-settings', partition, range)) {
      for (const { value } of records) {
        const days = daysOf(value);
        if (days !== undefined) return days;
      }
    }
  }
  // What builds before the setting have counted.
  const totals = await log.offsets('attribution-progress');
  return totals.some(({ end }) => end > 0) ? reportDays(UTC) : undefined;
}

/** The days that a setting fixes; undefined if it is another setting. */
function daysOf(bytes: Uint8Array): ReportDays | undefined {
  const { kind, name, value } = fromBinary(AttributionSettingSchema, bytes);
  return kind === 'time_zone' ? new ReportDays(name, value) : undefined;
}
