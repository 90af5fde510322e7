import { create, toJsonString } from '@bufbuild/protobuf';
import { useState } from 'preact/hooks';
import {
  Attributed,
  type ListConversionsRequest,
  ListConversionsRequestSchema,
  type ListConversionsResponse,
  type ListedConversion,
  ReportFilterSchema,
} from '../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { NO_VALUE } from '../../../contract/shown.ts';
import { stats } from '../data/client.ts';
import type { Mesh } from '../data/mesh.ts';
import { useQuery } from '../data/query.ts';
import { filtersOf, type Measures, zoneOf } from '../data/report.ts';
import { conversions, count, exact, money } from '../format/number.ts';
import { duration, shortDateTime, today } from '../format/time.ts';
import { Drawer } from '../parts/drawer.tsx';
import { Icon } from '../parts/icon.tsx';
import { ModelName } from '../parts/model-name.tsx';
import { Segment } from '../parts/segment.tsx';
import { Loading, Notice, Refused } from '../parts/states.tsx';
import { daysOf } from '../state/range.ts';
import { changeOwn, go, hrefOf, useUrl } from '../state/url.ts';
import { ConversionsCsv } from './conversions-csv.tsx';

const ORDERS = [
  ['-corrections', 'Most corrected'],
  ['-time', 'Newest'],
  ['-value', 'Highest value'],
] as const;
const PAGE_ROWS = 100;

/** The cell of what no click is credited for. */
export const UNATTRIBUTED = 'unattributed';

export function listUnattributed(): void {
  changeOwn({ cell: UNATTRIBUTED });
}

interface Options {
  mesh: Mesh;
  /** What the cell says; undefined if it is not there any more. */
  counted: Measures | undefined;
  /** The cell's; those that no click is credited for without it. */
  model?: string;
  /** Of the cell's row, by their dimensions. */
  of?: Readonly<Record<string, string>>;
}

/** The conversions that a cell counts. */
export function ConversionsDrawer({ mesh, counted, model, of = {} }: Options) {
  const state = useUrl();
  const order = ORDERS.find(([one]) => one === state.own.order)?.[0] ?? '-corrections';
  const { start, end } = daysOf(state, today(zoneOf(state, mesh)));
  const base = { startDate: start, endDate: end, timeZone: state.zone };
  // Those that are unattributed have nothing of a click that could be filtered.
  const isListed = (dimension: string) => model !== undefined || dimension === 'conversion_type';
  const filters = [
    ...filtersOf(state).filter(({ dimension }) => !(dimension in of) && isListed(dimension)),
    ...Object.entries(of).map(([dimension, value]) => create(ReportFilterSchema, { dimension, values: [value] })),
  ];
  const attributed = model === undefined ? Attributed.NO : Attributed.UNSPECIFIED;
  const all = { ...base, filters, attributed };
  const request = create(ListConversionsRequestSchema, {
    ...all,
    model: model ?? '',
    orderBy: order,
    limit: PAGE_ROWS,
  });
  const { value: listed } = useConversions(request);
  const { value: touched } = useConversions(create(ListConversionsRequestSchema, { ...all, limit: 1 }));
  const name = model === undefined ? 'Unattributed' : Object.values(of).at(-1) || NO_VALUE;
  return (
    <Drawer
      label={`Conversions, ${name}${model === undefined ? '' : ` under ${model}`}`}
      onClose={() => changeOwn({ cell: '', order: '' })}
    >
      <header>
        <h2>
          {name}
          {model !== undefined && (
            <>
              <span class="muted"> under </span>
              <ModelName model={model} />
            </>
          )}
        </h2>
        <form method="dialog">
          <button type="submit" class="iconbtn" aria-label="Close">
            <Icon name="close" />
          </button>
        </form>
        <dl class="facts">
          <Fact
            name={model === undefined ? 'Conversions without credit' : 'Conversions credited'}
            value={counted && conversions(counted.conversions)}
          />
          <Fact name={`Revenue, ${state.gross ? 'gross' : 'net'}`} value={counted && money(counted.revenue)} />
          {model !== undefined && <Fact name="Touched it at all" value={touched && count(touched.total)} />}
        </dl>
      </header>
      <div class="tools">
        <Segment
          label="Order"
          value={order}
          options={ORDERS}
          onChange={(next) => changeOwn({ order: next === '-corrections' ? '' : next })}
        />
        <span class="grow" />
        <ConversionsCsv request={request} total={listed?.total} />
      </div>
      <Listed key={toJsonString(ListConversionsRequestSchema, request)} request={request} zone={zoneOf(state, mesh)} />
    </Drawer>
  );
}

