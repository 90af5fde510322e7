package io.clickmesh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clickmesh.v1.Event;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What waits in a file while the gateway is away. */
@Timeout(60)
class StoreTest {
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
  void theStoreKeepsWhatWasNotSentForTheNextClient(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("events");
    ClickmeshOptions options = new ClickmeshOptions().timeout(Duration.ofMillis(200)).store(file).storeBytes(64 << 10);
    ClickmeshClient away = new ClickmeshClient(NOWHERE, options);
    clicks(10).forEach(away::track);
    assertTrue(away.flush());
    assertEquals(new Counters(10, 0, 0, 0, 10, 0), away.counters());
    assertThrows(IllegalArgumentException.class, () -> new ClickmeshClient(NOWHERE, options));
    for (int i = 10; i < 20; i++) away.track(click().eventId("click-" + i));
    away.close(Duration.ZERO);

    ClickmeshOptions patient = new ClickmeshOptions().store(file).storeBytes(64 << 10);
    try (ClickmeshClient client = new ClickmeshClient(gateway.url(), patient)) {
      assertEquals(20, client.counters().queued());
      assertTrue(client.flush());
      assertEquals(new Counters(20, 20, 0, 0, 0, 0), client.counters());
    }
    assertEquals(20, ids(gateway.taken).size());
    try (ClickmeshClient client = new ClickmeshClient(gateway.url(), patient)) {
      assertEquals(0, client.counters().queued());
    }

    ClickmeshClient full = new ClickmeshClient(NOWHERE, options.logger(null));
    for (int i = 0; i < 100; i++) full.track(click().metadata("text", "x".repeat(1000)));
    assertTrue(full.flush());
    Counters counters = full.counters();
    assertAdds(counters);
    assertTrue(counters.stored() > 50 && counters.stored() < 64, counters.toString());
    assertThrows(NotSentException.class, full::close);
  }

  @Test
  void theStoreIsSentOnceTheGatewayIsBack(@TempDir Path folder) throws Exception {
    gateway.before = () -> Status.UNAVAILABLE;
    ClickmeshOptions options = new ClickmeshOptions().timeout(Duration.ofSeconds(3)).store(folder.resolve("events"));
    try (ClickmeshClient client = new ClickmeshClient(gateway.url(), options)) {
      clicks(10).forEach(client::track);
      assertTrue(client.flush());
      assertEquals(10, client.counters().stored());
      gateway.before = () -> null;
      client.track(click()).get(10, TimeUnit.SECONDS);
      assertTrue(client.flush());
      assertEquals(new Counters(11, 11, 0, 0, 0, 0), client.counters());
    }
  }

  @Test
  void ofTheStoreOnlyWhatWasNotSentIsSentAgain(@TempDir Path folder) {
    ClickmeshOptions options =
        new ClickmeshOptions().timeout(Duration.ofSeconds(3)).batchSize(10).store(folder.resolve("events")).logger(null);
    try (ClickmeshClient away = new ClickmeshClient(NOWHERE, options)) {
      clicks(20).forEach(away::track);
    }
    AtomicInteger calls = new AtomicInteger();
    gateway.before = () -> calls.getAndIncrement() == 0 ? null : Status.UNAVAILABLE;
    try (ClickmeshClient half = new ClickmeshClient(gateway.url(), options)) {
      assertTrue(half.flush());
      assertEquals(new Counters(20, 10, 0, 0, 10, 0), half.counters());
    }
    gateway.before = () -> null;
    try (ClickmeshClient rest = new ClickmeshClient(gateway.url(), options)) {
      rest.flush();
      assertEquals(new Counters(10, 10, 0, 0, 0, 0), rest.counters());
    }
    assertEquals(20, gateway.taken.size());
    assertEquals(20, ids(gateway.taken).size());
  }

