package io.clickmesh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.rpc.RetryInfo;
import com.sun.net.httpserver.HttpServer;
import io.grpc.Context;
import io.grpc.Status;
import java.io.IOException;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collections;
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

/** How calls are repeated, and what they say in the end. */
@Timeout(60)
class AttemptsTest {
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

  @Test
  void aFinalAnswerIsNotAskedForAgain() {
    AtomicInteger calls = new AtomicInteger();
    gateway.before =
        () -> {
          calls.incrementAndGet();
          return Status.INTERNAL;
        };
    ClickmeshClient client = new ClickmeshClient(gateway.url(), new ClickmeshOptions().logger(null));
    assertThrows(SendFailedException.class, () -> client.send(click()));
    assertEquals(1, calls.get());
  }

  @Test
  void theGatewaySaysWhenToTryAgain() throws Exception {
    RetryInfo info = RetryInfo.newBuilder().setRetryDelay(com.google.protobuf.Duration.newBuilder().setSeconds(1)).build();
    for (String header : new String[] {null, "1"}) {
      gateway.asked = header == null ? info : null;
      gateway.retryAfter = header;
      waitsASecond();
    }
  }

  private void waitsASecond() throws IOException {
    HttpServer http = gateway.startConnect();
    List<Long> times = Collections.synchronizedList(new ArrayList<>());
    gateway.before =
        () -> {
          times.add(System.nanoTime());
          return times.size() % 2 == 1 ? Status.RESOURCE_EXHAUSTED : null;
        };
    String connect = "http://127.0.0.1:" + http.getAddress().getPort();
    try (ClickmeshClient overGrpc = new ClickmeshClient(gateway.url());
        ClickmeshClient overConnect = new ClickmeshClient(connect, new ClickmeshOptions().protocol(Protocol.CONNECT))) {
      overGrpc.send(click());
      overConnect.send(click());
    } finally {
      http.stop(0);
    }
    assertEquals(4, times.size());
    for (int i = 0; i < 4; i += 2) assertTrue(times.get(i + 1) - times.get(i) >= TimeUnit.SECONDS.toNanos(1), times.toString());
  }

  @Test
  void retryAfterIsSecondsOrADate() {
    assertEquals(3000, RetryAfter.ms("3"));
    String date = ZonedDateTime.now(ZoneOffset.UTC).plusSeconds(100).format(DateTimeFormatter.RFC_1123_DATE_TIME);
    long ms = RetryAfter.ms(date);
    assertTrue(ms > 0 && ms <= 100_000, date + " is " + ms);
    assertEquals(0, RetryAfter.ms(null));
    assertEquals(0, RetryAfter.ms("soon"));
  }

  @Test
  void noMoreThanAMinuteIsWaited() throws Exception {
    gateway.retryAfter = "1000";
    CountDownLatch asked = new CountDownLatch(1);
    gateway.before =
        () -> {
          asked.countDown();
          return Status.UNAVAILABLE;
        };
    ClickmeshOptions options = new ClickmeshOptions().timeout(Duration.ofMinutes(2)).logger(null);
    ClickmeshClient client = new ClickmeshClient(gateway.url(), options);
    CompletableFuture<Accepted> answer = client.track(click());
    asked.await();
    Thread.sleep(500);
    // Were it 1,000 s, no attempt would be left.
    assertFalse(answer.isDone());
    assertThrows(NotSentException.class, () -> client.close(Duration.ZERO));
  }

  @Test
  void moreAndMoreTimeIsBetweenAttempts() {
    AtomicInteger calls = new AtomicInteger();
    gateway.before =
        () -> {
          calls.incrementAndGet();
          return Status.UNAVAILABLE;
        };
    ClickmeshOptions options = new ClickmeshOptions().timeout(Duration.ofSeconds(3)).logger(null);
    ClickmeshClient client = new ClickmeshClient(gateway.url(), options);
    assertThrows(SendFailedException.class, () -> client.send(click()));
    // By 100 ms at most they would be some 60.
    assertTrue(calls.get() >= 3 && calls.get() <= 25, calls + " attempts");
  }

  @Test
  void anAttemptThatGetsNoAnswerIsLeft() {
    CountDownLatch over = new CountDownLatch(1);
    AtomicInteger calls = new AtomicInteger();
    gateway.before =
        () -> {
          if (calls.getAndIncrement() == 0) await(over);
          return null;
        };
    ClickmeshOptions options =
        new ClickmeshOptions().timeout(Duration.ofSeconds(8)).attemptTimeout(Duration.ofMillis(300)).logger(null);
    try (ClickmeshClient client = new ClickmeshClient(gateway.url(), options)) {
      client.send(click());
    } finally {
      over.countDown();
    }
  }

  @Test
  void aConnectionThatFallsSilentIsLeft() throws Exception {
    ClickmeshOptions options = new ClickmeshOptions().attemptTimeout(Duration.ofMillis(500)).logger(null);
    try (FakeGateway.Balancer balancer = gateway.new Balancer();
        ClickmeshClient client = new ClickmeshClient(balancer.url(), options)) {
      balancer.isAway = false;
      client.send(click());
      balancer.fallSilent();
      client.send(click());
    }
    assertEquals(2, gateway.taken.stream().map(Events::eventId).distinct().count());
  }

