import type { EventLog } from '../../log/event-log.ts';
import {
  attributionLag,
  checkpointAge,
  checkpointBytes,
  correctionsWaiting,
  decisionsTruncated,
  refundsExceeded,
  stateBytes,
  watermarkAge,
} from '../../telemetry/metrics.ts';
import type { Attribution } from './node.ts';

/** Reports the partitions of this node to the metrics; those that it only follows have no lag of their own. */
export function watchNode(node: Attribution, log: EventLog): void {
  const active = () => node.partitions().filter(({ role }) => role === 'active');
  const label = (partition: number) => ({ partition: String(partition) });

  attributionLag.addCallback(async (result) => {
    const offsets = await log.offsets('raw-events');
    for (const { partition, nextOffset = 0 } of active()) {
      const { start, end } = offsets[partition]!;
      result.observe(end - Math.max(start, nextOffset), label(partition));
    }
  });
  watermarkAge.addCallback((result) => {
    for (const { partition, progress } of active()) {
      const watermark = Number(progress.watermark);
      if (watermark > 0) result.observe((Date.now() - watermark) / 1000, label(partition));
    }
  });
  correctionsWaiting.addCallback((result) => {
    for (const { partition, progress } of active()) result.observe(Number(progress.waiting), label(partition));
  });
  refundsExceeded.addCallback((result) => {
    for (const { partition, progress } of active()) result.observe(Number(progress.exceeded), label(partition));
  });
  decisionsTruncated.addCallback((result) => {
    for (const { partition, progress } of active()) result.observe(Number(progress.truncated), label(partition));
  });
  stateBytes.addCallback((result) => {
    for (const { partition, stateBytes: bytes } of node.partitions()) result.observe(bytes, label(partition));
  });
  checkpointAge.addCallback((result) => {
    for (const { partition, checkpoint } of active()) {
      if (checkpoint !== undefined) result.observe((Date.now() - checkpoint.takenAt) / 1000, label(partition));
    }
  });
  checkpointBytes.addCallback((result) => {
    for (const { partition, checkpoint } of active()) {
      if (checkpoint?.bytes !== undefined) result.observe(checkpoint.bytes, label(partition));
    }
  });
}
