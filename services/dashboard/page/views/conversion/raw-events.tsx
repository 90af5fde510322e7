import { create } from '@bufbuild/protobuf';
import { ListClicksRequestSchema, type ListedClick } from '../../../../../gen/ts/clickmesh/v1/reports_pb.js';
import type { ExplainConversionResponse } from '../../../../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { stats } from '../../data/client.ts';
import { useQuery } from '../../data/query.ts';
import { decimal } from '../../format/number.ts';
import { addDays, today } from '../../format/time.ts';
import { Icon } from '../../parts/icon.tsx';
import { Loading, Refused } from '../../parts/states.tsx';
import { copy } from '../../parts/toast.tsx';
import { changeOwn, useUrl } from '../../state/url.ts';

const TABS = ['conversion', 'clicks', 'adjustments', 'verdicts'] as const;
/** Most clicks that are listed. */
const MAX_CLICKS = 100;

/** A field of an event and what JSON has of it. */
type Field = readonly [name: string, json: string];

/** The events that an explanation is made of, as they would be sent; what is not kept of them is left out. */
export function RawEvents({ explained, zone }: { explained: ExplainConversionResponse; zone: string }) {
  const { own } = useUrl();
  const clicks = useClicks(explained, zone);
  const corrections = (type: string) => explained.corrections.filter(({ eventType }) => eventType === type);
  const events: Record<(typeof TABS)[number], readonly Field[][] | undefined> = {
    conversion: [conversionFields(explained)],
    clicks: clicks.value?.clicks.map((click) => clickFields(click, explained.decision!.userId)),
    adjustments: corrections('adjustment').map((one) => [
      ...fields({ event_type: 'adjustment', event_id: one.eventId, user_id: explained.decision!.userId }),
      ...fields({ conversion_id: explained.decision!.conversionId, kind: one.kind }),
      ...(one.kind === 'retract' ? [] : [['value', decimal(one.valueMicros)] as const]),
      ...fields({ reason: one.reason }),
      ['timestamp', String(one.timestamp)],
    ]),
    verdicts: corrections('verdict').map((one) => [
      ...fields({ event_type: 'verdict', event_id: one.eventId, user_id: explained.decision!.userId }),
      ...fields({ click_id: one.clickId }),
      ['valid', String(one.kind === 'valid')],
      ...fields({ reason: one.reason }),
      ['timestamp', String(one.timestamp)],
    ]),
  };
  const shown = TABS.filter((tab) => tab === 'conversion' || events[tab] === undefined || events[tab].length > 0);
  const tab = shown.find((one) => one === own.tab) ?? 'conversion';
  const text = (events[tab] ?? []).map(jsonOf).join(',\n');
  return (
    <div class="card">
      <header>
        <h2>Raw events</h2>
        <span class="grow" />
        <button
          type="button"
          class="iconbtn"
          aria-label="Copy as JSON"
          data-tip="Copy as JSON"
          onClick={() => copy(`[${text}]`, 'Copied as JSON')}
        >
          <Icon name="copy" />
        </button>
      </header>
      <Tabs tabs={shown} tab={tab} counts={(one) => events[one]?.length} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <div role="tabpanel" id="raw" class="code wrap" tabIndex={0} aria-label={tab}>
        {events[tab] === undefined && clicks.error === undefined && <Loading />}
        {tab === 'clicks' && clicks.error !== undefined && <Refused error={clicks.error} />}
        {events[tab]?.map((event, i) => (
          <Event key={i} of={event} />
        ))}
        {tab === 'clicks' && clicks.value && clicks.value.total > BigInt(clicks.value.clicks.length) && (
          <p>
            the newest {clicks.value.clicks.length} of {String(clicks.value.total)}
          </p>
        )}
      </div>
    </div>
  );
}

interface TabsOptions {
  tabs: readonly (typeof TABS)[number][];
  tab: (typeof TABS)[number];
  counts(tab: (typeof TABS)[number]): number | undefined;
}

function Tabs({ tabs, tab, counts }: TabsOptions) {
  function pressed(event: KeyboardEvent) {
    const at = tabs.indexOf(tab);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = tabs[(to + tabs.length) % tabs.length]!;
    changeOwn({ tab: next === 'conversion' ? '' : next });
    document.getElementById(`raw-${next}`)?.focus();
  }
  return (
    <div class="tabs" role="tablist" aria-label="Raw events" onKeyDown={pressed}>
      {tabs.map((one) => (
        <button
          key={one}
          id={`raw-${one}`}
          type="button"
          role="tab"
          aria-selected={one === tab}
          aria-controls="raw"
          tabIndex={one === tab ? 0 : -1}
          onClick={() => changeOwn({ tab: one === 'conversion' ? '' : one })}
        >
          {one[0]!.toUpperCase() + one.slice(1)}
          {one !== 'conversion' && counts(one) !== undefined && ` ${counts(one)}`}
        </button>
      ))}
    </div>
  );
}

/** Clicks of the user around the window, with what they carry. */
function useClicks({ decision }: ExplainConversionResponse, zone: string) {
  const { userId, conversionTime, lookbackMs } = decision!;
  const request = create(ListClicksRequestSchema, {
    userId,
    startDate: addDays(today(zone, Number(conversionTime - lookbackMs)), -2),
    endDate: addDays(today(zone, Number(conversionTime)), 7),
    timeZone: zone,
    limit: MAX_CLICKS,
  });
  const key = `clicks ${JSON.stringify([userId, request.startDate, request.endDate, zone])}`;
  return useQuery(key, (signal) => stats.listClicks(request, { signal }));
}

/** Text fields that are not empty. */
function fields(of: Readonly<Record<string, string>>): Field[] {
  return Object.entries(of).flatMap(([name, text]): Field[] => (text === '' ? [] : [[name, JSON.stringify(text)]]));
}

function metadataField(metadata: Readonly<Record<string, string>>): Field[] {
  return Object.keys(metadata).length === 0 ? [] : [['metadata', JSON.stringify(metadata)]];
}

function conversionFields({ decision, metadata }: ExplainConversionResponse): Field[] {
  const { conversionId, userId, conversionType, valueMicros, conversionTime } = decision!;
  return [
    ...fields({ event_type: 'conversion', event_id: conversionId, user_id: userId, type: conversionType }),
    ['value', decimal(valueMicros)],
    ['timestamp', String(conversionTime)],
    ...metadataField(metadata),
  ];
}

function clickFields({ clickId, adId, campaignId, source, clickTime, metadata }: ListedClick, userId: string): Field[] {
  return [
    ...fields({
      event_type: 'click',
      event_id: clickId,
      user_id: userId,
      ad_id: adId,
      campaign_id: campaignId,
      source,
    }),
    ['timestamp', String(clickTime)],
    ...metadataField(metadata),
  ];
}

function jsonOf(event: readonly Field[]): string {
  return `{\n${event.map(([name, json]) => `  "${name}": ${json}`).join(',\n')}\n}`;
}

function Event({ of }: { of: readonly Field[] }) {
  return (
    <div class="event">
      {of.map(([name, json]) => (
        <div key={name}>
          <span class="k">"{name}"</span>: <span class={json.startsWith('"') ? 's' : 'n'}>{json}</span>
        </div>
      ))}
    </div>
  );
}
