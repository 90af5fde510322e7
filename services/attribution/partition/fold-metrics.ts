import {
  attributionConflicts,
  attributionCorrections,
  attributionDecisions,
  attributionDuplicates,
  attributionEvents,
  batchSize,
  correctionsTooLate,
  deadLetters as deadLettersCounter,
  foldDuration,
  touchesDropped,
} from '../../telemetry/metrics.ts';
import type { AttributionConfig } from '../decision/config.ts';
import type { Effects } from '../decision/effects.ts';
import { KINDS } from '../decision/kinds.ts';
import type { DeadLetter } from '../outputs/records.ts';
import type { EventBatch } from '../users/event-batch.ts';

interface Folded {
  records: number;
  events: Pick<EventBatch, 'kinds' | 'count'>;
  effects: Effects;
  deadLetters: readonly DeadLetter[];
  models: AttributionConfig['models'];
}

/**
 * Adds one batch to the metrics: what this process has done, also where it folds again what a crash has lost. The
 * totals of PartitionProgress are the exact ones.
 *
 * @param began by performance.now()
 */
export function countFolded({ records, events, effects, deadLetters, models }: Folded, began: number): void {
  foldDuration.record((performance.now() - began) / 1000);
  batchSize.record(records);
  const { totals, duplicates, decisions } = effects;
  for (const kind of Object.values(KINDS)) {
    let count = 0;
    for (let i = 0; i < events.count; i++) if (events.kinds[i] === kind) count++;
    attributionEvents.add(count, { event_type: kind.type });
    attributionDuplicates.add(duplicates[kind.type], { event_type: kind.type });
  }
  attributionCorrections.add(totals.corrections);
  attributionConflicts.add(totals.conflicts);
  correctionsTooLate.add(totals.tooLate);
  touchesDropped.add(totals.touchesDropped);
  // What follows the colon is the record's own.
  for (const { reason } of deadLetters) deadLettersCounter.add(1, { reason: reason.split(':', 1)[0] });
  for (const model of models) {
    let attributed = 0;
    for (const { shares } of decisions.values()) if (shares.byModel.some((each) => each.model === model)) attributed++;
    attributionDecisions.add(attributed, { model, outcome: 'attributed' });
    attributionDecisions.add(decisions.size - attributed, { model, outcome: 'unattributed' });
  }
}

/** Adds a record that was set aside to the metrics: an alarm belongs on it. */
export function countSetAside(): void {
  deadLettersCounter.add(1, { reason: 'set aside' });
}
