import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway, type TestGateway } from '../fixtures/gateway.ts';
import { installGoTool } from '../fixtures/go-tool.ts';

const HEALTH_PROBE = 'github.com/grpc-ecosystem/grpc-health-probe@v0.4.61';
const GHZ = 'github.com/bojand/ghz/cmd/ghz@v0.93.0';

const run = promisify(execFile);

/** Tools that operators know, against the one port. */
describe('grpc-health-probe and ghz', { tags: ['go', 'long'] }, () => {
  let gateway: TestGateway;
  let address: string;

  beforeAll(async () => {
    installGoTool(HEALTH_PROBE);
    gateway = await startGateway();
    address = new URL(gateway.url).host;
  }, 300_000);
  afterAll(() => gateway.close());

  test('grpc-health-probe tells whether the gateway serves', async () => {
    const probe = (...args: string[]) =>
      run(join(installGoTool(HEALTH_PROBE), 'grpc-health-probe'), ['-addr', address, ...args]);
    expect((await probe()).stderr).toContain('status: SERVING');
    expect((await probe('-service', 'clickmesh.v1.IngestService')).stderr).toContain('status: SERVING');
    gateway.ready = false;
    await expect(probe()).rejects.toMatchObject({ code: 4, stderr: expect.stringContaining('NOT_SERVING') });
    gateway.ready = true;
  });

  test('ghz finds the contract by reflection and puts load on it', async () => {
    const click = { user_id: 'u', ad_id: 'a', campaign_id: 'c', source: 's', timestamp: Date.now() };
    const call = ['--call', 'clickmesh.v1.IngestService.Ingest', '--total', '200', '--concurrency', '10'];
    const data = ['--data', JSON.stringify({ event: { click: { event_id: randomUUID(), ...click } } })];
    const ghz = join(installGoTool(GHZ), 'ghz');
    const { stdout } = await run(ghz, ['--insecure', ...call, ...data, '--format', 'json', address]);
    expect(JSON.parse(stdout)).toMatchObject({ count: 200, statusCodeDistribution: { OK: 200 } });
    expect(gateway.log.records('raw-events')).toHaveLength(200);
  }, 300_000);
});
