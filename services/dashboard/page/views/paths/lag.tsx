import { create, toJsonString } from '@bufbuild/protobuf';
import {
  type LagBucket,
  TimeLagRequestSchema,
  type TimeLagResponse,
} from '../../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { stats } from '../../data/client.ts';
import type { Mesh } from '../../data/mesh.ts';
import { useQuery } from '../../data/query.ts';
import { modelOf } from '../../data/report.ts';
import { NOTHING } from '../../format/number.ts';
import { duration } from '../../format/time.ts';
import { ModelName } from '../../parts/model-name.tsx';
import { Loading, Notice, Refused, StaleBanner } from '../../parts/states.tsx';
import type { UrlState } from '../../state/url.ts';
import { Histogram } from './histogram.tsx';
import { scopeOf } from './scope.ts';

/** How long after the credited click conversions came. */
export function Lag({ mesh, state }: { mesh: Mesh; state: UrlState }) {
  const model = modelOf(state, mesh);
  const request = create(TimeLagRequestSchema, { ...scopeOf(state, mesh), model });
  const key = `lag ${toJsonString(TimeLagRequestSchema, request)}`;
  const { value, error, staleError, isOld } = useQuery(key, (signal) => stats.timeLag(request, { signal }));
  return (
    <div class={`card ${isOld ? 'old' : ''}`}>
      <header>
        <h2>Time from click to conversion</h2>
        <span class="grow" />
        <span class="note">
          <ModelName model={model} />
        </span>
      </header>
      {error !== undefined && <Refused error={error} />}
      <StaleBanner error={staleError} />
      {value === undefined && error === undefined && <Loading lines={7} />}
      {value !== undefined && <Told of={value} />}
    </div>
  );
}

function Told({ of }: { of: TimeLagResponse }) {
  const marks = [
    ['p50', of.p50Ms, 'Half within (p50)'],
    ['p90', of.p90Ms, 'p90'],
    ['p99', of.p99Ms, 'p99'],
  ] as const;
  return (
    <>
      <dl class="pct">
        {marks.map(([name, ms, title]) => (
          <div key={name}>
            <dt>{title}</dt>
            <dd data-tip={ms === undefined ? undefined : `${ms} ms`}>
              {ms === undefined ? NOTHING : duration(Number(ms))}
            </dd>
          </div>
        ))}
      </dl>
      {hasAny(of.buckets) ? (
        <Histogram buckets={of.buckets} marks={marks} />
      ) : (
        <Notice title="No click is credited in this time" />
      )}
    </>
  );
}

function hasAny(buckets: readonly LagBucket[]): boolean {
  return buckets.some(({ conversionsMicros }) => conversionsMicros > 0n);
}
