package io.clickmesh;

import java.time.Duration;

/** What may be set of a client, with its default. */
public final class ClickmeshOptions {
  Duration timeout = Duration.ofSeconds(30);
  Duration attemptTimeout = Duration.ofSeconds(10);
  int batchSize = 500;
  Duration batchDelay = Duration.ofMillis(50);
  int maxWaiting = 10_000;

  /** Longest time of a call with all its attempts. 30 s. */
  public ClickmeshOptions timeout(Duration value) {
    timeout = value;
    return this;
  }

  /** Longest time of one attempt. 10 s. */
  public ClickmeshOptions attemptTimeout(Duration value) {
    attemptTimeout = value;
    return this;
  }

  /** Tracked events go out when this many wait, at most 1000. 500. */
  public ClickmeshOptions batchSize(int value) {
    batchSize = Math.min(value, Events.MAX_BATCH_EVENTS);
    return this;
  }

  /** Tracked events go out when the first has waited this long. 50 ms. */
  public ClickmeshOptions batchDelay(Duration value) {
    batchDelay = value;
    return this;
  }

  /** track() blocks while this many tracked events wait. 10,000. */
  public ClickmeshOptions maxWaiting(int value) {
    maxWaiting = value;
    return this;
  }
}
