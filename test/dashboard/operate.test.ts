import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, test } from 'vitest';
import { madeUpEvent } from './made-up-operations.ts';
import { hashOf, mesh, open, startPages, WAIT } from './made-up-pages.ts';

const MAX_ROWS = 200;

const rows = (page: Page) => page.locator('.tail tbody tr');
const first = (page: Page) => rows(page).first().textContent();

describe('operating', { tags: ['chromium', 'long'] }, () => {
  startPages();
  beforeEach(() => Object.assign(mesh.operations, { isDown: false, hasStatus: true, hasAudit: true }));
  describe('live', testsOfLive);
  describe('health', testsOfHealth);
});

function testsOfLive(): void {
  test('what arrives is on top; rows are bounded, and what is not listed is said', async () => {
    const { page, context, faults } = await open('#/live');
    await expect.poll(() => rows(page).count(), WAIT).toBe(40);
    const now = { time: BigInt(Math.floor(Date.now() / 1000) * 1000), clicks: 50_000n };
    mesh.operations.tell({ events: [madeUpEvent(1000, { userId: 'newest', eventType: 'click' })], seconds: [now] });
    mesh.operations.tell({ seconds: [now] });
    await expect.poll(() => page.textContent('.big .card'), WAIT).toMatch(/100,\d{3} in 60 s/);
    await expect.poll(() => first(page), WAIT).toContain('newest');
    const many = Array.from({ length: MAX_ROWS }, (_, n) => madeUpEvent(2000 + n));
    mesh.operations.tell({ events: many, skipped: 1234n });
    await expect.poll(() => page.textContent('.livegrid .stamp'), WAIT).toContain('1,234 not listed');
    expect(await rows(page).count()).toBe(MAX_ROWS);
    expect(faults).toEqual([]);
    await context.close();
  });

  test('a conversion that is decided is replaced where it stands', async () => {
    const { page, context } = await open('#/live');
    await expect.poll(() => rows(page).count(), WAIT).toBe(40);
    const conversion = { eventType: 'conversion', userId: 'buyer' };
    mesh.operations.tell({ events: [madeUpEvent(1000, { ...conversion, outcome: 'pending' }), madeUpEvent(1001)] });
    await expect.poll(() => rows(page).nth(1).textContent(), WAIT).toContain('in flight');
    const decided = { ...conversion, outcome: 'attributed', creditedCampaignId: 'winner' };
    mesh.operations.tell({ events: [madeUpEvent(1000, decided)] });
    await expect.poll(() => rows(page).nth(1).textContent(), WAIT).toContain('winner');
    expect(await rows(page).count()).toBe(42);
    await context.close();
  });

  test('nothing moves while it is paused or the pointer is over it; how many wait is said', async () => {
    const { page, context } = await open('#/live');
    await expect.poll(() => rows(page).count(), WAIT).toBe(40);
    const before = await first(page);
    await page.keyboard.press('Space');
    mesh.operations.tell({ events: [madeUpEvent(1000), madeUpEvent(1001)], skipped: 3n });
    await expect.poll(() => page.textContent('.waiting'), WAIT).toBe('paused, 5 events waiting');
    expect(await first(page)).toBe(before);
    await page.keyboard.press('Space');
    await expect.poll(() => rows(page).count(), WAIT).toBe(42);
    await page.hover('.tail tbody tr >> nth=3');
    mesh.operations.tell({ events: [madeUpEvent(1002)] });
    await expect.poll(() => page.textContent('.waiting'), WAIT).toBe('paused under the pointer, 1 event waiting');
    expect(await rows(page).count()).toBe(42);
    await page.mouse.move(2, 2);
    await expect.poll(() => rows(page).count(), WAIT).toBe(43);
    await context.close();
  });

  test('what is chosen is asked of the mesh, and stands in the address', async () => {
    const { page, context } = await open('#/live?campaign_id=campaign-1&kind=clicks&user=user-7');
    await expect
      .poll(() => mesh.operations.tails.at(-1), WAIT)
      .toMatchObject({
        eventTypes: ['click'],
        userId: 'user-7',
        filters: [{ dimension: 'campaign_id', values: ['campaign-1'] }],
      });
    await page.click('button[aria-label="All users"]');
    await page.click('.seg button:has-text("Corrections")');
    await expect.poll(() => hashOf(page), WAIT).toBe('#/live?campaign_id=campaign-1&kind=corrections');
    await expect.poll(() => mesh.operations.tails.at(-1)?.eventTypes, WAIT).toEqual(['adjustment', 'verdict']);
    await page.click('button[aria-label="Copy as curl"]');
    const curl = await page.evaluate(() => navigator.clipboard.readText());
    expect(curl).toContain("/api/v1/events/tail?event_types=adjustment%2Cverdict&campaign_id=campaign-1'");
    await page.fill('.search input', 'REFUND');
    await expect.poll(() => rows(page).count(), WAIT).toBe(5);
    await context.close();
  });

  test('a stream that is lost is said to be, and comes back by itself', async () => {
    const { page, context } = await open('#/live');
    await expect.poll(() => rows(page).count(), WAIT).toBe(40);
    mesh.operations.isDown = true;
    mesh.operations.lose();
    await expect.poll(() => page.textContent('.livegrid .banner'), WAIT).toMatch(/Connection lost \d+ s ago, trying/);
    mesh.operations.isDown = false;
    await page.waitForSelector('.livegrid .banner', { state: 'detached' });
    expect(await rows(page).count()).toBe(40);
    await context.close();
  });
}

