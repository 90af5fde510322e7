import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { EventType } from '../../services/contract/event-rules.ts';
import type { FindUsers } from '../../services/gateway/users/find-users.ts';
import { temporaryFolder } from '../fixtures/mesh-process.ts';
import { membersOf } from './table.ts';
import { type OpenWays, openWays, verdictsOf } from './ways.ts';

/** Adjustments and verdicts without user_id, by every way in, to a gateway that can ask for users. */

const CONVERSION = '6f1b0e0a-1f7e-4a0e-9d0a-0a4c5cbb8a02';
const CLICK = '6f1b0e0a-1f7e-4a0e-9d0a-0a4c5cbb8a01';
const SHARED = '6f1b0e0a-1f7e-4a0e-9d0a-0a4c5cbb8a0f';
/** Users, by the type and id of their events. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  [`conversion ${CONVERSION}`]: ['user-123'],
  // An id that a conversion has, too.
  [`click ${CONVERSION}`]: ['user-7'],
  [`click ${CLICK}`]: ['user-456'],
  [`conversion ${SHARED}`]: ['user-1', 'user-2'],
};

const folder = temporaryFolder();
let open: OpenWays;
let questions: (readonly [types: readonly EventType[], ids: readonly string[]])[];
/** What the users are asked for in vain with. */
let failure: Error | undefined;

const findUsers: FindUsers = async (types, ids) => {
  questions.push([types, ids]);
  if (failure !== undefined) throw failure;
  const found = ids.map((id) => [id, types.flatMap((type) => KNOWN[`${type} ${id}`] ?? [])] as const);
  return new Map(found.filter(([, users]) => users.length > 0));
};

beforeAll(async () => {
  open = await openWays(folder.path, findUsers);
});
beforeEach(() => {
  questions = [];
  failure = undefined;
});
afterAll(async () => {
  await open.close();
  folder[Symbol.dispose]();
});

const REFUND = { event_type: 'adjustment', event_id: CLICK, kind: 'refund', value: 5, timestamp: 1678976400000 };
const VERDICT = { event_type: 'verdict', event_id: CLICK, valid: false, timestamp: 1678976400000 };

function sent(event: object) {
  const text = JSON.stringify(event);
  return { form: 'event' as const, members: membersOf(text), text };
}

/** The outcomes by the ways, which must be one. */
async function outcomeOf(event: object) {
  const verdicts = await verdictsOf(sent(event), open.ways, open.gateway);
  const [first, ...others] = Object.entries(verdicts);
  expect(others.length).toBeGreaterThan(15);
  for (const [way, verdict] of others)
    expect({ way, ...verdict, ignored: [] }).toEqual({ way, ...first![1], ignored: [] });
  return first![1];
}

const fields = (event: object) =>
  Object.fromEntries(Object.entries(event).map(([name, value]) => [name, JSON.stringify(value)]));

test('the user is that of the conversion or the click', async () => {
  expect(await outcomeOf({ ...REFUND, conversion_id: CONVERSION })).toMatchObject({
    stored: fields({ user_id: 'user-123', conversion_id: CONVERSION, kind: 'refund' }),
  });
  expect(await outcomeOf({ ...VERDICT, click_id: CLICK.toUpperCase() })).toMatchObject({
    stored: fields({ user_id: 'user-456', click_id: CLICK }),
  });
  expect(await outcomeOf({ ...VERDICT, click_id: CONVERSION })).toMatchObject({
    stored: fields({ user_id: 'user-7' }),
  });
});

test('while the conversion is not known the answer says what to do', async () => {
  expect(await outcomeOf({ ...REFUND, conversion_id: 'order-1001' })).toMatchObject({
    rejectedId: CLICK,
    rejected: 'conversion_id unknown_target "order-1001"',
    message:
      'conversion_id is of no conversion that is in the stats: send the event with user_id, or again once it is there',
  });
  expect(await outcomeOf({ ...VERDICT, click_id: SHARED })).toMatchObject({
    rejected: `click_id unknown_target "${SHARED}"`,
    message: 'click_id is of no click that is in the stats: send the event with user_id, or again once it is there',
  });
});

test('a conversion of several users needs one to be told', async () => {
  expect(await outcomeOf({ ...REFUND, conversion_id: SHARED })).toMatchObject({
    rejected: 'user_id required',
    message: 'user_id is required: several users sent a conversion under this conversion_id',
  });
});

test('nobody is asked for an event that has another fault, or its user', async () => {
  const { value, ...valueless } = REFUND;
  expect(await outcomeOf({ ...valueless, conversion_id: CONVERSION })).toMatchObject({ rejected: 'value required' });
  expect(await outcomeOf(REFUND)).toMatchObject({ rejected: 'conversion_id required' });
  expect(await outcomeOf({ ...REFUND, conversion_id: 'order-1001', user_id: 'user-9' })).toMatchObject({
    stored: fields({ user_id: 'user-9' }),
  });
  expect(questions).toEqual([]);
});

test('while ClickHouse is down the request fails as a whole, to be sent again', async () => {
  failure = new ConnectError('ClickHouse is down', Code.Unavailable, { 'retry-after': '5' });
  // Replay tries for as long as it is told to, and a stream has stored the messages before.
  const once = Object.entries(open.ways).filter(([way]) => !/replay|Stream/.test(way));
  const ways = Object.fromEntries(once);
  const verdicts = await verdictsOf(sent({ ...REFUND, conversion_id: CONVERSION }), ways, open.gateway);
  for (const { failed } of Object.values(verdicts)) expect(failed).toMatch(/^0 stored: .*ClickHouse is down/);
  const response = await post([{ ...REFUND, conversion_id: CONVERSION }]);
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
  failure = undefined;
  expect((await post([{ ...REFUND, conversion_id: CONVERSION }])).status).toBe(202);
});

test('a request asks once for conversions and once for clicks, and the answers keep their order', async () => {
  const click = { ...VERDICT, click_id: CLICK };
  const unknown = { ...REFUND, conversion_id: 'order-1001' };
  const refund = { ...REFUND, conversion_id: CONVERSION };
  const response = await post([refund, unknown, click, { ...refund, user_id: 'user-9' }, refund, click]);
  const { results } = (await response.json()) as { results: { status: string }[] };
  expect(results.map(({ status }) => status)).toEqual([
    'accepted',
    'rejected',
    'accepted',
    'accepted',
    'accepted',
    'accepted',
  ]);
  expect(questions).toEqual([
    [['conversion'], [CONVERSION, 'd9f4ac00-73dd-5950-9359-bd43b480c350']],
    [['click'], [CLICK]],
  ]);
});

test('Ingest fails with what may be taken later as FAILED_PRECONDITION', async () => {
  const code = async (event: object) => {
    const { event_type: type, ...others } = { event_type: '', ...event };
    const response = await fetch(`${open.gateway.url}/clickmesh.v1.IngestService/Ingest`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ event: { [type]: others } }),
    });
    return ((await response.json()) as { code: string }).code;
  };
  expect(await code({ ...REFUND, conversion_id: 'order-1001' })).toBe('failed_precondition');
  expect(await code({ ...REFUND, conversion_id: SHARED })).toBe('invalid_argument');
});

function post(events: readonly object[]): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${open.gateway.url}/api/v1/events`, { method: 'POST', headers, body: JSON.stringify(events) });
}