function Fact({ name, value }: { name: string; value: string | undefined }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value ?? '–'}</dd>
    </div>
  );
}

function useConversions(request: ListConversionsRequest) {
  const key = `conversions ${toJsonString(ListConversionsRequestSchema, request)}`;
  return useQuery(key, (signal) => stats.listConversions(request, { signal }));
}

function Listed({ request, zone }: { request: ListConversionsRequest; zone: string }) {
  const { value: first, error } = useConversions(request);
  const [more, setMore] = useState<readonly ListConversionsResponse[]>([]);
  if (error !== undefined) return <Refused error={error} />;
  if (first === undefined) return <Loading lines={9} />;
  const pages = [first, ...more];
  const rows = pages.flatMap((page) => page.conversions);
  const { nextPageToken } = pages.at(-1)!;
  const next = async () => setMore([...more, await stats.listConversions({ ...request, pageToken: nextPageToken })]);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <section class="tscroll" tabIndex={0} aria-label="Conversions">
        {rows.length === 0 ? (
          <Notice title="No conversion is credited to it" />
        ) : (
          <table>
            <thead>
              <tr>
                <th scope="col">Conversion</th>
                <th scope="col">Corrected by</th>
                <th scope="col" class="num">
                  Touches
                </th>
                <th scope="col" class="num">
                  Lag
                </th>
                <th scope="col" class="num">
                  Value
                </th>
                <th scope="col">
                  <span class="sr">explain</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <Conversion key={`${row.userId}\n${row.conversionId}`} of={row} zone={zone} />
              ))}
            </tbody>
          </table>
        )}
      </section>
      <footer>
        <span>
          {count(BigInt(rows.length))} of {count(first.total)} shown
        </span>
        {nextPageToken !== '' && (
          <button type="button" class="btn" onClick={next}>
            Next {PAGE_ROWS}
          </button>
        )}
      </footer>
    </>
  );
}

function Conversion({ of, zone }: { of: ListedConversion; zone: string }) {
  const { conversionId: id, userId, correctedBy, lagMs, netValueMicros, valueMicros, creditMicros } = of;
  const own = { id, user: userId };
  return (
    <tr>
      <td>
        {shortDateTime(Number(of.conversionTime), zone)}
        <small class="mono" data-tip={id}>
          {id.slice(0, 8)}…{id.slice(-4)}
        </small>
      </td>
      <td>
        {correctedBy.length === 0 && '–'}
        {correctedBy.map((cause) => (
          <span key={cause} class={`tag ${cause === 'verdict' ? 'bad' : ''}`}>
            {cause.replace('_', ' ')}
          </span>
        ))}
      </td>
      <td class="num">{of.touches}</td>
      <td class="num">{lagMs === undefined ? '–' : duration(Number(lagMs))}</td>
      <td class="num" data-tip={netValueMicros === valueMicros ? undefined : `sent as ${exact(valueMicros, 2)}`}>
        {money(netValueMicros)}
        <small>credit {exact(creditMicros)}</small>
      </td>
      <td>
        <a
          class="iconbtn"
          href={hrefOf('conversion', own)}
          aria-label={`Explain ${id}`}
          onClick={(event) => {
            event.preventDefault();
            go('conversion', own);
          }}
        >
          <Icon name="right" />
        </a>
      </td>
    </tr>
  );
}
