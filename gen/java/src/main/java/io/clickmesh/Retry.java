package io.clickmesh;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;

/** Repeats calls while the gateway is away. */
final class Retry {
  private static final long FIRST_BACKOFF_MS = 100;
  private static final long MAX_BACKOFF_MS = 5000;
  private static final Metadata.Key<String> RETRY_AFTER =
      Metadata.Key.of("retry-after", Metadata.ASCII_STRING_MARSHALLER);

  private final Duration timeout;
  private final Duration attemptTimeout;

  Retry(Duration timeout, Duration attemptTimeout) {
    this.timeout = timeout;
    this.attemptTimeout = attemptTimeout;
  }

  /**
   * Calls with the time that the attempt may take until it is answered, fails for good, or the time is over; then
   * throws its last error.
   */
  <T> T call(Function<Duration, T> attempt) {
    long giveUpAt = System.nanoTime() + timeout.toNanos();
    for (int tries = 0; ; tries++) {
      Duration left = Duration.ofNanos(giveUpAt - System.nanoTime());
      try {
        return attempt.apply(left.compareTo(attemptTimeout) < 0 ? left : attemptTimeout);
      } catch (StatusRuntimeException error) {
        long waitMs = backoffMs(error, tries);
        if (!isTransient(error) || System.nanoTime() + waitMs * 1_000_000 >= giveUpAt) throw error;
        sleep(waitMs, error);
      }
    }
  }

  private static boolean isTransient(StatusRuntimeException error) {
    switch (error.getStatus().getCode()) {
      case UNAVAILABLE:
      case DEADLINE_EXCEEDED:
      case ABORTED:
        return true;
      case RESOURCE_EXHAUSTED:
        // Without it the request is too large, and always will be.
        return retryAfterMs(error) > 0;
      default:
        return false;
    }
  }

  /** Doubles with each try, at random between half and whole so that clients spread; no less than the gateway asks. */
  private static long backoffMs(StatusRuntimeException error, int tries) {
    long whole = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS << Math.min(tries, 10));
    return Math.max(retryAfterMs(error), ThreadLocalRandom.current().nextLong(whole / 2, whole));
  }

  private static long retryAfterMs(StatusRuntimeException error) {
    String seconds = error.getTrailers() == null ? null : error.getTrailers().get(RETRY_AFTER);
    return seconds != null && seconds.matches("\\d{1,6}") ? Long.parseLong(seconds) * 1000 : 0;
  }

  private static void sleep(long ms, StatusRuntimeException error) {
    try {
      Thread.sleep(ms);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw Status.CANCELLED.withDescription("interrupted").withCause(error).asRuntimeException();
    }
  }
}
