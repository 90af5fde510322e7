import { execFile, execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { installGoTool } from '../fixtures/go-tool.ts';
import { temporaryFolder } from '../fixtures/mesh-process.ts';

const MODULE = 'connectrpc.com/conformance';
const VERSION = 'v1.0.7';

test('our listener speaks Connect, gRPC and gRPC-Web as their specifications say', {
  tags: ['go', 'long'],
  timeout: 600_000,
}, async () => {
  using folder = temporaryFolder();
  const descriptors = join(folder.path, 'conformance.binpb');
  const module = execFileSync('go', ['mod', 'download', '-json', `${MODULE}@${VERSION}`], { encoding: 'utf8' });
  execFileSync('node_modules/.bin/buf', ['build', join(JSON.parse(module).Dir, 'proto'), '-o', descriptors]);
  const command = join(installGoTool(`${MODULE}/cmd/connectconformance@${VERSION}`), 'connectconformance');

  const server = [process.execPath, resolve('test/conformance/server-child.ts'), descriptors];
  const args = ['--mode', 'server', '--conf', resolve('test/conformance/features.yaml'), '--', ...server];
  const report = await new Promise<string>((done) => {
    execFile(command, args, { maxBuffer: 1 << 26 }, (_, stdout, stderr) => done(stdout + stderr));
  });
  expect(report.match(/^FAILED: .*/gm) ?? []).toEqual([]);
  expect(report).toMatch(/^[1-9]\d{3} passed, 0 failed$/m);
});
