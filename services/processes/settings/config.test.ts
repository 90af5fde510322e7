import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import {
  gatewayWorkers,
  parseAttributionNodeConfig,
  parseClusterConfig,
  parseGatewayConfig,
  parseMeshConfig,
  parseTopicsConfig,
} from './config.ts';

test('an empty environment has the documented defaults', () => {
  expect(parseMeshConfig({})).toMatchObject({
    PORT: 8080,
    HOST: '127.0.0.1',
    DATA_DIR: './data',
    PARTITIONS: 8,
    LOG_RETENTION_HOURS: 168,
    LOG_RETENTION_GB: 50,
    attribution: {
      MODELS: ['last_click', 'first_click', 'linear', 'time_decay', 'position_based'],
      ROLLUPS: [{ name: 'day:campaign_id,ad_id' }, { name: 'hour:campaign_id' }],
      LOOKBACK_HOURS: 24,
      ALLOWED_LATENESS_HOURS: 24,
      MAX_TOUCHES: 1024,
    },
  });
});

test.each([
  [{ PORT: '65536' }, /PORT/],
  [{ PORT: '' }, /PORT: must be a number/],
  [{ HOST: '' }, /HOST/],
  [{ LOOKBACK_HOURS: 'abc' }, /LOOKBACK_HOURS: must be a number: it is "abc"$/],
  [{ MODELS: 'bogus' }, /MODELS.0: .*last_click.*: it is "bogus"$/],
  [{ PARTITIONS: '0' }, /PARTITIONS/],
  [{ MODELS: 'last_click,best_click' }, /MODELS/],
  [{ ROLLUPS: 'week:ad_id' }, /ROLLUPS: has "week:ad_id", which does not look like day:campaign_id,ad_id/],
  [
    { ROLLUPS: 'day:ad' },
    /ROLLUPS: has "ad", which is no dimension: known are campaign_id, ad_id, source, conversion_/,
  ],
  [{ ROLLUPS: 'day:metadata.' }, /ROLLUPS: has "metadata.", whose key is not 1 to 64 letters, digits or any of _.-/],
  [{ ROLLUPS: `day:metadata.${'k'.repeat(65)}` }, /ROLLUPS: has "metadata.k+", whose key is not 1 to 64 letters/],
  [
    { ROLLUPS: 'day:metadata.a,metadata.b; day:metadata.c,metadata.d; hour:metadata.e,metadata.a' },
    /ROLLUPS: is by more than 4 keys of metadata: a, b, c, d, e/,
  ],
  [
    { ROLLUPS: 'day:campaign_id,ad_id,source,metadata.geo,metadata.os' },
    /ROLLUPS: has more than 4 dimensions in day:campaign_id,ad_id,source,metadata.geo,metadata.os/,
  ],
  [{ ROLLUPS: 'hour:ad_id; hour:ad_id' }, /ROLLUPS: has hour:ad_id twice/],
  [{ ROLLUPS: 'hour:ad_id,ad_id' }, /ROLLUPS: has a dimension twice in hour:ad_id,ad_id/],
  [{ MODELS: 'last_click,linear, last_click' }, /MODELS: names a model twice/],
  [{ LOOKBACK_HOURS_BY_TYPE: 'install' }, /LOOKBACK_HOURS_BY_TYPE/],
  [{ LOOKBACK_HOURS_BY_TYPE: 'install=1, install=2' }, /LOOKBACK_HOURS_BY_TYPE: names a type twice/],
  [{ LOOKBACK_HOURS_BY_TYPE: 'install =1' }, /LOOKBACK_HOURS_BY_TYPE.*: must look like/],
  [{ LOG_RETENTION_HOURS: '47' }, /LOG_RETENTION_HOURS: must be at least .* 48$/],
  [{ LOG_RETENTION_HOURS: '191', LOOKBACK_HOURS_BY_TYPE: 'install=168' }, /LOG_RETENTION_HOURS: must be .* 192$/],
  [{ LOG_RETENTION_HOURS: '' }, /LOG_RETENTION_HOURS/],
  [{ LOOKBACK_HOURS: '0' }, /LOOKBACK_HOURS/],
  [{ ALLOWED_LATENESS_HOURS: '-1' }, /ALLOWED_LATENESS_HOURS/],
  [{ ALLOWED_LATENESS_HOURS: '' }, /ALLOWED_LATENESS_HOURS: must be a number/],
])('%j is refused with its name', (env, message) => {
  expect(() => parseMeshConfig(env)).toThrow(message);
});

