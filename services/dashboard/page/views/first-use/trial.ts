import type { Client } from '@connectrpc/connect';
import { Code, ConnectError } from '@connectrpc/connect';
import type { StatsService } from '../../../../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { BASE } from '../../data/client.ts';
import type { Mesh } from '../../data/mesh.ts';
import { today } from '../../format/time.ts';

export const CAMPAIGN = 'test-campaign';
const HOUR_MS = 3_600_000;
/** Pause between two questions whether an event has come through, in ms. */
const LOOK_MS = 200;
/** Longest wait for an event to come through, in ms. */
const WAIT_MS = 30_000;

/** What became of the test, as far as it is. Times in ms from its begin. */
export interface Trial {
  /** When each step was done. */
  done: readonly number[];
  error?: string;
  /** What the page counts of the test's campaign. */
  counted?: { clicks: bigint; conversions: bigint; revenue: bigint };
}

interface Accepted {
  partition: number;
  offset: number;
}

/** Sends a click and the purchase that follows it by the API that everybody uses, and waits until they are counted. */
export async function runTrial(
  stats: Client<typeof StatsService>,
  mesh: Mesh,
  tell: (trial: Trial) => void,
): Promise<void> {
  const began = performance.now();
  const done: number[] = [];
  const step = (more: Partial<Trial> = {}) => {
    done.push(performance.now() - began);
    tell({ done: [...done], ...more });
  };
  const user = { user_id: `test-user-${crypto.getRandomValues(new Uint32Array(1))[0]!.toString(16)}` };
  const [clickId, conversionId] = [newId(), newId()];
  const now = Date.now();
  const click = { ad_id: 'test-ad', campaign_id: CAMPAIGN, source: 'test', timestamp: now - HOUR_MS };
  try {
    tell({ done });
    await send({ event_type: 'click', event_id: clickId, ...user, ...click });
    step();
    const purchase = { type: 'purchase', source: 'test', value: 19.99, timestamp: now };
    const { partition, offset } = await send({
      event_type: 'conversion',
      event_id: conversionId,
      ...user,
      ...purchase,
    });
    step();
    await until(async () => {
      await stats.explainConversion({ conversionId });
      return true;
    });
    step();
    const range = { startDate: today(mesh.zone, now - 24 * HOUR_MS), endDate: today(mesh.zone) };
    const filters = [{ dimension: 'campaign_id', values: [CAMPAIGN] }];
    const minWatermark = { partition, offset: BigInt(offset) };
    let counted: Trial['counted'];
    await until(async () => {
      const { totals } = await stats.runReport({ ...range, filters, minWatermark });
      const { conversionsMicros = 0n, revenueMicros = 0n } = totals?.models[0] ?? {};
      counted = { clicks: totals?.clicks ?? 0n, conversions: conversionsMicros, revenue: revenueMicros };
      return conversionsMicros > 0n;
    });
    step({ counted });
  } catch (thrown) {
    tell({ done, error: thrown instanceof ConnectError ? thrown.rawMessage : String((thrown as Error).message) });
  }
}

async function send(event: object): Promise<Accepted> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${BASE}/api/v1/events`, { method: 'POST', headers, body: JSON.stringify(event) });
  const answer = await response.json();
  const [result] = answer.results ?? [];
  if (result?.status !== 'accepted')
    throw new Error(result?.message ?? answer.error?.message ?? `HTTP ${response.status}`);
  return result;
}

/** Until then what is not known yet is no error, nor is what has to be waited for. */
async function until(isDone: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + WAIT_MS;
  for (;;) {
    try {
      if (await isDone()) return;
    } catch (thrown) {
      const { code } = ConnectError.from(thrown);
      if (code !== Code.NotFound && code !== Code.Unavailable) throw thrown;
    }
    if (performance.now() > end) throw new Error(`nothing was counted within ${WAIT_MS / 1000} s: see Health`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** A page without TLS has no crypto.randomUUID. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
