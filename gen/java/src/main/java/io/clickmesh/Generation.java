package io.clickmesh;

/** What was tracked between two calls of flush. */
final class Generation {
  /** Events of which it is not known yet what became of them. */
  int unsettled;
  /** Events whose callers were not told yet. */
  int unanswered;
  final long number;

  Generation(long number) {
    this.number = number;
  }
}
