package io.clickmesh;

import io.clickmesh.v1.Event;
import io.clickmesh.v1.GetStatsRequest;
import io.clickmesh.v1.GetStatsResponse;
import io.clickmesh.v1.IngestBatchRequest;
import io.clickmesh.v1.IngestBatchResponse;
import io.clickmesh.v1.IngestStreamResponse;
import io.clickmesh.v1.StreamRejection;
import io.grpc.Channel;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Sends events and reads statistics. Safe for many threads; one client serves a whole program, and is closed at its end.
 *
 * <p>Every call is repeated under the same ids while the gateway is away, so nothing is lost and nothing counts twice;
 * what could not be sent within the timeout is told, to the caller, to {@link ClickmeshOptions#onError}, to the {@link
 * ClickmeshOptions#logger}, by {@link #counters()} and by {@link #close()}. An event without event_id or timestamp is
 * given both at the call. What is tracked is sent before the JVM exits, also by SIGTERM.
 */
public class ClickmeshClient implements AutoCloseable {
  private static final Duration DEFAULT_LIMIT = Duration.ofSeconds(30);
  private static final Duration MAX_LIMIT = Duration.ofDays(365);

  private final Transport transport;
  private final Reports reports;
  private final Answers answers;
  private final Attempts attempts;
  private final Store store;
  private final Outbox outbox;
  private final Runnable closeAtExit = this::closeAtExit;

  /** A client of the gateway at the address, such as "http://127.0.0.1:8080". It connects with the first call. */
  public ClickmeshClient(String address, ClickmeshOptions options) {
    this(transport(Address.of(address), options.copy()), options);
  }

  /** A client with the default options. */
  public ClickmeshClient(String address) {
    this(address, new ClickmeshOptions());
  }

  /** A client over a gRPC channel of the program's own, for other transports or credentials; close() closes it. */
  public ClickmeshClient(ManagedChannel channel, ClickmeshOptions options) {
    this(new GrpcTransport(channel, null, options.copy()::requestHeaders), options);
  }

  ClickmeshClient(Transport transport, ClickmeshOptions given) {
    ClickmeshOptions options = given.copy();
    this.transport = transport;
    reports = new Reports(options);
    answers = new Answers(reports::warn, reports::warnNow);
    attempts = new Attempts(transport.address(), options.timeout, options.attemptTimeout, transport::renew);
    store = openStore(options);
    outbox = new Outbox(options, answers, reports, store, this::deliver);
    ExitHook.add(closeAtExit);
    reports.warn();
    outbox.start();
  }

  private Store openStore(ClickmeshOptions options) {
    try {
      return options.store == null ? null : new Store(options.store, options.storeBytes, reports);
    } catch (RuntimeException error) {
      transport.close();
      throw error;
    }
  }

  private static Transport transport(Address address, ClickmeshOptions options) {
    if (options.disabled) return new MemoryTransport(event -> {});
    if (options.protocol == Protocol.CONNECT) return new ConnectTransport(address, options::requestHeaders);
    return new GrpcTransport(GrpcTransport.open(address), address, options::requestHeaders);
  }

  /** A client for tests: it takes the same calls, judges events by the same rules, and keeps what it accepts. */
  public static InMemoryClient inMemory() {
    return new InMemoryClient(new ClickmeshOptions());
  }

  /** As {@link #inMemory()}, with options. */
  public static InMemoryClient inMemory(ClickmeshOptions options) {
    return new InMemoryClient(options);
  }

  /**
   * Queues one event, to be sent with others; blocks while too many wait. The future tells what became of it: it fails
   * with {@link RejectedException}, {@link SendFailedException} or {@link QueueFullException}. It need not be looked at.
   * What hangs on it runs on a thread of the client, and may call the client.
   *
   * @throws ClientClosedException after close()
   */
  public CompletableFuture<Accepted> track(Event event) {
    Item item = Item.of(event);
    if (item.rejected != null) {
      outbox.reject();
      reports.countRejected(1, item.rejected.getMessage());
      return failed(item, item.rejected);
    }
    RuntimeException refusal = outbox.put(item);
    if (refusal == null) return item.answer;
    reports.countLost(1, refusal.getMessage());
    return failed(item, refusal);
  }

  /** As {@link #track(Event)}. */
  public CompletableFuture<Accepted> track(EventBuilder<?> event) {
    return track(event == null ? null : event.build());
  }

  private CompletableFuture<Accepted> failed(Item item, RuntimeException error) {
    item.answer.completeExceptionally(error);
    reports.tell(error, item.event == null ? List.of() : List.of(item.event));
    reports.warn();
    answers.start();
    return item.answer;
  }

  /**
   * Stores one event and returns once it is durable.
   *
   * @throws RejectedException if it breaks a rule
   * @throws SendFailedException if no answer came within the timeout, or the thread was interrupted
   * @throws ClientClosedException after close()
   */
  public Accepted send(Event event) {
    SendResult result = sendAll(List.of(Item.of(event)), false).get(0);
    if (result.isRejected()) throw result.rejected();
    return result.accepted();
  }

  /** As {@link #send(Event)}. */
  public Accepted send(EventBuilder<?> event) {
    return send(event == null ? null : event.build());
  }

  /**
   * Stores any number of events, in calls as large as the gateway takes. One result per event, in order.
   *
   * @throws SendFailedException if not all could be sent; it has the results and the events that were not sent
   * @throws ClientClosedException after close()
   */
  public List<SendResult> sendBatch(Iterable<Event> events) {
    return sendAll(items(events), true);
  }

  private static List<Item> items(Iterable<Event> events) {
    List<Item> items = new ArrayList<>();
    for (Event event : events) items.add(Item.of(event));
    return items;
  }

  private List<SendResult> sendAll(List<Item> items, boolean isBatch) {
    outbox.begin(items.size());
    SendResult[] results = new SendResult[items.size()];
    List<Integer> good = new ArrayList<>(items.size());
    for (int i = 0; i < results.length; i++) {
      results[i] = items.get(i).rejected == null ? SendResult.NOT_SENT : new SendResult(null, items.get(i).rejected);
      if (items.get(i).rejected == null) good.add(i);
    }
    Attempts.GaveUp gaveUp = null;
    int answered = 0;
    try {
      for (List<Integer> chunk : chunks(items, good)) {
        List<SendResult> answer = ingest(chunk.stream().map(items::get).toList());
        for (int i = 0; i < chunk.size(); i++) results[chunk.get(i)] = answer.get(i);
        answered += chunk.size();
      }
    } catch (Attempts.GaveUp error) {
      gaveUp = error;
    } finally {
      int accepted = 0;
      for (SendResult result : results) if (result.isAccepted()) accepted++;
      int lost = good.size() - answered;
      outbox.end(accepted, results.length - lost - accepted, lost);
    }
    if (gaveUp == null) return List.of(results);
    List<Event> notSent = good.subList(answered, good.size()).stream().map(i -> items.get(i).event).toList();
    reports.noteLoss(gaveUp.getMessage());
    List<SendResult> all = isBatch ? List.of(results) : List.of();
    throw SendFailedException.of(notSent, gaveUp.getMessage(), gaveUp.getCause(), all);
  }

  /** Splits the items at these places into calls that the gateway takes. */
  private static List<List<Integer>> chunks(List<Item> items, List<Integer> places) {
    List<List<Integer>> chunks = new ArrayList<>();
    int bytes = 0;
    for (int place : places) {
      int size = items.get(place).bytes;
      List<Integer> last = chunks.isEmpty() ? null : chunks.get(chunks.size() - 1);
      if (last == null || last.size() == EventRules.MAX_CALL_EVENTS || bytes + size > Outbox.MAX_BATCH_BYTES) {
        last = new ArrayList<>();
        chunks.add(last);
        bytes = 0;
      }
      last.add(place);
      bytes += size;
    }
    return chunks;
  }

  private List<SendResult> ingest(List<Item> items) throws Attempts.GaveUp {
    IngestBatchRequest request = requestOf(items);
    IngestBatchResponse response = attempts.call(time -> transport.ingest(request, time));
    if (response.getResultsCount() != items.size()) {
      String text = "the gateway answered %d events with %d results".formatted(items.size(), response.getResultsCount());
      throw new Attempts.GaveUp(true, text, null);
    }
    List<SendResult> results = new ArrayList<>(items.size());
    for (int i = 0; i < items.size(); i++) results.add(items.get(i).resultOf(response.getResults(i)));
    return results;
  }

  private static IngestBatchRequest requestOf(List<Item> items) {
    IngestBatchRequest.Builder request = IngestBatchRequest.newBuilder();
    for (Item item : items) request.addEvents(item.event);
    return request.build();
  }

  /** Sends a batch of tracked events. */
  private void deliver(List<Item> batch) {
    List<SendResult> results;
    try {
      results = ingest(batch);
    } catch (Attempts.GaveUp error) {
      outbox.giveUp(batch, error.getMessage(), error.getCause(), !error.isFinal);
      return;
    } catch (Throwable fault) {
      outbox.giveUp(batch, fault.toString(), fault, true);
      return;
    }
    outbox.settle(batch, results);
  }

  /**
   * Stores any number of events over one stream, answered when all are durable. A stream that breaks is sent again from
   * its start, so they are kept in memory until then. Places in the answer are those of the given events.
   *
   * @throws SendFailedException if no answer came within the timeout
   * @throws ClientClosedException after close()
   */
  public IngestStreamResponse sendStream(Iterable<Event> events) {
    List<Item> items = items(events);
    outbox.begin(items.size());
    List<Integer> good = new ArrayList<>(items.size());
    for (int i = 0; i < items.size(); i++) if (items.get(i).rejected == null) good.add(i);
    List<IngestBatchRequest> messages =
        chunks(items, good).stream().map(chunk -> requestOf(chunk.stream().map(items::get).toList())).toList();
    int unanswered = good.size();
    IngestStreamResponse answer = IngestStreamResponse.getDefaultInstance();
    try {
      if (!good.isEmpty()) answer = attempts.call(time -> transport.stream(messages, time));
      unanswered = 0;
      return merged(answer, items, good);
    } catch (Attempts.GaveUp error) {
      reports.noteLoss(error.getMessage());
      List<Event> notSent = good.stream().map(i -> items.get(i).event).toList();
      throw SendFailedException.of(notSent, error.getMessage(), error.getCause(), List.of());
    } finally {
      int accepted = (int) answer.getAccepted();
      outbox.end(accepted, items.size() - unanswered - accepted, unanswered);
    }
  }

  /** The answer to the good items, with what the client rejected itself. */
  private static IngestStreamResponse merged(IngestStreamResponse answer, List<Item> items, List<Integer> good) {
    List<StreamRejection> rejections = new ArrayList<>();
    for (StreamRejection one : answer.getRejectionsList()) {
      rejections.add(one.toBuilder().setIndex(good.get((int) one.getIndex())).build());
    }
    for (int i = 0; i < items.size(); i++) {
      RejectedException rejected = items.get(i).rejected;
      if (rejected == null) continue;
      rejections.add(StreamRejection.newBuilder().setIndex(i).setRejection(rejected.rejection()).build());
    }
    rejections.sort(Comparator.comparingLong(StreamRejection::getIndex));
    return answer.toBuilder()
        .clearRejections()
        .addAllRejections(rejections.subList(0, Math.min(rejections.size(), Transport.MAX_REJECTIONS)))
        .setRejected(items.size() - answer.getAccepted())
        .build();
  }

  /** Waits until the queue has room for another event; false if it has none within the limit. */
  public boolean ready(Duration limit) {
    return outbox.awaitRoom(limited(limit));
  }

  /** Sends what waits, and returns whether all that was tracked before is answered within 30 s. */
  public boolean flush() {
    return flush(DEFAULT_LIMIT);
  }

  /** Sends what waits, and returns whether all that was tracked before is answered within the limit. */
  public boolean flush(Duration limit) {
    return outbox.flush(limited(limit));
  }

  /** As {@link #close(Duration)}, within 30 s. */
  @Override
  public void close() {
    close(DEFAULT_LIMIT);
  }

  /**
   * Takes no more events, sends what waits within the limit in all, and disconnects. May be called by any thread, also
   * one that is interrupted, by several, and more than once: all wait for the same end and learn the same.
   *
   * @throws NotSentException if any event was lost in the life of the client
   */
  public void close(Duration limit) {
    NotSentException notSent = outbox.close(limited(limit), attempts::end, this::disconnect);
    if (notSent != null) throw notSent;
  }

  private void disconnect() {
    ExitHook.remove(closeAtExit);
    answers.end();
    transport.close();
    if (store != null) store.close();
    reports.warnNow();
  }

  private void closeAtExit() {
    try {
      close();
    } catch (NotSentException warnedOf) {
      // Nobody would catch it.
    }
  }

  private static Duration limited(Duration limit) {
    if (limit.isNegative()) return Duration.ZERO;
    return limit.compareTo(MAX_LIMIT) > 0 ? MAX_LIMIT : limit;
  }

  /** What became of the events so far. */
  public Counters counters() {
    return outbox.counters();
  }

  /**
   * Clicks, conversions, revenue and conversion rate by period, campaign and source.
   *
   * @throws SendFailedException if they could not be had within the timeout
   */
  public GetStatsResponse stats(GetStatsRequest query) {
    outbox.begin(0);
    try {
      return attempts.call(time -> transport.stats(query, time));
    } catch (Attempts.GaveUp error) {
      throw new SendFailedException("no statistics: " + error.getMessage(), error.getCause(), List.of(), List.of());
    }
  }

  /** Those of these days, both included, by day, campaign and source. */
  public GetStatsResponse stats(LocalDate from, LocalDate to) {
    return stats(GetStatsRequest.newBuilder().setStartDate(from.toString()).setEndDate(to.toString()).build());
  }

  /** For the generated stubs of every other call, with the headers of the options; over gRPC only. */
  public Channel channel() {
    if (transport instanceof GrpcTransport grpc) return grpc.calls();
    throw new UnsupportedOperationException("the client does not speak gRPC");
  }
}
