import { create, toBinary } from '@bufbuild/protobuf';
import {
  type RunReportRequest,
  RunReportResponseSchema,
  type WatchReportResponse,
  WatchReportResponseSchema,
} from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import type { StatsDeps } from '../deps.ts';
import { askReport } from '../report/ask-report.ts';
import type { ReportQuery } from '../report/report-query.ts';
import { type Report, reportMessage } from '../report/run-report.ts';
import { valid } from '../requests/refuse.ts';
import { cursorOf } from './changes.ts';
import type { Look } from './shared-looks.ts';

/** A report when it has changed, and how far what it counts goes. */
export interface Seen {
  /** Undefined if it is as it was. */
  changed: { report: Report; query: ReportQuery } | undefined;
  cursor: string;
  /** As in ReportStamp. */
  completeThrough: bigint;
  lagMs: bigint;
}

/** Looks at a report: how far it goes is news, too, without the report if that has not changed. */
export function reportLook(request: RunReportRequest, deps: StatsDeps, periodMs: number): Look<Seen> {
  let last: Seen | undefined;
  return {
    async next(signal) {
      const changed = valid(await askReport(request, deps, signal));
      const { completeThrough, lagMs } = changed.report.stamp;
      const cursor = cursorOf(toBinary(RunReportResponseSchema, withoutTimes(changed.report)));
      const isSame = cursor === last?.cursor;
      if (isSame && completeThrough === last?.completeThrough && lagMs === last.lagMs) return undefined;
      last = { changed: isSame ? undefined : changed, cursor, completeThrough, lagMs };
      return last;
    },
    merge: newer,
    remember: (before, next) => (before === undefined ? next : newer(before, next)),
    periodMs,
  };
}

/** Of two, the newer, with the report of the older if it still holds. */
function newer(before: Seen, next: Seen): Seen {
  return { ...next, changed: next.changed ?? before.changed };
}

/** A report but for the times, which go on while nothing changes. */
function withoutTimes(report: Report) {
  return reportMessage({ ...report, stamp: { ...report.stamp, completeThrough: 0n, lagMs: 0n } });
}

/** What is sent; a heartbeat of undefined. @param seen the cursor of the report that the caller has */
export function watchMessage(next: Seen | undefined, seen: string): WatchReportResponse {
  if (next === undefined) return create(WatchReportResponseSchema, { cursor: seen });
  const { changed, cursor, completeThrough, lagMs } = next;
  const report = changed === undefined || cursor === seen ? undefined : reportMessage(changed.report);
  return create(WatchReportResponseSchema, { report, cursor, completeThrough, lagMs });
}
