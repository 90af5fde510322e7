/**
 * `npm run pictures` takes the README's pictures of the dashboard, over the made-up numbers of its tests; with a folder
 * as argument, every view in both themes and two widths into it, to be looked at.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ColorScheme, startBrowser, visit } from '../chromium.ts';
import { ID } from '../made-up-explanation.ts';
import { startMadeUpMesh } from '../made-up-mesh.ts';

interface Picture {
  name: string;
  hash: string;
  /** What is there once the view is. */
  shown: string;
  width: number;
  height?: number;
  colorScheme: ColorScheme;
}

const VIEWS: readonly [name: string, hash: string, shown: string][] = [
  ['overview', '#/overview?open=retarget-cart-7d', 'tr.child ~ tr svg'],
  ['attribution', '#/attribution', 'tbody th'],
  ['drawer', '#/attribution?cell=last_click%0Aretarget-cart-7d', '.drawer tbody tr'],
  ['paths', '#/paths', '.pmark'],
  ['conversion', `#/conversion?id=${ID}`, '.touch tbody th'],
  ['conversions', '#/conversion', 'tbody th'],
  ['live', '#/live', '.tail td'],
  ['health', '#/health', '.letters td'],
  ['record', '#/health?record=raw-events+1+5740831', '.drawer .dump'],
  ['first-use', '#/overview?send=true', '.steps'],
];
const README: readonly Picture[] = [
  { ...view('overview'), width: 1280, height: 800, colorScheme: 'light' },
  { ...view('attribution'), width: 1280, height: 760, colorScheme: 'dark' },
  { ...view('conversion'), width: 1280, height: 700, colorScheme: 'light' },
];

function view(name: string): Pick<Picture, 'name' | 'hash' | 'shown'> {
  const [, hash, shown] = VIEWS.find(([one]) => one === name)!;
  return { name, hash, shown };
}

function everyView(): Picture[] {
  return VIEWS.flatMap(([name, hash, shown]) =>
    (['light', 'dark'] as const).flatMap((colorScheme) =>
      [1440, 390].map((width) => ({ name: `${name}-${width}-${colorScheme}`, hash, shown, width, colorScheme })),
    ),
  );
}

async function take(pictures: readonly Picture[], folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const mesh = await startMadeUpMesh();
  const browser = await startBrowser();
  try {
    for (const { name, hash, shown, ...options } of pictures) {
      const { page, context } = await visit(browser, `${mesh.url}/${hash}`, options);
      await page.waitForSelector(shown);
      await page.waitForSelector('.chip b');
      await page.screenshot({ path: join(folder, `${name}.png`), fullPage: options.width < 760 });
      await context.close();
    }
  } finally {
    await browser.close();
    await mesh.close();
  }
}

const [folder] = process.argv.slice(2);
if (folder === undefined) await take(README, join(import.meta.dirname, '../../../services/dashboard/pictures'));
else await take(everyView(), folder);
