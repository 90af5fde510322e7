package io.clickmesh;

import io.clickmesh.v1.Event;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * The tracked events that wait or are under way, bounded by count and bytes, the threads that send them in batches, and
 * what became of every event so far. One lock holds it all.
 */
final class Outbox {
  /** A little less than what the gateway takes in a call. */
  static final int MAX_BATCH_BYTES = 1_000_000;
  /** Batches under way at the same time. */
  private static final int MAX_SENDERS = 4;
  /** How long close() waits, after its limit, for attempts that it has ended. */
  private static final Duration GRACE = Duration.ofSeconds(1);
  /** Callbacks of the client may fill the queue so many times over: they are what makes room in it. */
  private static final int CALLBACK_SHARE = 2;

  private enum State {
    OPEN,
    CLOSING,
    CLOSED
  }

  private final ClickmeshOptions options;
  private final Answers answers;
  private final Reports reports;
  private final Store store;
  private final Consumer<List<Item>> deliver;

  private final ReentrantLock lock = new ReentrantLock();
  /** The one sender that gathers a batch waits for events, the others for their turn. */
  private final Condition work = lock.newCondition();
  private final Condition turn = lock.newCondition();
  /** Anything else has changed. */
  private final Condition changed = lock.newCondition();

  private State state = State.OPEN;
  private final ArrayDeque<Item> queue = new ArrayDeque<>();
  private long queueBytes;
  /** Events, and their bytes, of which nobody knows yet what became of them; and those whose callers don't. */
  private int unsettled;
  private long unsettledBytes;
  private int unanswered;
  private long unansweredBytes;
  /** Events of calls that wait for their answer themselves. */
  private int direct;
  private final ArrayDeque<Generation> generations = new ArrayDeque<>(List.of(new Generation(0)));
  /** What is older goes out without waiting for others, of System.nanoTime(). */
  private long hurryUntil = System.nanoTime();
  private final Set<Thread> senders = new HashSet<>();
  /** Those of them that send nothing now. */
  private int idleSenders;
  private boolean isGathering;
  private boolean isDiscarding;
  private final List<Item> discarded = new ArrayList<>();
  private long sent;
  private long rejected;
  private long lost;

  /**
   * @param store null for none
   * @param deliver sends a batch and calls settle() or giveUp(), whatever happens
   */
  Outbox(ClickmeshOptions options, Answers answers, Reports reports, Store store, Consumer<List<Item>> deliver) {
    this.options = options;
    this.answers = answers;
    this.reports = reports;
    this.store = store;
    this.deliver = deliver;
  }

  /** Sends what the store had when it was opened. */
  void start() {
    lock.lock();
    try {
      if (hasReady()) startSender();
    } finally {
      lock.unlock();
    }
  }

  /** Takes an event, once there is room. Returns why not; null if it has. */
  RuntimeException put(Item item) {
    lock.lock();
    try {
      checkOpen();
      boolean isCallback = answers.isOwnThread();
      while (!hasRoom(item, isCallback)) {
        boolean isFull = options.onFull == OnFull.REJECT;
        if (isCallback && unanswered >= CALLBACK_SHARE * (long) options.maxQueueEvents) isFull = true;
        if (isFull) return refused(item, "");
        try {
          changed.await();
        } catch (InterruptedException interrupted) {
          Thread.currentThread().interrupt();
          return refused(item, ", and the thread that waited for room was interrupted");
        }
        checkOpen();
      }
      add(item);
      return null;
    } finally {
      lock.unlock();
    }
  }

  private void checkOpen() {
    if (state != State.OPEN) throw new ClientClosedException();
  }

  private QueueFullException refused(Item item, String why) {
    lost++;
    String bounds = "%s and %d of %d bytes".formatted(Reports.events(unanswered), unansweredBytes, options.maxQueueBytes);
    return new QueueFullException("the queue is full: it has %s%s".formatted(bounds, why), item.event);
  }

