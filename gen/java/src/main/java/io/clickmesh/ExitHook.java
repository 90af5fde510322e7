package io.clickmesh;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Closes the clients that are open when the JVM exits, all at the same time. */
final class ExitHook {
  private static final Set<Runnable> CLOSERS = ConcurrentHashMap.newKeySet();
  private static volatile boolean isExiting;

  static {
    try {
      Runtime.getRuntime().addShutdownHook(new Thread(ExitHook::run, "clickmesh-exit"));
    } catch (IllegalStateException exiting) {
      isExiting = true;
    }
  }

  private ExitHook() {}

  static boolean isExiting() {
    return isExiting;
  }

  static void add(Runnable closer) {
    CLOSERS.add(closer);
  }

  static void remove(Runnable closer) {
    CLOSERS.remove(closer);
  }

  private static void run() {
    isExiting = true;
    Thread[] threads = CLOSERS.stream().map(closer -> new Thread(closer, "clickmesh-exit")).toArray(Thread[]::new);
    for (Thread thread : threads) thread.start();
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException nobodyInterruptsThis) {
        return;
      }
    }
  }
}
