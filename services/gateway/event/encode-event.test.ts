import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { test } from 'vitest';
import {
  type Click,
  ClickSchema,
  type Conversion,
  ConversionSchema,
  EventSchema,
} from '../../../gen/ts/clickmesh/v1/event_pb.js';
import {
  MAX_ID_BYTES,
  MAX_METADATA_BYTES,
  MAX_METADATA_ENTRIES,
  MAX_TIMESTAMP_MS,
  MAX_VALUE_MICROS,
} from '../../contract/limits.ts';
import { encodeEvent } from './encode-event.ts';

const text = (maxBytes: number) =>
  fc.string({ unit: 'grapheme', maxLength: maxBytes, size: 'max' }).filter((id) => Buffer.byteLength(id) <= maxBytes);
const id = fc.oneof(
  text(MAX_ID_BYTES).filter((found) => found !== ''),
  fc.constant('x'.repeat(127)),
  fc.constant('é'.repeat(MAX_ID_BYTES / 2)),
);
const common = {
  eventId: fc.uuid(),
  userId: id,
  source: id,
  timestamp: fc.bigInt({ min: 1n, max: BigInt(MAX_TIMESTAMP_MS) }),
};
const metadata = fc.oneof(
  fc.dictionary(text(40), text(80), { maxKeys: MAX_METADATA_ENTRIES }),
  fc.constant({ key: 'v'.repeat(MAX_METADATA_BYTES - 3) }),
);
const clicks = fc.record({ ...common, adId: id, campaignId: id, metadata });
const conversions = fc.record({ ...common, type: id, valueMicros: fc.bigInt({ min: 0n, max: MAX_VALUE_MICROS }) });

function sameAsToBinary(value: Click | Conversion): boolean {
  const event =
    value.$typeName === 'clickmesh.v1.Click'
      ? { case: 'click' as const, value }
      : { case: 'conversion' as const, value };
  return Buffer.from(toBinary(EventSchema, create(EventSchema, { event }))).equals(encodeEvent(value));
}

test('clicks are encoded as toBinary encodes them', () => {
  fc.assert(fc.property(clicks, (click) => sameAsToBinary(create(ClickSchema, click))));
});

test('conversions are encoded as toBinary encodes them', () => {
  fc.assert(fc.property(conversions, (conversion) => sameAsToBinary(create(ConversionSchema, conversion))));
});
