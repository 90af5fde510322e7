package io.clickmesh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clickmesh.v1.Event;
import io.grpc.Status;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What becomes of events while the gateway fails, the queue is full, or the client is closed. */
@Timeout(60)
class DeliveryTest {
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final String NOWHERE = "http://127.0.0.1:1";

  private FakeGateway gateway;

  @BeforeEach
  void start() throws IOException {
    gateway = FakeGateway.start();
  }

  @AfterEach
  void stop() {
    gateway.close();
  }

  private static ClickBuilder click() {
    return Events.click().userId("user").adId("ad").campaignId("campaign").source("web");
  }

  private static List<Event> clicks(int count) {
    return IntStream.range(0, count).mapToObj(i -> click().eventId("click-" + i).build()).toList();
  }

  private static Set<String> ids(List<Event> events) {
    return events.stream().map(Events::eventId).collect(Collectors.toSet());
  }

  private static void assertAdds(Counters counters) {
    assertEquals(
        counters.queued(),
        counters.sent() + counters.rejected() + counters.lost() + counters.stored() + counters.waiting(),
        counters.toString());
  }

  @Test
  void anAnswerOf503OverHttp1IsTriedAgain() throws Exception {
    try (FakeGateway.Balancer balancer = gateway.new Balancer();
        ClickmeshClient client = new ClickmeshClient(balancer.url())) {
      CompletableFuture<Accepted> answer = client.track(click());
      assertFalse(client.flush(Duration.ofMillis(1000)));
      balancer.isAway = false;
      answer.get(20, TimeUnit.SECONDS);
    }
    assertEquals(1, gateway.taken.size());
  }

  @Test
  void lossIsTold() throws Exception {
    List<String> lines = Collections.synchronizedList(new ArrayList<>());
    List<List<Event>> told = Collections.synchronizedList(new ArrayList<>());
    ClickmeshOptions options =
        new ClickmeshOptions()
            .timeout(Duration.ofMillis(300))
            .logger(new LinesLogger(lines))
            .onError((error, events) -> told.add(events));
    ClickmeshClient client = new ClickmeshClient(NOWHERE, options);
    List<CompletableFuture<Accepted>> answers = clicks(20).stream().map(client::track).toList();
    client.track(click().userId(""));
    assertTrue(client.flush());
    for (int i = 0; i < 20; i++) {
      Throwable error = assertThrows(ExecutionException.class, answers.get(i)::get).getCause();
      assertEquals(Set.of("click-" + i), ids(assertInstanceOf(SendFailedException.class, error).events()));
      assertTrue(error.getMessage().matches("20 events not sent: UNAVAILABLE: .* \\(\\d+ attempts at http://127.0.0.1:1 in \\d\\.\\d s\\)"), error.getMessage());
    }
    assertEquals(new Counters(21, 0, 1, 20, 0, 0), client.counters());
    assertEquals(2, told.size());
    NotSentException notSent = assertThrows(NotSentException.class, client::close);
    assertEquals(20, notSent.notSent());
    assertTrue(notSent.getMessage().startsWith("20 events not sent, 0 of them discarded by close(): UNAVAILABLE: "), notSent.getMessage());
    assertEquals(2, lines.size(), lines.toString());
    assertTrue(lines.get(0).startsWith("clickmesh: 1 event rejected: user_id is required"), lines.get(0));
    String loss = "clickmesh: 20 events lost: UNAVAILABLE: .* \\(\\d+ attempts at http://127.0.0.1:1 in \\d\\.\\d s\\)";
    assertTrue(lines.get(1).matches(loss), lines.get(1));
    assertFalse(lines.get(1).contains("not sent"), lines.get(1));
  }

  @Test
  void warningsAreOneIn10SecondsAndCountTheRest() {
    List<String> lines = new ArrayList<>();
    Reports reports =
        new Reports(
            new ClickmeshOptions()
                .logger(new LinesLogger(lines))
                .onError(
                    (error, events) -> {
                      throw new IllegalStateException("of the program");
                    }));
    long start = System.nanoTime();
    for (int i = 0; i < 5; i++) {
      reports.countLost(2, "away");
      reports.tell(new IllegalArgumentException(), List.of());
      reports.warn(start);
    }
    reports.countRejected(1, "user_id is required");
    reports.warn(start + TimeUnit.MILLISECONDS.toNanos(9999));
    String fault = "onError failed: java.lang.IllegalStateException: of the program";
    assertEquals(List.of("clickmesh: 2 events lost: away; " + fault), lines);
    reports.warn(start + TimeUnit.SECONDS.toNanos(10));
    String rest = "clickmesh: 8 events lost: away; 1 event rejected: user_id is required; " + fault + " (4 such faults)";
    assertEquals(rest, lines.get(1));
    reports.countLost(1, "closed");
    reports.warnNow();
    reports.warnNow();
    assertEquals(List.of("clickmesh: 1 event lost: closed"), lines.subList(2, lines.size()));
  }