  /** A callback does not wait for what only it makes: that others learn of what was sent. */
  private boolean hasRoom(Item item, boolean isCallback) {
    int events = isCallback ? unsettled : unanswered;
    long bytes = isCallback ? unsettledBytes : unansweredBytes;
    return events < options.maxQueueEvents && (events == 0 || bytes + item.bytes <= options.maxQueueBytes);
  }

  private void add(Item item) {
    boolean wasFull = isBatchFull();
    // What the store had ready is older than all that was tracked since.
    item.generation = item.isFromStore ? generations.getFirst() : generations.getLast();
    item.generation.unsettled++;
    item.generation.unanswered++;
    unsettled++;
    unsettledBytes += item.bytes;
    unanswered++;
    unansweredBytes += item.bytes;
    queue.add(item);
    queueBytes += item.bytes;
    if (idleSenders == 0 && senders.size() < MAX_SENDERS) startSender();
    else if (queue.size() == 1 || (!wasFull && isBatchFull())) work.signal();
  }

  private boolean isBatchFull() {
    return queue.size() >= options.batchSize || queueBytes >= MAX_BATCH_BYTES;
  }

  /** Waits until there is room for another event; false if there is none within the limit. */
  boolean awaitRoom(Duration limit) {
    lock.lock();
    try {
      checkOpen();
      boolean isMet =
          await(
              limit,
              () -> state != State.OPEN || (unanswered < options.maxQueueEvents && unansweredBytes < options.maxQueueBytes));
      checkOpen();
      return isMet;
    } finally {
      lock.unlock();
    }
  }

  private void startSender() {
    Thread sender = new Thread(this::send, "clickmesh-sender");
    sender.setDaemon(true);
    senders.add(sender);
    idleSenders++;
    sender.start();
  }

  private void send() {
    for (List<Item> batch = take(true); batch != null; batch = take(false)) deliver.accept(batch);
  }

  /** Waits for a batch; null once the client is closed and there is nothing more to send. */
  private List<Item> take(boolean isNew) {
    lock.lock();
    try {
      if (!isNew) idleSenders++;
      while (isGathering) turn.awaitUninterruptibly();
      isGathering = true;
      boolean hasWork = awaitBatch();
      isGathering = false;
      idleSenders--;
      turn.signal();
      if (!hasWork) {
        senders.remove(Thread.currentThread());
        return null;
      }
      List<Item> batch = new ArrayList<>(Math.min(queue.size(), options.batchSize));
      int bytes = 0;
      while (!queue.isEmpty() && batch.size() < options.batchSize) {
        if (!batch.isEmpty() && bytes + queue.peek().bytes > MAX_BATCH_BYTES) break;
        Item item = queue.poll();
        bytes += item.bytes;
        batch.add(item);
      }
      queueBytes -= bytes;
      if (!queue.isEmpty() && idleSenders == 0 && senders.size() < MAX_SENDERS) startSender();
      return batch;
    } finally {
      lock.unlock();
    }
  }

  /** False if there will be none. */
  private boolean awaitBatch() {
    while (true) {
      refill();
      long waitNanos = Long.MAX_VALUE;
      if (!queue.isEmpty()) {
        Item first = queue.peek();
        waitNanos = first.at + options.batchDelay.toNanos() - System.nanoTime();
        boolean isHurried = first.isFromStore || first.at - hurryUntil <= 0 || state != State.OPEN;
        if (isHurried || isBatchFull() || waitNanos <= 0) return true;
      } else if (state != State.OPEN) return false;
      try {
        work.awaitNanos(waitNanos);
      } catch (InterruptedException notMeantForThis) {
        // The thread is the client's own, and ends by close().
      }
    }
  }

  /** Queues what the store has ready, as much as a batch. */
  private void refill() {
    while (hasReady() && !isBatchFull()) add(Item.fromStore(store.take()));
  }

