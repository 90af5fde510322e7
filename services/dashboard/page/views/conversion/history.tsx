import { CorrectionEffect } from '../../../../../gen/ts/clickmesh/v1/attribution_pb.js';
import type {
  ExplainConversionResponse,
  ExplainedCorrection,
} from '../../../../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { count, counted, exact } from '../../format/number.ts';
import { shortDateTime } from '../../format/time.ts';
import type { Touch } from './touches.ts';

interface Options {
  explained: ExplainConversionResponse;
  touches: readonly Touch[];
  zone: string;
}

/** What changed a conversion since it was decided, the newest last. */
export function History({ explained, touches, zone }: Options) {
  const { decision, corrections, lateClicks } = explained;
  const { conversionTime, valueMicros, correctionsLeftOut, causeType, causeId } = decision!;
  const all = [
    ...lateClicks.map((late) => ({ time: late.arrivalTime, late, correction: undefined })),
    ...corrections.map((correction) => ({ time: correction.timestamp, late: undefined, correction })),
  ].sort((a, b) => Number(a.time - b.time));
  // The decision does not name the click.
  const isUnlisted = causeType === 'click' && lateClicks.every(({ clickId }) => clickId !== causeId);
  return (
    <div class="card">
      <header>
        <h2>Corrections</h2>
        <span class="note">{all.length === 0 ? 'none so far' : counted(BigInt(all.length), 'correction')}</span>
      </header>
      <ol class="led">
        <li>
          <div class="h">
            Converted <time>{shortDateTime(Number(conversionTime), zone)}</time>
          </div>
          <p>The value as it was sent.</p>
          <dl class="ba">
            <dt>value</dt>
            <dd>
              <ins>{exact(valueMicros, 2)}</ins>
            </dd>
          </dl>
        </li>
        {correctionsLeftOut > 0 && (
          <li>
            <p>{count(BigInt(correctionsLeftOut))} older adjustments are not listed.</p>
          </li>
        )}
        {all.map(({ late, correction }) =>
          late === undefined ? (
            <Correction
              key={`${correction.eventType}\n${correction.eventId}`}
              of={correction}
              touches={touches}
              zone={zone}
            />
          ) : (
            <li key={late.clickId} data-tip={late.clickId}>
              <div class="h">
                Late click <time>{shortDateTime(Number(late.arrivalTime), zone)}</time>
              </div>
              <p>
                {nameOf(late.clickId, touches)}: {late.text}. The credit shown is with it.
              </p>
            </li>
          ),
        )}
        {isUnlisted && (
          <li>
            <div class="h">Late click</div>
            <p>
              What changed it last is a click that arrived after it: {nameOf(causeId, touches)}. The credit shown is
              with it.
            </p>
          </li>
        )}
      </ol>
    </div>
  );
}

function Correction({ of, touches, zone }: { of: ExplainedCorrection; touches: readonly Touch[]; zone: string }) {
  const { eventType, kind, timestamp, text, reason, clickId, eventId } = of;
  const { valueBeforeMicros: before, valueAfterMicros: after } = of;
  const isIdle = of.effect !== CorrectionEffect.APPLIED && of.effect !== CorrectionEffect.APPLIED_IN_PART;
  return (
    <li class={isIdle ? 'idle' : ''} data-tip={eventId}>
      <div class="h">
        {eventType === 'verdict' ? `Verdict: ${kind}` : `Adjustment: ${kind}`}
        <time>{shortDateTime(Number(timestamp), zone)}</time>
      </div>
      <p>
        {clickId !== '' && `${nameOf(clickId, touches)}: `}
        {text}
        {reason !== '' && <span class="muted"> · {reason}</span>}
      </p>
      {before !== undefined && after !== undefined && (
        <dl class="ba">
          <dt>value</dt>
          <dd>
            {before === after ? (
              'unchanged'
            ) : (
              <>
                <span class="sr">before</span>
                <del>{exact(before, 2)}</del>
                <span class="sr">after</span>
                <ins>{exact(after, 2)}</ins>
              </>
            )}
          </dd>
        </dl>
      )}
    </li>
  );
}

/** "click 6, partner-coupons", or its id where it is not among the touches. */
function nameOf(clickId: string, touches: readonly Touch[]): string {
  const touch = touches.find((one) => one.clickId === clickId);
  return touch === undefined ? `click ${clickId}` : `click ${touch.no}, ${touch.campaignId}`;
}
