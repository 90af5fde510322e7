import { buildDriver, hasDriver, type LanguageName, PROGRAMS, startDriver } from '../sdk/conformance/driver.ts';
import { COLUMNS } from '../sdk/conformance/readme.ts';
import { startSink } from '../sdk/sink.ts';
import type { Figure, Scenario, Subject } from './scenario.ts';
import { peakResidentBytes } from './usage.ts';

const QUICK_EVENTS = 5000;
/** A language's events of a run, and what its client promises. */
const LOADS: Readonly<Record<LanguageName, { events: number; perSecond: number }>> = {
  typescript: { events: 1_000_000, perSecond: 50_000 },
  python: { events: 400_000, perSecond: 20_000 },
  go: { events: 2_000_000, perSecond: 100_000 },
  java: { events: 2_000_000, perSecond: 100_000 },
};
const TIMEOUT_MS = 600_000;
/** The queue of a client, 64 MiB, the answers of its events, and what its runtime needs. */
const MAX_MEMORY_MB = 1024;

const EVENT = {
  type: 'click',
  fields: { user_id: 'user-123', ad_id: 'ad-456', campaign_id: 'camp-789', source: 'facebook' },
};

export const sdk: readonly Scenario<Subject>[] = COLUMNS.filter(hasDriver).map((language) => ({
  name: `sdk-${language}`,
  method:
    'track() of one event after the other by the client with default options, against a sink that counts and answers: ' +
    'until the last is acknowledged, after a tenth as many to warm up.',
  needs: PROGRAMS[language].language.tools.filter((tool) => tool !== 'node'),
  async start() {
    buildDriver(language);
    return { stop: async () => {} };
  },
  run: (_nothing, quick) => measure(language, quick),
}));

async function measure(language: LanguageName, quick: boolean): Promise<Figure[]> {
  await using sink = await startSink();
  const { events, perSecond } = LOADS[language];
  const count = quick ? QUICK_EVENTS : events;
  const driver = startDriver(language);
  try {
    const track = (count: number) => driver.do('trackMany', { event: EVENT, count, ready: true }, TIMEOUT_MS);
    // Python speaks HTTP/1.1 by default.
    await driver.do('open', { url: language === 'python' ? sink.http1Url : sink.url });
    const warmUp = Math.ceil(count / 10);
    await track(warmUp);
    const { accepted, tookMs } = await track(count);
    if (accepted !== count || sink.events() !== warmUp + count)
      throw new Error(`${accepted} of ${count} events were answered, and ${sink.events()} came`);
    const memory = peakResidentBytes(driver.pid) / 2 ** 20;
    return [
      { name: 'track', value: (count / tookMs!) * 1000, unit: 'events/s', floor: { atLeast: perSecond } },
      { name: 'peak memory', value: memory, unit: 'MiB', floor: { atMost: MAX_MEMORY_MB } },
    ];
  } finally {
    await driver.stop();
  }
}
