import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { CandidateReason } from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import { ListConversionsResponseSchema, ListDeadLettersResponseSchema } from '../../gen/ts/clickmesh/v1/reports_pb.js';
import { ExplainConversionResponseSchema } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { restJson } from './rest-json.ts';

test('money is in units with all of its digits, numbers are whole, and what is absent is null', () => {
  const conversions = [
    { conversionId: 'a', valueMicros: 9_007_199_254_740_993n, netValueMicros: -500_000n, creditMicros: 333_334n },
    { conversionId: 'b', valueMicros: 20_000_000n, lagMs: 0n, correctedBy: ['refund'] },
  ];
  const answer = create(ListConversionsResponseSchema, { conversions, total: 2n ** 64n - 1n });
  const text = restJson(ListConversionsResponseSchema, answer);
  expect(text).toMatch(
    /^\{"conversions":\[\{"conversion_id":"a","user_id":"",.*"value":9007199254.740993,"net_value":-0.5,/,
  );
  expect(text).toMatch(/"lag_ms":null,.*"credit":0.333334,"corrected_by":\[\]\},\{"conversion_id":"b".*"value":20,/);
  expect(text).toMatch(
    /"lag_ms":0,.*"corrected_by":\["refund"\]\}\],"total":18446744073709551615,"next_page_token":""\}$/,
  );
});

test('enums have their short names, lists of micros units, and maps are as they are', () => {
  const candidates = [{ clickId: 'c', creditsMicros: [1n], reasons: [CandidateReason.CREDITED] }];
  const answer = create(ExplainConversionResponseSchema, { decision: { candidates }, metadata: { 'a"b': '' } });
  expect(JSON.parse(restJson(ExplainConversionResponseSchema, answer))).toMatchObject({
    ...{ attributed: false, net_value: 0, metadata: { 'a"b': '' }, near_misses: [], corrections: [] },
    decision: { candidates: [{ click_id: 'c', credits: [0.000001], reasons: ['credited'] }], attributed: false },
  });
});

test('bytes are base64', () => {
  const answer = create(ListDeadLettersResponseSchema, { deadLetters: [{ value: Uint8Array.of(255, 0) }] });
  expect(restJson(ListDeadLettersResponseSchema, answer)).toContain('"value":"/wA="');
});
