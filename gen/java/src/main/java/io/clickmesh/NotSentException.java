package io.clickmesh;

import io.clickmesh.v1.Event;
import java.util.List;

/** Thrown by close(): events of the client were lost, at the latest by closing it. */
public final class NotSentException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final long notSent;
  private final List<Event> events;

  NotSentException(String message, long notSent, List<Event> events) {
    super(message);
    this.notSent = notSent;
    this.events = events;
  }

  /** How many events were lost in the life of the client. */
  public long notSent() {
    return notSent;
  }

  /** Those that close() discarded, in order, with the ids and times that they were given. */
  public List<Event> events() {
    return events;
  }
}
