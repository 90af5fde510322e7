import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from './generate.ts';

/** Replaces what gen/ holds of proto/, language by language, once all of it could be generated. */
const fresh = mkdtempSync(join(tmpdir(), 'clickmesh-generated-'));
try {
  for (const folder of generate(fresh)) {
    rmSync(folder, { recursive: true, force: true });
    cpSync(join(fresh, folder), folder, { recursive: true });
  }
} finally {
  rmSync(fresh, { recursive: true });
}
