import { create, toJsonString } from '@bufbuild/protobuf';
import { ListConversionsRequestSchema, type ListedConversion } from '../../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { stats } from '../../data/client.ts';
import type { Mesh } from '../../data/mesh.ts';
import { useQuery } from '../../data/query.ts';
import { zoneOf } from '../../data/report.ts';
import { count, money, NOTHING } from '../../format/number.ts';
import { daysText, duration, shortDateTime, today } from '../../format/time.ts';
import { Loading, Notice, Refused } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { daysOf } from '../../state/range.ts';
import { go, hrefOf, useUrl } from '../../state/url.ts';

const ROWS = 50;
const ROW_HEIGHT = 30;

/** Conversions to choose from: the newest, or those of a user. @param asked what is the id of no conversion */
export function Found({ mesh, zone, asked }: { mesh: Mesh; zone: string; asked?: string }) {
  const state = useUrl();
  const { start, end } = daysOf(state, today(zoneOf(state, mesh)));
  const request = create(ListConversionsRequestSchema, {
    ...{ startDate: start, endDate: end, timeZone: state.zone, userId: asked ?? '', limit: ROWS },
  });
  const key = `conversions ${toJsonString(ListConversionsRequestSchema, request)}`;
  const { value, error } = useQuery(key, (signal) => stats.listConversions(request, { signal }));
  const days = daysText({ start, end });
  return (
    <div class="card col">
      <header>
        <h2>{asked === undefined ? 'Newest conversions' : `Conversions of user ${asked}`}</h2>
        <span class="note">
          {value && `${count(BigInt(value.conversions.length))} of ${count(value.total)}, `}
          {days}
        </span>
      </header>
      {error !== undefined && <Refused error={error} />}
      {value === undefined && error === undefined && <Loading />}
      {value !== undefined && (
        <Table
          caption={asked === undefined ? 'Newest conversions' : `Conversions of user ${asked}`}
          columns={columnsOf(zone)}
          rows={value.conversions}
          keyOf={({ userId, conversionId }) => `${userId}\n${conversionId}`}
          rowHeight={ROW_HEIGHT}
          empty={<Nothing asked={asked} days={days} />}
        />
      )}
    </div>
  );
}

function Nothing({ asked, days }: { asked: string | undefined; days: string }) {
  if (asked === undefined) return <Notice title="No conversion in this time" />;
  return (
    <Notice title={`Nothing is known of “${asked}”`}>
      <p>
        No decision on a conversion of this id has arrived, and no user of this id converted in {days}. An event that
        was just sent shows within about two seconds.
      </p>
    </Notice>
  );
}

function columnsOf(zone: string) {
  return [
    { key: 'id', head: 'Conversion', cell: (of: ListedConversion) => <Link of={of} /> },
    {
      key: 'time',
      head: 'Converted',
      width: 150,
      cell: ({ conversionTime }: ListedConversion) => shortDateTime(Number(conversionTime), zone),
    },
    { key: 'type', head: 'Type', width: 110, cell: ({ conversionType }: ListedConversion) => conversionType },
    { key: 'user', head: 'User', width: 150, className: 'truncate', cell: ({ userId }: ListedConversion) => userId },
    {
      key: 'touches',
      head: 'Touches',
      width: 76,
      className: 'num',
      cell: ({ touches }: ListedConversion) => touches,
    },
    {
      key: 'lag',
      head: 'Lag',
      width: 90,
      className: 'num',
      cell: ({ lagMs }: ListedConversion) => (lagMs === undefined ? NOTHING : duration(Number(lagMs))),
    },
    {
      key: 'value',
      head: 'Net value',
      width: 100,
      className: 'num',
      cell: ({ netValueMicros }: ListedConversion) => money(netValueMicros),
    },
  ];
}

function Link({ of: { conversionId: id, userId: user } }: { of: ListedConversion }) {
  return (
    <a
      class="mono truncate"
      href={hrefOf('conversion', { id, user })}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey) return;
        event.preventDefault();
        go('conversion', { id, user });
      }}
    >
      {id}
    </a>
  );
}
