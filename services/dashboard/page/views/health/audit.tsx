import { Code, ConnectError } from '@connectrpc/connect';
import type { AuditCheck } from '../../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { type LastAudit, lastAudit } from '../../data/audit.ts';
import { auditRun, isRunning, runAudit } from '../../data/audit-run.ts';
import { BASE } from '../../data/client.ts';
import { count } from '../../format/number.ts';
import { clock, duration, shortDateTime, today } from '../../format/time.ts';
import { Icon, type IconName } from '../../parts/icon.tsx';
import { Notice, Refused } from '../../parts/states.tsx';
import { copy } from '../../parts/toast.tsx';
import { useStore } from '../../state/store.ts';

/** Recounts everything on request. */
export function Audit({ zone }: { zone: string }) {
  const run = useStore(auditRun);
  const last = useStore(lastAudit);
  const running = isRunning(run);
  return (
    <div class="card audit">
      <header>
        <h2>Audit</h2>
        {running ? <span class="tag">running</span> : last && <Verdict of={last} />}
        <span class="note">
          {!running && last && timeText(last.finishedAt, zone)}
          {run?.finishedAt !== undefined && `, in ${duration(run.finishedAt - run.startedAt)}`}
        </span>
        <span class="grow" />
        <button type="button" class="btn" id="audit" disabled={running} onClick={runAudit}>
          <Icon name="run" />
          Run
        </button>
      </header>
      {run?.error !== undefined && <Failed error={run.error} />}
      {run === undefined && (
        <Notice title={last === undefined ? 'Not audited by this browser yet' : 'Run it again for its checks'}>
          <p>An audit recounts every event that the log holds and compares that with what reports say.</p>
        </Notice>
      )}
      {run !== undefined && run.checks.length > 0 && (
        <ul class="checks" aria-live="polite">
          {run.checks.map((check) => (
            <Check key={check.name} of={check} />
          ))}
        </ul>
      )}
    </div>
  );
}

function timeText(ms: number, zone: string): string {
  return today(zone, ms) === today(zone) ? clock(ms, zone) : shortDateTime(ms, zone);
}

function Verdict({ of: { differing } }: { of: LastAudit }) {
  return (
    <span class={`tag ${differing === 0 ? 'good' : 'bad'}`}>
      <Icon name={differing === 0 ? 'check' : 'warn'} small />
      {differing === 0 ? 'clean' : `${count(BigInt(differing))} differ`}
    </span>
  );
}

const LOOKS: Readonly<Record<string, readonly [className: string, icon: IconName, said: string]>> = {
  ok: ['good', 'check', 'ok'],
  limit: ['warn', 'warn', 'a known limit'],
  differs: ['bad', 'warn', 'differs'],
};

function Check({ of: { name, outcome, compared, differing, text } }: { of: AuditCheck }) {
  const [className, icon, said] = LOOKS[outcome] ?? ['', 'dots', outcome];
  return (
    <li class={className}>
      <Icon name={icon} small />
      <span>
        <span class="sr">{said}: </span>
        {name}
        {outcome !== 'ok' && <small class="why">{text}</small>}
      </span>
      <span class="num">{differing > 0n ? `${count(differing)} of ${count(compared)}` : count(compared)}</span>
    </li>
  );
}

/** A mesh that cannot audit by itself is audited by the command. */
function Failed({ error }: { error: unknown }) {
  if (ConnectError.from(error).code !== Code.Unimplemented) return <Refused error={error} />;
  const command = `clickmesh audit --url ${BASE}`;
  return (
    <Notice title="This mesh is audited by the command">
      <code>{command}</code>
      <button type="button" class="btn" onClick={() => copy(command, 'Command copied')}>
        <Icon name="copy" />
        Copy
      </button>
    </Notice>
  );
}
