import type { TailedEvent } from '../../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { exact, money } from '../../format/number.ts';
import { clock, dateTime } from '../../format/time.ts';
import { changeOwn, go, hrefOf } from '../../state/url.ts';

const MARKS: Readonly<Record<string, string>> = { click: 'dot', conversion: 'dia', adjustment: 'sq', verdict: 'sq' };

export function EventRow({ event, zone }: { event: TailedEvent; zone: string }) {
  const { eventType, userId, valueMicros, timestamp, arrivalTime } = event;
  const arrived = Number(arrivalTime);
  const hasValue = eventType === 'conversion' || valueMicros !== 0n;
  return (
    <tr>
      <td
        class="muted"
        data-tip={`${event.eventId}\narrived ${dateTime(arrived, zone)}\nhappened ${dateTime(Number(timestamp), zone)}`}
      >
        {clock(arrived, zone)}.{String(arrived % 1000).padStart(3, '0')}
      </td>
      <td>
        <span class={`ev ${eventType}`}>
          <i class={MARKS[eventType] ?? 'dot'} />
          <span class="t">{eventType}</span>
        </span>
      </td>
      <td class="full truncate what">
        <What event={event} />
      </td>
      <td class="soft truncate user">
        <button type="button" class="plain" data-tip={`Only ${userId}`} onClick={() => changeOwn({ user: userId })}>
          {userId}
        </button>
      </td>
      <td class="num" data-tip={hasValue ? exact(valueMicros, 2) : undefined}>
        {hasValue && money(valueMicros)}
      </td>
      <td class="full truncate">
        <Became event={event} />
      </td>
    </tr>
  );
}

function What({ event }: { event: TailedEvent }) {
  const { eventType, campaignId, adId, conversionType, kind, targetId } = event;
  if (eventType === 'click') {
    return (
      <>
        {campaignId || '(no campaign)'}
        <span class="muted"> / {adId || '(no ad)'}</span>
      </>
    );
  }
  if (eventType === 'conversion') return <>{conversionType || '(no type)'}</>;
  return (
    <>
      {kind}
      <span class="muted" data-tip={targetId}>
        {eventType === 'verdict' ? ' click ' : ' of '}
        {targetId.slice(0, 4)}…{targetId.slice(-4)}
      </span>
    </>
  );
}

/** Of a conversion the campaign that is credited, which leads to why. */
function Became({ event }: { event: TailedEvent }) {
  const { outcome, creditedCampaignId, eventId, userId } = event;
  if (outcome === 'pending') return <span class="muted">in flight</span>;
  if (outcome === 'counted') return <span class="muted">counted</span>;
  const own = { id: eventId, user: userId };
  const isAttributed = outcome === 'attributed';
  return (
    <a
      href={hrefOf('conversion', own)}
      class={isAttributed ? '' : 'tag warn'}
      onClick={(pressed) => {
        if (pressed.metaKey || pressed.ctrlKey || pressed.shiftKey) return;
        pressed.preventDefault();
        go('conversion', own);
      }}
    >
      {isAttributed ? creditedCampaignId || '(no campaign)' : outcome}
    </a>
  );
}
