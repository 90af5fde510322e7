package io.clickmesh;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.Message;
import io.clickmesh.v1.Event;
import io.clickmesh.v1.GetStatsRequest;
import io.clickmesh.v1.IngestStreamResponse;
import io.clickmesh.v1.StreamRejection;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** What the conformance suite drives: gen/README.md has its protocol. */
public final class Driver {
  private static final Gson GSON = new Gson();
  /** How long a command may hold up the next until its call has begun, in ms. */
  private static final long BEGIN_MS = 50;
  private static final long THREADS_END_MS = 10_000;
  private static final int MAX_ERRORS = 3;

  private final PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
  private final Map<String, ClickmeshClient> clients = new ConcurrentHashMap<>();
  private final Map<String, Told> told = new ConcurrentHashMap<>();

  /** What onError and a silent logger of a client were told. */
  private record Told(List<JsonObject> errors, List<String> warnings) {
    Told() {
      this(Collections.synchronizedList(new ArrayList<>()), Collections.synchronizedList(new ArrayList<>()));
    }
  }

  public static void main(String[] args) throws IOException, InterruptedException {
    Driver driver = new Driver();
    warmUp();
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      JsonObject command = JsonParser.parseString(line).getAsJsonObject();
      if (!text(command, "do").equals("exit")) {
        driver.start(command);
        continue;
      }
      switch (text(command, "how")) {
        case "exit" -> System.exit(0);
        case "exception" -> throw new IllegalStateException("as the suite asks for");
        case "now" -> Runtime.getRuntime().halt(0);
        default -> {
          return;
        }
      }
    }
    Runtime.getRuntime().halt(0);
  }

  /** Loads what the first call would load: a JVM that starts is not what statements with short times are about. */
  private static void warmUp() throws IOException {
    try (FakeGateway gateway = FakeGateway.start();
        ClickmeshClient client = new ClickmeshClient(gateway.url())) {
      client.track(Events.click().userId("u").adId("a").campaignId("c").source("web"));
    }
  }

  /** Begins a command, and waits until its call has, so that calls are made in the order of the lines. */
  private void start(JsonObject command) throws InterruptedException {
    CountDownLatch begun = new CountDownLatch(1);
    Thread thread = new Thread(() -> answer(command, begun), "driver");
    thread.setDaemon(true);
    thread.start();
    if (text(command, "do").equals("open")) thread.join();
    else begun.await(BEGIN_MS, TimeUnit.MILLISECONDS);
  }

  private void answer(JsonObject command, CountDownLatch begun) {
    JsonObject answer;
    try {
      answer = run(command, begun);
    } catch (DriverEvents.Unsupported unsupported) {
      answer = object("unsupported", unsupported.getMessage());
    } catch (IllegalArgumentException | ClientClosedException | SendFailedException error) {
      answer = object("error", errorOf(error));
    } catch (Throwable fault) {
      answer = object("fault", fault.toString());
    }
    begun.countDown();
    answer.add("id", command.get("id"));
    answers.println(GSON.toJson(answer));
  }

  private JsonObject run(JsonObject command, CountDownLatch begun) throws Exception {
    String name = text(command, "client");
    ClickmeshClient client = clients.get(name);
    JsonElement event = command.get("event");
    return switch (text(command, "do")) {
      case "open" -> open(name, command);
      case "track" -> {
        try {
          CompletableFuture<Accepted> answer = DriverEvents.track(client, event);
          begun.countDown();
          yield object("result", resultOf(answer));
        } catch (ClientClosedException closed) {
          yield object("result", failed(closed));
        }
      }
      case "trackMany" -> trackMany(client, command, begun);
      case "trackAll" -> {
        for (JsonElement one : command.getAsJsonArray("events")) DriverEvents.track(client, one);
        yield new JsonObject();
      }
      case "mutate" -> mutate(client, command);
      case "send" -> object("result", send(client, DriverEvents.event(event)));
      case "sendBatch" -> object("results", batch(client, DriverEvents.events(command.getAsJsonArray("events"))));
      case "sendStream" -> stream(client.sendStream(DriverEvents.events(command.getAsJsonArray("events"))));
      case "complete" -> object("event", DriverEvents.json(Events.complete(DriverEvents.event(event))));
      case "sendAgain" -> sendAgain(client, command);
      case "cancel" -> cancel(client, command);
      case "ready" -> {
        client.ready(limit(command));
        yield new JsonObject();
      }
      case "flush" -> {
        long start = System.nanoTime();
        JsonObject answer = object("done", client.flush(limit(command)));
        answer.addProperty("tookMs", msSince(start));
        yield answer;
      }
      case "close" -> close(client, command);
      case "inCallback" -> inCallback(client, command);
      case "counters" -> object("counters", GSON.toJsonTree(client.counters()));
      case "reports" -> {
        JsonObject answer = object("errors", GSON.toJsonTree(List.copyOf(told.get(name).errors)));
        answer.add("warnings", GSON.toJsonTree(List.copyOf(told.get(name).warnings)));
        yield answer;
      }
      case "events" -> object("events", DriverEvents.idsOf(((InMemoryClient) client).events()));
      case "stats" -> stats(client, command.getAsJsonObject("query"));
      case "openMany" -> openMany(command);
      case "handleSigterm" -> {
        if (command.has("own") && command.get("own").getAsBoolean()) {
          Runtime.getRuntime().addShutdownHook(new Thread(() -> System.err.println("own handler")));
        }
        yield new JsonObject();
      }
      default -> throw new DriverEvents.Unsupported("Java has no " + text(command, "do"));
    };
  }

  private JsonObject open(String name, JsonObject command) {
    JsonObject given = command.has("options") ? command.getAsJsonObject("options") : new JsonObject();
    Told reports = new Told();
    ClickmeshOptions options = DriverEvents.options(given);
    options.onError(
        (error, events) -> {
          JsonObject report = object("error", errorOf(error));
          report.add("events", DriverEvents.idsOf(events));
          reports.errors.add(report);
        });
    if (isSet(given, "silent")) options.logger(new LinesLogger(reports.warnings));
    told.put(name, reports);
    boolean isMemory = isSet(given, "memory");
    clients.put(name, isMemory ? ClickmeshClient.inMemory(options) : new ClickmeshClient(text(command, "url"), options));
    return new JsonObject();
  }

  private static boolean isSet(JsonObject options, String name) {
    return options.has(name) && options.get(name).getAsBoolean();
  }

  private JsonObject trackMany(ClickmeshClient client, JsonObject command, CountDownLatch begun) throws Exception {
    int count = command.get("count").getAsInt();
    long rate = command.has("ratePerSecond") ? command.get("ratePerSecond").getAsLong() : 0;
    Event event = DriverEvents.event(command.get("event"));
    AtomicInteger[] became = {new AtomicInteger(), new AtomicInteger(), new AtomicInteger()};
    List<JsonElement> errors = Collections.synchronizedList(new ArrayList<>());
    CountDownLatch open = new CountDownLatch(count);
    long start = System.nanoTime();
    begun.countDown();
    for (int i = 0; i < count; i++) {
      long due = rate == 0 ? 0 : start + i * 1_000_000_000L / rate;
      while (rate > 0 && System.nanoTime() < due) LockSupport.parkNanos(due - System.nanoTime());
      client
          .track(DriverEvents.numbered(event, i))
          .whenComplete(
              (accepted, error) -> {
                int outcome = error == null ? 0 : error instanceof RejectedException ? 1 : 2;
                became[outcome].incrementAndGet();
                if (outcome == 2 && errors.size() < MAX_ERRORS) errors.add(failed(error));
                open.countDown();
              });
    }
    open.await();
    JsonObject answer = new JsonObject();
    answer.addProperty("accepted", became[0]);
    answer.addProperty("rejected", became[1]);
    answer.addProperty("failed", became[2]);
    answer.addProperty("tookMs", msSince(start));
    answer.add("errors", GSON.toJsonTree(errors));
    return answer;
  }

  private static JsonObject mutate(ClickmeshClient client, JsonObject command) {
    EventBuilder<?> builder = DriverEvents.builder(command.getAsJsonObject("event"));
    CompletableFuture<Accepted> answer = client.track(builder);
    JsonObject object = DriverEvents.json(builder.build()).getAsJsonObject("fields");
    command.getAsJsonObject("changes").asMap().forEach((field, value) -> DriverEvents.set(builder, field, value));
    JsonObject both = object("object", object);
    both.add("result", resultOf(answer));
    return both;
  }

  private static JsonObject sendAgain(ClickmeshClient client, JsonObject command) {
    String call = text(command, "call");
    List<Event> events =
        command.has("events")
            ? DriverEvents.events(command.getAsJsonArray("events"))
            : List.of(DriverEvents.event(command.get("event")));
    try {
      return call(client, call, events);
    } catch (SendFailedException error) {
      return call(client, call, error.events());
    }
  }

  private static JsonObject call(ClickmeshClient client, String call, List<Event> events) {
    return switch (call) {
      case "sendBatch" -> object("results", batch(client, events));
      case "sendStream" -> stream(client.sendStream(events));
      case "send" -> object("result", accepted(client.send(events.get(0))));
      default -> {
        try {
          yield object("result", accepted(client.track(events.get(0)).get()));
        } catch (ExecutionException error) {
          throw (RuntimeException) error.getCause();
        } catch (InterruptedException never) {
          throw new AssertionError(never);
        }
      }
    };
  }

  private static JsonObject cancel(ClickmeshClient client, JsonObject command) throws InterruptedException {
    Event event = DriverEvents.event(command.get("event"));
    long start = System.nanoTime();
    CompletableFuture<JsonElement> result = new CompletableFuture<>();
    Runnable stop;
    if (text(command, "call").equals("track")) {
      CompletableFuture<Accepted> answer = client.track(event);
      answer.whenComplete((accepted, error) -> result.complete(resultOf(answer)));
      stop = () -> answer.cancel(true);
    } else {
      Thread sender =
          new Thread(
              () -> {
                try {
                  JsonObject answer = call(client, text(command, "call"), List.of(event));
                  result.complete(answer.has("result") ? answer.get("result") : answer.get("results"));
                } catch (RuntimeException error) {
                  result.complete(failed(error));
                }
              });
      sender.setDaemon(true);
      sender.start();
      stop = sender::interrupt;
    }
    Thread.sleep(command.get("afterMs").getAsLong());
    stop.run();
    JsonObject answer = object("result", result.join());
    answer.addProperty("tookMs", msSince(start));
    return answer;
  }

  private static JsonObject close(ClickmeshClient client, JsonObject command) throws Exception {
    boolean isInterrupted = command.has("interrupted") && command.get("interrupted").getAsBoolean();
    int times = command.has("times") ? command.get("times").getAsInt() : 1;
    List<CompletableFuture<JsonObject>> closings = new ArrayList<>();
    for (int i = 0; i < times; i++) {
      CompletableFuture<JsonObject> closing = new CompletableFuture<>();
      closings.add(closing);
      new Thread(() -> closing.complete(closeOnce(client, limit(command), isInterrupted))).start();
    }
    JsonObject answer = closings.get(0).get();
    if (times > 1) answer.add("second", closings.get(1).get());
    return answer;
  }

  private static JsonObject closeOnce(ClickmeshClient client, Duration limit, boolean isInterrupted) {
    long start = System.nanoTime();
    JsonElement error = JsonNull.INSTANCE;
    if (isInterrupted) Thread.currentThread().interrupt();
    try {
      client.close(limit);
    } catch (RuntimeException failed) {
      error = errorOf(failed);
    }
    JsonObject answer = new JsonObject();
    if (!error.isJsonNull()) answer.add("error", error);
    answer.addProperty("tookMs", msSince(start));
    answer.addProperty("isInterrupted", Thread.currentThread().isInterrupted());
    return answer;
  }

  private static JsonObject inCallback(ClickmeshClient client, JsonObject command) throws Exception {
    CompletableFuture<Double> took = new CompletableFuture<>();
    Event event = DriverEvents.event(command.get("event"));
    client
        .track(event)
        .whenComplete(
            (accepted, error) -> {
              long start = System.nanoTime();
              try {
                switch (text(command, "call")) {
                  case "flush" -> client.flush();
                  case "close" -> client.close();
                  case "track" -> client.track(Events.of(event.getClick().toBuilder().clearEventId().build()));
                  default -> {}
                }
              } catch (RuntimeException failed) {
                // Only how long it took is asked for.
              }
              took.complete(msSince(start));
              if (text(command, "call").equals("throw")) throw new IllegalStateException("as the suite asks for");
            });
    return object("tookMs", took.get());
  }

  private static JsonObject stats(ClickmeshClient client, JsonObject query) {
    String from = text(query, "startDate");
    String to = text(query, "endDate");
    var rows =
        text(query, "dates").equals("native")
            ? client.stats(LocalDate.parse(from), LocalDate.parse(to))
            : client.stats(GetStatsRequest.newBuilder().setStartDate(from).setEndDate(to).build());
    JsonArray json = new JsonArray();
    rows.getDataList().forEach(row -> json.add(DriverEvents.fields((Message) row)));
    return object("rows", json);
  }

  private JsonObject openMany(JsonObject command) throws InterruptedException {
    int before = Thread.getAllStackTraces().size();
    for (int i = 0; i < command.get("count").getAsInt(); i++) {
      try (ClickmeshClient client = new ClickmeshClient(text(command, "url"))) {
        client.track(
            command.has("event")
                ? DriverEvents.numbered(DriverEvents.event(command.get("event")), i)
                : Events.click().userId("u").adId("a").campaignId("c").source("web").build());
      }
    }
    long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(THREADS_END_MS);
    while (Thread.getAllStackTraces().size() > before && System.nanoTime() < until) Thread.sleep(50);
    JsonObject answer = new JsonObject();
    answer.addProperty("threadsBefore", before);
    answer.addProperty("threadsAfter", Thread.getAllStackTraces().size());
    return answer;
  }

  private static Duration limit(JsonObject command) {
    JsonElement ms = command.get("limitMs");
    return ms == null || ms.isJsonNull() ? Duration.ofSeconds(30) : Duration.ofMillis(ms.getAsLong());
  }

  private static JsonElement send(ClickmeshClient client, Event event) {
    try {
      return accepted(client.send(event));
    } catch (RejectedException rejected) {
      return rejected(rejected);
    } catch (RuntimeException error) {
      return failed(error);
    }
  }

  private static JsonArray batch(ClickmeshClient client, List<Event> events) {
    JsonArray results = new JsonArray();
    for (SendResult result : client.sendBatch(events)) {
      results.add(result.isAccepted() ? accepted(result.accepted()) : rejected(result.rejected()));
    }
    return results;
  }

  private static JsonObject stream(IngestStreamResponse answer) {
    JsonArray rejections = new JsonArray();
    for (StreamRejection one : answer.getRejectionsList()) {
      JsonObject rejection = object("index", one.getIndex());
      rejection.add("rejected", rejected(new RejectedException(one.getRejection(), null)).get("rejected"));
      rejections.add(rejection);
    }
    JsonObject result = object("rejections", rejections);
    result.addProperty("accepted", answer.getAccepted());
    result.addProperty("rejected", answer.getRejected());
    return result;
  }

  private static JsonObject resultOf(CompletableFuture<Accepted> answer) {
    try {
      return accepted(answer.get());
    } catch (ExecutionException error) {
      return error.getCause() instanceof RejectedException rejected ? rejected(rejected) : failed(error.getCause());
    } catch (CancellationException | InterruptedException error) {
      return failed(error);
    }
  }

  private static JsonObject accepted(Accepted accepted) {
    JsonObject json = new JsonObject();
    json.addProperty("event_id", accepted.eventId());
    json.addProperty("stored_id", accepted.storedId());
    json.addProperty("timestamp", accepted.timestamp());
    json.add("ignored", GSON.toJsonTree(accepted.ignored()));
    return object("accepted", json);
  }

  private static JsonObject rejected(RejectedException error) {
    JsonObject json = new JsonObject();
    json.addProperty("event_id", error.event() == null ? error.rejection().getEventId() : error.eventId());
    json.addProperty("timestamp", error.timestamp());
    json.addProperty("field", error.field());
    json.addProperty("reason", error.reason().name().substring("REJECT_REASON_".length()));
    json.addProperty("limit", error.limit());
    json.addProperty("message", error.getMessage());
    return object("rejected", json);
  }

  private static JsonObject failed(Throwable error) {
    return object("error", errorOf(error));
  }

  private static JsonObject errorOf(Throwable error) {
    JsonObject json = new JsonObject();
    String kind = "other";
    List<Event> events = List.of();
    if (error instanceof SendFailedException failed) {
      kind = failed.getCause() instanceof InterruptedException ? "cancelled" : "failed";
      events = failed.events();
    } else if (error instanceof QueueFullException full) {
      kind = "full";
      events = List.of(full.event());
    } else if (error instanceof ClientClosedException) {
      kind = "closed";
    } else if (error instanceof CancellationException) {
      kind = "cancelled";
    } else if (error instanceof IllegalArgumentException) {
      kind = "option";
    } else if (error instanceof RejectedException rejected && rejected.event() != null) {
      events = List.of(rejected.event());
    } else if (error instanceof NotSentException notSent) {
      kind = "notSent";
      events = notSent.events();
      json.addProperty("notSent", notSent.notSent());
    }
    json.addProperty("kind", kind);
    json.addProperty("message", String.valueOf(error.getMessage()));
    json.add("events", DriverEvents.idsOf(events));
    return json;
  }

  private static String text(JsonObject from, String name) {
    JsonElement value = from.get(name);
    return value == null || value.isJsonNull() ? "" : value.getAsString();
  }

  private static JsonObject object(String name, Object value) {
    JsonObject json = new JsonObject();
    json.add(name, value instanceof JsonElement element ? element : GSON.toJsonTree(value));
    return json;
  }

  private static double msSince(long start) {
    return (System.nanoTime() - start) / 1e6;
  }
}
