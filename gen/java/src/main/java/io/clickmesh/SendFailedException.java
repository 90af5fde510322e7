package io.clickmesh;

import io.clickmesh.v1.Event;
import java.util.List;

/**
 * No answer came within the timeout, or one that ends all attempts. The events may have been stored all the same:
 * sending {@link #events()} again doubles nothing, because they have their ids.
 */
public final class SendFailedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final List<Event> events;
  private final List<SendResult> results;

  static SendFailedException of(List<Event> events, String why, Throwable cause, List<SendResult> results) {
    String message = "%s not sent: %s".formatted(Reports.events(events.size()), why);
    return new SendFailedException(message, cause, events, results);
  }

  SendFailedException(String message, Throwable cause, List<Event> events, List<SendResult> results) {
    super(message, cause);
    this.events = events;
    this.results = results;
  }

  /** The events that were not sent, in order, with the ids and times that they were given. */
  public List<Event> events() {
    return events;
  }

  /** Of sendBatch(): one result per event of the call, in order; of other calls empty. */
  public List<SendResult> results() {
    return results;
  }

  /** The same, as one of the events has it. */
  SendFailedException of(Event event) {
    return new SendFailedException(getMessage(), getCause(), List.of(event), List.of());
  }
}
