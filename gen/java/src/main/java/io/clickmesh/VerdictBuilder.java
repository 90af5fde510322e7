package io.clickmesh;

import io.clickmesh.v1.Event;
import io.clickmesh.v1.Verdict;

/**
 * What a click turned out to be. Made by {@link Events#invalidate()} and {@link Events#verdict()}. Its userId is that of
 * the click.
 */
public final class VerdictBuilder extends EventBuilder<VerdictBuilder> {
  private final Verdict.Builder verdict = Verdict.newBuilder();

  VerdictBuilder() {}

  /** The event_id of the click, as it was sent. Required. */
  public VerdictBuilder clickId(String value) {
    return set("click_id", value);
  }

  /** Whether the click counts. Required. */
  public VerdictBuilder valid(boolean value) {
    return set("valid", value);
  }

  /** Why, for people, such as "bot". */
  public VerdictBuilder reason(String value) {
    return set("reason", value);
  }

  @Override
  public Event build() {
    return Events.of(verdict.build());
  }

  @Override
  Verdict.Builder fields() {
    return verdict;
  }
}
