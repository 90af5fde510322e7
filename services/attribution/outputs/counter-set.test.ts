import { expect, test } from 'vitest';
import { countedOf } from '../../../test/fixtures/credits.ts';
import { memoryStateStore } from '../../../test/fixtures/memory-state-store.ts';
import { reportDays } from '../../contract/report-days.ts';
import { parseRollups } from '../../contract/rollups.ts';
import { TouchTexts } from '../memory/touch-memory.ts';
import { Counters } from './counters.ts';

const ROLLUPS = parseRollups('day:campaign_id,conversion_type');

test('the bytes of a counter do not depend on which model came first', () => {
  const touch = { clickId: '', timestamp: 1, arrival: 1, adId: 'ad', campaignId: 'c', source: '', metadata: '' };
  const micros = {
    conversionsMicros: 1n,
    revenueMicros: 5n,
    retractedMicros: 0n,
    adjustedMicros: 0n,
    refundsMicros: 0n,
  };
  const [one, other] = ['last_click', 'linear'].map((first) => {
    const counters = new Counters(0, ROLLUPS, reportDays('UTC'), () => 1 << 20);
    const [store, texts] = [memoryStateStore(), new TouchTexts()];
    const add = (conversionType: string, model: string) =>
      counters.add(store, texts, countedOf([{ touch, timestamp: 0, conversionType, model, offset: 7, ...micros }]));
    add('other', first);
    for (const model of ['last_click', 'linear']) add('buy', model);
    const changed = counters.takeChanged().filter(({ key }) => key.includes('buy'));
    return changed.map(({ topic, value }) => `${topic} ${Buffer.from(value).toString('hex')}`);
  });
  expect(one).toHaveLength(2);
  expect(one).toEqual(other);
});
