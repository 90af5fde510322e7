import { create, fromJson, type JsonValue } from '@bufbuild/protobuf';
import type { ClickHouseClient } from '@clickhouse/client';
import {
  CandidateReason,
  CandidateSchema,
  type ConversionDecision,
  ConversionDecisionSchema,
} from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import {
  type ExplainConversionRequest,
  type ExplainConversionResponse,
  ExplainConversionResponseSchema,
  type LateClick,
  LateClickSchema,
  type NearMiss,
  NearMissSchema,
} from '../../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { storedEventId } from '../../contract/event-id.ts';
import { type EventLog, LogUnavailable, OffsetOutOfRange } from '../../log/event-log.ts';
import type { StatsDeps } from '../deps.ts';
import { type FieldError, unknownValue } from '../requests/field-error.ts';
import { textFault } from '../requests/text-fault.ts';
import { selectRows } from '../select-rows.ts';
import { explainCorrections } from './explain-corrections.ts';
import { duration, summaryOf, textOfMiss } from './explain-words.ts';

const MAX_NEAR_MISSES = 20;

/** Explains a conversion; undefined if no decision on it has arrived, a FieldError if the request names several. */
export async function explainConversion(
  { client, log }: Pick<StatsDeps, 'client'> & { log?: Pick<EventLog, 'read'> },
  { conversionId, userId, model }: ExplainConversionRequest,
  signal?: AbortSignal,
): Promise<ExplainConversionResponse | FieldError | undefined> {
  if (conversionId === '') return { field: 'conversion_id', message: 'conversion_id is required' };
  const fault = textFault({ conversion_id: conversionId, user_id: userId, model });
  if (fault !== undefined) return fault;
  const decisions = await selectDecisions(client, storedEventId(conversionId), userId, signal);
  if (decisions.length > 1) {
    return { field: 'user_id', message: 'user_id is required: several users sent a conversion under this event_id' };
  }
  const [decision] = decisions;
  if (decision === undefined) return undefined;
  const { models } = decision;
  if (model !== '' && models.length > 0 && !models.includes(model)) return unknownValue('model', model, models);
  const sent = await selectEvent(client, decision, signal);
  const [nearMisses, corrections, lateClicks, traceId] = await Promise.all([
    selectNearMisses(client, decision, signal),
    explainCorrections(client, decision, signal),
    sent === undefined ? [] : selectLateClicks(client, decision, sent, signal),
    sent === undefined || log === undefined ? '' : traceIn(log, sent),
  ]);
  return create(ExplainConversionResponseSchema, {
    ...{ nearMisses, metadata: sent?.metadata, corrections, lateClicks, traceId, attributed: decision.attributed },
    decision: model === '' ? decision : underModel(decision, model),
    netValueMicros: decision.valueMicros - decision.adjustedMicros,
    summary: summaryOf(decision, model || (decision.models[0] ?? ''), nearMisses),
  });
}

/** What a decision is under one of its models, which it may have none of. */
function underModel(decision: ConversionDecision, model: string): ConversionDecision {
  const at = decision.models.indexOf(model);
  const candidates = decision.candidates.map(({ creditsMicros, reasons, ...candidate }) => ({
    ...candidate,
    creditsMicros: creditsMicros.slice(at, at + 1),
    reasons: reasons.slice(at, at + 1),
  }));
  return { ...decision, models: at < 0 ? [] : [model], candidates };
}

/** Selects at most two decisions: enough to see that there are several. */
async function selectDecisions(
  client: ClickHouseClient,
  conversionId: string,
  userId: string,
  signal: AbortSignal | undefined,
): Promise<ConversionDecision[]> {
  const statement = {
    query: `
      SELECT d.conversion_id AS conversion_id, user_id, conversion_type,
        toUnixTimestamp64Milli(d.conversion_time) AS conversion_time,
        value_micros, lookback_ms, CAST(d.attributed, 'Bool') AS attributed, d.candidates AS candidates_by_model,
        version, models, d.considered AS candidates, candidates_left_out, CAST(d.truncated, 'Bool') AS truncated,
        adjusted_micros, refunds_micros, CAST(d.retracted, 'Bool') AS retracted, corrections, corrections_left_out,
        if(d.cause_type = '', '', toString(d.cause_id)) AS cause_id, cause_type
      FROM conversion_decisions AS d FINAL
      PREWHERE d.conversion_id = {conversionId:UUID} AND ({userId:String} = '' OR user_id = {userId:String})
      LIMIT 2
      SETTINGS optimize_skip_unused_shards = 1`,
    query_params: { conversionId, userId },
  };
  const rows = await selectRows<JsonValue>(client, statement, signal);
  return rows.map((row) => withEachClickOnce(fromJson(ConversionDecisionSchema, row)));
}

/** Reasons as 0.1.0 wrote them. */
const REASONS: Readonly<Record<string, CandidateReason>> = {
  credited: CandidateReason.CREDITED,
  older_than_winner: CandidateReason.OLDER_THAN_WINNER,
  newer_than_winner: CandidateReason.NEWER_THAN_WINNER,
  lost_tie_on_event_id: CandidateReason.LOST_TIE_ON_EVENT_ID,
  share_below_one_micro: CandidateReason.SHARE_BELOW_ONE_MICRO,
};

