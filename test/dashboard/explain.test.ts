import { describe, expect, test } from 'vitest';
import { ID } from './made-up-explanation.ts';
import { hashOf, mesh, numberOf, open, savedBy, startPages, texts, WAIT } from './made-up-pages.ts';

describe('views that explain', { tags: ['chromium', 'long'] }, () => {
  startPages();
  describe('conversion', testsOfConversion);
  describe('what changed it', testsOfItsHistory);
  describe('paths and lag', testsOfPaths);
});

function testsOfConversion(): void {
  test('is found by its id; the sentence, the time line and the table say the same', async () => {
    const { page, context, faults } = await open('#/conversion');
    await page.waitForSelector('tbody th');
    await page.keyboard.press('/');
    await page.keyboard.type(ID);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.touch tbody th');
    expect(hashOf(page)).toBe(`#/conversion?id=${ID}`);
    await expect
      .poll(() => page.textContent('.why'), WAIT)
      .toContain('Credited to campaign retarget-cart-7d: the last of 4 clicks');
    expect(await texts(page, '.tp')).toEqual(['1', '2', '3', '4', '5', '6', '7']);
    const outcomes = await texts(page, '.touch td[data-l="Outcome"] .tag');
    const four = Array(4).fill('candidate');
    expect(outcomes).toEqual(['before the window', ...four, 'invalid', 'after the conversion']);
    await page.click('button[aria-label="Copy as curl"]');
    const curl = await page.evaluate(() => navigator.clipboard.readText());
    expect(curl).toBe(`curl '${mesh.url}/api/v1/explain?conversion_id=${ID}'`);
    expect(await page.locator('.tp.lost').count()).toBe(3);
    expect(await page.locator('.touch tr.out').count()).toBe(3);
    expect(await texts(page, '.lane.time_decay .t')).toEqual(['5.9%', '14.3%', '28.5%', '51.3%']);
    expect(faults).toEqual([]);
    await context.close();
  });

  test('touches are to scale: left to right by time, candidates inside of the window', async () => {
    const { page, context } = await open(`#/conversion?id=${ID}`);
    await page.waitForSelector('.tp');
    const lefts = await page.locator('.tp').evaluateAll((dots) => dots.map((dot) => dot.getBoundingClientRect().left));
    expect(lefts).toEqual(lefts.toSorted((a, b) => a - b));
    const window = (await page.locator('.win').boundingBox())!;
    const inside = lefts.map((left) => left + 11 >= window.x && left + 11 <= window.x + window.width);
    expect(inside).toEqual([false, true, true, true, true, true, false]);
    // 155.5 h and 102.2 h before.
    expect((lefts[2]! - lefts[1]!) / window.width).toBeCloseTo((155.5 - 102.2) / 168, 2);
    await page.click('.seg button:has-text("Log")');
    await expect.poll(() => hashOf(page), WAIT).toBe(`#/conversion?id=${ID}&scale=log`);
    await context.close();
  });

  test('what is far beyond the window is by its distance at first', async () => {
    const { page, context } = await open('#/conversion?id=narrow');
    await page.waitForSelector('.tl');
    const chosen = () => page.textContent('.seg [aria-pressed="true"]');
    expect(await chosen()).toBe('Log');
    await page.click('.seg button:has-text("Linear")');
    await expect.poll(() => hashOf(page), WAIT).toBe('#/conversion?id=narrow&scale=linear');
    await page.click('.seg button:has-text("Log")');
    await expect.poll(() => hashOf(page), WAIT).toBe('#/conversion?id=narrow');
    expect(await chosen()).toBe('Log');
    await context.close();
  });

  test('credit adds up, and 0 is another thing than no candidate', async () => {
    const { page, context } = await open(`#/conversion?id=${ID}`);
    await page.waitForSelector('.touch tbody th');
    const linear = await texts(page, '.touch tbody td[data-l="linear"]');
    expect(linear).toEqual(['–', ...Array(4).fill('0.250022.48'), '–', '–']);
    expect(await texts(page, '.touch tbody td[data-l="last_click"]')).toEqual([
      ...['–', '0', '0', '0', '1.000089.90', '–', '–'],
    ]);
    await expect
      .poll(() => page.textContent('.touch tfoot'), WAIT)
      .toContain('Credit adds up to 1, value to 89.90, under every model');
    await context.close();
  });
}

