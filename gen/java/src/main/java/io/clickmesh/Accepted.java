package io.clickmesh;

import java.io.Serializable;
import java.time.Instant;
import java.util.List;

/**
 * An event that is durable.
 *
 * @param eventId as it was sent: what the event said, or the UUID that it was given
 * @param timestamp as it was sent, in ms since 1970-01-01 UTC
 * @param storedId the UUID that the mesh has for eventId
 * @param partition of raw-events
 * @param offset of raw-events
 * @param ignored names in the event that were not kept, such as "metadata.gclid"
 */
public record Accepted(
    String eventId, long timestamp, String storedId, int partition, long offset, List<String> ignored)
    implements Serializable {
  /** The timestamp. */
  public Instant time() {
    return Instant.ofEpochMilli(timestamp);
  }
}
