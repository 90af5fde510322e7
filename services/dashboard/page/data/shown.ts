import type { RunReportRequest } from '../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { store } from '../state/store.ts';

/** The report of the view's table, which "copy as curl" is about; undefined if the view has none. */
export const shownReport = store<RunReportRequest | undefined>(undefined);
