package io.clickmesh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clickmesh.v1.Click;
import io.clickmesh.v1.Event;
import io.clickmesh.v1.GetStatsRequest;
import io.clickmesh.v1.IngestStreamResponse;
import io.clickmesh.v1.Interval;
import io.clickmesh.v1.RejectReason;
import io.clickmesh.v1.StatsRow;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Against a live gateway: CLICKMESH_URL names it, and CLICKMESH_FLAKY_URL a way to it that loses the first answer of
 * every other connection.
 */
class ClickmeshClientTest {
  private static final String GATEWAY = System.getenv("CLICKMESH_URL");
  private static final String FLAKY = System.getenv("CLICKMESH_FLAKY_URL");
  private static final Duration FOREVER = Duration.ofSeconds(60);
  private static final Event INVALID =
      Events.of(Click.newBuilder().setAdId("ad").setCampaignId("c").setSource("web").build());

  private final ClickmeshClient client = new ClickmeshClient(GATEWAY, new ClickmeshOptions());
  private final String campaign = "java-" + UUID.randomUUID();

  @AfterEach
  void close() {
    client.close();
  }

  private Event click(String campaignId) {
    String user = "user-of-" + campaign;
    return Events.of(
        Click.newBuilder().setUserId(user).setAdId("ad").setCampaignId(campaignId).setSource("web").build());
  }

  private List<Event> clicks(int count) {
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < count; i++) events.add(click(campaign));
    return events;
  }

  /** Waits for a later click of the same user, which is counted after all others, and then counts them. */
  private long counted() throws InterruptedException {
    client.send(click(campaign + "-last"));
    long giveUpAt = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (clicksOf(campaign + "-last") == 0) {
      assertTrue(System.nanoTime() < giveUpAt, "the last click was not counted");
      Thread.sleep(100);
    }
    return clicksOf(campaign);
  }

  private long clicksOf(String campaignId) {
    return rows(campaignId).stream().mapToLong(StatsRow::getClicks).sum();
  }

  private List<StatsRow> rows(String campaignId) {
    LocalDate today = LocalDate.now(ZoneOffset.UTC);
    GetStatsRequest request =
        GetStatsRequest.newBuilder()
            .setStartDate(today.minusDays(1).toString())
            .setEndDate(today.plusDays(1).toString())
            .setCampaignId(campaignId)
            .setInterval(Interval.INTERVAL_MONTHLY)
            .build();
    return client.stats(request).getDataList();
  }

  @Test
  void send() throws InterruptedException {
    assertFalse(client.send(click(campaign)).eventId().isEmpty());
    assertEquals(1, counted());
  }

  @Test
  void whatWasSentIsTakenBack() throws InterruptedException {
    String user = "user-of-" + campaign;
    String badClick = client.send(click(campaign)).eventId();
    client.send(click(campaign));
    client.send(Events.conversion().eventId(campaign).userId(user).type("purchase").value(20).source("web"));
    client.send(Events.refund().userId(user).conversionId(campaign).value("5.00"));
    client.send(Events.invalidate().userId(user).clickId(badClick).reason("bot"));
    assertEquals(1, counted());
    assertEquals(15_000_000, rows(campaign).stream().mapToLong(StatsRow::getRevenueMicros).sum());
  }

  @Test
  void sendTellsWhyAnEventIsRejected() {
    RejectedException error = assertThrows(RejectedException.class, () -> client.send(INVALID));
    assertEquals("user_id", error.field());
    assertEquals(RejectReason.REJECT_REASON_REQUIRED, error.reason());
  }

  @Test
  void sendBatchSplitsAndAnswersInOrder() throws InterruptedException {
    List<Event> events = clicks(2500);
    events.set(1700, INVALID);
    List<SendResult> results = client.sendBatch(events);
    assertEquals(2500, results.size());
    for (int i = 0; i < 2500; i++) assertEquals(i == 1700, results.get(i).isRejected(), "event " + i);
    assertEquals(2499, counted());
  }

  @Test
  void sendStream() throws InterruptedException {
    List<Event> events = clicks(2500);
    events.set(1700, INVALID);
    IngestStreamResponse answer = client.sendStream(events);
    assertEquals(2499, answer.getAccepted());
    assertEquals(1700, answer.getRejections(0).getIndex());
    assertEquals(2499, counted());
  }

  @Test
  void trackSendsWhatFillsABatch() throws Exception {
    ClickmeshOptions options = new ClickmeshOptions().batchSize(10).batchDelay(FOREVER);
    try (ClickmeshClient batching = new ClickmeshClient(GATEWAY, options)) {
      List<CompletableFuture<Accepted>> answers = new ArrayList<>();
      for (Event event : clicks(10)) answers.add(batching.track(event));
      for (CompletableFuture<Accepted> answer : answers) answer.get(30, TimeUnit.SECONDS);
    }
  }

  @Test
  void trackSendsWhatHasWaitedLongEnough() throws Exception {
    ClickmeshOptions options = new ClickmeshOptions().batchDelay(Duration.ofMillis(1));
    try (ClickmeshClient batching = new ClickmeshClient(GATEWAY, options)) {
      batching.track(click(campaign)).get(30, TimeUnit.SECONDS);
    }
  }

  @Test
  void closeSendsWhatIsQueued() throws InterruptedException {
    ClickmeshClient closing = new ClickmeshClient(GATEWAY, new ClickmeshOptions().batchDelay(FOREVER));
    CompletableFuture<Accepted> good = closing.track(click(campaign));
    CompletableFuture<Accepted> bad = closing.track(INVALID);
    closing.close();
    assertTrue(good.isDone() && !good.isCompletedExceptionally());
    assertInstanceOf(RejectedException.class, assertThrows(ExecutionException.class, bad::get).getCause());
    assertThrows(ClientClosedException.class, () -> closing.track(click(campaign)));
    assertEquals(1, counted());
  }

  /** The program of exitSendsWhatIsQueued. */
  public static final class Forgetful {
    public static void main(String[] args) {
      new ClickmeshClient(GATEWAY, new ClickmeshOptions().batchDelay(FOREVER))
          .track(Events.click().userId("user-of-" + args[0]).adId("ad").campaignId(args[0]).source("web"));
    }
  }

  @Test
  void exitSendsWhatIsQueued() throws Exception {
    String java = System.getProperty("java.home") + "/bin/java";
    String classPath = System.getProperty("java.class.path");
    Process program = new ProcessBuilder(java, "-cp", classPath, Forgetful.class.getName(), campaign).start();
    assertEquals(0, program.waitFor());
    assertEquals(1, counted());
  }

  @Test
  void lostAnswersAreAskedForAgainWithoutCountingTwice() throws InterruptedException {
    try (ClickmeshClient flaky = new ClickmeshClient(FLAKY, new ClickmeshOptions())) {
      flaky.send(click(campaign));
    }
    try (ClickmeshClient flaky = new ClickmeshClient(FLAKY, new ClickmeshOptions())) {
      flaky.sendBatch(clicks(10));
    }
    try (ClickmeshClient flaky = new ClickmeshClient(FLAKY, new ClickmeshOptions())) {
      flaky.sendStream(clicks(100));
    }
    assertEquals(111, counted());
  }
}
