import { accessSync, constants, mkdirSync } from 'node:fs';

/** Makes the folder if it is not there. Throws an Error with one clear line if it can't be written to. */
export function writableFolder(dir: string): string {
  try {
    mkdirSync(dir, { recursive: true });
    accessSync(dir, constants.W_OK);
    return dir;
  } catch (error) {
    throw new Error(`can't write to the data folder ${dir}: ${(error as Error).message}`, { cause: error });
  }
}