  @Test
  void whatIsToldAfterACallbackClosedIsWarnedOf() throws Exception {
    List<String> lines = Collections.synchronizedList(new ArrayList<>());
    ClickmeshOptions options = new ClickmeshOptions().batchSize(1).logger(new LinesLogger(lines));
    ClickmeshClient client = new ClickmeshClient(gateway.url(), options);
    CountDownLatch both = new CountDownLatch(1);
    CompletableFuture<Void> closed =
        client
            .track(click().userId("refused"))
            .handle(
                (accepted, rejected) -> {
                  await(both);
                  client.close();
                  return null;
                });
    client.track(click().userId("refused"));
    while (client.counters().rejected() < 2) Thread.sleep(1);
    both.countDown();
    closed.get(20, TimeUnit.SECONDS);
    while (lines.size() < 2) Thread.sleep(1);
    String line = "clickmesh: 1 event rejected: user_id is refused";
    assertEquals(List.of(line, line), lines);
  }

  @Test
  void whatIsLostWhileTheJvmExitsIsToldOnce() throws Exception {
    String java = System.getProperty("java.home") + "/bin/java";
    Process program =
        new ProcessBuilder(java, "-cp", System.getProperty("java.class.path"), Forgetful.class.getName()).start();
    String lines = new String(program.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, program.waitFor());
    assertEquals(1, lines.split("\\d events? ", -1).length - 1, lines);
    assertTrue(lines.startsWith("clickmesh: 3 events lost: "), lines);
  }

  /** Its program. */
  static final class Forgetful {
    public static void main(String[] args) {
      ClickmeshClient client =
          new ClickmeshClient(NOWHERE, new ClickmeshOptions().timeout(Duration.ofMillis(100)).batchDelay(LONG));
      clicks(3).forEach(client::track);
    }
  }

  @Test
  void noLoggerIsSilence() {
    List<String> lines = new ArrayList<>();
    Handler handler = new Lines(lines);
    Logger logger = Logger.getLogger("io.clickmesh");
    logger.addHandler(handler);
    logger.setUseParentHandlers(false);
    try {
      for (ClickmeshOptions options : List.of(new ClickmeshOptions().logger(null), new ClickmeshOptions())) {
        try (ClickmeshClient client = new ClickmeshClient(gateway.url(), options)) {
          client.track(click().userId(""));
        }
      }
    } finally {
      logger.removeHandler(handler);
      logger.setUseParentHandlers(true);
    }
    assertEquals(List.of("clickmesh: 1 event rejected: user_id is required"), lines);
  }

  /** Collects what java.util.logging is told. */
  private static final class Lines extends Handler {
    private final List<String> lines;

    Lines(List<String> lines) {
      this.lines = lines;
    }

    @Override
    public void publish(LogRecord line) {
      lines.add(line.getMessage());
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }

  @Test
  void nothingIsSaidWhereNothingIsLost() throws Exception {
    List<String> lines = Collections.synchronizedList(new ArrayList<>());
    try (ClickmeshClient client = new ClickmeshClient(gateway.url(), new ClickmeshOptions().logger(new LinesLogger(lines)))) {
      clicks(10).forEach(client::track);
    }
    assertEquals(List.of(), lines);
  }

  @Test
  void callbacksMayFlushTrackAndClose() throws Exception {
    ClickmeshClient client = new ClickmeshClient(gateway.url(), new ClickmeshOptions());
    CompletableFuture<Boolean> flushed = client.track(click()).thenApply(answer -> client.flush());
    CompletableFuture<Accepted> tracked = client.track(click()).thenCompose(answer -> client.track(click()));
    assertTrue(flushed.get(10, TimeUnit.SECONDS));
    tracked.get(10, TimeUnit.SECONDS);
    client.track(click()).thenRun(() -> client.close()).get(10, TimeUnit.SECONDS);
    client.close();
    assertEquals(4, gateway.taken.size());
  }

