package io.clickmesh;

import java.util.ArrayDeque;

/**
 * A thread that runs what users gave the client: what hangs on the answers of track(), and onError. So that may call
 * the client and wait for it, while others send.
 */
final class Answers {
  private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
  private final Runnable everySecond;
  private final Runnable atEnd;
  private volatile Thread thread;
  private boolean isEnding;

  /**
   * @param everySecond runs about once a second
   * @param atEnd runs after the last task
   */
  Answers(Runnable everySecond, Runnable atEnd) {
    this.everySecond = everySecond;
    this.atEnd = atEnd;
  }

  /** Whether the caller is such a task. */
  boolean isOwnThread() {
    return Thread.currentThread() == thread;
  }

  synchronized void add(Runnable task) {
    tasks.add(task);
    start();
    notifyAll();
  }

  /** Starts the thread, for what it does every second. */
  synchronized void start() {
    if (thread != null || (isEnding && tasks.isEmpty())) return;
    thread = new Thread(this::run, "clickmesh-answers");
    thread.setDaemon(true);
    thread.start();
  }

  /** Ends the thread once it has run everything. */
  synchronized void end() {
    isEnding = true;
    notifyAll();
  }

  private void run() {
    while (true) {
      Runnable task = next();
      if (task != null) task.run();
      everySecond.run();
      if (task == null && isOver()) break;
    }
    atEnd.run();
  }

  private synchronized boolean isOver() {
    if (!isEnding || !tasks.isEmpty()) return false;
    thread = null;
    return true;
  }

  /** The next task; null if there is none for a second, or for good. */
  private synchronized Runnable next() {
    if (tasks.isEmpty() && !isEnding) {
      try {
        wait(1000);
      } catch (InterruptedException byACallback) {
        // Meant for what is over.
      }
    }
    return tasks.poll();
  }
}