/** A decision of 0.1.0, which named a click under each model, as if it named each click once. */
function withEachClickOnce(decision: ConversionDecision): ConversionDecision {
  const { candidatesByModel } = decision;
  if (candidatesByModel.length === 0) return decision;
  const models = [...new Set(candidatesByModel.map(({ model }) => model))];
  const clicks = [...Map.groupBy(candidatesByModel, ({ clickId }) => clickId).values()];
  const candidates = clicks.map((named) => {
    const ofModels = models.map((name) => named.find(({ model }) => model === name));
    const { clickId, adId, campaignId, source, clickTime } = named[0]!;
    return create(CandidateSchema, {
      ...{ clickId, adId, campaignId, source, clickTime },
      creditsMicros: ofModels.map((found) => found?.creditMicros ?? 0n),
      reasons: ofModels.map((found) => REASONS[found?.reason ?? ''] ?? CandidateReason.UNSPECIFIED),
    });
  });
  candidates.sort((a, b) => Number(b.clickTime - a.clickTime) || (a.clickId < b.clickId ? 1 : -1));
  return { ...decision, models, candidates, candidatesByModel: [] };
}

async function selectNearMisses(
  client: ClickHouseClient,
  decision: ConversionDecision,
  signal: AbortSignal | undefined,
): Promise<NearMiss[]> {
  const { userId, conversionTime, lookbackMs, candidates } = decision;
  const statement = {
    query: `
      WITH {conversionTime:Int64} AS window_end, {windowStart:Int64} AS window_start
      SELECT click_id, ad_id, campaign_id, source, click_time, reason
      FROM (
        SELECT event_id AS click_id, ad_id, campaign_id, source, toUnixTimestamp64Milli(timestamp) AS click_time,
          multiIf(click_time > window_end, 'after_conversion',
            click_time < window_start, 'before_lookback_window', 'no_longer_kept') AS reason
        FROM events_distributed FINAL
        WHERE user_id = {userId:String} AND event_type = 'click' AND NOT has({candidates:Array(UUID)}, event_id)
        ORDER BY greatest(click_time - window_end, window_start - click_time, 0), click_time DESC, click_id
        LIMIT {limit:UInt32}
      )
      ORDER BY click_time DESC, click_id
      SETTINGS optimize_skip_unused_shards = 1`,
    query_params: {
      userId,
      conversionTime: String(conversionTime),
      windowStart: String(conversionTime - lookbackMs),
      candidates: candidates.map((candidate) => candidate.clickId),
      limit: MAX_NEAR_MISSES,
    },
  };
  const rows = await selectRows<JsonValue>(client, statement, signal);
  return rows.map((row) => {
    const miss = fromJson(NearMissSchema, row);
    return { ...miss, text: textOfMiss(miss, decision) };
  });
}

/** The event that a conversion was sent by: the first, if it came again. */
interface Sent {
  metadata: Record<string, string>;
  partition: number;
  offset: string;
  arrival: string;
}

/** Undefined while the event is not in ClickHouse. */
async function selectEvent(
  client: ClickHouseClient,
  { userId, conversionId }: ConversionDecision,
  signal: AbortSignal | undefined,
): Promise<Sent | undefined> {
  const statement = {
    query: `
      SELECT metadata, _partition AS partition, _offset AS offset, toUnixTimestamp64Milli(_append_time) AS arrival
      FROM events_distributed FINAL
      WHERE user_id = {userId:String} AND event_type = 'conversion' AND event_id = {conversionId:UUID}
      SETTINGS optimize_skip_unused_shards = 1`,
    query_params: { userId, conversionId },
  };
  const [row] = await selectRows<Sent>(client, statement, signal);
  return row;
}

/** Candidates that arrived after the conversion. All events of a user are in one partition, by their offsets. */
async function selectLateClicks(
  client: ClickHouseClient,
  { userId, candidates }: ConversionDecision,
  sent: Sent,
  signal: AbortSignal | undefined,
): Promise<LateClick[]> {
  const statement = {
    query: `
      SELECT event_id AS click_id, toUnixTimestamp64Milli(_append_time) AS arrival_time
      FROM events_distributed FINAL
      WHERE user_id = {userId:String} AND event_type = 'click' AND has({candidates:Array(UUID)}, event_id)
        AND _partition = {partition:UInt32} AND _offset > {offset:UInt64}
      ORDER BY _offset
      SETTINGS optimize_skip_unused_shards = 1`,
    query_params: {
      ...{ userId, partition: sent.partition, offset: sent.offset },
      candidates: candidates.map(({ clickId }) => clickId),
    },
  };
  const rows = await selectRows<JsonValue>(client, statement, signal);
  return rows.map((row) => {
    const late = fromJson(LateClickSchema, row);
    const after = late.arrivalTime - BigInt(sent.arrival);
    return { ...late, text: `arrived ${after > 0n ? duration(after) : 'right'} after the conversion` };
  });
}

/** W3C's traceparent: version, trace, span, flags. */
const TRACE = /^[0-9a-f]{2}-([0-9a-f]{32})-/;

/** The trace that a record has in its headers; empty if it has none, or the log does not have it any more, or now. */
async function traceIn(log: Pick<EventLog, 'read'>, { partition, offset }: Sent): Promise<string> {
  const place = { partition, offset: Number(offset) };
  try {
    const [record] = await log.read('raw-events', place, { maxBytes: 1, waitMs: 0 });
    const parent = record?.offset === place.offset ? record.headers.traceparent : undefined;
    return TRACE.exec(parent ?? '')?.[1] ?? '';
  } catch (error) {
    if (error instanceof OffsetOutOfRange || error instanceof LogUnavailable) return '';
    throw error;
  }
}
