import { waitUntilCaughtUp } from '../audit/caught-up.ts';
import { type MeshStatus, readStatus } from '../audit/mesh-status.ts';
import { getText } from './reach-mesh.ts';

const STATUS_TIMEOUT_MS = 10_000;

/** Returns the text that `GET /status` answers. Throws as getText does. */
export function getStatusText(url: string): Promise<string> {
  return getText(url, '/status', STATUS_TIMEOUT_MS);
}

/** Asks for the status. Throws an Error if there is none. */
export async function getStatus(url: string): Promise<MeshStatus> {
  const text = await getStatusText(url);
  try {
    return readStatus(JSON.parse(text));
  } catch (error) {
    throw new Error(`${url}/status is not a mesh's status: ${(error as Error).message}`);
  }
}

/** Asks until the mesh has caught up. Throws an Error when the time is over or it does not answer. */
export function statusCaughtUp(url: string, timeoutMs: number): Promise<MeshStatus> {
  return waitUntilCaughtUp(() => getStatus(url), timeoutMs);
}