function testsOfItsHistory(): void {
  test('corrections tell the value before and after; raw events are tabs of the address', async () => {
    const { page, context } = await open(`#/conversion?id=${ID}`);
    await page.waitForSelector('.led');
    await expect
      .poll(() => page.textContent('.led li:nth-child(3)'), WAIT)
      .toContain('click 6, partner-coupons: its click takes no');
    expect(await page.textContent('.led li:nth-child(2)')).toContain('click 5, retarget-cart-7d: arrived 25 min after');
    const trace = 'http://traces.example/trace/9c1e7f0255aa4b6f8d3c2b1a00126e24';
    expect(await page.getAttribute('.facts2 a:has-text("9c1e7f02…6e24")', 'href')).toBe(trace);
    expect(await texts(page, '.led li:last-child :is(del, ins)')).toEqual(['129.90', '89.90']);
    await page.focus('[role="tab"][aria-selected="true"]');
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => hashOf(page), WAIT).toBe(`#/conversion?id=${ID}&tab=clicks`);
    await page.reload();
    await expect.poll(() => page.locator('.code .event').count(), WAIT).toBe(7);
    await page.click('[role="tab"]:has-text("Conversion")');
    await page.click('button[aria-label="Copy as JSON"]');
    const [event] = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
    expect(event).toMatchObject({ event_type: 'conversion', event_id: ID, value: 129.9, metadata: { app: 'ios_app' } });
    await context.close();
  });

  test('one that no click is credited for says so, and why', async () => {
    const { page, context } = await open('#/conversion?id=lost');
    await page.waitForSelector('.touch tfoot');
    await expect
      .poll(() => page.textContent('.why'), WAIT)
      .toMatch(/^unattributed .*Not credited: the nearest click was 8 d 2 h before/);
    await expect
      .poll(() => page.textContent('.touch tfoot'), WAIT)
      .toContain('No click is credited: 129.90 is unattributed');
    expect(await page.textContent('.facts2')).not.toContain('Trace');
    await context.close();
  });

  test('what is no conversion is looked for as a user; a row of the drawer opens one', async () => {
    const { page, context } = await open('#/conversion?id=user-7');
    await expect.poll(() => page.textContent('.card h2'), WAIT).toBe('Conversions of user user-7');
    await page.goto(`${mesh.url}/#/attribution?cell=last_click%0Apartner-coupons`);
    await page.click('.drawer tbody tr a');
    await expect.poll(() => hashOf(page), WAIT).toMatch(/^#\/conversion\?id=3f8c2a61-0000-\S+&user=user-0$/);
    await page.waitForSelector('.touch tbody th');
    await context.close();
  });
}

function testsOfPaths(): void {
  test('paths shown, others and unattributed make up all conversions', async () => {
    const { page, context, faults } = await open('#/paths');
    await expect.poll(() => page.textContent('tfoot tr:last-child'), WAIT).toContain('266,664');
    const sums = (await texts(page, '.paths tfoot td[data-l="Conversions"]')).map(numberOf);
    const [shown, other, attributed, lost, all] = sums as [number, number, number, number, number];
    expect(shown + other).toBe(attributed);
    expect(attributed + lost).toBe(all);
    const lengths = (await texts(page, '.hb tbody td:nth-child(3)')).map(numberOf);
    expect(lengths.reduce((a, b) => a + b)).toBe(attributed);
    expect(faults).toEqual([]);
    await context.close();
  });

  test('steps are of a dimension, repeats collapse on request, and the address says so', async () => {
    const { page, context } = await open('#/paths');
    await page.waitForSelector('.pc b');
    await page.click('.seg button:has-text("Source")');
    await page.click('button:has-text("Collapse repeats")');
    await expect.poll(() => hashOf(page), WAIT).toBe('#/paths?by=source&collapse=true');
    await expect.poll(() => page.locator('.pc b').count(), WAIT).toBe(0);
    await page.reload();
    await page.waitForSelector('.pc:has-text("google")');
    await page.click('button[aria-label="Copy as curl"]');
    const curl = await page.evaluate(() => navigator.clipboard.readText());
    expect(curl).toMatch(/^curl 'http:\S+\/api\/v1\/paths\?\S+&dimension=source&collapse_repeats=true&limit=1000'$/);
    const [head, first, ...others] = await savedBy(page, 'button:has-text("CSV")');
    expect(head).toBe('path,longer,conversions,revenue,share,median_lag_ms,median_last_lag_ms');
    expect(first).toMatch(/^\w+( > \w+)*,false,4700,323078,0\.019\d*,2880000,2880000$/);
    expect(others.length).toBe(199);
    await context.close();
  });

  test('what has too few touches is left out of the paths, and of no sum', async () => {
    const { page, context } = await open('#/paths?touches=3');
    await page.waitForSelector('tfoot tr:has-text("1 to 2 touches, left out") td:has-text("171,098")');
    expect(Math.min(...(await texts(page, 'tbody td[data-l="Steps"]')).map(Number))).toBe(3);
    const sums = (await texts(page, '.paths tfoot td[data-l="Conversions"]')).map(numberOf);
    const [shown, other, long, short, lost, all] = sums as [number, number, number, number, number, number];
    expect([shown + other, long + short + lost]).toEqual([long, all]);
    await page.click('.pill:has-text("Touches")');
    await page.click('.opt:has-text("any")');
    await expect.poll(() => texts(page, 'tfoot th'), WAIT).toContain('Attributed, 22,608 paths');
    expect(hashOf(page)).toBe('#/paths');
    await context.close();
  });

  test('arrows read the histogram bucket by bucket; p50, p90 and p99 are marked', async () => {
    const { page, context } = await open('#/paths?model=first_click');
    await page.waitForSelector('.histo');
    expect(await texts(page, '.pct dd')).toEqual(['6 h 0 m', '2 d 16 h', '10 d 0 h']);
    expect((await texts(page, '.pmark')).join(' ')).toBe('p50 p90 p99');
    await page.focus('.histo');
    await page.keyboard.press('End');
    await expect
      .poll(() => page.textContent('.histo [aria-live]'), WAIT)
      .toMatch(/^7 d or more, .* 100\.0% until then$/);
    await page.keyboard.press('Home');
    await expect.poll(() => page.textContent('.histo [aria-live]'), WAIT).toMatch(/^0 to 1 m, [\d,]+ conversions, /);
    await context.close();
  });
}
