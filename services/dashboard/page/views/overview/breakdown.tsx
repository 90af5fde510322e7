import type { ReportRow, RunReportResponse } from '../../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { reportUrl } from '../../data/links.ts';
import type { Mesh } from '../../data/mesh.ts';
import { measuresOf, minus, modelOf, NONE, plus, reportRequest, useReport } from '../../data/report.ts';
import { useShownUrl } from '../../data/shown.ts';
import { count, counted } from '../../format/number.ts';
import { type Days, daysIn } from '../../format/time.ts';
import { Icon } from '../../parts/icon.tsx';
import { Loading, Notice, Refused, StaleBanner } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { ConversionsDrawer, listUnattributed, UNATTRIBUTED } from '../../reports/conversions-drawer.tsx';
import { DimensionChoice } from '../../reports/dimension-choice.tsx';
import { dimensionTitle } from '../../reports/dimensions.ts';
import { ExportLink } from '../../reports/export-link.tsx';
import { useLines } from '../../reports/lines.ts';
import { Stamp } from '../../reports/stamp.tsx';
import { change, changeOwn, useUrl } from '../../state/url.ts';
import { columnsOf } from './columns.tsx';
import { useSources } from './sources.ts';
import { useSparks } from './sparks.ts';
import { SumRow } from './sum-row.tsx';

const CHOICES = ['campaign_id', 'source', 'conversion_type'];
const DEFAULT_SORT = '-conversions';
const ROW_HEIGHT = 30;

interface Options {
  mesh: Mesh;
  days: Days;
  /** The answer that the tiles show; undefined while it is that of another question. */
  tiles: RunReportResponse | undefined;
}

/** What the totals are made of, by a dimension, down to a row for what no click is credited for. */
export function Breakdown({ mesh, days, tiles }: Options) {
  const state = useUrl();
  const by = state.own.by || 'campaign_id';
  const sort = state.own.sort || DEFAULT_SORT;
  const model = modelOf(state, mesh);
  const question = { interval: 'none', groupBy: [by], models: [model], compare: true };
  const request = reportRequest(state, mesh, { ...question, orderBy: orderOf(sort, by, state.gross) });
  const { value: report, error, staleError, isOld } = useReport(request);
  useShownUrl(reportUrl(request));
  const rows = foundIn(report, state.own.q ?? '');
  const lines = useLines({ mesh, by, rows, question: { models: [model], compare: true, orderBy: '-conversions' } });
  const sparks = useSparks(mesh, by, lines, days);
  const sources = useSources(mesh, by, report !== undefined);
  const columns = columnsOf({
    by,
    totals: measuresOf(report?.totals, state.gross),
    most: mostOf(rows, state.gross),
    sources,
    sparks,
    length: daysIn(days),
    gross: state.gross,
    isCompared: state.compare !== 'none',
    model,
    open: state.own.open ?? '',
  });
  return (
    <div class={`card col ${isOld ? 'old' : ''}`}>
      <header>
        <h2>{dimensionTitle(by)}s</h2>
        <span class="note">{report && `${count(report.totalRows)} with events`}</span>
        <span class="grow" />
        <DimensionChoice
          by={by}
          choices={CHOICES}
          onChange={(next) => changeOwn({ by: next === 'campaign_id' ? '' : next, open: '', q: '' })}
        />
        <Find title={dimensionTitle(by)} />
        <ExportLink request={request} rows={report?.totalRows} />
      </header>
      {error !== undefined && <Refused error={error} />}
      <StaleBanner error={staleError} />
      {report === undefined && error === undefined && <Loading lines={8} />}
      {report !== undefined && error === undefined && (
        <>
          <Table
            caption={`Measures by ${dimensionTitle(by).toLowerCase()}`}
            className="breakdown"
            columns={columns}
            rows={lines}
            keyOf={({ key }) => key}
            rowClass={({ isChild }) => (isChild ? 'child' : '')}
            rowHeight={ROW_HEIGHT}
            sort={sort}
            onSort={(next) => changeOwn({ sort: next === DEFAULT_SORT ? '' : next })}
            foot={<Foot report={report} shown={rows} title={dimensionTitle(by)} hasSources={sources !== undefined} />}
            empty={<NoRows report={report} title={dimensionTitle(by)} />}
          />
          <Stamp report={report} request={request} tiles={tiles} />
          {state.own.cell === UNATTRIBUTED && (
            <ConversionsDrawer
              mesh={mesh}
              counted={report.unattributed && measuresOf(report.unattributed, state.gross)}
            />
          )}
        </>
      )}
    </div>
  );
}

