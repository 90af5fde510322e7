import { create } from '@bufbuild/protobuf';
import {
  type PathLengthResponse,
  PathLengthResponseSchema,
  type TimeLagRequest,
  type TimeLagResponse,
  TimeLagResponseSchema,
  type TopPathsRequest,
  type TopPathsResponse,
  TopPathsResponseSchema,
  type TopTouchesRequest,
  type TopTouchesResponse,
  TopTouchesResponseSchema,
} from '../../gen/ts/clickmesh/v1/reports_pb.js';
import { campaignName, chance, valuesOf } from './made-up-rows.ts';

const MINUTE_MS = 60_000;
const PATHS = 200;
const OTHERS = 22_408n;
/** Conversions by the number of their touches, from 0. */
const LENGTHS = [19_869n, 115_214n, 55_884n, 32_004n, 20_303n, 11_710n, 6_407n, 3_468n, 1_005n, 500n, 300n];
const BEGINS = [0, 1, 5, 15, 30, 60, 120, 240, 480, 720, 1440, 2880, 4320, 5760, 7200, 8640, 10_080];

export function pathsOf({ dimension, collapseRepeats, minTouches }: TopPathsRequest): TopPathsResponse {
  const names = namesOf(dimension);
  const matched = LENGTHS.slice(Math.max(1, minTouches)).reduce((a, b) => a + b);
  const paths = Array.from({ length: PATHS }, (_, i) => {
    const length = 1 + (i % 4) + Math.floor(i / 120);
    const first = Math.floor(chance(i) * names.length);
    const steps = Array.from({ length }, (_, n) => names[(first + Math.floor(chance(i, n) * 2)) % names.length]!);
    const conversions = BigInt(Math.round(4700 / (i + 1)));
    return {
      steps: collapseRepeats ? steps.filter((step, n) => step !== steps[n - 1]) : steps,
      ...{ longer: i === 130, conversions, revenueMicros: conversions * 68_740_000n },
      ...{ medianLagMs: BigInt(48 * MINUTE_MS * length), medianLastLagMs: BigInt(48 * MINUTE_MS) },
      ...{ share: Number(conversions) / Number(matched), touches: steps.length },
    };
  });
  const long = paths.filter(({ touches }) => touches >= minTouches).map(({ touches: _, ...path }) => path);
  return create(TopPathsResponseSchema, {
    ...{ paths: long, conversions: matched, totalPaths: BigInt(long.length) + OTHERS },
    revenueMicros: matched * 68_740_000n,
  });
}

function namesOf(dimension: string): readonly string[] {
  const isOfCampaigns = dimension === '' || dimension === 'campaign_id';
  return isOfCampaigns ? Array.from({ length: 11 }, (_, i) => campaignName(i)) : valuesOf(dimension);
}

/** @param all how many conversions there are: each value touched as many as it may be credited for, and more */
export function touchesOf({ dimension }: TopTouchesRequest, all: bigint): TopTouchesResponse {
  const values = namesOf(dimension).map((value, i) => ({ value, conversions: (all * 13n) / BigInt(10 * (i + 2)) }));
  return create(TopTouchesResponseSchema, { values, conversions: all, totalValues: BigInt(values.length) });
}

export function lagOf({ model }: TimeLagRequest): TimeLagResponse {
  const factor = model === 'first_click' ? 4n : 1n;
  const buckets = BEGINS.map((from, i) => ({
    ...{ fromMs: BigInt(from * MINUTE_MS), toMs: BigInt((BEGINS[i + 1] ?? 1e9) * MINUTE_MS) },
    conversionsMicros: BigInt(Math.round(60_000 * Math.exp(-(((i - 5) / 4) ** 2)))) * 1_000_000n,
    revenueMicros: BigInt(Math.round(60_000 * Math.exp(-(((i - 5) / 4) ** 2)))) * 68_000_000n,
  }));
  const [p50Ms, p90Ms, p99Ms] = [90n, 960n, 3600n].map((minutes) => minutes * factor * BigInt(MINUTE_MS));
  return create(TimeLagResponseSchema, { buckets, p50Ms: p50Ms!, p90Ms: p90Ms!, p99Ms: p99Ms! });
}

export function lengthsOf(): PathLengthResponse {
  const buckets = LENGTHS.map((conversions, touches) => {
    return { touches, conversions, revenueMicros: conversions * 68_740_000n };
  });
  return create(PathLengthResponseSchema, { buckets });
}
