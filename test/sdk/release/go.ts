import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Package, shell } from './package.ts';

const MODULE = /^module (\S+)$/m.exec(readFileSync('gen/go/go.mod', 'utf8'))![1]!;

const PROGRAM = `package main

import (
	"context"

	clickmesh "${MODULE}"
)

func main() {
	client, err := clickmesh.NewMemory(clickmesh.Options{})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	client.Track(ctx, clickmesh.Click{UserID: "u", AdID: "a", CampaignID: "c", Source: "s"})
	if err := client.Close(ctx); err != nil || client.Counters().Sent != 1 {
		panic(client.Counters())
	}
}
`;

/** What a module proxy makes of the tag: a folder that go takes for one. */
export const go: Package = {
  name: 'go',
  tools: ['go', 'git'],
  async build(out, version) {
    if (/\/v\d+$/.test(MODULE) || !/^[01]\./.test(version)) throw new Error(`${MODULE} can't have v${version}`);
    await shell('go mod tidy -diff && go mod verify && go vet ./...', 'gen/go');
    const folder = resolve(out, 'go-proxy', MODULE, '@v');
    mkdirSync(folder, { recursive: true });
    const files = await shell(`git status --porcelain gen/go`);
    if (files !== '') throw new Error(`a tag has only what is committed: ${files}`);
    await shell(
      `git archive --prefix=${MODULE}@v${version}/ --add-file=LICENSE --format=zip -o ${folder}/v${version}.zip HEAD:gen/go`,
    );
    await shell(`git show HEAD:gen/go/go.mod > ${folder}/v${version}.mod && echo v${version} > ${folder}/list`);
    writeFileSync(join(folder, `v${version}.info`), JSON.stringify({ Version: `v${version}` }));
  },
  async check(out, version, scratch) {
    const others = (await shell('go env GOPROXY')).trim();
    const env = {
      GOPROXY: `${pathToFileURL(resolve(out, 'go-proxy'))},${others}`,
      GONOSUMDB: MODULE,
      // What another version of the same name left there must not be taken.
      GOMODCACHE: join(scratch, 'modules'),
      GOFLAGS: '-modcacherw',
    };
    writeFileSync(join(scratch, 'main.go'), PROGRAM);
    await shell(`go mod init stranger && go get ${MODULE}@v${version} && go mod tidy && go run .`, scratch, env);
    return [];
  },
  publish: (version) => `git tag gen/go/v${version} && git push origin gen/go/v${version}`,
};
