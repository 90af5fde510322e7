/**
 * Sends a click and the purchase that followed it, waits for the statistics and fails if they are not what was sent.
 * CLICKMESH_URL names the gateway.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { click, connectClickmesh, conversion } from 'clickmesh-client';

const campaignId = `ts-quickstart-${randomUUID()}`;
const userId = `user-${randomUUID()}`;
const client = connectClickmesh(process.env.CLICKMESH_URL ?? 'http://127.0.0.1:8080');

client.track(click({ userId, adId: 'ad-1', campaignId, source: 'facebook' }));
client.track(conversion({ userId, type: 'purchase', value: 19.99, source: 'ios_app' }));
await client.close();

const today = new Date();
const giveUpAt = Date.now() + 30_000;
let row;
while (row === undefined || row.conversions === 0) {
  assert(Date.now() < giveUpAt, 'the statistics did not come');
  await sleep(200);
  [row] = await client.stats({ startDate: today, endDate: today, campaignId });
}
assert.equal(row.clicks, 1);
assert.equal(row.conversions, 1);
assert.equal(row.revenueMicros, 19_990_000n);
process.stdout.write(`${row.clicks} click, ${row.conversions} conversion, ${row.revenue}\n`);
