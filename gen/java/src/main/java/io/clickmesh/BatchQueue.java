package io.clickmesh;

import io.clickmesh.v1.Acceptance;
import io.clickmesh.v1.Event;
import io.clickmesh.v1.IngestResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** Gathers tracked events into batches by number, bytes and time; a thread of its own sends one after the other. */
final class BatchQueue {
  /** An event, or without one a mark that is answered once everything before it has been. */
  private static final class Item {
    final Event event;
    final CompletableFuture<Acceptance> answer = new CompletableFuture<>();

    Item(Event event) {
      this.event = event;
    }
  }

  private final Function<List<Event>, List<IngestResult>> send;
  private final int batchSize;
  private final Duration batchDelay;
  private final BlockingQueue<Item> queue;

  BatchQueue(
      Function<List<Event>, List<IngestResult>> send, int batchSize, Duration batchDelay, int maxWaiting) {
    this.send = send;
    this.batchSize = batchSize;
    this.batchDelay = batchDelay;
    this.queue = new ArrayBlockingQueue<>(maxWaiting);
    Thread thread = new Thread(this::run, "clickmesh");
    thread.setDaemon(true);
    thread.start();
  }

  /** Blocks while too many events wait. */
  CompletableFuture<Acceptance> put(Event event) throws InterruptedException {
    return put(new Item(event));
  }

  /** Completes when everything put before has been answered. */
  CompletableFuture<Acceptance> flush() throws InterruptedException {
    return put(new Item(null));
  }

  private CompletableFuture<Acceptance> put(Item item) throws InterruptedException {
    queue.put(item);
    return item.answer;
  }

  private void run() {
    try {
      while (true) sendNextBatch();
    } catch (InterruptedException nobodyInterruptsThis) {
      throw new AssertionError(nobodyInterruptsThis);
    }
  }

  /** Waits for a first event and then for more, until they are enough, it has waited long enough, or a mark comes. */
  private void sendNextBatch() throws InterruptedException {
    List<Item> batch = new ArrayList<>();
    int bytes = 0;
    Item item = queue.take();
    long due = System.nanoTime() + batchDelay.toNanos();
    while (item != null && item.event != null) {
      batch.add(item);
      bytes += Events.sizeOf(item.event);
      boolean isFull = batch.size() >= batchSize || bytes >= Events.MAX_BATCH_BYTES;
      item = isFull ? null : queue.poll(due - System.nanoTime(), TimeUnit.NANOSECONDS);
    }
    deliver(batch);
    if (item != null) item.answer.complete(null);
  }

  private void deliver(List<Item> batch) {
    if (batch.isEmpty()) return;
    List<Event> events = new ArrayList<>();
    for (Item item : batch) events.add(item.event);
    try {
      List<IngestResult> results = send.apply(events);
      for (int i = 0; i < batch.size(); i++) answer(batch.get(i), results.get(i));
    } catch (RuntimeException error) {
      for (Item item : batch) item.answer.completeExceptionally(error);
    }
  }

  private static void answer(Item item, IngestResult result) {
    if (result.hasAccepted()) item.answer.complete(result.getAccepted());
    else item.answer.completeExceptionally(new RejectedException(result.getRejected()));
  }
}
