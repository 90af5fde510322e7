import { create } from '@bufbuild/protobuf';
import type { ClickHouseClient } from '@clickhouse/client';
import {
  CandidateReason,
  type ConversionDecision,
  CorrectionEffect,
} from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { type ExplainedCorrection, ExplainedCorrectionSchema } from '../../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { selectRows } from '../select-rows.ts';
import { textOfCorrection } from './explain-words.ts';

const MAX_CORRECTIONS = 200;
/** Time after which what attribution has made of an event is in ClickHouse, too, in seconds. */
const SETTLED_S = 60;

/** An adjustment or a verdict, as it is in ClickHouse. */
interface Sent {
  event_id: string;
  event_type: 'adjustment' | 'verdict';
  kind: string;
  target_id: string;
  value_micros: string;
  timestamp: string;
  reason: string;
  /** Attribution has folded it, and what follows from it is here. */
  settled: boolean;
}

/**
 * The adjustments of a decided conversion and the verdicts on the clicks that the decision names, with what they do:
 * ascending by time and id.
 */
export async function explainCorrections(
  client: ClickHouseClient,
  decision: ConversionDecision,
  signal: AbortSignal | undefined,
): Promise<ExplainedCorrection[]> {
  const sent = await selectCorrections(client, decision, signal);
  const verdicts = Map.groupBy(sent, ({ event_type, target_id }) => (event_type === 'verdict' ? target_id : ''));
  const effects = new Map(decision.corrections.map(({ eventId, effect }) => [`adjustment ${eventId}`, effect]));
  for (const { clickId, reasons } of decision.candidates) {
    const isInvalid = reasons[0] === CandidateReason.INVALID;
    for (const [id, effect] of effectsOfVerdicts(verdicts.get(clickId) ?? [], isInvalid)) {
      effects.set(`verdict ${id}`, effect);
    }
  }
  let value = sent.length < MAX_CORRECTIONS && decision.correctionsLeftOut === 0 ? decision.valueMicros : undefined;
  return sent.map((each) => {
    const isVerdict = each.event_type === 'verdict';
    const correction = create(ExplainedCorrectionSchema, {
      ...{ eventId: each.event_id, eventType: each.event_type, kind: each.kind, reason: each.reason },
      ...{ clickId: isVerdict ? each.target_id : '', valueMicros: BigInt(each.value_micros) },
      timestamp: BigInt(each.timestamp),
      effect: effects.get(`${each.event_type} ${each.event_id}`) ?? effectOfUnknown(each, decision),
    });
    if (!isVerdict && value !== undefined) {
      correction.valueBeforeMicros = value;
      value = valueAfter(value, correction);
      correction.valueAfterMicros = value;
    }
    correction.text = textOfCorrection(correction);
    return correction;
  });
}

/** What an adjustment leaves of a value, by its effect. */
function valueAfter(before: bigint, { effect, kind, valueMicros }: ExplainedCorrection): bigint {
  if (effect === CorrectionEffect.APPLIED_IN_PART) return 0n;
  if (effect !== CorrectionEffect.APPLIED) return before;
  if (kind === 'retract') return 0n;
  return kind === 'restate' ? valueMicros : before - valueMicros;
}

async function selectCorrections(
  client: ClickHouseClient,
  { userId, conversionId, candidates }: ConversionDecision,
  signal: AbortSignal | undefined,
): Promise<Sent[]> {
  const statement = {
    query: `
      WITH folded AS (SELECT partition, version FROM attribution_progress FINAL)
      SELECT event_id, event_type, kind, target_id, value_micros, timestamp, reason,
        CAST(_offset <= folded.version AND _append_time < now() - {settled:UInt32}, 'Bool') AS settled
      FROM (
        SELECT toString(event_id) AS event_id, event_type, kind, toString(target_id) AS target_id, value_micros,
          toUnixTimestamp64Milli(e.timestamp) AS timestamp, reason, _partition, _offset, _append_time
        FROM events_distributed AS e FINAL
        WHERE user_id = {userId:String} AND (
          event_type = 'adjustment' AND e.target_id = {conversionId:UUID} OR
          event_type = 'verdict' AND has({candidates:Array(UUID)}, e.target_id))
        ORDER BY timestamp DESC, event_id DESC
        LIMIT {limit:UInt32}
      ) AS sent
      LEFT JOIN folded ON sent._partition = folded.partition
      ORDER BY timestamp, event_id
      SETTINGS optimize_skip_unused_shards = 1`,
    query_params: {
      ...{ userId, conversionId, candidates: candidates.map(({ clickId }) => clickId) },
      ...{ limit: MAX_CORRECTIONS, settled: SETTLED_S },
    },
  };
  return selectRows<Sent>(client, statement, signal);
}

/**
 * By id, what the verdicts on a click do, which ascend by time and id. The greatest stands that says what the click is;
 * what is greater and says otherwise changed nothing.
 */
function effectsOfVerdicts(verdicts: readonly Sent[], isInvalid: boolean): [id: string, CorrectionEffect][] {
  const standing = verdicts.findLastIndex(({ kind }) => kind === (isInvalid ? 'invalid' : 'valid'));
  return verdicts.flatMap(({ event_id }, i): [string, CorrectionEffect][] => {
    if (i > standing) return [];
    return [[event_id, i === standing ? CorrectionEffect.APPLIED : CorrectionEffect.SUPERSEDED]];
  });
}

/** What one does that the decision does not show. */
function effectOfUnknown({ event_type, settled }: Sent, { correctionsLeftOut }: ConversionDecision): CorrectionEffect {
  if (!settled || (event_type === 'adjustment' && correctionsLeftOut > 0)) return CorrectionEffect.UNSPECIFIED;
  return CorrectionEffect.TOO_LATE;
}
