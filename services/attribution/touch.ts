import type { Touch } from './state.ts';
import { copyUuid, readUuid, writeUuid } from './uuid.ts';

/**
 * How a touch lies in a user's state: bytes u16 | id 16 | timestamp f64 | arrival f64 | bytes of ad_id u16 |
 * bytes of source u16 | ad_id | campaign_id | source. Texts are UTF-8, numbers little-endian.
 */
const ID = 2;
const TIMESTAMP = 18;
const ARRIVAL = 26;
const AD_BYTES = 34;
const SOURCE_BYTES = 36;
const TEXT = 38;

/** Bytes of a touch without its texts. */
export const TOUCH_BYTES = TEXT;

/**
 * A touch where it is stored. Most touches that a fold goes past are only compared, or copied to where the state is
 * stored next: what nobody asks for is never decoded. The bytes must not change while it is in use.
 */
export class StoredTouch implements Touch {
  readonly bytes: Buffer;
  readonly start: number;
  readonly timestamp: number;
  readonly arrival: number;

  constructor(bytes: Buffer, start: number) {
    this.bytes = bytes;
    this.start = start;
    this.timestamp = bytes.readDoubleLE(start + TIMESTAMP);
    this.arrival = bytes.readDoubleLE(start + ARRIVAL);
  }

  get end(): number {
    return endOfTouch(this.bytes, this.start);
  }

  get clickId(): string {
    return readUuid(this.bytes, this.start + ID);
  }

  get adId(): string {
    return this.bytes.toString('utf8', this.adIdStart, this.campaignIdStart);
  }

  get campaignId(): string {
    return this.bytes.toString('utf8', this.campaignIdStart, this.sourceStart);
  }

  get source(): string {
    return this.bytes.toString('utf8', this.sourceStart, this.end);
  }

  /** Where the 16 bytes of the click's id are. */
  get idStart(): number {
    return this.start + ID;
  }

  /** Each text ends where the next begins, the source with the touch. */
  get adIdStart(): number {
    return this.start + TEXT;
  }

  get campaignIdStart(): number {
    return this.adIdStart + this.bytes.readUInt16LE(this.start + AD_BYTES);
  }

  get sourceStart(): number {
    return this.end - this.bytes.readUInt16LE(this.start + SOURCE_BYTES);
  }
}

/** Where the touch that starts here ends. */
export function endOfTouch(bytes: Buffer, start: number): number {
  return start + bytes.readUInt16LE(start);
}

/** Whether two touches are the same click, by their ids. */
export function isSameClick(a: Touch, b: Touch): boolean {
  if (!(a instanceof StoredTouch && b instanceof StoredTouch)) return a.clickId === b.clickId;
  return hasSameId(a.bytes, a.start, b.bytes, b.start);
}

/** Whether the touches that start at these places have the same id. */
export function hasSameId(a: Buffer, aStart: number, b: Buffer, bStart: number): boolean {
  const at = aStart + ID;
  const other = bStart + ID;
  // Ids are random: the first bytes tell nearly all apart.
  if (a[at] !== b[other] || a[at + 1] !== b[other + 1]) return false;
  return a.compare(b, other, other + 16, at, at + 16) === 0;
}

/** The same touch in its stored form. */
export function storeTouch(touch: Touch): StoredTouch {
  const bytes = Buffer.allocUnsafe(mostBytesOfTouch(touch));
  writeTouch(bytes, 0, touch);
  return new StoredTouch(bytes, 0);
}

/** Most bytes that a touch of these texts takes: no UTF-16 unit takes more than 3 bytes of UTF-8. */
export function mostBytesOfTouch({ adId, campaignId, source }: Touch): number {
  return TEXT + 3 * (adId.length + campaignId.length + source.length);
}

/** Writes a touch whose texts are at most 65,535 bytes together; returns where it ends. */
export function writeTouch(bytes: Buffer, start: number, touch: Touch): number {
  if (touch instanceof StoredTouch) return start + touch.bytes.copy(bytes, start, touch.start, touch.end);
  const { clickId, timestamp, arrival, adId, campaignId, source } = touch;
  writeUuid(bytes, start + ID, clickId);
  const adBytes = bytes.write(adId, start + TEXT, 'utf8');
  const campaignBytes = bytes.write(campaignId, start + TEXT + adBytes, 'utf8');
  const sourceBytes = bytes.write(source, start + TEXT + adBytes + campaignBytes, 'utf8');
  return writeFrame(bytes, start, { timestamp, arrival, adBytes, campaignBytes, sourceBytes });
}

/** The fields of a click as they lie in an event: where its texts begin and end, all of them ASCII. */
export interface ClickFields {
  eventId: number;
  adId: number;
  adIdEnd: number;
  campaignId: number;
  campaignIdEnd: number;
  source: number;
  sourceEnd: number;
  /** In ms. */
  timestamp: number;
}

/** Copies a touch out of an event without making strings of its texts. */
export function copyTouch(
  bytes: Buffer,
  start: number,
  event: Uint8Array,
  click: ClickFields,
  arrival: number,
): StoredTouch {
  copyUuid(event, click.eventId, bytes, start + ID);
  let at = copyBytes(event, click.adId, click.adIdEnd, bytes, start + TEXT);
  at = copyBytes(event, click.campaignId, click.campaignIdEnd, bytes, at);
  copyBytes(event, click.source, click.sourceEnd, bytes, at);
  writeFrame(bytes, start, {
    timestamp: click.timestamp,
    arrival,
    adBytes: click.adIdEnd - click.adId,
    campaignBytes: click.campaignIdEnd - click.campaignId,
    sourceBytes: click.sourceEnd - click.source,
  });
  return new StoredTouch(bytes, start);
}

function copyBytes(from: Uint8Array, start: number, end: number, to: Buffer, at: number): number {
  // A few bytes: a loop takes less than a call into the runtime.
  for (let i = start; i < end; i++) to[at + i - start] = from[i]!;
  return at + end - start;
}

interface Frame {
  timestamp: number;
  arrival: number;
  adBytes: number;
  campaignBytes: number;
  sourceBytes: number;
}

function writeFrame(bytes: Buffer, start: number, frame: Frame): number {
  const length = TEXT + frame.adBytes + frame.campaignBytes + frame.sourceBytes;
  bytes.writeUInt16LE(length, start);
  bytes.writeDoubleLE(frame.timestamp, start + TIMESTAMP);
  bytes.writeDoubleLE(frame.arrival, start + ARRIVAL);
  bytes.writeUInt16LE(frame.adBytes, start + AD_BYTES);
  bytes.writeUInt16LE(frame.sourceBytes, start + SOURCE_BYTES);
  return start + length;
}
