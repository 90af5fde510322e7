import { create, toJsonString } from '@bufbuild/protobuf';
import { TopTouchesRequestSchema } from '../../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { stats } from '../../data/client.ts';
import type { Mesh } from '../../data/mesh.ts';
import { useQuery } from '../../data/query.ts';
import { filtersOf, MAX_ROWS, zoneOf } from '../../data/report.ts';
import { today } from '../../format/time.ts';
import { daysOf } from '../../state/range.ts';
import { useUrl } from '../../state/url.ts';

/** Decisions are read for it: it follows later than what is credited, in ms. */
const GOOD_FOR_MS = 20_000;
const DIMENSIONS = ['campaign_id', 'ad_id', 'source'];

export interface Touched {
  /** How many conversions had a touch of a row, by its name; undefined while that is not known. */
  byName: ReadonlyMap<string, bigint> | undefined;
  /** Of all rows together. */
  all: bigint | undefined;
}

/**
 * How many conversions had a touch of a row at all. Undefined where rows or credit are of something else: conversions
 * are of the day that they happened on. Filters by metadata look through all clicks, which takes long.
 */
export function useTouched(mesh: Mesh, by: string): Touched | undefined {
  const state = useUrl();
  const { start, end } = daysOf(state, today(zoneOf(state, mesh)));
  const isKnown =
    DIMENSIONS.includes(by) &&
    state.basis === 'conversion' &&
    state.filters.every(({ dimension }) => !dimension.startsWith('metadata.'));
  const request = create(TopTouchesRequestSchema, {
    ...{ startDate: start, endDate: end, timeZone: state.zone, filters: filtersOf(state) },
    ...{ dimension: by, limit: MAX_ROWS },
  });
  const key = isKnown ? `touches ${toJsonString(TopTouchesRequestSchema, request)}` : undefined;
  const { value } = useQuery(key, (signal) => stats.topTouches(request, { signal }), GOOD_FOR_MS);
  if (!isKnown) return undefined;
  // Of more values than are listed some would seem to have none.
  const isWhole = value !== undefined && value.totalValues <= BigInt(MAX_ROWS);
  return {
    byName: isWhole ? new Map(value.values.map((of) => [of.value, of.conversions])) : undefined,
    all: value?.conversions,
  };
}
