import { create, toJsonString } from '@bufbuild/protobuf';
import {
  PathLengthRequestSchema,
  type PathLengthResponse,
  TopPathsRequestSchema,
} from '../../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { stats } from '../../data/client.ts';
import { type Mesh, mesh } from '../../data/mesh.ts';
import { type Answer, useQuery } from '../../data/query.ts';
import { useShownUrl } from '../../data/shown.ts';
import { Choice } from '../../parts/choice.tsx';
import { Icon } from '../../parts/icon.tsx';
import { Segment } from '../../parts/segment.tsx';
import { Loading, Notice, Refused, StaleBanner } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { saveCsv } from '../../reports/save-csv.ts';
import { useStore } from '../../state/store.ts';
import { changeOwn, type UrlState, useUrl } from '../../state/url.ts';
import { columnsOf, Foot } from './columns.tsx';
import { CSV_COLUMNS } from './csv.ts';
import { Lag } from './lag.tsx';
import { Lengths } from './lengths.tsx';
import { pathsUrl, scopeOf } from './scope.ts';

const DIMENSIONS = ['campaign_id', 'source', 'ad_id'] as const;
/** As many as the contract answers. */
const MAX_PATHS = 1000;
const ROW_HEIGHT = 30;
/** Least number of touches that can be asked for; of any number without. */
const TOUCHES = [
  ['', 'any'],
  ['2', '2 or more'],
  ['3', '3 or more'],
  ['5', '5 or more'],
] as const;

/** How people got to the conversion, and how long that took. */
export function Paths() {
  const known = useStore(mesh);
  return known === undefined ? null : <Known mesh={known} />;
}

function Known({ mesh: known }: { mesh: Mesh }) {
  const state = useUrl();
  const request = create(PathLengthRequestSchema, scopeOf(state, known));
  const key = `lengths ${toJsonString(PathLengthRequestSchema, request)}`;
  const lengths = useQuery(key, (signal) => stats.pathLength(request, { signal }));
  return (
    <div class="view fill paths stackable">
      <TopPaths mesh={known} state={state} lengths={lengths.value} />
      <div class="col side">
        <Lag mesh={known} state={state} />
        <LengthsCard answer={lengths} />
      </div>
    </div>
  );
}

function LengthsCard({ answer: { value, error, staleError, isOld } }: { answer: Answer<PathLengthResponse> }) {
  return (
    <div class={`card ${isOld ? 'old' : ''}`}>
      <header>
        <h2>Path length</h2>
        <span class="note">valid touches in the window</span>
      </header>
      {error !== undefined && <Refused error={error} />}
      <StaleBanner error={staleError} />
      {value === undefined && error === undefined && <Loading />}
      {value !== undefined && <Lengths buckets={value.buckets} />}
    </div>
  );
}

interface TopOptions {
  mesh: Mesh;
  state: UrlState;
  lengths: PathLengthResponse | undefined;
}

function TopPaths({ mesh: known, state, lengths }: TopOptions) {
  const by = DIMENSIONS.find((one) => one === state.own.by) ?? 'campaign_id';
  const collapseRepeats = state.own.collapse === 'true';
  const [touches] = TOUCHES.find(([least]) => least === state.own.touches) ?? TOUCHES[0];
  const question = { dimension: by, collapseRepeats, minTouches: Number(touches), limit: MAX_PATHS };
  const request = create(TopPathsRequestSchema, { ...scopeOf(state, known), ...question });
  const key = `paths ${toJsonString(TopPathsRequestSchema, request)}`;
  const answer = useQuery(key, (signal) => stats.topPaths(request, { signal }));
  const { value: top, error, staleError, isOld } = answer;
  const paths = top?.paths ?? [];
  const least: Record<string, string> = touches === '' ? {} : { min_touches: touches };
  const rest = { dimension: by, collapse_repeats: String(collapseRepeats), ...least, limit: String(MAX_PATHS) };
  useShownUrl(pathsUrl(state, known, rest));
  return (
    <div class={`card col ${isOld ? 'old' : ''}`}>
      <header>
        <h2>Top paths</h2>
        <span class="grow" />
        <Segment
          label="Steps"
          value={by}
          options={[
            ['campaign_id', 'Campaign'],
            ['source', 'Source'],
            ['ad_id', 'Ad'],
          ]}
          onChange={(next) => changeOwn({ by: next === 'campaign_id' ? '' : next })}
        />
        <button
          type="button"
          class={`pill ${collapseRepeats ? 'on' : ''}`}
          aria-pressed={collapseRepeats}
          onClick={() => changeOwn({ collapse: collapseRepeats ? '' : 'true' })}
        >
          Collapse repeats
        </button>
        <Choice
          name="Touches"
          label="Least number of touches"
          value={touches}
          options={TOUCHES}
          onChange={(next) => changeOwn({ touches: next })}
        />
        <button
          type="button"
          class="btn ghost"
          data-tip={`The first ${MAX_PATHS} paths, exact, as CSV`}
          onClick={() => saveCsv(`clickmesh-paths-${request.startDate}-${request.endDate}`, CSV_COLUMNS, paths)}
        >
          <Icon name="download" />
          CSV
        </button>
      </header>
      {error !== undefined && <Refused error={error} />}
      <StaleBanner error={staleError} />
      {top === undefined && error === undefined && <Loading lines={9} />}
      {top !== undefined && error === undefined && (
        <Table
          caption="Top paths, first click to last"
          columns={columnsOf(top)}
          rows={paths.map((path, i) => ({ path, rank: i + 1 }))}
          keyOf={({ path }) => `${path.longer}\n${path.steps.join('\n')}`}
          rowHeight={ROW_HEIGHT}
          foot={<Foot top={top} lengths={lengths} least={Number(touches)} />}
          empty={<Notice title="No conversion in this time has a touch" />}
        />
      )}
    </div>
  );
}
