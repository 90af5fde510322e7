package io.clickmesh;

/** What {@link ClickmeshClient#track} does while the queue is full. */
public enum OnFull {
  /** It blocks until there is room. */
  WAIT,
  /** It answers with {@link QueueFullException} at once, and the event counts as lost. */
  REJECT
}
