import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** Makes the folder if it is not there. Throws an Error with one clear line if it can't be written to. */
export function writableFolder(dir: string): string {
  try {
    makeFolder(dir);
    accessSync(dir, constants.W_OK);
    return dir;
  } catch (error) {
    throw new Error(`can't write to the data folder ${dir}: ${(error as Error).message}`, { cause: error });
  }
}

/** As Node's recursive mkdir, which never returns where a folder that is there takes none, as those of /proc. */
function makeFolder(dir: string): void {
  if (existsSync(`${dir}/.`)) return;
  const parent = dirname(dir);
  if (parent !== dir) makeFolder(parent);
  try {
    mkdirSync(dir);
  } catch (error) {
    // Processes that start together make the same folder.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !existsSync(`${dir}/.`)) throw error;
  }
}
