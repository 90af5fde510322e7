#!/usr/bin/env -S MALLOC_MMAP_THRESHOLD_=1048576 node --max-semi-space-size=16
// What takes a megabyte goes back to the system when it is freed, and is not kept (decisions/021-malloc-mmap.md).
// The flag halves V8's memory for new objects: 85 MB less a process, as fast as before (decisions/015-semi-space.md).
// npm scripts have it, too; processes that this one starts inherit it.
import module from 'node:module';

// Plain JavaScript, so that a Node too old to run TypeScript still says what is wrong.
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    `clickmesh needs Node 24 or newer, and this is ${process.version}. ` +
      'In the project folder, `npx clickmesh` uses the one that npm installed.\n',
  );
  process.exit(1);
}
// What was read of TypeScript and compiled stays for the next start, which takes half the CPU then.
module.enableCompileCache();
await import('./main.ts');
