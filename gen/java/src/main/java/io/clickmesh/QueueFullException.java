package io.clickmesh;

import io.clickmesh.v1.Event;

/** The queue is full, and the option onFull says not to wait. */
public final class QueueFullException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final Event event;

  QueueFullException(String message, Event event) {
    super(message);
    this.event = event;
  }

  /** The event with the id and the time that it was given. */
  public Event event() {
    return event;
  }
}
