import { describe, expect, test } from 'vitest';
import { browser, hashOf, mesh, numberOf, open, savedBy, startPages, texts, WAIT } from './made-up-pages.ts';

/** A task of the page that takes longer blocks it, in ms. */
const BLOCKS_MS = 100;
/** Windows that a table is scrolled by. */
const STEPS = 100;

describe('views', { tags: ['chromium', 'long'] }, () => {
  startPages();
  describe('overview', testsOfOverview);
  describe('its table', testsOfBreakdown);
  describe('attribution explorer', testsOfAttribution);
  describe('its choices', testsOfChoices);
  describe('many rows', testsOfManyRows);
});

function testsOfOverview(): void {
  test('rows, those that are not found, and what is unattributed make up all conversions', async () => {
    const { page, context } = await open();
    await page.fill('.search input', 'an');
    await expect.poll(() => page.textContent('tfoot tr'), WAIT).toContain('Shown');
    const sums = await texts(page, 'tfoot td[data-l="conversions"]');
    const [shown, other, attributed, unattributed, all] = sums.map(numberOf) as [
      number,
      number,
      number,
      number,
      number,
    ];
    expect(shown + other).toBeCloseTo(attributed, 2);
    expect(attributed + unattributed).toBeCloseTo(all, 2);
    const rows = await texts(page, 'tbody td[data-l="Conversions"]');
    expect(rows.map(numberOf).reduce((a, b) => a + b)).toBe(shown);
    await expect.poll(() => page.textContent('.stamp'), WAIT).toContain('reconciles');
    await context.close();
  });

  test('tiles and table that differ twice are said to; those of two moments are not', async () => {
    mesh.tilesMiss = 3;
    const { page, context } = await open();
    const says = () => page.textContent('.stamp');
    await expect.poll(says, WAIT).toContain('tiles and rows are of different moments');
    await expect.poll(says, WAIT).toMatch(/tiles say [\d,]+ clicks, the table [\d,]+/);
    mesh.tilesMiss = 0;
    mesh.grow();
    await expect.poll(says, WAIT).toContain('reconciles');
    await context.close();
  });

  test('a campaign opens into its ads, and the address says so', async () => {
    const { page, context } = await open();
    await page.click('.rowbtn:has-text("retarget-cart-7d")');
    await page.waitForSelector('tr.child:has-text("carousel-a")');
    expect(hashOf(page)).toBe('#/overview?open=retarget-cart-7d');
    expect(await page.getAttribute('.rowbtn:has-text("retarget-cart-7d")', 'aria-expanded')).toBe('true');
    await page.reload();
    await page.waitForSelector('tr.child:has-text("carousel-a")');
    await context.close();
  });

  test('tiles are tabs of the chart, which arrows read period by period', async () => {
    const { page, context } = await open();
    await page.click('#k-revenue');
    await expect.poll(() => hashOf(page), WAIT).toBe('#/overview?measure=revenue');
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => hashOf(page), WAIT).toBe('#/overview?measure=cvr');
    await page.focus('[aria-roledescription="chart"]');
    await page.keyboard.press('End');
    const said = () => page.textContent('[aria-roledescription="chart"] [aria-live]');
    await expect.poll(said, WAIT).toMatch(/, until \d\d:\d\d:\d\d, Conversion rate {2}\d+\.\d{4}%, .* of [\d,]+, /);
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    await expect.poll(said, WAIT).not.toContain('until');
    await context.close();
  });
}

