import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { test } from 'vitest';
import {
  type Click,
  ClickSchema,
  type Conversion,
  ConversionSchema,
  EventSchema,
} from '../../gen/ts/clickmesh/v1/event_pb.js';
import { encodeEvent } from '../../gen/wire/event-wire.ts';
import { MAX_ID_BYTES } from '../../services/contract/event-rules.ts';
import { MAX_TIMESTAMP_MS } from '../../services/contract/limits.ts';

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
  fc.dictionary(text(40), text(80), { maxKeys: 32 }),
  fc.constant({ key: 'v'.repeat(4096 - 3) }),
);
const clicks = fc.record({ ...common, adId: id, campaignId: id, metadata });
const conversions = fc.record({ ...common, type: id, valueMicros: fc.bigInt({ min: 0n, max: 10n ** 18n }) });

function sameAsToBinary(value: Click | Conversion): boolean {
  const event =
    value.$typeName === 'clickmesh.v1.Click'
      ? { case: 'click' as const, value }
      : { case: 'conversion' as const, value };
  return Buffer.from(toBinary(EventSchema, create(EventSchema, { event }))).equals(
    encodeEvent(value, value.eventId, value.$typeName === 'clickmesh.v1.Conversion' ? value.valueMicros : 0n),
  );
}

test('clicks are encoded as toBinary encodes them', () => {
  fc.assert(fc.property(clicks, (click) => sameAsToBinary(create(ClickSchema, click))));
});

test('conversions are encoded as toBinary encodes them', () => {
  fc.assert(fc.property(conversions, (conversion) => sameAsToBinary(create(ConversionSchema, conversion))));
});
