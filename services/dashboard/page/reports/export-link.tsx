import type { RunReportRequest } from '../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { reportUrl } from '../data/links.ts';
import { MAX_ROWS } from '../data/report.ts';
import { Icon } from '../parts/icon.tsx';

/** All rows of a report, not only those that are shown, as the mesh writes them. */
export function ExportLink({ request, rows = 0n }: { request: RunReportRequest; rows?: bigint | undefined }) {
  const tip =
    rows > BigInt(MAX_ROWS) ? `The first ${MAX_ROWS} of ${rows} rows, exact, as CSV` : 'All rows, exact, as CSV';
  return (
    <a
      class="btn ghost"
      href={reportUrl(request, 'csv')}
      download={`clickmesh-${request.startDate}-${request.endDate}.csv`}
      data-tip={tip}
    >
      <Icon name="download" />
      CSV
    </a>
  );
}