  @Test
  void aCallbackMayCloseWhatAnotherThreadCloses() throws Exception {
    ClickmeshClient client = new ClickmeshClient(gateway.url(), new ClickmeshOptions());
    CountDownLatch closing = new CountDownLatch(1);
    CompletableFuture<Void> inner =
        client
            .track(click())
            .thenRun(
                () -> {
                  await(closing);
                  client.close();
                });
    closing.countDown();
    long start = System.nanoTime();
    client.close();
    inner.get(10, TimeUnit.SECONDS);
    assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(10));
  }

  @Test
  void callbacksMayFillTheQueue() throws Exception {
    try (ClickmeshClient client = new ClickmeshClient(gateway.url(), new ClickmeshOptions().maxQueueEvents(2))) {
      List<CompletableFuture<Accepted>> inner = Collections.synchronizedList(new ArrayList<>());
      for (int i = 0; i < 20; i++) client.track(click()).thenRun(() -> inner.add(client.track(click())));
      assertTrue(client.flush());
      for (CompletableFuture<Accepted> answer : inner) answer.get(10, TimeUnit.SECONDS);
      assertEquals(20, inner.size());
    }
    assertEquals(40, gateway.taken.size());
  }

  @Test
  void aCallbackThatThrowsStopsNothing() throws Exception {
    ClickmeshOptions options =
        new ClickmeshOptions()
            .logger(null)
            .onError(
                (error, events) -> {
                  throw new IllegalStateException("of the program");
                });
    try (ClickmeshClient client = new ClickmeshClient(gateway.url(), options)) {
      client.track(click().userId(""));
      client
          .track(click())
          .thenRun(
              () -> {
                throw new IllegalStateException("of the program");
              });
      client.flush();
      client.track(click()).get(10, TimeUnit.SECONDS);
    }
  }

  @Test
  void aCallbackThatInterruptsStopsNothing() throws Exception {
    try (ClickmeshClient client = new ClickmeshClient(gateway.url())) {
      client.track(click()).thenRun(() -> Thread.currentThread().interrupt());
      for (int i = 0; i < 3; i++) {
        client.flush();
        client.track(click()).get(10, TimeUnit.SECONDS);
      }
    }
  }

  @Test
  void anInterruptedThreadClosesAllTheSame() {
    gateway.before = slowly(200);
    ClickmeshClient client = new ClickmeshClient(gateway.url(), new ClickmeshOptions().batchDelay(LONG));
    clicks(20).forEach(client::track);
    Thread.currentThread().interrupt();
    client.close();
    assertTrue(Thread.interrupted());
    assertEquals(20, gateway.taken.size());
  }

  @Test
  void closeEndsWithinItsLimit() {
    List<List<Event>> told = Collections.synchronizedList(new ArrayList<>());
    ClickmeshOptions options = new ClickmeshOptions().batchSize(10).logger(null).onError((error, events) -> told.add(events));
    ClickmeshClient client = new ClickmeshClient(NOWHERE, options);
    clicks(100).forEach(client::track);
    long start = System.nanoTime();
    NotSentException error = assertThrows(NotSentException.class, () -> client.close(Duration.ofMillis(500)));
    assertTrue(System.nanoTime() - start < TimeUnit.MILLISECONDS.toNanos(1400));
    assertEquals(100, error.notSent());
    String what = "100 events not sent, 100 of them discarded by close\\(\\): UNAVAILABLE: .*";
    assertTrue(error.getMessage().matches(what), error.getMessage());
    assertEquals(clicks(100).stream().map(Events::eventId).toList(), error.events().stream().map(Events::eventId).toList());
    assertEquals(100, told.stream().mapToInt(List::size).sum());
    assertEquals(100, assertThrows(NotSentException.class, client::close).notSent());
    assertEquals(new Counters(100, 0, 0, 100, 0, 0), client.counters());
  }

  @Test
  void twoThreadsThatCloseWaitForTheSameEnd() throws Exception {
    gateway.before = slowly(500);
    ClickmeshClient client = new ClickmeshClient(gateway.url(), new ClickmeshOptions());
    client.track(click());
    CompletableFuture<Void> other = CompletableFuture.runAsync(client::close);
    client.close();
    assertEquals(1, gateway.taken.size());
    other.get(1, TimeUnit.SECONDS);
  }

