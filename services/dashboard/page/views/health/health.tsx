import { BASE } from '../../data/client.ts';
import { freshness } from '../../data/live.ts';
import { type Mesh, mesh } from '../../data/mesh.ts';
import { zoneOf } from '../../data/report.ts';
import { useShownUrl } from '../../data/shown.ts';
import { useHealth } from '../../data/status.ts';
import { dateTime, duration } from '../../format/time.ts';
import { Icon } from '../../parts/icon.tsx';
import { Loading, Notice } from '../../parts/states.tsx';
import { useStore } from '../../state/store.ts';
import { useUrl } from '../../state/url.ts';
import { Audit } from './audit.tsx';
import { Letters } from './letters.tsx';
import { Partitions } from './partitions.tsx';
import { Pipeline } from './pipeline.tsx';

export function Health() {
  const known = useStore(mesh);
  return known === undefined ? null : <Known mesh={known} />;
}

/** How the mesh is, from the gateway to ClickHouse. */
function Known({ mesh: known }: { mesh: Mesh }) {
  const health = useHealth();
  useShownUrl(health.isMissing ? undefined : `${BASE}/status`);
  const zone = zoneOf(useUrl(), known);
  const { status, error } = health;
  return (
    <div class="view health">
      {error !== undefined && (
        <div class="banner wide" role="status">
          <Icon name="warn" small />
          <span>The gateway does not answer. What is below is older. {(error as Error).message}</span>
        </div>
      )}
      {status?.warnings?.map((warning) => (
        <div key={warning} class="banner wide" role="status">
          <Icon name="warn" small />
          <span>{warning}</span>
        </div>
      ))}
      {health.isMissing ? <Missing zone={zone} /> : <Pipeline health={health} />}
      <div class="col">
        {status !== undefined && <Partitions status={status} zone={zone} />}
        {status === undefined && !health.isMissing && (
          <div class="card">
            <Loading lines={6} />
          </div>
        )}
        <Letters zone={zone} />
      </div>
      <Audit zone={zone} />
    </div>
  );
}

/** Of a gateway without /status, as in a mesh whose attribution runs elsewhere. */
function Missing({ zone }: { zone: string }) {
  const fresh = useStore(freshness);
  const through = fresh?.completeThrough ?? 0;
  return (
    <div class="card wide">
      <header>
        <h2>Pipeline</h2>
      </header>
      <Notice title="This gateway has no /status">
        <p>Offsets and lag by partition are known to the process that runs attribution: ask it with</p>
        <code>clickmesh status --url …</code>
        <p>
          {through === 0
            ? 'Reports do not say yet until when they are complete.'
            : `Reports are complete through ${dateTime(through, zone)} ${zone}, a lag of ${duration(fresh!.lagMs)}.`}
        </p>
      </Notice>
    </div>
  );
}
