import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import {
  ListClicksRequestSchema,
  ListConversionsRequestSchema,
  RunReportRequestSchema,
} from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { pageTokenOf, positionOf } from './page-token.ts';

const request = create(RunReportRequestSchema, {
  ...{ startDate: '2026-01-01', endDate: '2026-01-31', limit: 10, groupBy: ['ad_id'] },
  filters: [{ dimension: 'campaign_id', values: ['é"\\', ''] }],
});
const token = pageTokenOf(RunReportRequestSchema, request, ['2026-01-02', 'é"\\', '']);

test('the page of a token begins after its position', () => {
  expect(positionOf(RunReportRequestSchema, { ...request, pageToken: token }, 3)).toEqual(['2026-01-02', 'é"\\', '']);
  expect(positionOf(RunReportRequestSchema, request, 3)).toBeUndefined();
});

test.each([
  ['one more day', { endDate: '2026-02-01' }],
  ['another limit', { limit: 11 }],
  ['another filter', { filters: [] }],
])('a token is refused with %s', (_, change) => {
  const fault = { field: 'page_token', message: expect.stringContaining('page_token is of another request') };
  expect(positionOf(RunReportRequestSchema, { ...request, ...change, pageToken: token }, 3)).toEqual(fault);
});

test('a token is of its method only', () => {
  const clicks = create(ListClicksRequestSchema, {});
  const conversions = create(ListConversionsRequestSchema, {
    pageToken: pageTokenOf(ListClicksRequestSchema, clicks, ['0']),
  });
  expect(positionOf(ListConversionsRequestSchema, conversions, 1)).toMatchObject({ field: 'page_token' });
});

test.each([
  ['no base64', '%%%'],
  ['too short', 'AAAA'],
  ['no position', Buffer.from('12345678{').toString('base64url')],
  ['too long', 'A'.repeat(1_000_000)],
  ['cut', token.slice(0, -4)],
])('a token that is %s is refused', (_, pageToken) => {
  const message = 'page_token is none that was given out. Leave it out for the first page';
  expect(positionOf(RunReportRequestSchema, { ...request, pageToken }, 3)).toEqual({ field: 'page_token', message });
});

test('a position of another length is refused', () => {
  expect(positionOf(RunReportRequestSchema, { ...request, pageToken: token }, 2)).toMatchObject({
    field: 'page_token',
  });
});