function testsOfHealth(): void {
  test('the pipeline, every partition, and their sums', async () => {
    const { page, context, faults } = await open('#/health');
    await page.waitForSelector('.health tfoot');
    await expect.poll(() => page.textContent('.pipe'), WAIT).toContain('8 records');
    await expect
      .poll(() => page.textContent('[aria-label="Partitions"] tbody tr >> nth=1'), WAIT)
      .toMatch(/^1attribution-1.*ago[\d,]{9}1142$/);
    await expect.poll(() => page.textContent('[aria-label="Partitions"] tfoot'), WAIT).toMatch(/^All1 node/);
    await expect.poll(() => page.textContent('.pipe'), WAIT).not.toContain('– acknowledged');
    expect(faults).toEqual([]);
    await context.close();
  });

  test('a dead letter shows its bytes, a conflict what was kept; each has an address', async () => {
    const { page, context } = await open('#/health');
    await page.click('tr:has-text("wire type 7") button');
    await page.waitForSelector('.drawer .dump');
    await expect.poll(() => page.textContent('.dump'), WAIT).toContain('6e 6f 74 20 61 6e');
    await page.reload();
    await expect.poll(() => page.textContent('.drawer .dump'), WAIT).toContain('not an event at');
    await page.keyboard.press('Escape');
    await expect.poll(() => hashOf(page), WAIT).toBe('#/health');
    await page.click('tr:has-text("set aside: RangeError") button');
    await expect.poll(() => page.textContent('.drawer .dump'), WAIT).toContain('user-77120');
    await page.keyboard.press('Escape');
    await expect.poll(() => page.textContent('.letters'), WAIT).toContain('6 @ 5,741,002');
    await page.click('tr:has-text("value 49.99 kept, 59.99 not") button');
    await expect.poll(() => page.textContent('.drawer tr:has-text("Value")'), WAIT).toBe('Value49.9959.99');
    await context.close();
  });

  test('an audit runs on demand, and the chip says what it found', async () => {
    const { page, context } = await open('#/health');
    await page.click('#audit');
    await expect.poll(() => page.textContent('.chip'), WAIT).toContain('audit 3 rows differ');
    await expect.poll(() => page.textContent('.checks li.bad'), WAIT).toContain('3 of 68,214');
    expect(await page.locator('.checks li').count()).toBe(4);
    await context.close();
  });

  test('a mesh that cannot audit shows the command; a gateway without /status says so', async () => {
    Object.assign(mesh.operations, { hasAudit: false });
    mesh.operations.hasStatus = false;
    const { page, context } = await open('#/health');
    await expect.poll(() => page.textContent('.health'), WAIT).toContain('This gateway has no /status');
    await expect.poll(() => page.textContent('.health .wide .state'), WAIT).toMatch(/complete through \d/);
    await page.click('#audit');
    await page.waitForSelector('.audit code:has-text("clickmesh audit --url http")');
    await context.close();
  });
}
