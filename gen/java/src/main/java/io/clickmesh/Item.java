package io.clickmesh;

import io.clickmesh.v1.Acceptance;
import io.clickmesh.v1.Event;
import io.clickmesh.v1.IngestResult;
import io.clickmesh.v1.Rejection;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** An event on its way: with its id and time, judged, and with the answer that its caller waits for. */
final class Item {
  /** Tag and length in front of an event in a batch. */
  private static final int EVENT_OVERHEAD = 4;

  /** As it is sent; null if the caller gave none. */
  final Event event;
  /** What it breaks; null if nothing. */
  final RejectedException rejected;
  /** Names of what was left out of it. */
  final List<String> ignored;
  /** Bytes that it takes in a batch. */
  final int bytes;
  /** When it was made, of System.nanoTime(). */
  final long at = System.nanoTime();

  /** Whether it was read from the store: nobody waits for its answer. */
  final boolean isFromStore;

  Generation generation;
  final CompletableFuture<Accepted> answer = new CompletableFuture<>();

  /** Gives the event what it lacks and judges it. */
  static Item of(Event given) {
    if (given == null) return new Item(null, EventCheck.check(Event.getDefaultInstance()), List.of(), false);
    Event event = Events.complete(given);
    Rejection rejection = EventCheck.check(event);
    if (rejection != null) return new Item(event, rejection, List.of(), false);
    List<String> ignored = new ArrayList<>(0);
    Event kept = EventCheck.withoutUnreadableEntries(event, ignored);
    boolean isTooLarge = kept.getSerializedSize() + EVENT_OVERHEAD > EventRules.MAX_CALL_BYTES;
    return new Item(kept, isTooLarge ? EventCheck.tooLarge(kept) : null, ignored, false);
  }

  /** One that was judged before it was stored. */
  static Item fromStore(Event event) {
    return new Item(event, null, List.of(), true);
  }

  private Item(Event event, Rejection rejection, List<String> ignored, boolean isFromStore) {
    this.isFromStore = isFromStore;
    this.event = event;
    this.rejected = rejection == null ? null : new RejectedException(rejection, event);
    this.ignored = ignored;
    this.bytes = event == null ? 0 : event.getSerializedSize() + EVENT_OVERHEAD;
  }

  /** What the gateway's answer says of it. */
  SendResult resultOf(IngestResult result) {
    if (result.hasRejected()) return new SendResult(null, new RejectedException(result.getRejected(), event));
    Acceptance accepted = result.getAccepted();
    List<String> names = accepted.getIgnoredList();
    if (!ignored.isEmpty()) {
      names = new ArrayList<>(ignored);
      names.addAll(accepted.getIgnoredList());
    }
    return new SendResult(
        new Accepted(
            Events.eventId(event),
            Events.timestamp(event),
            accepted.getEventId(),
            accepted.getPartition(),
            accepted.getOffset(),
            List.copyOf(names)),
        null);
  }
}
