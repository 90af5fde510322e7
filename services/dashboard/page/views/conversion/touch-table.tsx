import type { ExplainConversionResponse } from '../../../../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { NO_VALUE } from '../../../../contract/shown.ts';
import { count, exact, money, NOTHING, rounded } from '../../format/number.ts';
import { duration, shortDateTime } from '../../format/time.ts';
import { ModelGlyph } from '../../parts/model-name.tsx';
import { Notice } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import type { Touch } from './touches.ts';

const ONE = 1_000_000n;
const ROW_HEIGHT = 38;
/** What stands over a narrow column; other models by their name. */
const SHORT: Readonly<Record<string, string>> = {
  last_click: 'last',
  first_click: 'first',
  time_decay: 'decay',
  position_based: 'position',
};
const TAGS: Readonly<Record<Touch['kind'], string>> = { candidate: 'good', lost: 'edge', invalid: 'bad', out: 'edge' };

interface Options {
  explained: ExplainConversionResponse;
  touches: readonly Touch[];
  zone: string;
}

/** What the time line shows, in numbers. */
export function TouchTable({ explained, touches, zone }: Options) {
  const { decision, netValueMicros: value } = explained;
  const { models, conversionTime, candidatesLeftOut } = decision!;
  const middle = Number(conversionTime);
  const columns = [
    {
      key: 'name',
      head: 'Campaign and ad',
      cell: (touch: Touch) => <Name of={touch} />,
    },
    {
      key: 'clicked',
      head: 'Clicked',
      width: 124,
      cell: ({ time, clickId }: Touch) => (
        <span>
          {shortDateTime(time, zone)}
          <small class="mono" data-tip={clickId}>
            {short(clickId)}
          </small>
        </span>
      ),
    },
    {
      key: 'outcome',
      head: 'Outcome',
      width: 140,
      cell: ({ kind, outcome, far, time }: Touch) => (
        <span data-tip={far || undefined}>
          <span class={`tag ${TAGS[kind]}`}>{outcome}</span>
          <small>
            {far.split(';')[0] || (kind === 'invalid' ? 'by a verdict' : `${duration(middle - time)} before`)}
          </small>
        </span>
      ),
    },
    ...models.map((model, at) => ({
      key: model,
      head: (
        <span class="m">
          <ModelGlyph model={model} />
          {SHORT[model] ?? model}
        </span>
      ),
      tip: model,
      label: model,
      width: at === models.length - 1 ? 92 : 76,
      className: 'num',
      cell: (touch: Touch) => <Credit of={touch} at={at} value={value} />,
    })),
  ];
  return (
    <div class="card">
      <Table
        caption="Touches and their credit under each model"
        className="touch"
        columns={columns}
        rows={touches}
        keyOf={({ clickId }) => clickId}
        rowClass={({ kind }) => (kind === 'candidate' ? '' : 'out')}
        rowHeight={ROW_HEIGHT}
        foot={<Foot {...{ explained, touches, models }} />}
        empty={<Notice title="No click of this user is known" />}
      />
      {candidatesLeftOut > 0 && (
        <p class="left-out">
          {count(BigInt(candidatesLeftOut))} more candidates are not listed: the decision names the newest only.
        </p>
      )}
    </div>
  );
}

/** "3f8c2a61…1b70", for ids whose whole is in a tip. */
function short(id: string): string {
  return id.length <= 14 ? id : `${id.slice(0, 8)}…${id.slice(-4)}`;
}

function Name({ of: { no, campaignId, adId, source } }: { of: Touch }) {
  return (
    <span class="named">
      <span class="no">{no}</span>
      <span class="truncate">
        {campaignId || NO_VALUE}
        <small class="truncate">{[adId, source].filter(Boolean).join(' · ') || NOTHING}</small>
      </span>
    </span>
  );
}

/** 0 is a candidate without credit, a dash no candidate. */
function Credit({ of: { credits, reasons }, at, value }: { of: Touch; at: number; value: bigint }) {
  const credit = credits[at];
  if (credit === undefined) return <span class="none">{NOTHING}</span>;
  if (credit === 0n) return <span data-tip={reasons[at]}>0</span>;
  return (
    <span data-tip={`${exact(credit)} of the conversion\nand as much of ${exact(value, 2)}`}>
      {rounded(credit, 4)}
      <small>{money((value * credit) / ONE)}</small>
    </span>
  );
}

interface FootOptions {
  explained: ExplainConversionResponse;
  touches: readonly Touch[];
  models: readonly string[];
}

function Foot({ explained, touches, models }: FootOptions) {
  const { netValueMicros: value, attributed, decision } = explained;
  const sums = models.map((_, at) => touches.reduce((sum, { credits }) => sum + (credits[at] ?? 0n), 0n));
  const isWhole = sums.every((sum) => sum === ONE);
  const said = !attributed
    ? `No click is credited: ${money(value)} is unattributed`
    : isWhole
      ? `Credit adds up to 1, value to ${money(value)}, under every model`
      : decision!.candidatesLeftOut > 0
        ? 'Credit of the touches listed'
        : 'Credit does not add up to 1 under every model';
  return (
    <tr>
      <th class="stick" scope="row" colSpan={3}>
        {said}
      </th>
      {models.map((model, at) => (
        <td key={model} class="num" data-l={model}>
          <span>
            {sums[at] === 0n ? NOTHING : rounded(sums[at]!, 4)}
            {sums[at] !== 0n && <small>{money((value * sums[at]!) / ONE)}</small>}
          </span>
        </td>
      ))}
    </tr>
  );
}
