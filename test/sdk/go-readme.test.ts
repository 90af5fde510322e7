import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { fromBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EventSchema } from '../../gen/ts/clickmesh/v1/event_pb.js';
import { startGateway, type TestGateway } from '../fixtures/gateway.ts';
import { temporaryFolder } from '../fixtures/mesh-process.ts';

const run = promisify(execFile);

/** The newcomer's way: what gen/go/README.md tells to type, in a folder of its own. */
describe('the Go README', { tags: ['go', 'long'] }, () => {
  let gateway: TestGateway;
  const folder = temporaryFolder();

  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(async () => {
    await gateway.close();
    folder[Symbol.dispose]();
  });

  test('installs and sends word for word, but for the places of the checkout and the gateway', async () => {
    const readme = readFileSync('gen/go/README.md', 'utf8')
      .replaceAll('/path/to/clickmesh', resolve('.'))
      .replaceAll('http://127.0.0.1:8080', gateway.url);
    const blocks = (language: string) =>
      [...readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, block]) => block!);
    const [install, start] = blocks('sh');
    writeFileSync(join(folder.path, 'main.go'), blocks('go')[0]!);
    const { stderr } = await run('bash', ['-euo', 'pipefail', '-c', `${install}${start}`], { cwd: folder.path });
    expect(stderr).toContain('{Queued:3 Sent:3 Rejected:0 Lost:0 Stored:0 Waiting:0}');
    const events = gateway.log.records('raw-events').map(({ value }) => fromBinary(EventSchema, value!).event);
    expect(events.map((event) => event.case).sort()).toEqual(['adjustment', 'click', 'conversion']);
    expect(events.find((event) => event.case === 'conversion')!.value).toMatchObject({ valueMicros: 49_900_000n });
  }, 300_000);
});
