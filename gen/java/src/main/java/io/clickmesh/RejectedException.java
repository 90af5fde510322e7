package io.clickmesh;

import io.clickmesh.v1.Event;
import io.clickmesh.v1.RejectReason;
import io.clickmesh.v1.Rejection;

/** The event breaks a rule of the contract: sending it again unchanged can't help. */
public final class RejectedException extends RuntimeException {
  private static final long serialVersionUID = 2;

  private final Rejection rejection;
  private final Event event;

  RejectedException(Rejection rejection, Event event) {
    super(rejection.getMessage());
    this.rejection = rejection;
    this.event = event;
  }

  /** The offending field, such as "user_id". */
  public String field() {
    return rejection.getField();
  }

  /** Which rule. */
  public RejectReason reason() {
    return rejection.getReason();
  }

  /** The limit that was broken, such as "128 bytes"; empty where there is none. */
  public String limit() {
    return rejection.getLimit();
  }

  /** All that the gateway says, or would say. */
  public Rejection rejection() {
    return rejection;
  }

  /** The event with the id and the time that it was given. */
  public Event event() {
    return event;
  }

  /** The event_id that the event has, or was given; empty if there is no event. */
  public String eventId() {
    return Events.eventId(event);
  }

  /** The timestamp that the event has, or was given, in ms since 1970-01-01 UTC; 0 if there is no event. */
  public long timestamp() {
    return Events.timestamp(event);
  }
}