  @Test
  void connectTriesAgainWhenAConnectionBreaks() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    gateway.before =
        () -> {
          if (calls.getAndIncrement() == 0) throw new IllegalStateException("ends the connection without an answer");
          return null;
        };
    HttpServer http = gateway.startConnect();
    String address = "http://127.0.0.1:" + http.getAddress().getPort();
    try (ClickmeshClient client = new ClickmeshClient(address, new ClickmeshOptions().protocol(Protocol.CONNECT))) {
      client.send(click());
    } finally {
      http.stop(0);
    }
    assertEquals(2, calls.get());
  }

  @Test
  void anAttemptThatIsCutShortHidesNothing() throws Exception {
    CountDownLatch over = new CountDownLatch(1);
    CountDownLatch hangs = new CountDownLatch(4);
    gateway.before =
        () -> {
          hangs.countDown();
          if (hangs.getCount() % 2 == 1) return Status.UNAVAILABLE.withDescription("away");
          await(over);
          return null;
        };
    ClickmeshOptions options = new ClickmeshOptions().timeout(Duration.ofSeconds(3)).logger(null);
    ClickmeshClient client = new ClickmeshClient(gateway.url(), options);
    String late = assertThrows(SendFailedException.class, () -> client.send(click())).getMessage();
    assertTrue(late.startsWith("1 event not sent: UNAVAILABLE: away (2 attempts"), late);
    assertThrows(NotSentException.class, client::close);

    ClickmeshClient closed = new ClickmeshClient(gateway.url(), new ClickmeshOptions().logger(null));
    CompletableFuture<Accepted> answer = closed.track(click());
    hangs.await();
    assertThrows(NotSentException.class, () -> closed.close(Duration.ZERO));
    String what = assertThrows(ExecutionException.class, () -> answer.get(10, TimeUnit.SECONDS)).getCause().getMessage();
    assertTrue(what.startsWith("1 event not sent: UNAVAILABLE: away, and then the client was closed (2 attempts"), what);
    over.countDown();
  }

  @Test
  void anInterruptedCallIsNotTriedAgain() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    gateway.retryAfter = "60";
    gateway.before =
        () -> {
          asked.countDown();
          return Status.UNAVAILABLE;
        };
    ClickmeshClient client =
        new ClickmeshClient(gateway.url(), new ClickmeshOptions().timeout(Duration.ofMinutes(5)).logger(null));
    CompletableFuture<Boolean> flag = new CompletableFuture<>();
    Thread sender =
        new Thread(
            () -> {
              try {
                client.send(click());
              } catch (SendFailedException interrupted) {
                flag.complete(Thread.currentThread().isInterrupted());
              }
            });
    sender.start();
    asked.await();
    // So that it waits for the next attempt, most likely.
    Thread.sleep(300);
    sender.interrupt();
    assertTrue(flag.get(20, TimeUnit.SECONDS));
    assertThrows(NotSentException.class, client::close);
  }

  @Test
  void anInterruptedCallEndsAlsoAtTheGateway() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch cancelled = new CountDownLatch(1);
    gateway.before =
        () -> {
          Context.current().addListener(context -> cancelled.countDown(), Runnable::run);
          begun.countDown();
          await(cancelled);
          return null;
        };
    ClickmeshClient client =
        new ClickmeshClient(gateway.url(), new ClickmeshOptions().attemptTimeout(Duration.ofSeconds(30)).logger(null));
    CompletableFuture<Boolean> flag = new CompletableFuture<>();
    Thread sender =
        new Thread(
            () -> {
              try {
                client.send(click());
              } catch (SendFailedException interrupted) {
                flag.complete(Thread.currentThread().isInterrupted());
              }
            });
    sender.start();
    begun.await();
    sender.interrupt();
    assertTrue(flag.get(10, TimeUnit.SECONDS));
    assertTrue(cancelled.await(10, TimeUnit.SECONDS));
    assertEquals(1, client.counters().lost());
    assertThrows(NotSentException.class, client::close);
  }

  @Test
  void aWrongAddressIsToldWithWhatToDo() throws Exception {
    HttpServer old = gateway.startConnect();
    String http1 = "http://127.0.0.1:" + old.getAddress().getPort();
    String tls = gateway.url().replace("http:", "https:");
    CompletableFuture.allOf(
            tells(tls, Protocol.GRPC, "begins with http://"),
            tells(tls, Protocol.CONNECT, "begins with http://"),
            tells(http1, Protocol.GRPC, "choose Protocol.CONNECT"),
            tells(NOWHERE, Protocol.CONNECT, "connection refused"),
            tells("http://no-such-host.invalid", Protocol.CONNECT, "the host is not known"))
        .get();
    old.stop(0);
    String page = "HTTP status code 503\ninvalid content-type: text/html\nheaders: Metadata()\nDATA-----\n<h1>away</h1>";
    assertEquals("HTTP status 503", AttemptException.hint(page));
  }

  private static CompletableFuture<Void> tells(String address, Protocol protocol, String what) {
    CompletableFuture<Void> told = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                assertTells(address, protocol, what);
                told.complete(null);
              } catch (Throwable wrong) {
                told.completeExceptionally(wrong);
              }
            });
    thread.start();
    return told;
  }

  private static void assertTells(String address, Protocol protocol, String what) {
    // More than a busy machine takes for an attempt.
    ClickmeshOptions options = new ClickmeshOptions().timeout(Duration.ofSeconds(6)).protocol(protocol).logger(null);
    ClickmeshClient client = new ClickmeshClient(address, options);
    String message = assertThrows(SendFailedException.class, () -> client.send(click())).getMessage();
    assertTrue(message.contains(what) && message.contains(" at " + address + " in "), message);
    NotSentException notSent = assertThrows(NotSentException.class, client::close);
    assertTrue(notSent.getMessage().contains(what), notSent.getMessage());
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    }
  }
}
