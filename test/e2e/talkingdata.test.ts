import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createClient } from '@clickhouse/client';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { clickmesh, type MeshProcess, startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';
import { REAL_CLICKS } from '../needs.ts';

/** 100,000 real mobile ad clicks and their 227 installs, with what a brute-force program made of them. */
const CLICKS = join(REAL_CLICKS, 'talkingdata-clicks.ndjson.gz');

const LONG = { tags: ['long'], timeout: 180_000 };

interface Expected {
  rows: { date: string; campaign_id: string; source: string; clicks: number; conversions: number; revenue: number }[];
  attributions: { conversion_id: string; click_id: string; campaign_id: string; source: string }[];
}

describe('real clicks', { tags: 'real-clicks' }, () => {
  let expected: Expected;
  beforeAll(() => {
    expected = JSON.parse(readFileSync(join(REAL_CLICKS, 'talkingdata-expected.json'), 'utf8'));
  });

  async function mesh() {
    const folder = temporaryFolder();
    const started = await startMeshProcess(join(folder.path, 'data'));
    let current = started;
    onTestFinished(async () => {
      await current.kill();
      folder[Symbol.dispose]();
    });
    return {
      folder: folder.path,
      mesh: started,
      async restart() {
        current = await startMeshProcess(join(folder.path, 'data'));
        return current;
      },
    };
  }

  async function expectExact(running: MeshProcess) {
    const audit = await clickmesh(['audit', '--url', running.url]);
    expect(audit, audit.stdout).toMatchObject({ code: 0 });
    const stats = await fetch(`${running.url}/api/v1/stats?start_date=2017-11-01&end_date=2017-11-30`);
    const { interval, data } = (await stats.json()) as {
      interval: string;
      data: (Expected['rows'][number] & { cvr: number | null })[];
    };
    expect(interval).toBe('daily');
    expect(data).toHaveLength(1220);
    expect(data).toEqual(
      expected.rows.map((row) => ({ ...row, cvr: row.clicks === 0 ? null : row.conversions / row.clicks })),
    );
    expect(await attributions(running)).toEqual(sorted(expected.attributions));
  }

  async function attributions(running: MeshProcess): Promise<Expected['attributions']> {
    const { clickhouse_url: url } = (await (await fetch(`${running.url}/status`)).json()) as { clickhouse_url: string };
    await using client = createClient({ url });
    const query =
      'SELECT toString(conversion_id) conversion_id, toString(click_id) click_id, campaign_id, source ' +
      "FROM attributed_events FINAL WHERE model = 'last_click'";
    const answer = await client.query({ query, format: 'JSONEachRow' });
    return sorted(await answer.json());
  }

  function sorted(rows: Expected['attributions']) {
    return rows.toSorted((a, b) => (a.conversion_id < b.conversion_id ? -1 : 1));
  }

  test('give exactly the expected numbers, also when replayed a second time', async () => {
    const { mesh: running } = await mesh();
    for (const _ of ['first', 'second']) {
      const replay = await clickmesh(['replay', CLICKS, '--url', running.url]);
      expect(replay, replay.stderr).toMatchObject({ code: 0 });
      await expectExact(running);
    }
  }, 180_000);

  test('give the same when shuffled', LONG, async () => {
    const { mesh: running, folder } = await mesh();
    const lines = gunzipSync(readFileSync(CLICKS)).toString().trim().split('\n');
    const file = join(folder, 'shuffled.ndjson');
    writeFileSync(file, shuffled(lines, 20171106).join('\n'));
    expect(await clickmesh(['replay', file, '--url', running.url])).toMatchObject({ code: 0 });
    await expectExact(running);
  });

  test('give the same when the replay and the mesh are killed on the way and started again', LONG, async () => {
    const { mesh: first, restart } = await mesh();
    const interrupt = new AbortController();
    const replay = clickmesh(['replay', CLICKS, '--url', first.url], { signal: interrupt.signal });
    await expect.poll(() => clicksCounted(first), { timeout: 60_000 }).toBeGreaterThan(10_000);
    interrupt.abort();
    await first.kill();
    await replay;
    const second = await restart();
    expect(await clickmesh(['replay', CLICKS, '--url', second.url])).toMatchObject({ code: 0 });
    await expectExact(second);
  });

  async function clicksCounted(running: MeshProcess): Promise<number> {
    const stats = await fetch(`${running.url}/api/v1/stats?start_date=2017-11-01&end_date=2017-11-30`);
    const { data } = (await stats.json()) as { data: { clicks: number }[] };
    return data.reduce((sum, row) => sum + row.clicks, 0);
  }
});

/** Fisher-Yates with a linear congruential generator (Numerical Recipes' constants): the same order every time. */
function shuffled(lines: string[], seed: number): string[] {
  let state = seed;
  const result = [...lines];
  for (let i = result.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = state % (i + 1);
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}