/** The name of the order in the contract: rows by their name, or by a measure, gross where that is shown. */
function orderOf(sort: string, by: string, gross: boolean): string {
  const [mark, key] = sort.startsWith('-') ? ['-', sort.slice(1)] : ['', sort];
  if (key === 'name') return mark + by;
  return mark + (gross && (key === 'conversions' || key === 'revenue') ? `gross_${key}` : key);
}

/** Conversions of the row that has the most, in micros. */
function mostOf(rows: readonly ReportRow[], gross: boolean): bigint {
  let most = 0n;
  for (const row of rows) {
    const { conversions } = measuresOf(row, gross);
    if (conversions > most) most = conversions;
  }
  return most;
}

function foundIn(report: RunReportResponse | undefined, find: string): readonly ReportRow[] {
  const rows = report?.rows ?? [];
  const wanted = find.toLowerCase();
  return wanted === '' ? rows : rows.filter(({ values }) => values[0]!.toLowerCase().includes(wanted));
}

interface FootOptions {
  report: RunReportResponse;
  shown: readonly ReportRow[];
  title: string;
  hasSources: boolean;
}

function Foot({ report, shown, title, hasSources }: FootOptions) {
  const { gross, compare } = useUrl();
  const { totals, unattributed, totalRows } = report;
  const all = measuresOf(totals, gross);
  const isCompared = compare !== 'none';
  // What counted nothing then is absent.
  const before = isCompared ? measuresOf(totals?.previous, gross) : undefined;
  const lost = unattributed ? measuresOf(unattributed, gross) : undefined;
  const lostBefore = isCompared ? measuresOf(unattributed?.previous, gross) : undefined;
  const sum = shown.reduce((sums, row) => plus(sums, measuresOf(row, gross)), NONE);
  const isPart = BigInt(shown.length) !== totalRows;
  const of = { isCompared, hasSources, total: all };
  const everything = before && plus(before, lostBefore ?? NONE);
  return (
    <>
      {isPart && <SumRow {...of} name="Shown" of={`${shown.length} of ${count(totalRows)}`} now={sum} />}
      {isPart && <SumRow {...of} name="Other" now={minus(all, sum)} />}
      <SumRow
        {...of}
        name="Attributed"
        of={counted(totalRows, title.toLowerCase())}
        now={all}
        before={before}
        isShared
      />
      {lost && (
        <SumRow
          {...of}
          name="Unattributed"
          now={lost}
          before={lostBefore}
          hasClicks={false}
          upIs="bad"
          onOpen={listUnattributed}
        />
      )}
      <SumRow {...of} name="All conversions" now={plus(all, lost ?? NONE)} before={everything} hasRate={false} />
    </>
  );
}

function Find({ title }: { title: string }) {
  const { own } = useUrl();
  return (
    <label class="search">
      <Icon name="search" small />
      <input
        type="search"
        placeholder={`Find ${title.toLowerCase()}`}
        aria-label={`Find ${title.toLowerCase()}`}
        value={own.q ?? ''}
        onInput={({ currentTarget }) => changeOwn({ q: currentTarget.value })}
      />
    </label>
  );
}

function NoRows({ report, title }: { report: RunReportResponse; title: string }) {
  const { own, filters } = useUrl();
  if (own.q) {
    return (
      <Notice title={`No ${title.toLowerCase()} has “${own.q}” in its name`}>
        <button type="button" class="btn" onClick={() => changeOwn({ q: '' })}>
          Show all {count(report.totalRows)}
        </button>
      </Notice>
    );
  }
  return (
    <Notice title="Nothing was counted in this time">
      <p>This is a zero, not missing data: everything until the time at the top is counted.</p>
      {filters.length > 0 && (
        <button type="button" class="btn" onClick={() => change({ filters: [] })}>
          Clear the filters
        </button>
      )}
    </Notice>
  );
}
