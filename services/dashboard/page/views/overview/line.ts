import type { ReportRow } from '../../../../../gen/ts/clickmesh/v1/reports_pb.js';

/** A row of the table: of the dimension, or one under that which is open. */
export interface Line {
  key: string;
  name: string;
  row: ReportRow;
  isChild: boolean;
}
