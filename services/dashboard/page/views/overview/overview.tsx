import type { RunReportResponse } from '../../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { type Mesh, mesh } from '../../data/mesh.ts';
import { modelOf, reportRequest, useReport, zoneOf } from '../../data/report.ts';
import { today } from '../../format/time.ts';
import { Loading, Refused, StaleBanner } from '../../parts/states.tsx';
import { daysOf, intervalOf } from '../../state/range.ts';
import { useStore } from '../../state/store.ts';
import { useUrl } from '../../state/url.ts';
import { FirstUse } from '../first-use/first-use.tsx';
import { Breakdown } from './breakdown.tsx';
import { Measures } from './measures.tsx';

export function Overview() {
  const known = useStore(mesh);
  return known === undefined ? null : <Known mesh={known} />;
}

/** The measures of all that is shown, by time, and broken down. */
function Known({ mesh: known }: { mesh: Mesh }) {
  const state = useUrl();
  const days = daysOf(state, today(zoneOf(state, known)));
  const interval = intervalOf(state, days);
  const request = reportRequest(state, known, { interval, models: [modelOf(state, known)], compare: true });
  const { value: report, error, staleError, isOld } = useReport(request);
  const isEmpty = known.isEmpty && report !== undefined && countsNothing(report);
  if (isEmpty || state.own.send === 'true') return <FirstUse mesh={known} />;
  return (
    <div class="view fill">
      <div class={`card ${isOld ? 'old' : ''}`}>
        <StaleBanner error={staleError} />
        {report === undefined && error === undefined && <Loading lines={7} />}
        {error !== undefined && <Refused error={error} />}
        {report !== undefined && <Measures report={report} days={days} interval={interval} mesh={known} />}
      </div>
      <Breakdown mesh={known} days={days} tiles={isOld ? undefined : report} />
    </div>
  );
}

function countsNothing({ totals, unattributed }: RunReportResponse): boolean {
  const rows = [totals, unattributed].filter((row) => row !== undefined);
  return rows.every(({ clicks, models }) => clicks === 0n && (models[0]?.grossConversionsMicros ?? 0n) === 0n);
}
