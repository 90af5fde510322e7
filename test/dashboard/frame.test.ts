import { describe, expect, test } from 'vitest';
import { hashOf, open, startPages, WAIT } from './made-up-pages.ts';

describe('the frame', { tags: ['chromium'] }, () => {
  startPages();
  describe('filters', testsOfFilters);
  describe('ways through it', testsOfWays);
});

function testsOfFilters() {
  test('filters go into the address, and come out of it', async () => {
    const { page, context } = await open();
    await page.click('.pill:has-text("Campaign")');
    await page.click('.opt:has-text("partner-coupons")');
    await expect.poll(() => hashOf(page), WAIT).toBe('#/overview?campaign_id=partner-coupons');
    await page.click('.pick button:has-text("All but these")');
    await page.keyboard.press('Escape');
    await page.click('.seg button:has-text("Gross")');
    await page.click('.pill:has-text("Dated by")');
    await page.click('.opt:has-text("credited click")');
    await page.click('.pill:has-text("Model")');
    await page.click('.opt.linear');
    const hash = '#/overview?campaign_id!=partner-coupons&model=linear&time_basis=click&gross=true';
    await expect.poll(() => hashOf(page), WAIT).toBe(hash);
    await page.reload();
    await expect.poll(() => page.textContent('.filters'), WAIT).toContain('not partner-coupons');
    await expect.poll(() => page.textContent('.filters'), WAIT).toContain('linear');
    expect(await page.getAttribute('.filters .seg button:has-text("Gross")', 'aria-pressed')).toBe('true');
    await context.close();
  });

  test('the range is one that moves with the day, or has dates, and may be of another time zone', async () => {
    const { page, context } = await open();
    const range = '.filters .pill:has-text("–")';
    await page.click(range);
    await page.click('.presets button:has-text("Last 7 days")');
    await expect.poll(() => hashOf(page), WAIT).toBe('#/overview?range=7d');
    await page.click(range);
    await page.fill('.presets input >> nth=0', '2026-02-27');
    await page.fill('.presets input >> nth=1', '2026-03-02');
    await page.keyboard.press('Tab');
    await expect.poll(() => hashOf(page), WAIT).toBe('#/overview?start_date=2026-02-27&end_date=2026-03-02');
    await page.selectOption('.presets select', 'Asia/Kolkata');
    await page.keyboard.press('Escape');
    await page.click('.pill:has-text("vs")');
    await page.click('.opt:has-text("previous year")');
    const dates = '#/overview?start_date=2026-02-27&end_date=2026-03-02';
    await expect.poll(() => hashOf(page), WAIT).toBe(`${dates}&compare=previous_year&time_zone=Asia/Kolkata`);
    await page.reload();
    await expect.poll(() => page.textContent('.sub'), WAIT).toBe('27 Feb – 2 Mar 2026, Asia/Kolkata');
    await context.close();
  });

  test('every filter of an address is one of the request', async () => {
    const { page, context } = await open();
    await page.waitForSelector('tbody th');
    const asked = page.waitForRequest((request) => request.url().includes('RunReport'));
    await page.click('.pill:has-text("by")');
    await page.click('.opt:has-text("week")');
    await asked;
    await expect.poll(() => hashOf(page), WAIT).toBe('#/overview?interval=week');
    for (const [title, dimension] of [
      ['Source', 'source'],
      ['Ad', 'ad_id'],
      ['Type', 'conversion_type'],
    ] as const) {
      await page.click(`.filters .pill:has-text("${title}")`);
      const value = (await page.textContent('.pick .opt .truncate'))!;
      const filtered = page.waitForRequest((request) => request.postData()?.includes(value) ?? false);
      await page.click('.pick .opt');
      await filtered;
      await page.keyboard.press('Escape');
      await expect.poll(() => hashOf(page), WAIT).toContain(`${dimension}=${value}`);
    }
    await page.click('button[aria-label="Copy as curl"]');
    const curl = await page.evaluate(() => navigator.clipboard.readText());
    expect(curl).toMatch(
      /^curl 'http:\S+\/api\/v1\/report\?start_date=\d{4}-\d\d-\d\d&end_date=\S+group_by=campaign_id&source=[a-z]+&/,
    );
    await context.close();
  });
}

function testsOfWays() {
  test('Back returns to the view before, not to the filter before', async () => {
    const { page, context } = await open();
    await page.click('nav a:has-text("Attribution")');
    await page.click('.seg button:has-text("Gross")');
    await page.click('.seg button:has-text("Source")');
    await expect.poll(() => hashOf(page), WAIT).toBe('#/attribution?gross=true&by=source');
    await page.goBack();
    await expect.poll(() => page.textContent('h1'), WAIT).toBe('Overview');
    await context.close();
  });

  test('a copied link has the dates of now', async () => {
    const { page, context } = await open('#/attribution?range=7d&baseline=linear');
    await page.waitForSelector('tbody th');
    await page.click('button[aria-label="Copy link to this view"]');
    const link = await page.evaluate(() => navigator.clipboard.readText());
    const params = new URLSearchParams(new URL(link).hash.split('?')[1]);
    expect([params.get('range'), params.get('baseline')]).toEqual([null, 'linear']);
    const days = (Date.parse(params.get('end_date')!) - Date.parse(params.get('start_date')!)) / 86_400_000;
    expect(days).toBe(6);
    await page.goto(link);
    await expect.poll(() => page.textContent('.filters .pill'), WAIT).toContain('–');
    await context.close();
  });

  test('the keyboard goes to views, and to nothing while something is typed', async () => {
    const { page, context } = await open();
    await page.waitForSelector('tbody th');
    const views = ['Attribution explorer', 'Paths and lag', 'Conversion', 'Live', 'Health', 'Overview'];
    for (const title of views) {
      await page.keyboard.press('g');
      await page.keyboard.press(title[0]!.toLowerCase());
      await expect.poll(() => page.textContent('h1'), WAIT).toBe(title);
    }
    await page.waitForSelector('.search input');
    await page.keyboard.press('/');
    await page.keyboard.type('gan');
    await expect.poll(() => hashOf(page), WAIT).toBe('#/overview?q=gan');
    await page.keyboard.press('Escape');
    await page.keyboard.press('n');
    await expect.poll(() => hashOf(page), WAIT).toContain('gross=true');
    await page.keyboard.press('?');
    expect(await page.isVisible('#keys')).toBe(true);
    await context.close();
  });

  test('the theme is that of the system until one is chosen, which stays', async () => {
    const { page, context } = await open('', { colorScheme: 'dark' });
    const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    expect(await background()).toBe('rgb(13, 15, 19)');
    await page.emulateMedia({ colorScheme: 'light' });
    await expect.poll(background, WAIT).toBe('rgb(247, 248, 250)');
    await page.keyboard.press('t');
    await expect.poll(background, WAIT).toBe('rgb(13, 15, 19)');
    await page.reload();
    expect(await background()).toBe('rgb(13, 15, 19)');
    await context.close();
  });
}
