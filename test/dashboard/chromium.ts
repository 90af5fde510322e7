import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { installedChromium } from '../sdk/browser/chromium.ts';

export interface Visit {
  page: Page;
  context: BrowserContext;
  /** What went wrong in the page, and every request that left this machine. */
  faults: string[];
}

export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: installedChromium(), args: ['--no-sandbox'] });
}

export type ColorScheme = 'light' | 'dark';

interface VisitOptions {
  width?: number;
  height?: number;
  colorScheme?: ColorScheme;
}

/** A page of a profile of its own, for which no other host exists. */
export async function visit(browser: Browser, url: string, options: VisitOptions = {}): Promise<Visit> {
  const { width = 1440, height = 900, colorScheme = 'light' } = options;
  const permissions = ['clipboard-read', 'clipboard-write'];
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, permissions });
  const faults: string[] = [];
  const { host } = new URL(url);
  await context.route(
    (to) => to.host !== host && to.protocol.startsWith('http'),
    (route) => {
      faults.push(`asked for ${route.request().url()}`);
      return route.abort();
    },
  );
  const page = await context.newPage();
  page.on('pageerror', (error) => faults.push(String(error.stack)));
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  await page.goto(url);
  return { page, context, faults };
}