test.each([
  [{}, 168],
  [{ LOOKBACK_HOURS: '144' }, 168],
  [{ LOOKBACK_HOURS_BY_TYPE: 'install=168' }, 192],
  [{ LOOKBACK_HOURS_BY_TYPE: 'install=168', ALLOWED_LATENESS_HOURS: '0' }, 168],
  [{ LOOKBACK_HOURS: '200', LOOKBACK_HOURS_BY_TYPE: 'signup=1', ALLOWED_LATENESS_HOURS: '0.5' }, 200.5],
  [{ LOG_RETENTION_HOURS: '48' }, 48],
])('%j: the log is kept for %d hours, as long as a click can be credited', (env, hours) => {
  expect(parseMeshConfig(env).LOG_RETENTION_HOURS).toBe(hours);
  expect(parseClusterConfig(env).LOG_RETENTION_HOURS).toBe(hours);
  expect(parseTopicsConfig({ ...env, KAFKA_BROKERS: 'a:1' }).LOG_RETENTION_HOURS).toBe(hours);
});

test('a process that is the whole mesh keeps less in memory than a node, unless it is told how much', () => {
  const cacheOf = (env: NodeJS.ProcessEnv) => parseMeshConfig(env).attribution.USER_CACHE_MB;
  expect([cacheOf({}), cacheOf({ USER_CACHE_MB: '512' })]).toEqual([192, 512]);
  expect(parseAttributionNodeConfig({ KAFKA_BROKERS: 'a:1' }).attribution.USER_CACHE_MB).toBe(512);
});

test('blanks around what commas separate are no part of it', () => {
  const { attribution } = parseMeshConfig({
    MODELS: 'linear, last_click ',
    LOOKBACK_HOURS_BY_TYPE: 'in app=1, a=0.5 ,',
  });
  expect(attribution.MODELS).toEqual(['linear', 'last_click']);
  expect(attribution.LOOKBACK_HOURS_BY_TYPE).toEqual({ 'in app': 1, a: 0.5 });
});

test('everything wrong is named at once', () => {
  expect(() => parseMeshConfig({ PORT: 'x', LOOKBACK_HOURS: '-1' })).toThrow(/PORT.*; LOOKBACK_HOURS/);
});

test('a gateway has no port beside its own unless it is told one', () => {
  expect(parseGatewayConfig({ KAFKA_BROKERS: 'a:1', PORT: '1' }).SHARED_PORT).toBeUndefined();
  expect(parseGatewayConfig({ KAFKA_BROKERS: 'a:1', PORT: '1', SHARED_PORT: '2' }).SHARED_PORT).toBe(2);
});

test.each([
  [undefined, availableParallelism()],
  ['1', 1],
  ['64', 64],
])('GATEWAY_WORKERS=%s', (GATEWAY_WORKERS, workers) => {
  expect(gatewayWorkers({ KAFKA_BROKERS: 'a:1', GATEWAY_WORKERS })).toBe(workers);
});

test.each(['0', '65', '1.5', 'all', ''])('GATEWAY_WORKERS=%s is refused with its name', (GATEWAY_WORKERS) => {
  expect(() => gatewayWorkers({ KAFKA_BROKERS: 'a', GATEWAY_WORKERS })).toThrow(
    /GATEWAY_WORKERS.*KAFKA|KAFKA.*GATEWAY_WORKERS/,
  );
});
