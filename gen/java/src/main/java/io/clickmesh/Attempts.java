package io.clickmesh;

import io.grpc.Status;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/** Repeats calls while the gateway is away, until the client ends that. */
final class Attempts {
  private static final long FIRST_BACKOFF_MS = 100;
  private static final long MAX_BACKOFF_MS = 5000;
  private static final long MAX_RETRY_AFTER_MS = 60_000;
  /** With less than this left another attempt is not worth it. */
  private static final long MIN_ATTEMPT_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  /** A call that ended without an answer. The message says why, how often it was tried and for how long. */
  static final class GaveUp extends Exception {
    private static final long serialVersionUID = 1;

    /** Whether the gateway's answer was that no attempt can help. */
    final boolean isFinal;

    GaveUp(boolean isFinal, String message, Throwable cause) {
      super(message, cause);
      this.isFinal = isFinal;
    }
  }

  private final String address;
  private final Duration timeout;
  private final Duration attemptTimeout;
  private final Runnable renew;
  private final CompletableFuture<Void> ended = new CompletableFuture<>();

  /**
   * @param address what messages call the gateway
   * @param renew is called after an attempt that got no answer
   */
  Attempts(String address, Duration timeout, Duration attemptTimeout, Runnable renew) {
    this.address = address;
    this.timeout = timeout;
    this.attemptTimeout = attemptTimeout;
    this.renew = renew;
  }

  /** Makes all calls give up at once, also those that come. */
  void end() {
    ended.complete(null);
  }

  /** Calls with the time that an attempt may take until one is answered, one fails for good, or the timeout is over. */
  <R> R call(Function<Duration, CompletableFuture<R>> attempt) throws GaveUp {
    long start = System.nanoTime();
    long giveUpAt = start + timeout.toNanos();
    AttemptException told = null;
    for (int tries = 1; ; tries++) {
      AttemptException error;
      try {
        return await(attempt, Math.min(giveUpAt - System.nanoTime(), attemptTimeout.toNanos()));
      } catch (AttemptException failed) {
        error = failed;
      }
      if (error.code == Status.Code.DEADLINE_EXCEEDED) renew.run();
      // An attempt that was cut short tells less than the one before.
      boolean isCut = error.code == Status.Code.DEADLINE_EXCEEDED || error.code == Status.Code.CANCELLED;
      if (told == null || !isCut) told = error;
      long waitNanos = error.isTransient ? waitNanos(error, tries, giveUpAt - System.nanoTime()) : -1;
      if (waitNanos < 0 || !pause(waitNanos)) throw gaveUp(error, told, tries, System.nanoTime() - start);
    }
  }

  /** @param told the last error that tells what is wrong with the gateway, if any did */
  private GaveUp gaveUp(AttemptException error, AttemptException told, int tries, long nanos) {
    boolean isCancelled = error.code == Status.Code.CANCELLED;
    String what = told.getMessage() == null ? "" : ": " + told.getMessage().strip().replaceAll("\\s*[\\r\\n]+\\s*", " ");
    if (isCancelled && told != error) what += ", and then " + error.getMessage();
    String attempts = tries == 1 ? "1 attempt" : tries + " attempts";
    String message = "%s%s (%s at %s in %.1f s)".formatted(told.code, what, attempts, address, nanos / 1e9);
    return new GaveUp(!error.isTransient && !isCancelled, message, told.getCause() == null ? told : told.getCause());
  }

  private <R> R await(Function<Duration, CompletableFuture<R>> attempt, long nanos) {
    if (ended.isDone()) throw isEnded();
    CompletableFuture<R> answer;
    try {
      answer = attempt.apply(Duration.ofNanos(Math.max(1_000_000, nanos)));
    } catch (AttemptException beforeItWasSent) {
      throw beforeItWasSent;
    } catch (RuntimeException fault) {
      // Such as headers that are none.
      throw new AttemptException(Status.Code.UNKNOWN, fault.toString(), false, 0, fault);
    }
    try {
      CompletableFuture.anyOf(answer, ended).get(Math.max(1_000_000, nanos), TimeUnit.NANOSECONDS);
      if (answer.isDone()) return answer.get();
      throw isEnded();
    } catch (TimeoutException late) {
      throw new AttemptException(Status.Code.DEADLINE_EXCEEDED, "no answer in time", true, 0, null);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new AttemptException(Status.Code.CANCELLED, "the thread was interrupted", false, 0, interrupted);
    } catch (ExecutionException failed) {
      if (failed.getCause() instanceof AttemptException known) throw known;
      throw new AttemptException(Status.Code.UNKNOWN, failed.getCause().toString(), false, 0, failed.getCause());
    } finally {
      answer.cancel(true);
    }
  }

  private static AttemptException isEnded() {
    return new AttemptException(Status.Code.CANCELLED, "the client was closed", false, 0, null);
  }

  /**
   * At random up to a bound that doubles with each try, so that clients spread, and no less than the gateway asks. What
   * is left when that is too long is halved for a last attempt or two. -1 if there is no time for any.
   */
  private static long waitNanos(AttemptException error, int tries, long leftNanos) {
    long boundMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS << Math.min(tries - 1, 10));
    long askedMs = Math.min(error.retryAfterMs, MAX_RETRY_AFTER_MS);
    long asked = TimeUnit.MILLISECONDS.toNanos(askedMs);
    long random = ThreadLocalRandom.current().nextLong(TimeUnit.MILLISECONDS.toNanos(boundMs));
    if (asked >= leftNanos || leftNanos < MIN_ATTEMPT_NANOS) return -1;
    return Math.max(asked, Math.min(random, leftNanos / 2));
  }

  /** False if the client was ended, or the thread interrupted. */
  private boolean pause(long nanos) {
    try {
      ended.get(nanos, TimeUnit.NANOSECONDS);
      return false;
    } catch (TimeoutException over) {
      return true;
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return false;
    } catch (ExecutionException never) {
      throw new AssertionError(never);
    }
  }
}
