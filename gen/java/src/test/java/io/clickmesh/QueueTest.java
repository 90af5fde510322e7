package io.clickmesh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clickmesh.v1.Event;
import io.clickmesh.v1.IngestBatchRequest;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How tracked events become batches, and what bounds them. */
@Timeout(60)
class QueueTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final int MIB = 1 << 20;

  private final CountDownLatch open = new CountDownLatch(1);
  private FakeGateway gateway;

  @BeforeEach
  void start() throws IOException {
    gateway = FakeGateway.start();
  }

  @AfterEach
  void stop() {
    open.countDown();
    gateway.close();
  }

  /** Until `open`, no call is answered. */
  private void hold() {
    gateway.before =
        () -> {
          await(open);
          return null;
        };
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    }
  }

  /** A click that takes so many bytes in a batch. */
  private static Event click(int bytes) {
    ClickBuilder builder =
        Events.click().eventId("click").userId("user").adId("ad").campaignId("campaign").source("web").timestamp(1_790_000_000_000L);
    Event event = builder.metadata("blob", "x".repeat(bytes)).build();
    return builder.metadata("blob", "x".repeat(2 * bytes - Item.of(event).bytes)).build();
  }

  private static Event click() {
    return click(200);
  }

  private List<Integer> sizes() {
    return List.copyOf(gateway.calls).stream().map(IngestBatchRequest::getEventsCount).sorted().toList();
  }

  private void assertCallsAreSmall() {
    for (IngestBatchRequest call : gateway.calls) assertTrue(call.getSerializedSize() <= 1_000_000, "" + call.getSerializedSize());
  }

  @Test
  void atMostSoManyBytesWait() throws Exception {
    hold();
    ClickmeshOptions options = new ClickmeshOptions().maxQueueBytes(MIB).onFull(OnFull.REJECT).logger(null);
    ClickmeshClient client = new ClickmeshClient(gateway.url(), options);
    CompletableFuture<Accepted> first = client.track(click(MIB / 2));
    assertTrue(client.ready(Duration.ZERO));
    CompletableFuture<Accepted> second = client.track(click(MIB / 2));
    Throwable full = assertThrows(ExecutionException.class, client.track(click())::get).getCause();
    assertInstanceOf(QueueFullException.class, full);
    assertEquals("the queue is full: it has 2 events and 1048576 of 1048576 bytes", full.getMessage());
    assertFalse(client.ready(Duration.ZERO));
    open.countDown();
    first.get();
    second.get();
    assertTrue(client.flush());
    assertTrue(client.ready(Duration.ZERO));
    client.track(click(MIB / 2)).get();
    assertThrows(NotSentException.class, client::close);
  }

  @Test
  void anInterruptedThreadDoesNotWaitForRoom() throws Exception {
    hold();
    ClickmeshClient client = new ClickmeshClient(gateway.url(), new ClickmeshOptions().maxQueueEvents(1).logger(null));
    client.track(click());
    Thread.currentThread().interrupt();
    CompletableFuture<Accepted> refused = client.track(click());
    assertTrue(Thread.interrupted());
    Throwable error = assertThrows(ExecutionException.class, refused::get).getCause();
    assertTrue(error.getMessage().contains("interrupted"), error.getMessage());
    assertEquals(new Counters(2, 0, 0, 1, 0, 1), client.counters());
    open.countDown();
    assertThrows(NotSentException.class, client::close);
  }

  @Test
  void callbacksThatTrackForEverAreBounded() throws Exception {
    CompletableFuture<Throwable> error = new CompletableFuture<>();
    ClickmeshClient client = new ClickmeshClient(gateway.url(), new ClickmeshOptions().maxQueueEvents(10).logger(null));
    client
        .track(click())
        .thenRun(
            () -> {
              for (int i = 0; i < 1000; i++) {
                client
                    .track(click())
                    .exceptionally(
                        refused -> {
                          error.complete(refused);
                          return null;
                        });
              }
            });
    assertInstanceOf(QueueFullException.class, error.get(20, TimeUnit.SECONDS));
    assertThrows(NotSentException.class, client::close);
  }

  @Test
  void batchesHaveSoManyEvents() {
    ClickmeshOptions options = new ClickmeshOptions().batchSize(10).batchDelay(LONG);
    try (ClickmeshClient client = new ClickmeshClient(gateway.url(), options)) {
      for (int i = 0; i < 25; i++) client.track(click());
      assertTrue(client.flush());
    }
    assertEquals(List.of(5, 10, 10), sizes());
  }

  @Test
  void batchesHaveSoManyBytes() throws Exception {
    ClickmeshOptions options = new ClickmeshOptions().batchDelay(LONG);
    try (ClickmeshClient client = new ClickmeshClient(gateway.url(), options)) {
      List<CompletableFuture<Accepted>> answers = new ArrayList<>();
      for (int i = 0; i < 3; i++) answers.add(client.track(click(400_000)));
      // Long before it has waited for batchDelay.
      answers.get(0).get(20, TimeUnit.SECONDS);
      assertTrue(client.flush());
    }
    assertEquals(List.of(1, 2), sizes());
    assertCallsAreSmall();
  }

  @Test
  void aBatchWaitsAsLongAsItIsTold() throws Exception {
    ClickmeshOptions options = new ClickmeshOptions().batchSize(2).batchDelay(LONG);
    try (ClickmeshClient client = new ClickmeshClient(gateway.url(), options)) {
      client.track(click());
      Thread.sleep(300);
      client.track(click()).get(20, TimeUnit.SECONDS);
    }
    assertEquals(List.of(2), sizes());
  }

  @Test
  void sendBatchMakesCallsThatTheGatewayTakes() {
    List<Event> many = new ArrayList<>();
    for (int i = 0; i < 2500; i++) many.add(click());
    List<Event> large = List.of(click(400_000), click(400_000), click(400_000));
    try (ClickmeshClient client = new ClickmeshClient(gateway.url())) {
      client.sendBatch(many);
      assertEquals(List.of(500, 1000, 1000), sizes());
      gateway.calls.clear();
      client.sendBatch(large);
      assertEquals(List.of(1, 2), sizes());
      assertCallsAreSmall();
    }
  }

  @Test
  void fourBatchesAreUnderWayAtOnce() {
    AtomicInteger now = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    CountDownLatch four = new CountDownLatch(4);
    gateway.before =
        () -> {
          most.accumulateAndGet(now.incrementAndGet(), Math::max);
          four.countDown();
          await(four);
          // Time for a fifth, if there were one.
          sleep(200);
          now.decrementAndGet();
          return null;
        };
    ClickmeshOptions options = new ClickmeshOptions().batchSize(1).batchDelay(LONG);
    try (ClickmeshClient client = new ClickmeshClient(gateway.url(), options)) {
      for (int i = 0; i < 20; i++) client.track(click());
      assertTrue(client.flush());
    }
    assertEquals(4, most.get());
  }

  @Test
  void aBatchThatHangsHoldsUpNoOther() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    CountDownLatch hung = new CountDownLatch(1);
    gateway.before =
        () -> {
          if (calls.getAndIncrement() > 0) return null;
          hung.countDown();
          await(open);
          return null;
        };
    ClickmeshOptions options = new ClickmeshOptions().attemptTimeout(LONG).timeout(LONG);
    try (ClickmeshClient client = new ClickmeshClient(gateway.url(), options)) {
      CompletableFuture<Accepted> first = client.track(click());
      await(hung);
      for (int i = 0; i < 10; i++) client.track(click()).get(20, TimeUnit.SECONDS);
      assertFalse(first.isDone());
      open.countDown();
      first.get(20, TimeUnit.SECONDS);
    }
  }

  private static void sleep(long ms) {
    try {
      Thread.sleep(ms);
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    }
  }
}
