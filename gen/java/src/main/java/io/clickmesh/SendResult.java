package io.clickmesh;

import java.io.Serializable;

/**
 * What became of one event of {@link ClickmeshClient#sendBatch}: one of the two is set; neither, if it was not sent.
 *
 * @param accepted null unless it is durable
 * @param rejected null unless it breaks a rule
 */
public record SendResult(Accepted accepted, RejectedException rejected) implements Serializable {
  static final SendResult NOT_SENT = new SendResult(null, null);

  /** Whether the event is durable. */
  public boolean isAccepted() {
    return accepted != null;
  }

  /** Whether the event breaks a rule. */
  public boolean isRejected() {
    return rejected != null;
  }
}
