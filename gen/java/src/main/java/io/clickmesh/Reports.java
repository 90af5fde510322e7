package io.clickmesh;

import io.clickmesh.v1.Event;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/** Tells what was lost or rejected: to onError each, to the logger in a line now and then. */
final class Reports {
  private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final String NAME = "io.clickmesh";

  private final BiConsumer<? super RuntimeException, ? super List<Event>> onError;
  private final System.Logger logger;
  private final boolean isSilent;

  private long lost;
  private long rejected;
  private String lastLoss = "";
  private String lastRejection = "";
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
      log("clickmesh: onError failed: " + fault);
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

  /** Warns of what was counted, unless that was done a moment ago. */
  void warn() {
    warn(System.nanoTime());
  }

  /** Warns of what was counted since the last line. */
  void warnNow() {
    warn(Long.MAX_VALUE);
  }

  private void warn(long now) {
    String line;
    synchronized (this) {
      if (lost + rejected == 0 || (now != Long.MAX_VALUE && now - quietUntil < 0)) return;
      StringBuilder text = new StringBuilder("clickmesh: ");
      if (lost > 0) text.append(events(lost)).append(" lost: ").append(lastLoss);
      if (lost > 0 && rejected > 0) text.append("; ");
      if (rejected > 0) text.append(events(rejected)).append(" rejected: ").append(lastRejection);
      line = text.toString();
      lost = 0;
      rejected = 0;
      quietUntil = System.nanoTime() + QUIET_NANOS;
    }
    log(line);
  }

  static String events(long count) {
    return count == 1 ? "1 event" : count + " events";
  }

  /** A line for people. */
  void log(String line) {
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
