import { afterEach, expect, it, vi } from 'vitest';
import { memoryLog } from '../../test/fixtures/memory-log.ts';
import { LogUnavailable } from '../log/event-log.ts';
import { eventsRejected, namesIgnored } from '../telemetry/metrics.ts';
import { appendAccepted } from './append-events.ts';
import { acceptNdjson } from './event/accept-json.ts';

const NOW = Date.UTC(2026, 0, 2);
const CLICK = { event_type: 'click', event_id: 'c-1', user_id: 'u', ad_id: 'a', campaign_id: 'c', source: 's' };
const LINES = [{ ...CLICK, timestamp: NOW, geo: 'fr', os: 'x' }, CLICK].map((event) => JSON.stringify(event));
const outcomes = acceptNdjson(Buffer.from(LINES.join('\n')), { now: NOW, currency: 'USD' });

afterEach(() => void vi.restoreAllMocks());

it('counts rejected events and ignored names once they are answered, not where the append fails', async () => {
  const rejected = vi.spyOn(eventsRejected, 'add');
  const ignored = vi.spyOn(namesIgnored, 'add');
  const log = memoryLog();
  log.beforeAppend = () => {
    throw new LogUnavailable('down');
  };
  await expect(appendAccepted(outcomes, { log })).rejects.toThrow(LogUnavailable);
  expect([rejected.mock.calls, ignored.mock.calls]).toEqual([[], []]);

  log.beforeAppend = () => {};
  await appendAccepted(outcomes, { log });
  expect(rejected).toHaveBeenCalledWith(1, { reason: 'required' });
  expect(ignored).toHaveBeenCalledWith(2, { event_type: 'click' });
});
