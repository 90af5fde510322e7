import type { RunReportRequest } from '../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { reportUrl } from '../data/links.ts';
import { Icon } from '../parts/icon.tsx';

/** All rows of a report, not only those that are shown, as the mesh writes them. */
export function ExportLink({ request }: { request: RunReportRequest }) {
  return (
    <a
      class="btn ghost"
      href={reportUrl(request, 'csv')}
      download={`clickmesh-${request.startDate}-${request.endDate}.csv`}
      data-tip="All rows, exact, as CSV"
    >
      <Icon name="download" />
      CSV
    </a>
  );
}
