package io.clickmesh;

import io.clickmesh.v1.Acceptance;
import io.clickmesh.v1.Event;
import io.clickmesh.v1.GetStatsRequest;
import io.clickmesh.v1.GetStatsResponse;
import io.clickmesh.v1.IngestBatchRequest;
import io.clickmesh.v1.IngestRequest;
import io.clickmesh.v1.IngestResult;
import io.clickmesh.v1.IngestServiceGrpc;
import io.clickmesh.v1.IngestStreamRequest;
import io.clickmesh.v1.IngestStreamResponse;
import io.clickmesh.v1.StatsServiceGrpc;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.stub.AbstractStub;
import io.grpc.stub.StreamObserver;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/**
 * Sends events and reads statistics. Safe for many threads; what is tracked is sent before the JVM exits.
 *
 * <p>Every call is repeated under the same event_id while the gateway is away, so nothing is lost and nothing counts
 * twice. After the timeout it throws the last {@link StatusRuntimeException}. A missing event_id or timestamp is filled
 * in before the first attempt.
 */
public final class ClickmeshClient implements AutoCloseable {
  private final ManagedChannel channel;
  private final Retry retry;
  private final BatchQueue queue;
  private final Thread exitHook = new Thread(this::close, "clickmesh-exit");
  private volatile boolean closed;

  /** A client of the gateway at the URL, such as "http://127.0.0.1:8080". It connects with the first call. */
  public ClickmeshClient(String url, ClickmeshOptions options) {
    this(open(URI.create(url)), options);
  }

  /** A client over a channel of its own, for other transports or credentials; close() closes it. */
  public ClickmeshClient(ManagedChannel channel, ClickmeshOptions options) {
    this.channel = channel;
    this.retry = new Retry(options.timeout, options.attemptTimeout);
    this.queue = new BatchQueue(this::sendBatch, options.batchSize, options.batchDelay, options.maxWaiting);
    Runtime.getRuntime().addShutdownHook(exitHook);
  }

  /**
   * Stores one event and returns once it is durable.
   *
   * @throws RejectedException if it breaks a rule of the contract
   */
  public Acceptance send(Event event) {
    IngestRequest request = IngestRequest.newBuilder().setEvent(Events.complete(event)).build();
    try {
      return retry.call(time -> within(time, IngestServiceGrpc.newBlockingStub(channel)).ingest(request)).getAcceptance();
    } catch (StatusRuntimeException error) {
      throw RejectedException.of(error);
    }
  }

  /**
   * Stores any number of events, in calls as large as the gateway takes. One result per event, in order. If it throws,
   * sending all again under the same ids is safe.
   */
  public List<IngestResult> sendBatch(Iterable<Event> events) {
    List<IngestResult> results = new ArrayList<>();
    for (List<Event> chunk : Events.chunks(events)) {
      IngestBatchRequest request = IngestBatchRequest.newBuilder().addAllEvents(chunk).build();
      results.addAll(
          retry
              .call(time -> zipped(within(time, IngestServiceGrpc.newBlockingStub(channel))).ingestBatch(request))
              .getResultsList());
    }
    return results;
  }

  /**
   * Stores any number of events over one stream, answered when all are durable. A stream that breaks is sent again from
   * its start, so they are kept in memory until then.
   */
  public IngestStreamResponse sendStream(Iterable<Event> events) {
    List<IngestStreamRequest> messages = new ArrayList<>();
    for (List<Event> chunk : Events.chunks(events)) {
      messages.add(IngestStreamRequest.newBuilder().addAllEvents(chunk).build());
    }
    return retry.call(time -> streamOnce(messages, time));
  }

  /**
   * Queues one event, to be sent with others; blocks while too many wait. The future tells what became of it: an
   * Acceptance, or a RejectedException or StatusRuntimeException.
   *
   * @throws IllegalStateException after close()
   */
  public CompletableFuture<Acceptance> track(Event event) throws InterruptedException {
    if (closed) throw new IllegalStateException("the client is closed");
    return queue.put(Events.complete(event));
  }

  /** Sends what is queued and returns when everything tracked before has been answered. */
  public void flush() throws InterruptedException {
    queue.flush().join();
  }

  /** Takes no more tracked events, flushes and disconnects. */
  @Override
  public synchronized void close() {
    if (closed) return;
    closed = true;
    try {
      if (Thread.currentThread() != exitHook) Runtime.getRuntime().removeShutdownHook(exitHook);
    } catch (IllegalStateException exiting) {
      // The hook runs anyway, and finds the client closed.
    }
    try {
      flush();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    channel.shutdown();
  }

  /** Clicks, conversions, revenue and conversion rate by period, campaign and source. */
  public GetStatsResponse getStats(GetStatsRequest request) {
    return retry.call(time -> within(time, StatsServiceGrpc.newBlockingStub(channel)).getStats(request));
  }

  /** For the generated stubs of every other call. */
  public Channel channel() {
    return channel;
  }

  private IngestStreamResponse streamOnce(List<IngestStreamRequest> messages, Duration time) {
    CompletableFuture<IngestStreamResponse> answer = new CompletableFuture<>();
    StreamObserver<IngestStreamRequest> requests =
        zipped(within(time, IngestServiceGrpc.newStub(channel))).ingestStream(observer(answer));
    messages.forEach(requests::onNext);
    requests.onCompleted();
    try {
      return answer.join();
    } catch (CompletionException error) {
      throw (StatusRuntimeException) error.getCause();
    }
  }

  private static <T> StreamObserver<T> observer(CompletableFuture<T> answer) {
    return new StreamObserver<>() {
      @Override
      public void onNext(T value) {
        answer.complete(value);
      }

      @Override
      public void onError(Throwable error) {
        answer.completeExceptionally(error);
      }

      @Override
      public void onCompleted() {}
    };
  }

  private static <S extends AbstractStub<S>> S within(Duration time, S stub) {
    return stub.withDeadlineAfter(time.toNanos(), TimeUnit.NANOSECONDS);
  }

  private static <S extends AbstractStub<S>> S zipped(S stub) {
    return stub.withCompression("gzip");
  }

  private static ManagedChannel open(URI url) {
    ChannelCredentials credentials =
        "https".equals(url.getScheme()) ? TlsChannelCredentials.create() : InsecureChannelCredentials.create();
    return Grpc.newChannelBuilder(url.getAuthority(), credentials).build();
  }
}
