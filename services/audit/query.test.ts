import { type ClickHouseClient, ClickHouseError } from '@clickhouse/client';
import { expect, test } from 'vitest';
import { CHECKS, type CheckParameters } from './checks.ts';
import { runCheck } from './query.ts';

const OF_QUERY = 'Query memory limit exceeded: would use 1.00 GiB, maximum: 1.00 GiB';
const OF_ALL = '(total) memory limit exceeded: would use 2.00 GiB, maximum: 2.00 GiB';

/** A client whose queries fail with these errors first and then find 5 keys; and which keys it was asked for. */
function clientThatFails(errors: string[]) {
  const asked: string[] = [];
  async function query(params: { query: string }) {
    const [, parts = '1', part = '0'] = /% (\d+) = (\d+)/.exec(params.query) ?? [];
    asked.push(`${part} of ${parts}`);
    const message = errors.shift();
    if (message !== undefined) throw new ClickHouseError({ message, code: '241', type: 'MEMORY_LIMIT_EXCEEDED' });
    return { json: async () => [{ compared: '5', differing: '0' }] };
  }
  return { client: { query } as unknown as ClickHouseClient, asked };
}

test('what needs more memory than a query may take is asked in parts, and finer ones', async () => {
  const { client, asked } = clientThatFails([OF_QUERY, OF_QUERY]);
  const { compared } = await runCheck(client, CHECKS[0]!, {} as CheckParameters);
  const sixteenths = Array.from({ length: 16 }, (_, part) => `${part} of 16`);
  expect(asked.slice(0, 2)).toEqual(['0 of 1', '3 of 4']);
  expect(asked.slice(2).sort()).toEqual(sixteenths.sort());
  expect(compared).toBe(16 * 5);
});

test('what others leave no memory for is tried again as it is', async () => {
  const { client, asked } = clientThatFails([OF_ALL, OF_ALL]);
  expect(await runCheck(client, CHECKS[0]!, {} as CheckParameters)).toMatchObject({ compared: 5 });
  expect(asked).toEqual(['0 of 1', '0 of 1', '0 of 1']);
});
