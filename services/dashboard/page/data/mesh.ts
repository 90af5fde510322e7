import { ReportInterval } from '../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { today } from '../format/time.ts';
import { store } from '../state/store.ts';
import { BASE, stats } from './client.ts';

/** What the mesh says of itself, as far as views need it. */
export interface Mesh {
  models: readonly string[];
  /** IANA name of the zone that days are of by default. */
  zone: string;
  /** No event has ever arrived. */
  isEmpty: boolean;
  /** Where traces are looked at, with {trace_id} for that of one; undefined if that is not known. */
  tracesUrl?: string | undefined;
}

interface Status {
  topics?: readonly { topic: string; partitions: readonly { end: number }[] }[];
  models?: readonly string[];
  report_time_zone?: string;
  traces_url?: string;
}

/** Undefined until the mesh has answered. */
export const mesh = store<Mesh | undefined>(undefined);

/** Pause between two questions while the mesh does not answer, in ms. */
const RETRY_MS = 1000;

export async function askMesh(): Promise<void> {
  try {
    const response = await fetch(`${BASE}/status`);
    if (response.status === 404) return mesh.set(await meshOfReports());
    if (!response.ok) throw new Error(`${response.status}`);
    const status: Status = await response.json();
    const { models = ['last_click'], report_time_zone: zone = 'UTC', topics = [], traces_url: tracesUrl } = status;
    const events = topics.find(({ topic }) => topic === 'raw-events')?.partitions ?? [];
    mesh.set({ models, zone, tracesUrl, isEmpty: events.length > 0 && events.every(({ end }) => end === 0) });
  } catch {
    setTimeout(askMesh, RETRY_MS);
  }
}

/** What a report says of the mesh, where the gateway has no /status. */
async function meshOfReports(): Promise<Mesh> {
  const day = today('UTC');
  const { stamp } = await stats.runReport({ startDate: day, endDate: day, interval: ReportInterval.NONE });
  return { models: stamp!.models, zone: stamp!.timeZone, isEmpty: false };
}
