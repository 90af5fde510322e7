package io.clickmesh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import io.clickmesh.v1.Click;
import io.clickmesh.v1.Conversion;
import io.clickmesh.v1.Event;
import io.clickmesh.v1.IngestStreamResponse;
import io.clickmesh.v1.RejectReason;
import io.grpc.Metadata;
import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What events are made of and judged by, and what the options of a client do. */
@Timeout(60)
class ShapesTest {
  private static ClickBuilder click() {
    return Events.click().userId("user").adId("ad").campaignId("campaign").source("web");
  }

  private static ConversionBuilder conversion() {
    return Events.conversion().userId("user").type("purchase").source("web");
  }

  private static String rejection(EventBuilder<?> event) {
    Item item = Item.of(event.build());
    return item.rejected == null ? "none" : item.rejected.field() + " " + item.rejected.reason().name().substring(14);
  }

  @Test
  void buildersTakeNativeTypes() {
    UUID id = UUID.randomUUID();
    Instant time = Instant.parse("2026-11-01T05:30:00.123456Z");
    Click click =
        click().eventId(id).timestamp(time).metadata(Map.of("n", 5, "yes", true)).metadata("geo", "US").build().getClick();
    assertEquals(id.toString(), click.getEventId());
    assertEquals(1793511000123L, click.getTimestamp());
    assertEquals(Map.of("n", "5", "yes", "true", "geo", "US"), click.getMetadataMap());
    assertEquals(4_245_420_000L, conversion().value("4245.42").build().getConversion().getValueMicros());
    assertEquals(9007199254740993L, conversion().value("9007199254.740993").build().getConversion().getValueMicros());
    assertEquals(2, conversion().value(new BigDecimal("0.0000015")).build().getConversion().getValueMicros());
    assertEquals(19.99, conversion().value(19.99).build().getConversion().getValue());
    assertEquals("refund", Events.refund().build().getAdjustment().getKind());
    assertFalse(Events.invalidate().build().getVerdict().getValid());
  }

  @Test
  void whatBreaksARuleIsRejectedWithItsField() {
    assertEquals("user_id REQUIRED", rejection(click().userId("")));
    assertEquals("ad_id TOO_LONG", rejection(click().adId("x".repeat(129))));
    assertEquals("none", rejection(click().adId("é".repeat(64))));
    assertEquals("user_id MALFORMED", rejection(click().userId("x\ud83d")));
    assertEquals("user_id MALFORMED", rejection(click().userId("x\ude00\ud83d")));
    assertEquals("none", rejection(click().userId("🛍️👩‍👩‍👧")));
    assertEquals("source MALFORMED", rejection(click().source("a\0")));
    assertEquals("campaign_id PLACEHOLDER", rejection(click().campaignId("undefined")));
    assertEquals("user_id PLACEHOLDER", rejection(click().userId(" \u200b")));
    assertEquals("event_id PLACEHOLDER", rejection(click().eventId("00000000-0000-0000-0000-000000000000")));
    assertEquals("timestamp OUT_OF_RANGE", rejection(click().timestamp(1_700_000_000)));
    assertEquals("timestamp OUT_OF_RANGE", rejection(click().timestamp(Instant.MAX)));
    assertEquals("value NOT_FINITE", rejection(conversion().value(Double.NaN)));
    for (String text : List.of("4,245.42", "$5", "", "0x10", " 5", "five", "NaN", "1e9999999999")) {
      assertEquals("value MALFORMED", rejection(conversion().value(text)), text);
    }
    assertEquals("value OUT_OF_RANGE", rejection(conversion().value("1e13")));
    assertEquals("value OUT_OF_RANGE", rejection(conversion().value("-1")));
    assertEquals("value_micros CONTRADICTION", rejection(conversion().value(5).valueMicros(6_000_000)));
    assertEquals("kind UNKNOWN_CHOICE", rejection(Events.adjustment().userId("u").conversionId("o").kind("cancel")));
    assertEquals("value REQUIRED", rejection(Events.refund().userId("u").conversionId("o")));
    assertEquals("value CONTRADICTION", rejection(Events.retract().userId("u").conversionId("o").value(5)));
    assertEquals("valid REQUIRED", rejection(Events.verdict().userId("u").clickId("c")));
    // The gateway finds the user.
    assertEquals("none", rejection(Events.refund().conversionId("o").value("5.00")));
    assertEquals("event TOO_LONG", rejection(click().metadata("blob", "x".repeat(1_200_000))));
  }

