import { idAt, putFields, TOUCH_WORDS, touchMemory } from '../memory/touch-memory.ts';
import { readIdWords, StoredTouch } from '../store/stored-entries.ts';
import { hasOverflow, isCurrent, lastClosedIn, readEntries } from '../store/user-codec.ts';
import type { UserTable } from './user-table.ts';

/** Fills a user that was added to the table with what the store has of it. */
export function loadUser(table: UserTable, slot: number, stored: Buffer): void {
  const { ads, campaignSources } = table.texts;
  const corrections: Buffer[] = [];
  if (hasOverflow(stored)) table.slots.noteOverflow(slot);
  table.noteClosed(slot, lastClosedIn(stored));
  readEntries(stored, {
    touch(at) {
      const touch = new StoredTouch(stored, at);
      readIdWords(stored, at, oneTouch.words, idAt(0));
      const ad = ads.numberOf(stored, touch.ad, touch.campaignSource);
      const campaignSource = campaignSources.numberOf(stored, touch.campaignSource, touch.end);
      putFields(oneTouch, 0, { timestamp: touch.timestamp, arrival: touch.arrival, ad, campaignSource });
      table.putTouch(slot, oneTouch, 0);
    },
    conversion: (at, end) => table.putConversion(slot, stored, at, end),
    correction: (at, end) => corrections.push(stored.subarray(at, end)),
  });
  if (corrections.length > 0) table.putCorrections(slot, Buffer.concat(corrections));
  table.slots.noteStored(slot);
  if (!isCurrent(stored)) table.slots.noteRewritten(slot);
}

const oneTouch = touchMemory(TOUCH_WORDS);
