import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { test } from 'vitest';
import {
  AdjustmentSchema,
  ClickSchema,
  ConversionSchema,
  type Event,
  EventSchema,
  VerdictSchema,
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
const correction = {
  eventId: fc.uuid(),
  userId: id,
  timestamp: common.timestamp,
  reason: fc.oneof(fc.constant(''), id),
};
/** The log leaves out micros of 0, which toBinary would not. */
const valueMicros = fc.option(fc.bigInt({ min: 1n, max: 10n ** 18n }), { nil: undefined });
const kind = fc.constantFrom('refund', 'restate', 'retract');
const adjustments = fc.record({ ...correction, conversionId: fc.uuid(), kind, valueMicros });
const verdicts = fc.record({ ...correction, clickId: fc.uuid(), valid: fc.boolean() });
const conversions = fc.record({ ...common, type: id, valueMicros: fc.bigInt({ min: 0n, max: 10n ** 18n }) });

function sameAsToBinary(event: Exclude<Event['event'], { case: undefined }>): boolean {
  const { value } = event;
  const micros = 'valueMicros' in value ? (value.valueMicros ?? 0n) : 0n;
  const whole = toBinary(EventSchema, create(EventSchema, { event }));
  return Buffer.from(whole).equals(encodeEvent(value, value.eventId, micros));
}

test('clicks are encoded as toBinary encodes them', () => {
  fc.assert(fc.property(clicks, (click) => sameAsToBinary({ case: 'click', value: create(ClickSchema, click) })));
});

test('conversions are encoded as toBinary encodes them', () => {
  fc.assert(
    fc.property(conversions, (fields) =>
      sameAsToBinary({ case: 'conversion', value: create(ConversionSchema, fields) }),
    ),
  );
});

test('adjustments and verdicts are encoded as toBinary encodes them, a false among what is written', () => {
  fc.assert(
    fc.property(adjustments, (fields) =>
      sameAsToBinary({ case: 'adjustment', value: create(AdjustmentSchema, fields) }),
    ),
  );
  fc.assert(
    fc.property(verdicts, (fields) => sameAsToBinary({ case: 'verdict', value: create(VerdictSchema, fields) })),
  );
});