  @Test
  void aFlushWaitsForAllThatTheStoreHasReady(@TempDir Path folder) {
    ClickmeshOptions options =
        new ClickmeshOptions().timeout(Duration.ofSeconds(3)).batchSize(10).store(folder.resolve("events")).logger(null);
    try (ClickmeshClient away = new ClickmeshClient(NOWHERE, options)) {
      for (int i = 0; i < 20; i++) away.track(click().userId("refused"));
    }
    Thread flusher = Thread.currentThread();
    AtomicInteger calls = new AtomicInteger();
    CountDownLatch isFirstUnderWay = new CountDownLatch(1);
    CountDownLatch isSecondUnderWay = new CountDownLatch(1);
    CountDownLatch isFirstTold = new CountDownLatch(10);
    gateway.before =
        () -> {
          if (calls.getAndIncrement() > 0) {
            isSecondUnderWay.countDown();
            await(isFirstTold);
          } else {
            isFirstUnderWay.countDown();
            while (flusher.getState() != Thread.State.TIMED_WAITING) Thread.onSpinWait();
          }
          return null;
        };
    // So that the second batch is taken from the file while the flush waits for the first, and answered after it.
    options
        .timeout(Duration.ofSeconds(30))
        .onError(
            (error, events) -> {
              await(isSecondUnderWay);
              isFirstTold.countDown();
            });
    try (ClickmeshClient client = new ClickmeshClient(gateway.url(), options)) {
      await(isFirstUnderWay);
      assertTrue(client.flush());
      assertEquals(new Counters(20, 0, 20, 0, 0, 0), client.counters());
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException atItsEnd) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void whatNoAttemptCanHelpIsNotKept(@TempDir Path folder) {
    gateway.before = () -> Status.INTERNAL;
    ClickmeshOptions options = new ClickmeshOptions().store(folder.resolve("events")).logger(null);
    ClickmeshClient client = new ClickmeshClient(gateway.url(), options);
    client.track(click());
    client.flush();
    assertEquals(new Counters(1, 0, 0, 1, 0, 0), client.counters());
    assertThrows(NotSentException.class, client::close);
  }

  @Test
  void anotherFileIsLeftAlone(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("notes"), "what somebody wrote");
    ClickmeshOptions options = new ClickmeshOptions().store(file);
    String why = assertThrows(IllegalArgumentException.class, () -> new ClickmeshClient(NOWHERE, options)).getMessage();
    assertTrue(why.contains("is no store of clickmesh"), why);
    assertEquals("what somebody wrote", Files.readString(file));
  }

  @Test
  void aRecordThatIsDamagedIsToldAndLeftOut(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("events");
    Store store = open(file, new ArrayList<>());
    clicks(3).forEach(store::add);
    store.close();
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 1]++;
    Files.write(file, bytes);
    List<String> lines = new ArrayList<>();
    Store damaged = open(file, lines);
    assertEquals(2, damaged.ready());
    assertTrue(lines.get(0).contains("are damaged and left out"), lines.toString());
    damaged.close();
    Store again = open(file, lines);
    assertEquals(2, again.ready());
    assertEquals(1, lines.size());
    again.close();
  }

  @Test
  void aFileThatIsWrittenAnewHasAllThatIsNotSent(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("events");
    Store store = open(file, new ArrayList<>());
    Event large = click().metadata("text", "x".repeat(1000)).eventId("large").build();
    for (int i = 0; i < 50; i++) assertTrue(store.add(large));
    store.retry();
    for (int i = 0; i < 40; i++) store.forget(store.take());
    store.take();
    // Its end is near, so that it is written anew with one under way and more that wait.
    for (int i = 0; i < 20; i++) assertTrue(store.add(large));
    assertTrue(Files.size(file) < 40 * 1024, "" + Files.size(file));
    // As after a crash.
    Store copy = open(Files.copy(file, folder.resolve("copy")), new ArrayList<>());
    assertEquals(30, copy.ready());
    copy.close();
    store.close();
  }

  private static Store open(Path file, List<String> lines) {
    Reports reports = new Reports(new ClickmeshOptions().logger(new LinesLogger(lines)));
    Store store = new Store(file, 64 << 10, reports);
    reports.warnNow();
    return store;
  }
}