  /** The gateway answered. */
  void settle(List<Item> batch, List<SendResult> results) {
    lock.lock();
    try {
      for (int i = 0; i < batch.size(); i++) {
        if (results.get(i).isAccepted()) sent++;
        else rejected++;
        if (batch.get(i).isFromStore) store.forget(batch.get(i).event);
      }
      settled(batch);
      // It is there again, so what it was kept from is tried once more.
      if (store != null && store.retry()) work.signal();
    } finally {
      lock.unlock();
    }
    answers.add(
        () -> {
          for (int i = 0; i < batch.size(); i++) tell(batch.get(i), results.get(i));
          answered(batch);
        });
  }

  private void tell(Item item, SendResult result) {
    if (result.isAccepted()) {
      item.answer.complete(result.accepted());
      return;
    }
    reports.countRejected(1, result.rejected().getMessage());
    item.answer.completeExceptionally(result.rejected());
    reports.tell(result.rejected(), List.of(item.event));
  }

  /** No answer came; what may be kept and has room in the store is not lost. */
  void giveUp(List<Item> batch, String why, Throwable cause, boolean mayBeKept) {
    SendFailedException error = SendFailedException.of(eventsOf(batch), why, cause, List.of());
    int kept = 0;
    lock.lock();
    try {
      for (Item item : batch) {
        if (mayBeKept && keep(item)) kept++;
        else {
          if (item.isFromStore) store.forget(item.event);
          lost++;
          if (isDiscarding) discarded.add(item);
        }
      }
      if (kept > 0) store.sync();
      settled(batch);
    } finally {
      lock.unlock();
    }
    if (kept < batch.size()) reports.countLost(batch.size() - kept, why);
    answers.add(
        () -> {
          for (Item item : batch) item.answer.completeExceptionally(error.of(item.event));
          reports.tell(error, eventsOf(batch));
          answered(batch);
        });
  }

  static List<Event> eventsOf(List<Item> items) {
    return items.stream().map(item -> item.event).toList();
  }

  private boolean keep(Item item) {
    if (store == null) return false;
    if (!item.isFromStore) return store.add(item.event);
    store.putBack(item.event);
    return true;
  }

  private void settled(List<Item> batch) {
    for (Item item : batch) {
      item.generation.unsettled--;
      unsettledBytes -= item.bytes;
    }
    unsettled -= batch.size();
    changed.signalAll();
  }

