import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { MODELS } from '../../services/attribution/decision/models.ts';
import { audit } from '../../services/cli/audit/audit.ts';
import { startMeshProcess } from '../fixtures/mesh-process.ts';
import { grpcClient } from './clients.ts';
import { measureIngest } from './measure-ingest.ts';
import type { Figure, Scenario, Subject } from './scenario.ts';
import { peakResidentBytes } from './usage.ts';
import { type VarietyOptions, variedEvent } from './variety-load.ts';

const PER_REQUEST = 1000;
const IN_FLIGHT = 8;
const AUDIT_TIMEOUT_S = 60;
const FULL = { events: 1_000_000, users: 200_000, keys: [100, 1_000, 10_000, 100_000, 1_000_000] };
const QUICK: typeof FULL = { events: 5_000, users: 1_000, keys: [100, 5_000] };
const MOST_MIB = 1536;

/** A folder, for one mesh after the other. */
interface Folder extends Subject {
  dir: string;
}

export const variety: Scenario<Folder> = {
  name: 'variety',
  method:
    `${FULL.events.toLocaleString('en-US')} events of ${FULL.users.toLocaleString('en-US')} users, 40 % conversions, with ` +
    'five models and else the defaults, with more and more distinct campaigns, sources, ads and conversion types (a fifth ' +
    `of the keys each, the users being the last fifth, on as many days, at most 400), by IngestBatch of ${PER_REQUEST}; ` +
    'each on a mesh of its own, until all is in the stats. All must be counted, and `clickmesh audit` clean. Memory is ' +
    'the peak of the process that has gateway, log and pipeline; ClickHouse is another.',
  start: async (dir) => ({ dir, stop: async () => {} }),
  run: runVariety,
};

async function runVariety({ dir }: Folder, quick: boolean): Promise<Figure[]> {
  const { events, users, keys } = quick ? QUICK : FULL;
  const figures: Figure[] = [];
  for (const each of keys) {
    const folder = join(dir, String(each));
    const { perSecond, mib, clickhouseMib } = await runKeys(folder, { events, users, keys: each });
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    const name = `${each.toLocaleString('en-US')} keys`;
    figures.push(
      { name: `${name}: until all is in the stats`, value: perSecond, unit: 'events/s' },
      { name: `${name}: peak memory`, value: mib, unit: 'MiB', floor: { atMost: MOST_MIB } },
      { name: `${name}: peak memory of ClickHouse`, value: clickhouseMib, unit: 'MiB' },
    );
  }
  return figures;
}

async function runKeys(dir: string, options: VarietyOptions) {
  const mesh = await startMeshProcess(dir, { MODELS: Object.keys(MODELS).join(',') });
  try {
    const ingest = await measureIngest(
      mesh,
      () => sendAll(mesh.url, options),
      () => options.events,
    );
    const [mib, clickhouseMib] = [mesh.pid, mesh.childPids()[0]!].map((pid) => peakResidentBytes(pid) / 2 ** 20);
    const differing = (await audit({ url: mesh.url, timeout: AUDIT_TIMEOUT_S })).filter((check) => check.differing > 0);
    if (differing.length > 0) throw new Error(`the audit is not clean: ${JSON.stringify(differing)}`);
    return { perSecond: options.events / ingest.seconds, mib: mib!, clickhouseMib: clickhouseMib! };
  } finally {
    await mesh.stop();
  }
}

async function sendAll(url: string, options: VarietyOptions): Promise<void> {
  using client = grpcClient(url, '/clickmesh.v1.IngestService/IngestBatch', 1);
  let next = 0;
  async function repeat() {
    while (next < options.events) {
      const from = next;
      next += PER_REQUEST;
      await client.send(batchOf(from, Math.min(next, options.events), options));
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, repeat));
}

/** An IngestBatchRequest. */
function batchOf(from: number, to: number, options: VarietyOptions): Buffer {
  const request = new BinaryWriter();
  for (let i = from; i < to; i++) request.tag(1, WireType.LengthDelimited).bytes(variedEvent(i, options).value);
  return Buffer.from(request.finish());
}