  @Test
  void oneBadEventCostsItsNeighboursNothing() throws Exception {
    Event bad = click().userId("").build();
    Event tooLarge = click().metadata("blob", "x".repeat(1_200_000)).build();
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < 1000; i++) events.add(i == 500 ? bad : i == 600 ? tooLarge : i == 700 ? null : click().build());
    try (FakeGateway gateway = FakeGateway.start();
        ClickmeshClient client = new ClickmeshClient(gateway.url(), new ClickmeshOptions().logger(null))) {
      List<SendResult> results = client.sendBatch(events);
      for (int i = 0; i < 1000; i++) assertEquals(i == 500 || i == 600 || i == 700, results.get(i).isRejected(), "" + i);
      assertEquals("event", results.get(600).rejected().field());
      IngestStreamResponse answer = client.sendStream(events);
      assertEquals(997, answer.getAccepted());
      assertEquals(List.of(500L, 600L, 700L), answer.getRejectionsList().stream().map(one -> one.getIndex()).toList());
      List<CompletableFuture<Accepted>> answers = events.stream().map(client::track).toList();
      assertTrue(client.flush());
      assertEquals(3, answers.stream().filter(CompletableFuture::isCompletedExceptionally).count());
      RejectedException rejected = assertThrows(RejectedException.class, () -> client.send(bad));
      assertEquals("user_id", rejected.field());
      assertEquals(36, rejected.eventId().length());
      assertTrue(rejected.timestamp() > 0);
      assertEquals(3 * 997, gateway.taken.size());
      assertEquals(new Counters(3001, 3 * 997, 10, 0, 0, 0), client.counters());
    }
  }

  @Test
  void metadataNeverCostsTheEvent() throws Exception {
    try (FakeGateway gateway = FakeGateway.start();
        ClickmeshClient client = new ClickmeshClient(gateway.url())) {
      Accepted accepted =
          client.track(click().metadata("q", "x\ud83d").metadata("list", List.of(1)).metadata("geo", "US")).get();
      assertEquals(List.of("metadata.list", "metadata.q"), accepted.ignored().stream().sorted().toList());
      assertEquals(Map.of("geo", "US"), gateway.taken.get(0).getClick().getMetadataMap());
    }
  }

  @Test
  void idAndTimeAreFixedOnceAndGivenBack() throws Exception {
    try (InMemoryClient client = ClickmeshClient.inMemory()) {
      ClickBuilder builder = click();
      Accepted first = client.track(builder).get();
      Accepted second = client.track(builder).get();
      assertNotEquals(first.eventId(), second.eventId());
      assertEquals("", builder.build().getClick().getEventId());
      Event complete = Events.complete(builder);
      assertEquals(client.send(complete), withOffset(client.track(complete).get(), 2));
      assertEquals("d9f4ac00-73dd-5950-9359-bd43b480c350", client.send(click().eventId("order-1001")).storedId());
      assertEquals(5, client.events().size());
    }
  }

  private static Accepted withOffset(Accepted one, long offset) {
    return new Accepted(one.eventId(), one.timestamp(), one.storedId(), one.partition(), offset, one.ignored());
  }

  @Test
  void aClientThatIsDisabledChecksAndCounts() throws Exception {
    ClickmeshOptions options = new ClickmeshOptions().disabled(true).logger(null);
    try (ClickmeshClient client = new ClickmeshClient("http://127.0.0.1:1", options)) {
      client.track(click()).get();
      client.send(click());
      assertInstanceOf(
          RejectedException.class,
          assertThrows(ExecutionException.class, () -> client.track(click().adId("")).get()).getCause());
      assertEquals(new Counters(3, 2, 1, 0, 0, 0), client.counters());
    }
  }

  private static String header(Metadata metadata, String name) {
    return metadata.get(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER));
  }

  @Test
  void prefixHeadersAndKeyGoWithEveryCall() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    ClickmeshOptions options =
        new ClickmeshOptions().key("secret").headers(() -> Map.of("x-call", "" + asked.incrementAndGet()));
    try (FakeGateway gateway = FakeGateway.under("mesh/one/");
        ClickmeshClient client = new ClickmeshClient(gateway.url() + "/mesh/one/", options)) {
      client.send(click());
      client.track(click()).get();
      for (Metadata metadata : gateway.headers) assertEquals("Bearer secret", header(metadata, "authorization"));
      assertEquals(List.of("1", "2"), gateway.headers.stream().map(metadata -> header(metadata, "x-call")).toList());
    }
  }

  @Test
  void headersThatFailAreAskedForAgain() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    ClickmeshOptions options =
        new ClickmeshOptions()
            .headers(
                () -> {
                  if (asked.incrementAndGet() == 1) throw new IllegalStateException("no token yet");
                  return Map.of();
                });
    try (FakeGateway gateway = FakeGateway.start();
        ClickmeshClient client = new ClickmeshClient(gateway.url(), options)) {
      client.send(click());
      assertEquals(2, asked.get());
    }
  }

  @Test
  void connectSpeaksHttp1() throws Exception {
    ClickmeshOptions options =
        new ClickmeshOptions().protocol(Protocol.CONNECT).key("secret").headers(Map.of("X-Tenant", "acme"));
    try (FakeGateway gateway = FakeGateway.start()) {
      HttpServer http = gateway.startConnect();
      AtomicInteger calls = new AtomicInteger();
      gateway.before = () -> calls.getAndIncrement() == 0 ? Status.UNAVAILABLE.withDescription("away") : null;
      try (ClickmeshClient client =
          new ClickmeshClient("http://127.0.0.1:" + http.getAddress().getPort() + "/mesh", options)) {
        client.send(click());
        for (int i = 0; i < 100; i++) client.track(click());
        assertTrue(client.flush());
        assertEquals(3, client.sendStream(List.of(click().build(), click().build(), click().build())).getAccepted());
        assertEquals(104, gateway.taken.size());
        assertEquals("Bearer secret", header(gateway.headers.get(0), "authorization"));
        assertEquals("acme", header(gateway.headers.get(0), "x-tenant"));
        assertEquals("/mesh/clickmesh.v1.IngestService/IngestBatch", gateway.paths.get(0));
        gateway.before = () -> Status.PERMISSION_DENIED.withDescription("no key");
        SendFailedException error = assertThrows(SendFailedException.class, () -> client.send(click()));
        assertTrue(error.getMessage().contains("PERMISSION_DENIED: HTTP status 503: no key (1 attempt at http://"), error.getMessage());
        gateway.before = () -> null;
        assertThrows(NotSentException.class, client::close);
      } catch (NotSentException closedTwice) {
        assertEquals(1, closedTwice.notSent());
      } finally {
        http.stop(0);
      }
    }
  }

  private static String refusal(Runnable call) {
    return assertThrows(IllegalArgumentException.class, call::run).getMessage();
  }

  @Test
  void addressesAreChecked() {
    ClickmeshOptions options = new ClickmeshOptions();
    assertEquals(
        "\"localhost:8080\" has no scheme: http://localhost:8080", refusal(() -> new ClickmeshClient("localhost:8080")));
    assertEquals("\"ftp://h\" has the scheme ftp: only http and https are known", refusal(() -> Address.of("ftp://h")));
    assertTrue(refusal(() -> Address.of("")).startsWith("the address is empty"));
    assertTrue(refusal(() -> Address.of("http://")).startsWith("\"http://\" is no address"));
    assertEquals("\"http://h:99999\" has the port 99999: ports are 1 to 65535", refusal(() -> Address.of("http://h:99999")));
    assertTrue(refusal(() -> Address.of("http://key@h")).contains("option key"));
    assertEquals("/a/b", Address.of("https://h:1/a/b//").prefix());
    assertTrue(options.requestHeaders().isEmpty());
  }

  @Test
  void optionsAreChecked() {
    ClickmeshOptions options = new ClickmeshOptions();
    assertEquals("batchSize must be in [1, 1,000]: it is 0", refusal(() -> options.batchSize(0)));
    assertEquals("batchSize must be in [1, 1,000]: it is 1,001", refusal(() -> options.batchSize(1001)));
    assertEquals("timeout must be in [1 ms, 86400 s]: it is 0 s", refusal(() -> options.timeout(Duration.ZERO)));
    assertEquals(
        "batchDelay must be in [0 s, 60 s]: it is 61 s", refusal(() -> options.batchDelay(Duration.ofSeconds(61))));
    assertEquals("batchDelay must be in [0 s, 60 s]: it is null", refusal(() -> options.batchDelay(null)));
    assertTrue(refusal(() -> options.maxQueueEvents(0)).startsWith("maxQueueEvents must be in [1, 10,000,000]"));
    assertTrue(refusal(() -> options.maxQueueBytes(1000)).startsWith("maxQueueBytes must be in"));
    assertTrue(refusal(() -> options.storeBytes(1000)).startsWith("storeBytes must be in"));
    assertTrue(refusal(() -> options.key("sécret")).contains("key"));
    Duration days = Duration.ofDays(2);
    assertTrue(refusal(() -> options.timeout(days)).startsWith("timeout must be in"));
    assertTrue(refusal(() -> options.attemptTimeout(Duration.ZERO)).startsWith("attemptTimeout must be in"));
    assertTrue(refusal(() -> options.attemptTimeout(days)).startsWith("attemptTimeout must be in"));
    assertTrue(refusal(() -> options.maxQueueEvents(10_000_001)).startsWith("maxQueueEvents must be in"));
    assertTrue(refusal(() -> options.maxQueueBytes((16L << 30) + 1)).startsWith("maxQueueBytes must be in"));
    assertTrue(refusal(() -> options.storeBytes((1L << 30) + 1)).startsWith("storeBytes must be in"));
    assertTrue(refusal(() -> options.headers(Map.of("x-tenant", "a\nb"))).contains("x-tenant"));
    assertTrue(refusal(() -> options.headers(Map.of("a b", "c"))).contains("a b"));
    for (Runnable call : List.<Runnable>of(() -> options.onFull(null), () -> options.protocol(null), () -> options.onError(null))) {
      assertTrue(assertThrows(NullPointerException.class, call::run).getMessage().contains(" is null: it is "));
    }
  }

  @Test
  void exceptionsCanBeSerialized() throws Exception {
    RejectedException error = Item.of(Events.of(Conversion.getDefaultInstance())).rejected;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    new ObjectOutputStream(bytes).writeObject(error);
    Object read = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray())).readObject();
    RejectedException copy = assertInstanceOf(RejectedException.class, read);
    assertEquals(RejectReason.REJECT_REASON_REQUIRED, copy.reason());
    assertEquals(error.event(), copy.event());
  }
}