  @Test
  void afterCloseAllFailsAtOnce() {
    ClickmeshClient client = new ClickmeshClient(gateway.url(), new ClickmeshOptions());
    client.close();
    assertThrows(ClientClosedException.class, () -> client.track(click()));
    assertThrows(ClientClosedException.class, () -> client.track(click().userId("")));
    assertThrows(ClientClosedException.class, () -> client.send(click()));
    assertThrows(ClientClosedException.class, () -> client.sendBatch(clicks(2)));
    assertThrows(ClientClosedException.class, () -> client.sendStream(clicks(2)));
    assertThrows(ClientClosedException.class, () -> client.ready(LONG));
    assertEquals(new Counters(0, 0, 0, 0, 0, 0), client.counters());
  }

  @Test
  void threadsEndWithClose() throws InterruptedException {
    for (int i = 0; i < 20; i++) {
      try (ClickmeshClient client = new ClickmeshClient(gateway.url(), new ClickmeshOptions())) {
        client.track(click());
      }
    }
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (ownThreads() > 0 && System.nanoTime() < until) Thread.sleep(10);
    assertEquals(0, ownThreads());
  }

  private static long ownThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("clickmesh-") && !thread.getName().equals("clickmesh-exit"))
        .count();
  }

  @Test
  void aFailedSendHasWhatIsToBeSentAgain() {
    ClickmeshOptions options = new ClickmeshOptions().timeout(Duration.ofMillis(100)).logger(null);
    ClickmeshClient away = new ClickmeshClient(NOWHERE, options);
    SendFailedException error = assertThrows(SendFailedException.class, () -> away.send(click()));
    SendFailedException batch =
        assertThrows(SendFailedException.class, () -> away.sendBatch(List.of(click().build(), click().userId("").build())));
    assertTrue(batch.results().get(1).isRejected());
    assertThrows(NotSentException.class, away::close);
    try (ClickmeshClient client = new ClickmeshClient(gateway.url(), new ClickmeshOptions())) {
      Event event = error.events().get(0);
      assertEquals(client.send(event).eventId(), client.send(event).eventId());
      assertEquals(1, client.sendBatch(batch.events()).size());
    }
    assertEquals(2, ids(gateway.taken).size());
  }

  @Test
  void aFullQueueWaitsOrRejects() throws Exception {
    CountDownLatch open = new CountDownLatch(1);
    gateway.before =
        () -> {
          await(open);
          return null;
        };
    ClickmeshOptions options = new ClickmeshOptions().maxQueueEvents(3).onFull(OnFull.REJECT).logger(null);
    ClickmeshClient client = new ClickmeshClient(gateway.url(), options);
    List<CompletableFuture<Accepted>> answers = clicks(5).stream().map(client::track).toList();
    assertFalse(client.ready(Duration.ZERO));
    for (int i = 3; i < 5; i++) {
      Throwable error = assertThrows(ExecutionException.class, answers.get(i)::get).getCause();
      assertEquals("click-" + i, Events.eventId(assertInstanceOf(QueueFullException.class, error).event()));
    }
    assertEquals(new Counters(5, 0, 0, 2, 0, 3), client.counters());
    open.countDown();
    assertTrue(client.flush());
    assertTrue(client.ready(Duration.ZERO));
    assertEquals(2, assertThrows(NotSentException.class, client::close).notSent());

    gateway.before = slowly(5);
    try (ClickmeshClient waits =
        new ClickmeshClient(gateway.url(), new ClickmeshOptions().maxQueueEvents(3).batchDelay(Duration.ZERO))) {
      clicks(50).forEach(waits::track);
    }
    assertEquals(53, gateway.taken.size());
  }

  @Test
  void fiftyThousandAreFifty() {
    try (ClickmeshClient client = new ClickmeshClient(gateway.url(), new ClickmeshOptions())) {
      for (int i = 0; i < 50_000; i++) client.track(click());
    }
    assertEquals(50_000, ids(gateway.taken).size());
  }

  private static Supplier<Status> slowly(long ms) {
    return () -> {
      try {
        Thread.sleep(ms);
      } catch (InterruptedException ended) {
        Thread.currentThread().interrupt();
      }
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
}
