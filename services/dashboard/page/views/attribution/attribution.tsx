import type { RunReportResponse } from '../../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { reportUrl } from '../../data/links.ts';
import { type Mesh, mesh } from '../../data/mesh.ts';
import { measuresOf, modelsOf, reportRequest, useReport } from '../../data/report.ts';
import { useShownUrl } from '../../data/shown.ts';
import { counted } from '../../format/number.ts';
import { Choice } from '../../parts/choice.tsx';
import { Segment } from '../../parts/segment.tsx';
import { Loading, Notice, Refused, StaleBanner } from '../../parts/states.tsx';
import { Table, useMedia } from '../../parts/table.tsx';
import { ConversionsDrawer, UNATTRIBUTED } from '../../reports/conversions-drawer.tsx';
import { DimensionChoice } from '../../reports/dimension-choice.tsx';
import { dimensionTitle } from '../../reports/dimensions.ts';
import { ExportLink } from '../../reports/export-link.tsx';
import { type Line, useLines } from '../../reports/lines.ts';
import { Stamp } from '../../reports/stamp.tsx';
import { useStore } from '../../state/store.ts';
import { changeOwn, useUrl } from '../../state/url.ts';
import { columnsOf, type Show } from './columns.tsx';
import { Foot } from './foot.tsx';
import { useTouched } from './touched.ts';

const CHOICES = ['campaign_id', 'ad_id', 'source', 'conversion_type'];
const SHOWS: readonly (readonly [Show, string])[] = [
  ['both', 'Conversions + revenue'],
  ['conversions', 'Conversions'],
  ['revenue', 'Revenue'],
];
/** Of rows whose cells have two lines, and one. */
const [ROW_HEIGHT, SLIM_HEIGHT] = [47, 37];

/** Who gets the credit, under each model. */
export function Attribution() {
  const known = useStore(mesh);
  return known === undefined ? null : <Known mesh={known} />;
}

function Known({ mesh: known }: { mesh: Mesh }) {
  const { own, ...state } = useUrl();
  const isNarrow = useMedia('(max-width: 1279px)');
  const by = own.by || 'campaign_id';
  const models = modelsOf({ own, ...state }, known);
  const baseline = models.find((model) => model === own.baseline) ?? models[0]!;
  const sort = own.sort || '-spread';
  const show = SHOWS.find(([one]) => one === own.show)?.[0] ?? 'both';
  const question = { interval: 'none', groupBy: [by], models };
  const request = reportRequest({ own, ...state }, known, { ...question, orderBy: orderOf(sort, by) });
  const { value: report, error, staleError, isOld } = useReport(request);
  useShownUrl(reportUrl(request));
  const rows = report?.rows ?? [];
  const lines = useLines({ mesh: known, by, rows, question: { models, orderBy: '-spread' } });
  const touched = useTouched(known, by);
  const columns = columnsOf({
    by,
    models,
    touched,
    baseline,
    show,
    gross: state.gross,
    isNarrow,
    lines,
    open: own.open ?? '',
    cell: own.cell ?? '',
  });
  return (
    <div class="view fill one">
      <div class={`card col ${isOld ? 'old' : ''}`}>
        <header>
          <DimensionChoice
            by={by}
            choices={CHOICES}
            onChange={(next) => changeOwn({ by: next === 'campaign_id' ? '' : next, open: '' })}
          />
          <span class="note">{report && counted(report.totalRows, 'row')}</span>
          <span class="grow" />
          <Segment
            label="Cells"
            value={show}
            options={SHOWS}
            onChange={(next) => changeOwn({ show: next === 'both' ? '' : next })}
          />
          <Choice
            name="Baseline"
            label="Baseline"
            value={baseline}
            options={models.map((model) => [model, model] as const)}
            onChange={(model) => changeOwn({ baseline: model === models[0] ? '' : model })}
          />
          <SortChoice sort={sort} models={models} />
          <ExportLink request={request} rows={report?.totalRows} />
        </header>
        {error !== undefined && <Refused error={error} />}
        <StaleBanner error={staleError} />
        {report === undefined && error === undefined && <Loading lines={9} />}
        {report !== undefined && error === undefined && (
          <>
            <Table
              caption={`Attribution by ${dimensionTitle(by).toLowerCase()}, ${models.length} models`}
              className={show === 'both' ? 'attr' : 'attr slim'}
              columns={columns}
              rows={lines}
              keyOf={({ key }) => key}
              rowClass={({ isChild }) => (isChild ? 'child' : '')}
              rowHeight={show === 'both' ? ROW_HEIGHT : SLIM_HEIGHT}
              sort={sort}
              onSort={(next) => changeOwn({ sort: next === '-spread' ? '' : next })}
              foot={<Foot {...{ report, models, touched, show, lines }} />}
              empty={<Notice title="Nothing was counted in this time" />}
            />
            <Stamp report={report} request={request} />
          </>
        )}
      </div>
      {own.cell && report && (
        <OpenCell mesh={known} by={by} cell={own.cell} report={report} models={models} lines={lines} />
      )}
    </div>
  );
}

function orderOf(sort: string, by: string): string {
  const [mark, key] = sort.startsWith('-') ? ['-', sort.slice(1)] : ['', sort];
  return mark + (key === 'name' ? by : key);
}

function SortChoice({ sort, models }: { sort: string; models: readonly string[] }) {
  const [first, ...others] = models;
  return (
    <Choice
      name="Sort"
      label="Sort"
      value={sort}
      options={[
        ['-spread', 'spread', 'the greatest less the least under the models'],
        ['-conversions', first!],
        ...others.map((model): [string, string] => [`-conversions.${model}`, model]),
        ['name', 'name'],
      ]}
      onChange={(next) => changeOwn({ sort: next === '-spread' ? '' : next })}
    />
  );
}

interface CellOptions {
  mesh: Mesh;
  by: string;
  /** As `cellOf` has it, or UNATTRIBUTED. */
  cell: string;
  report: RunReportResponse;
  models: readonly string[];
  lines: readonly Line[];
}

function OpenCell({ mesh: known, by, cell, report, models, lines }: CellOptions) {
  const { gross } = useUrl();
  if (cell === UNATTRIBUTED) {
    return <ConversionsDrawer mesh={known} counted={report.unattributed && measuresOf(report.unattributed, gross)} />;
  }
  const [model = '', ...names] = cell.split('\n');
  const line = lines.find(({ key }) => key === names.join('\n'));
  const own = line && measuresOf(line.row, gross, models.indexOf(model));
  return <ConversionsDrawer mesh={known} counted={own} model={model} of={line?.of ?? { [by]: names[0] ?? '' }} />;
}
