import type { ConversionPath } from '../../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { pathText } from '../../../../contract/shown.ts';
import { decimal } from '../../format/number.ts';
import type { CsvColumn } from '../../reports/save-csv.ts';

/** Paths as `clickmesh paths --csv` writes them. */
export const CSV_COLUMNS: readonly CsvColumn<ConversionPath>[] = [
  { name: 'path', text: pathText },
  { name: 'longer', text: ({ longer }) => String(longer) },
  { name: 'conversions', text: ({ conversions }) => String(conversions), isNumber: true },
  { name: 'revenue', text: ({ revenueMicros }) => decimal(revenueMicros), isNumber: true },
  { name: 'share', text: ({ share }) => String(share), isNumber: true },
  { name: 'median_lag_ms', text: ({ medianLagMs }) => String(medianLagMs), isNumber: true },
  { name: 'median_last_lag_ms', text: ({ medianLastLagMs }) => String(medianLastLagMs), isNumber: true },
];
