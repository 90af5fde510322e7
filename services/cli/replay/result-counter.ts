import type { IngestResult } from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import type { MeshStatus } from '../../audit/mesh-status.ts';
import { HOUR_MS } from '../../contract/limits.ts';
import { getStatus } from '../ask-mesh.ts';
import type { InputEvent } from './ordered-senders.ts';
import { outcomeOf } from './read-event.ts';
import type { RejectFile } from './reject-file.ts';
import type { ReplaySummary } from './summary.ts';

/** By event type, how long after its arrival the mesh knows an event_id. */
type IdHours = MeshStatus['id_hours'];

interface Counting {
  summary: ReplaySummary;
  rejects: RejectFile;
  /** Takes a sentence without its subject, which is the file. */
  warn(text: string): void;
}

/** Returns a function that counts the results of a batch, and warns of the first event older than ids are known. */
export function resultCounter(url: string, { summary, rejects, warn }: Counting) {
  let asked: Promise<IdHours> | undefined;

  function countAccepted({ event, line }: InputEvent, idHours: IdHours): void {
    const { case: type, value } = event.event;
    summary.countAccepted(type!);
    const hours = idHours[type!];
    const timestamp = Number(value!.timestamp);
    if (hours === undefined || timestamp >= Date.now() - hours * HOUR_MS) return;
    if (summary.old.size === 0) warn(firstOld(line, timestamp, hours));
    summary.countOld(type!, hours);
  }

  return async (batch: InputEvent[], results: IngestResult[]): Promise<void> => {
    // The mesh may have been waited for until now.
    asked ??= askIdHours(url, warn);
    const idHours = await asked;
    for (const [i, item] of batch.entries()) {
      const outcome = outcomeOf(results[i]!);
      if ('reason' in outcome) {
        summary.countRejected(outcome);
        rejects.add({ ...item, why: outcome });
      } else {
        countAccepted(item, idHours);
        if (item.ignored.length > 0) summary.countIgnored(item.ignored);
        if (outcome.length > 0) summary.countIgnored(outcome);
      }
    }
    summary.sent += batch.length;
  };
}

async function askIdHours(url: string, warn: (text: string) => void): Promise<IdHours> {
  try {
    return (await getStatus(url)).id_hours;
  } catch (error) {
    warn(
      `may have events older than the mesh knows event_ids, which can't be told: ${(error as Error).message.trim()}`,
    );
    return {};
  }
}

function firstOld(line: number, timestamp: number, hours: number): string {
  const time = new Date(timestamp).toISOString();
  return (
    `has events that are older than event_ids are known (line ${line}: ${time}, known for ${hours} h). ` +
    'Those that the mesh had before, longer ago than that, count twice; Ctrl-C stops here.'
  );
}
