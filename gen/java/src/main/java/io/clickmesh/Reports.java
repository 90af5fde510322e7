package io.clickmesh;

import io.clickmesh.v1.Event;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/** Tells what was lost or rejected, and of faults beside: to onError each, to the logger in a line now and then. */
final class Reports {
  private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final String NAME = "io.clickmesh";

  private final BiConsumer<? super RuntimeException, ? super List<Event>> onError;
  private final System.Logger logger;
  private final boolean isSilent;

  private long lost;
  private long rejected;
  private long faults;
  private String lastLoss = "";
  private String lastRejection = "";
  private String lastFault = "";
  /** Of System.nanoTime(). */
  private long quietUntil = System.nanoTime();

  Reports(ClickmeshOptions options) {
    onError = options.onError;
    logger = options.logger;
    isSilent = options.isSilent;
  }

  /** Calls onError, whose own errors stop nothing. */
  void tell(RuntimeException error, List<Event> events) {
    try {
      onError.accept(error, events);
    } catch (Throwable fault) {
      countFault("onError failed: " + fault);
    }
  }

  synchronized void countLost(int events, String why) {
    lost += events;
    lastLoss = why;
  }

  synchronized void countRejected(int events, String why) {
    rejected += events;
    lastRejection = why;
  }

  /** Of what costs no event by itself, such as that the store can't be written. */
  synchronized void countFault(String what) {
    faults++;
    lastFault = what;
  }

  /** Warns of what was counted, unless that was done a moment ago. */
  void warn() {
    warn(System.nanoTime());
  }

  /** Warns of what was counted since the last line. */
  void warnNow() {
    synchronized (this) {
      quietUntil = System.nanoTime();
    }
    warn();
  }

  /** @param now of System.nanoTime() */
  void warn(long now) {
    List<String> parts = new ArrayList<>();
    synchronized (this) {
      if (lost + rejected + faults == 0 || now - quietUntil < 0) return;
      if (lost > 0) parts.add(events(lost) + " lost: " + lastLoss);
      if (rejected > 0) parts.add(events(rejected) + " rejected: " + lastRejection);
      if (faults > 0) parts.add(lastFault + (faults == 1 ? "" : " (%d such faults)".formatted(faults)));
      lost = 0;
      rejected = 0;
      faults = 0;
      quietUntil = now + QUIET_NANOS;
    }
    log("clickmesh: " + String.join("; ", parts));
  }

  /** Of a call that tells its caller by itself. */
  synchronized void noteLoss(String why) {
    lastLoss = why;
  }

  /** Why an event was lost last. */
  synchronized String lastLoss() {
    return lastLoss;
  }

  static String events(long count) {
    return count == 1 ? "1 event" : count + " events";
  }

  private void log(String line) {
    if (isSilent) return;
    try {
      if (logger != null) {
        logger.log(System.Logger.Level.WARNING, line);
        return;
      }
      if (!ExitHook.isExiting()) System.getLogger(NAME).log(System.Logger.Level.WARNING, line);
      // java.util.logging may print nothing any more: it ends in a shutdown hook of its own. Better twice than never.
      if (ExitHook.isExiting()) System.err.println(line);
    } catch (RuntimeException faultOfTheLogger) {
      System.err.println(line);
    }
  }
}