function testsOfBreakdown(): void {
  test('heads of columns sort, and what holds is in the address', async () => {
    const { page, context } = await open();
    await page.click('thead button:has-text("Clicks")');
    await expect.poll(() => page.getAttribute('th:has-text("Clicks")', 'aria-sort'), WAIT).toBe('descending');
    await page.click('thead button:has-text("Clicks")');
    await expect.poll(() => page.getAttribute('th:has-text("Clicks")', 'aria-sort'), WAIT).toBe('ascending');
    expect(hashOf(page)).toBe('#/overview?sort=clicks');
    const clicks = async () => (await texts(page, 'tbody td[data-l="Clicks"]')).map(numberOf);
    await expect
      .poll(async () => (await clicks()).toSorted((a, b) => a - b).join() === (await clicks()).join(), WAIT)
      .toBe(true);
    await context.close();
  });

  test('all rows are a link to what the mesh writes as CSV', async () => {
    const { page, context } = await open('#/overview?source=google&gross=true');
    const href = await page.getAttribute('a:has-text("CSV")', 'href');
    const { pathname, searchParams } = new URL(href!);
    expect(pathname).toBe('/api/v1/report');
    expect(Object.fromEntries(searchParams)).toMatchObject({
      format: 'csv',
      group_by: 'campaign_id',
      source: 'google',
    });
    await context.close();
  });

  test('a campaign stands beside where its clicks come from; rows by something else do not', async () => {
    const { page, context } = await open();
    await page.waitForSelector('tr:has-text("newsletter-weekly") [data-l="Source"]:has-text("email +1")');
    const tip = await page.getAttribute('tr:has-text("newsletter-weekly") .source', 'data-tip');
    expect(tip).toBe('clicks come from email, facebook');
    expect(await texts(page, 'tbody td[data-l="Source"]')).not.toContain('–');
    await page.click('.rowbtn:has-text("newsletter-weekly")');
    await page.waitForSelector('tr.child td[data-l="Source"]:has-text("ad")');
    await page.click('.card .seg button:has-text("Type")');
    await expect.poll(() => page.locator('[data-l="Source"]').count(), WAIT).toBe(0);
    await context.close();
  });

  test('rows by a key of the metadata', async () => {
    const { page, context } = await open();
    await page.click('button:has-text("metadata…")');
    await page.fill('.menu input', 'geo');
    await page.keyboard.press('Enter');
    await page.waitForSelector('tbody th:has-text("in")');
    expect(hashOf(page)).toBe('#/overview?by=metadata.geo');
    await context.close();
  });

  test('what changes is shown without being asked for', async () => {
    const { page, context } = await open();
    const clicks = async () => numberOf((await page.textContent('#k-clicks .val')) ?? '');
    await expect.poll(clicks, WAIT).toBeGreaterThan(0);
    const before = await clicks();
    // The stream must be there before something changes.
    await expect.poll(() => page.textContent('.chip'), WAIT).toContain('complete through');
    mesh.grow();
    await expect.poll(clicks, WAIT).toBeGreaterThan(before);
    await context.close();
  });

  test('how it was counted is told', async () => {
    const { page, context } = await open('#/overview?time_basis=click');
    await page.click('text=How was this counted?');
    await page.waitForSelector('.method dl');
    const text = await page.textContent('.method');
    for (const part of ['last_click, from the first event on', '24 h', 'the credited click', 'day:campaign_id,ad_id'])
      expect(text).toContain(part);
    await context.close();
  });
}