  private void answered(List<Item> batch) {
    lock.lock();
    try {
      for (Item item : batch) {
        item.generation.unanswered--;
        unansweredBytes -= item.bytes;
      }
      unanswered -= batch.size();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Counts events of a call that waits for their answer itself, until end() says what became of them. */
  void begin(int events) {
    lock.lock();
    try {
      checkOpen();
      direct += events;
    } finally {
      lock.unlock();
    }
  }

  void end(int nowSent, int nowRejected, int nowLost) {
    lock.lock();
    try {
      sent += nowSent;
      rejected += nowRejected;
      lost += nowLost;
      direct -= nowSent + nowRejected + nowLost;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Counts a tracked event that was rejected before it was queued. */
  void reject() {
    begin(1);
    end(0, 1, 0);
  }

  Counters counters() {
    lock.lock();
    try {
      long stored = store == null ? 0 : store.size();
      long waiting = (long) unsettled + direct;
      return new Counters(sent + rejected + lost + stored + waiting, sent, rejected, lost, stored, waiting);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Sends what waits at once; false unless all of it was answered within the limit. A callback waits only for what became
   * of it, not for other callbacks; a thread that sends can't wait for itself.
   */
  boolean flush(Duration limit) {
    boolean isCallback = answers.isOwnThread();
    lock.lock();
    try {
      hurryUntil = System.nanoTime();
      work.signal();
      if (senders.contains(Thread.currentThread())) return false;
      Generation last = generations.getLast();
      boolean hasSome = last.unanswered > 0 || (generations.size() == 1 && hasReady());
      if (hasSome) generations.add(new Generation(last.number + 1));
      Generation next = generations.getLast();
      return await(limit, () -> isOverBefore(next, isCallback));
    } finally {
      lock.unlock();
    }
  }

  /** Whether all before this generation is. The first is not over while the store has what will be of it. */
  private boolean isOverBefore(Generation next, boolean isCallback) {
    if (hasReady()) return false;
    while (generations.size() > 1 && generations.peek().unanswered == 0) generations.poll();
    for (Generation one : generations) {
      if (one.number >= next.number) return true;
      if ((isCallback ? one.unsettled : one.unanswered) > 0) return false;
    }
    return true;
  }

  /** Whether the store has events that are to be sent now. */
  private boolean hasReady() {
    return store != null && !isDiscarding && store.ready() > 0;
  }

  /** Waits for something, interrupted or not; false if it does not come within the limit. Keeps the flag. */
  private boolean await(Duration limit, BooleanSupplier isMet) {
    long until = System.nanoTime() + nanosOf(limit);
    boolean isInterrupted = false;
    try {
      while (!isMet.getAsBoolean()) {
        long left = until - System.nanoTime();
        if (left <= 0) return false;
        try {
          changed.awaitNanos(left);
        } catch (InterruptedException later) {
          isInterrupted = true;
        }
      }
      return true;
    } finally {
      if (isInterrupted) Thread.currentThread().interrupt();
    }
  }

  private static long nanosOf(Duration limit) {
    long longest = TimeUnit.DAYS.toNanos(365);
    return limit.compareTo(Duration.ofDays(365)) > 0 ? longest : Math.max(0, limit.toNanos());
  }

  /**
   * Takes no more events and waits until what it has is sent; after the limit ends the attempts and discards the rest.
   * Returns what was lost in all, as does every later call; null if nothing.
   *
   * @param disconnect is called once, at the end
   */
  NotSentException close(Duration limit, Runnable endAttempts, Runnable disconnect) {
    boolean isCallback = answers.isOwnThread();
    lock.lock();
    try {
      boolean isOwn = isCallback || senders.contains(Thread.currentThread());
      if (state != State.OPEN) {
        // The first waits for callbacks, so these don't wait for it.
        await(limit.plus(GRACE), () -> state == State.CLOSED || (isOwn && isSettled()));
        if (!isOwn) await(GRACE, () -> unanswered == 0);
        return notSent();
      }
      state = State.CLOSING;
      work.signalAll();
      changed.signalAll();
      long start = System.nanoTime();
      if (!await(isOwn && !isCallback ? Duration.ZERO : limit, this::isSettled)) discard(limit, endAttempts);
      Duration left = limit.minusNanos(System.nanoTime() - start);
      if (!isOwn) await(left.compareTo(GRACE) > 0 ? left : GRACE, () -> unanswered == 0);
    } finally {
      lock.unlock();
    }
    disconnect.run();
    lock.lock();
    try {
      state = State.CLOSED;
      changed.signalAll();
      return notSent();
    } finally {
      lock.unlock();
    }
  }

  private boolean isSettled() {
    return unsettled == 0 && direct == 0 && !hasReady();
  }

  private void discard(Duration limit, Runnable endAttempts) {
    isDiscarding = true;
    endAttempts.run();
    List<Item> rest = new ArrayList<>(queue);
    queue.clear();
    queueBytes = 0;
    if (!rest.isEmpty()) {
      giveUp(rest, "close() discarded what waited after its limit of %s s".formatted(limit.toMillis() / 1e3), null, true);
    }
    await(GRACE, () -> unsettled == 0 && direct == 0);
  }

  private NotSentException notSent() {
    if (lost == 0) return null;
    List<Item> items = discarded.stream().sorted(Comparator.comparingLong(item -> item.at)).toList();
    String text =
        "%s not sent, %d of them discarded by close(): %s".formatted(Reports.events(lost), items.size(), reports.lastLoss());
    return new NotSentException(text, lost, eventsOf(items));
  }
}
