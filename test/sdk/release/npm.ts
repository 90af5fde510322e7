import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expectFiles, type Package, shell } from './package.ts';

/** Those that the package is for. */
const NODES = ['20.20.2', '22.23.3', '24.21.0'];
const ALLOWED = [
  /^(?:package\.json|README\.md|LICENSE|cjs\/package\.json)$/,
  /^cjs\/_virtual\/_rolldown\/runtime\.js$/,
  /^(?:cjs\/)?(?:dist|clickmesh\/v1)\/[\w.-]+\.(?:js|d\.ts)$/,
];
const NEEDED = ['package.json', 'README.md', 'LICENSE', 'dist/client.js', 'dist/client.d.ts', 'cjs/dist/client.js'];

/** What a program does with either kind of module; `load` is what imports one. */
const program = (load: (name: string) => string) => `
  const { click, memoryClient } = ${load('clickmesh-client')};
  const { connectClickmesh } = ${load('clickmesh-client/ingest')};
  const { EventSchema } = ${load('clickmesh-client/clickmesh/v1/event_pb.js')};
  const client = memoryClient();
  client.track(click({ userId: 'u', adId: 'a', campaignId: 'c', source: 's' }));
  client.close().then(() => {
    const seen = [client.counters().sent, typeof connectClickmesh, EventSchema.typeName].join(' ');
    if (seen !== '1 function clickmesh.v1.Event') throw new Error(seen);
  });
`;

const tarball = (out: string, version: string) => resolve(out, `clickmesh-client-${version}.tgz`);

export const npm: Package = {
  name: 'npm',
  tools: ['npm'],
  async build(out) {
    await shell(`npm pack --silent --pack-destination ${resolve(out)}`, 'gen/ts', { PATH: process.env.PATH! });
  },
  async check(out, version, scratch) {
    const listed = await shell(`tar -tzf ${tarball(out, version)}`);
    const files = listed.trim().split('\n');
    expectFiles(
      files.map((file) => file.replace('package/', '')),
      ALLOWED,
      NEEDED,
    );
    await shell(`npm init -y && npm install --silent ${tarball(out, version)}`, scratch);
    writeFileSync(
      join(scratch, 'program.mjs'),
      program((name) => `await import('${name}')`),
    );
    writeFileSync(
      join(scratch, 'program.cjs'),
      program((name) => `require('${name}')`),
    );
    for (const node of NODES) {
      const folder = join(scratch, node);
      mkdirSync(folder);
      const name = `node-${process.platform}-${process.arch}`;
      await shell(`npm install --silent --no-save --prefix . ${name}@${node}`, folder);
      for (const file of ['program.mjs', 'program.cjs']) {
        await shell(`./${node}/node_modules/${name}/bin/node ${file}`, scratch);
      }
    }
    return [];
  },
  publish: (version) => `npm publish clickmesh-client-${version}.tgz`,
};