function testsOfAttribution(): void {
  test('rows are sorted by spread, and differences are to the baseline that is chosen', async () => {
    const { page, context } = await open('#/attribution');
    await page.waitForSelector('tbody th');
    const spreads = (await texts(page, 'tbody td[data-l="Spread"]')).map(numberOf);
    expect(spreads).toEqual(spreads.toSorted((a, b) => b - a));
    expect(await page.locator('tbody tr').first().locator('.cell.base.last_click').count()).toBe(1);
    await page.click('.pill:has-text("Baseline")');
    await page.click('.opt:has-text("linear")');
    await expect.poll(() => page.locator('tbody .cell.base.linear').count(), WAIT).toBe(spreads.length);
    const row = page.locator('tbody tr').first();
    const creditOf = async (model: string) => numberOf((await row.locator(`.cell.${model} b`).textContent())!);
    const difference = (await creditOf('last_click')) / (await creditOf('linear')) - 1;
    const shown = (await row.locator('.cell.last_click em').textContent())!.replace('−', '-').replace(/[+%]/g, '');
    expect(Number(shown)).toBeCloseTo(100 * difference, 0);
    expect(hashOf(page)).toBe('#/attribution?baseline=linear');
    await context.close();
  });

  test('a cell opens its conversions, by its address, too; Escape closes them', async () => {
    const { page, context } = await open('#/attribution');
    await page.click('tr:has-text("partner-coupons") .cell.first_click');
    await page.waitForSelector('.drawer tbody tr');
    await expect.poll(() => page.textContent('.drawer h2'), WAIT).toBe('partner-coupons under first_click');
    await page.click('.drawer button:has-text("Newest")');
    await page.click('.drawer button:has-text("Next 100")');
    await expect.poll(() => page.textContent('.drawer footer'), WAIT).toContain('200 of 37,969 shown');
    await page.reload();
    // What is there in place of rows tells why they do not come.
    const rowsOrText = async () => (await page.locator('.drawer tbody tr').count()) || (await page.textContent('body'));
    await expect.poll(rowsOrText, WAIT).toBeTypeOf('number');
    expect(await page.getAttribute('.drawer button:has-text("Newest")', 'aria-pressed')).toBe('true');
    await page.keyboard.press('Escape');
    await expect.poll(() => hashOf(page), WAIT).toBe('#/attribution');
    await context.close();
  });

  test('all conversions of a cell are a file, in which a spreadsheet finds no formula', async () => {
    const { page, context } = await open('#/attribution?cell=last_click%0Apartner-coupons');
    await page.waitForSelector('.drawer tbody tr');
    const tip = await page.getAttribute('.drawer button:has-text("CSV")', 'data-tip');
    expect(tip).toBe('The first 10,000 of 37,969, exact, as CSV');
    const [head, ...lines] = await savedBy(page, '.drawer button:has-text("CSV")');
    expect(head).toMatch(/^conversion_time,conversion_id,user_id,conversion_type,value,net_value,credit,retracted,/);
    expect(lines.length).toBe(10_000);
    expect(lines[3]).toMatch(/^2\d{3}-[^,]+Z,[^,]+,'=1\+1,purchase,[\d.]+,[\d.]+,1,false,/);
    await context.close();
  });

  test('how many conversions a row touched is told where it is known, for which credit is counted elsewhere', async () => {
    const { page, context } = await open('#/attribution?sort=name');
    await page.waitForSelector('tbody td[data-l="Touched"]:has-text(",")');
    const touched = (await texts(page, 'tbody td[data-l="Touched"]')).map(numberOf);
    const credited = (await texts(page, 'tbody .cell.last_click b')).map(numberOf);
    expect(touched.every((all, i) => all >= credited[i]!)).toBe(true);
    await page.click('.pill:has-text("Dated by")');
    await page.click('.opt:has-text("credited click")');
    await expect.poll(() => page.locator('[data-l="Touched"]').count(), WAIT).toBe(0);
    await context.close();
  });

  test('models that are left out are in no column', async () => {
    const { page, context } = await open('#/attribution');
    await page.click('.pill:has-text("Models")');
    await page.click('.opt.time_decay');
    await page.click('.opt.position_based');
    await expect.poll(() => page.locator('thead .mh').count(), WAIT).toBe(3);
    expect(hashOf(page)).toBe('#/attribution?models=last_click,first_click,linear');
    await context.close();
  });
}

function testsOfChoices(): void {
  test('rows are sorted by what is chosen, and cells show one measure or both, as the address says', async () => {
    const { page, context } = await open('#/attribution');
    await page.waitForSelector('tbody th');
    await page.click('.pill:has-text("Sort")');
    await page.click('.opt:has-text("linear")');
    await expect.poll(() => hashOf(page), WAIT).toBe('#/attribution?sort=-conversions.linear');
    const credits = async () => (await texts(page, 'tbody .cell.linear b')).map(numberOf);
    const isSorted = async () => {
      const all = await credits();
      return all.length > 1 && all.every((each, i) => i === 0 || all[i - 1]! >= each);
    };
    await expect.poll(isSorted, WAIT).toBe(true);
    const whole = await credits();
    await page.click('fieldset[aria-label="Cells"] button >> nth=2');
    await expect.poll(() => hashOf(page), WAIT).toMatch(/[?&]show=revenue/);
    await expect.poll(credits, WAIT).not.toEqual(whole);
    await page.reload();
    await page.waitForSelector('tbody .cell.linear b');
    expect(await page.locator('fieldset[aria-label="Cells"] [aria-pressed="true"]').textContent()).toBe('Revenue');
    await context.close();
  });
}

function testsOfManyRows(): void {
  test.each(['#/overview', '#/attribution'])(
    `10,000 rows scroll without a task of ${BLOCKS_MS} ms: %s`,
    async (hash) => {
      mesh.campaigns = 10_000;
      const { page, context } = await open(hash);
      await expect.poll(() => page.getAttribute('table', 'aria-rowcount'), { timeout: 30_000 }).toBe('10001');
      mesh.campaigns = 11;
      await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline'] });
      await page.evaluate(scrollThrough);
      const tasks = tasksOf(await browser.stopTracing());
      expect(await page.locator('tbody tr').count()).toBeLessThan(120);
      expect(tasks.length).toBeGreaterThan(STEPS);
      expect(Math.max(...tasks)).toBeLessThanOrEqual(BLOCKS_MS);
      await context.close();
    },
  );
}

interface TraceEvent {
  name: string;
  tid: number;
  /** In microseconds. */
  tdur?: number;
  args?: { name?: string };
}

/** How long the tasks of a page's main thread took, in ms of its own CPU time: others may want the CPU, too. */
function tasksOf(trace: Buffer): number[] {
  const { traceEvents: events } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const names = events.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain');
  const main = new Set(names.map(({ tid }) => tid));
  const tasks = events.filter(({ name, tid, tdur }) => /RunTask$/.test(name) && main.has(tid) && tdur !== undefined);
  return tasks.map(({ tdur }) => tdur! / 1000);
}

/** In the page: scrolls its table by so many windows, then to its end. */
async function scrollThrough(): Promise<void> {
  const scroller = document.querySelector('.tscroll')!;
  for (let step = 1; step <= 100; step++) {
    scroller.scrollTop = step < 100 ? step * scroller.clientHeight : scroller.scrollHeight;
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
}
