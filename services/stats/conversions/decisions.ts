import { CandidateReason } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { type Dimension, isMetadata } from '../../contract/rollups.ts';
import { bind, metadataValue } from '../metadata-value.ts';
import type { Filter } from '../requests/filters.ts';
import type { Scope, Span } from './scope.ts';

/** What a touch is known by. */
export const TOUCH_FIELDS = ['click_id', 'ad_id', 'campaign_id', 'source'] as const;
export type TouchField = (typeof TOUCH_FIELDS)[number];

/** Where credit and time stand in a touch, after its fields. */
const [TIME, CREDIT] = [TOUCH_FIELDS.length + 1, TOUCH_FIELDS.length + 2];

/** A field of a touch, the variable `t`. */
export function ofTouch(field: TouchField | 'time' | 'credit'): string {
  if (field === 'time') return `t.${TIME}`;
  return field === 'credit' ? `t.${CREDIT}` : `t.${TOUCH_FIELDS.indexOf(field) + 1}`;
}

/**
 * Most decisions whose time is looked at. In a month they do not lie in the order of time, so all of its are, whatever
 * days are asked for, but of the others nothing else is read: a second for a hundred million.
 */
export const MAX_DECISIONS_READ = 500_000_000;

/** A condition's text and the parameters that it has. */
export interface Condition {
  sql: string;
  params: Record<string, unknown>;
}

/**
 * PREWHERE and WHERE of conversions of a time whose type passes the filters; more conditions may follow with AND. The
 * time is the same in all versions of a conversion, and so may be looked at before FINAL, which then has less to merge.
 */
export function ofConversion({ types, ...span }: Span & Partial<Scope>): Condition {
  const { sql, params } = inSpan('conversion_time', span);
  const filters = (types ?? []).map((filter) => filterOn('conversion_type', filter, params));
  return { sql: `PREWHERE ${sql} WHERE ${['1', ...filters].join(' AND ')}`, params };
}

/** Whether a column's time is in a span. */
export function inSpan(column: string, { from, until }: Span): Condition {
  return {
    sql: `${column} >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
      AND ${column} < fromUnixTimestamp64Milli({until:Int64}, 'UTC')`,
    params: { from: String(from), until: String(until) },
  };
}

/** Whether a column or expression passes a filter, whose values are added to the parameters. */
export function filterOn(
  column: string,
  { dimension, values, exclude }: Filter,
  params: Record<string, unknown>,
): string {
  const name = `only_${dimension}`;
  params[name] = values;
  return `${exclude ? 'NOT ' : ''}has({${name}:Array(String)}, ${column})`;
}

/** Whether a touch, the variable `t`, passes a filter on clicks. */
export function filterOnTouch(filter: Filter, params: Record<string, unknown>): string {
  const { dimension } = filter;
  if (isMetadata(dimension)) {
    return filterOnMetadata(`toUUIDOrZero(${ofTouch('click_id')})`, dimension, filter, params);
  }
  return filterOn(ofTouch(dimension as TouchField), filter, params);
}

/** Whether a click, by its id, has such metadata. No decision and no credit has it: all clicks are looked through. */
export function filterOnMetadata(
  clickId: string,
  dimension: Dimension & `metadata.${string}`,
  { values, exclude }: Filter,
  params: Record<string, unknown>,
): string {
  return `(user_id, ${clickId}) ${exclude ? 'NOT IN' : 'IN'} (
    SELECT user_id, event_id FROM events_distributed FINAL
    WHERE event_type = 'click'
      AND has({${bind(params, values)}:Array(String)}, ${metadataValue('metadata', dimension, params)}))`;
}

/** What every model says of a click that is not one by a verdict. */
const { INVALID } = CandidateReason;

/** Each click of a decision of 0.1.0 once, newest first: it named a click under each model. */
const EACH_ONCE = `arrayReverseSort(t -> (t.${TIME}, t.1), arrayDistinct(arrayMap(c ->
  (${TOUCH_FIELDS.map((field) => `c.${field}`).join(', ')}, c.click_time), candidates)))`;

/** The credit under `{model:String}` of one of EACH_ONCE, `t`. */
const OLD_CREDIT = 'arraySum(c -> if(c.model = {model:String} AND c.click_id = t.1, c.credit_micros, 0), candidates)';

/** Valid touches of a decision, newest first, as tuples: its fields, its time, its credit under `{model:String}`. */
export const TOUCHES = `if(empty(candidates),
  arrayMap(t -> (${TOUCH_FIELDS.map((field) => `t.${field}`).join(', ')}, t.click_time,
    t.credits_micros[indexOf(models, {model:String})]), arrayFilter(t -> t.reasons[1] != ${INVALID}, considered)),
  arrayMap(t -> (${TOUCH_FIELDS.map((_, i) => `t.${i + 1}`).join(', ')}, t.${TIME},
    ${OLD_CREDIT}), ${EACH_ONCE}))`;

/** One field of the valid touches, newest first. Nothing else of them is read. */
export function listOf(field: TouchField | 'click_time'): string {
  const old = field === 'click_time' ? TIME : TOUCH_FIELDS.indexOf(field) + 1;
  return `if(empty(candidates), arrayFilter((x, r) -> r[1] != ${INVALID}, considered.${field},
    considered.reasons), arrayMap(t -> t.${old}, ${EACH_ONCE}))`;
}

/** The credits of the valid touches under `{model:String}`, newest first. Nothing else of them is read. */
export const CREDITS = `if(empty(candidates), arrayFilter((x, r) -> r[1] != ${INVALID},
  arrayMap(c -> c[indexOf(models, {model:String})], considered.credits_micros), considered.reasons),
  arrayMap(t -> ${OLD_CREDIT}, ${EACH_ONCE}))`;

/** How many clicks verdicts have made invalid, of those that a decision names. */
export const INVALID_CLICKS = `arrayCount(r -> r[1] = ${INVALID}, considered.reasons)`;
