package io.clickmesh;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.RetryInfo;
import io.clickmesh.v1.GetStatsRequest;
import io.clickmesh.v1.GetStatsResponse;
import io.clickmesh.v1.IngestBatchRequest;
import io.clickmesh.v1.IngestBatchResponse;
import io.clickmesh.v1.IngestServiceGrpc;
import io.clickmesh.v1.IngestStreamRequest;
import io.clickmesh.v1.IngestStreamResponse;
import io.clickmesh.v1.StatsServiceGrpc;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.Codec;
import io.grpc.CompressorRegistry;
import io.grpc.Context;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.TlsChannelCredentials;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/** gRPC over a channel. */
final class GrpcTransport implements Transport {
  private static final Metadata.Key<String> RETRY_AFTER =
      Metadata.Key.of("retry-after", Metadata.ASCII_STRING_MARSHALLER);
  /** How grpc-java words what broke on the way, under codes that a server may answer as well. */
  private static final Pattern BROKEN =
      Pattern.compile("RST_STREAM|end-of-stream|EOS|http2 exception|No value received|[Cc]onnection|[Cc]hannel closed");
  /** HTTP statuses that proxies answer for a while, and that grpc-java has no code for. */
  private static final Pattern HTTP_AWAY = Pattern.compile("HTTP status code (408|425|429|502|503|504)\\b.*", Pattern.DOTALL);
  /** Nothing for people. */
  private static final Pattern PIPELINE = Pattern.compile("\\s*Channel Pipeline: \\[[^\\]]*\\]");
  /** Smaller requests gain nothing by gzip. */
  private static final int MIN_ZIPPED_BYTES = 1024;

  private final ManagedChannel channel;
  private final Channel calls;
  private final String address;

  /** @param address null of a channel that the program opened */
  GrpcTransport(ManagedChannel channel, Address address, Supplier<Map<String, String>> headers) {
    this.channel = channel;
    this.calls =
        ClientInterceptors.intercept(channel, withHeaders(headers), under(address == null ? "" : address.prefix()));
    this.address = address == null ? channel.authority() : address.toString();
  }

  /** From here on the JVM warns of native libraries on stderr, which netty has but can do without. */
  private static final int FIRST_JAVA_THAT_WARNS = 24;

  private static void doWithoutNativeLibraries() {
    if (Runtime.version().feature() < FIRST_JAVA_THAT_WARNS) return;
    Properties properties = System.getProperties();
    properties.putIfAbsent("io.grpc.netty.shaded.io.netty.transport.noNative", "true");
    properties.putIfAbsent("io.grpc.netty.shaded.io.netty.handler.ssl.noOpenSsl", "true");
  }

  static ManagedChannel open(Address address) {
    doWithoutNativeLibraries();
    ChannelCredentials credentials =
        address.isTls() ? TlsChannelCredentials.create() : InsecureChannelCredentials.create();
    CompressorRegistry compressors = CompressorRegistry.newEmptyInstance();
    compressors.register(Codec.Identity.NONE);
    compressors.register(new FastGzip());
    return Grpc.newChannelBuilder("dns:///" + address.authority(), credentials).compressorRegistry(compressors).build();
  }

  /** For the generated stubs. */
  Channel calls() {
    return calls;
  }

  @Override
  public CompletableFuture<IngestBatchResponse> ingest(IngestBatchRequest request, Duration time) {
    boolean isZipped = request.getSerializedSize() >= MIN_ZIPPED_BYTES;
    return unary(IngestServiceGrpc.getIngestBatchMethod(), request, time, isZipped);
  }

  @Override
  public CompletableFuture<GetStatsResponse> stats(GetStatsRequest request, Duration time) {
    return unary(StatsServiceGrpc.getGetStatsMethod(), request, time, false);
  }

  @Override
  public CompletableFuture<IngestStreamResponse> stream(List<IngestBatchRequest> messages, Duration time) {
    ClientCall<IngestStreamRequest, IngestStreamResponse> call =
        calls.newCall(IngestServiceGrpc.getIngestStreamMethod(), options(time, true));
    Answer<IngestStreamResponse> answer = new Answer<>(call);
    StreamObserver<IngestStreamRequest> requests = ClientCalls.asyncClientStreamingCall(call, answer);
    for (IngestBatchRequest message : messages) {
      requests.onNext(IngestStreamRequest.newBuilder().addAllEvents(message.getEventsList()).build());
    }
    requests.onCompleted();
    return answer.future;
  }

  private <Q, R> CompletableFuture<R> unary(MethodDescriptor<Q, R> method, Q request, Duration time, boolean isZipped) {
    // It backs off by itself, up to 2 min; here only what Attempts waits counts.
    channel.resetConnectBackoff();
    ClientCall<Q, R> call = calls.newCall(method, options(time, isZipped));
    Answer<R> answer = new Answer<>(call);
    ClientCalls.asyncUnaryCall(call, request, answer);
    return answer.future;
  }

  private static CallOptions options(Duration time, boolean isZipped) {
    CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(time.toNanos(), TimeUnit.NANOSECONDS);
    return isZipped ? options.withCompression("gzip") : options;
  }

  @Override
  public String address() {
    return address;
  }

  @Override
  public void renew() {
    channel.enterIdle();
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }

  /** The answer to a call; cancelling it cancels the call. */
  private static final class Answer<R> implements StreamObserver<R> {
    final CompletableFuture<R> future = new CompletableFuture<>();
    private R value;

    Answer(ClientCall<?, R> call) {
      future.whenComplete(
          (answer, error) -> {
            if (future.isCancelled()) call.cancel("no longer waited for", null);
          });
    }

    @Override
    public void onNext(R message) {
      value = message;
    }

    @Override
    public void onError(Throwable error) {
      future.completeExceptionally(failed(error));
    }

    @Override
    public void onCompleted() {
      if (value != null) future.complete(value);
      else onError(Status.INTERNAL.withDescription("No value received").asRuntimeException());
    }
  }

  private static AttemptException failed(Throwable error) {
    Status status = Status.fromThrowable(error);
    Metadata trailers = Status.trailersFromThrowable(error);
    long retryAfterMs = retryAfterMs(error, trailers);
    String what = status.getDescription() == null ? "" : PIPELINE.matcher(status.getDescription()).replaceFirst("");
    Throwable first = status.getCause();
    while (first != null && first.getCause() != null) first = first.getCause();
    if (first != null && first.getMessage() != null) what += ": " + first.getMessage();
    return new AttemptException(status.getCode(), AttemptException.hint(what), isTransient(status, retryAfterMs), retryAfterMs, error);
  }

  private static boolean isTransient(Status status, long retryAfterMs) {
    String what = status.getDescription() == null ? "" : status.getDescription();
    return switch (status.getCode()) {
      case UNAVAILABLE, DEADLINE_EXCEEDED, ABORTED -> true;
      // Without it the request is too large, and always will be.
      case RESOURCE_EXHAUSTED -> retryAfterMs > 0;
      case CANCELLED -> !Context.current().isCancelled();
      case INTERNAL, UNKNOWN ->
          status.getCause() != null || BROKEN.matcher(what).find() || HTTP_AWAY.matcher(what).matches();
      default -> false;
    };
  }

  private static long retryAfterMs(Throwable error, Metadata trailers) {
    long ms = trailers == null ? 0 : RetryAfter.ms(trailers.get(RETRY_AFTER));
    com.google.rpc.Status details = ms > 0 ? null : StatusProto.fromThrowable(error);
    if (details == null) return ms;
    for (Any detail : details.getDetailsList()) {
      if (!detail.is(RetryInfo.class)) continue;
      try {
        var delay = detail.unpack(RetryInfo.class).getRetryDelay();
        return Math.max(1, delay.getSeconds() * 1000 + delay.getNanos() / 1_000_000);
      } catch (InvalidProtocolBufferException unreadable) {
        return 0;
      }
    }
    return 0;
  }

  private static ClientInterceptor withHeaders(Supplier<Map<String, String>> headers) {
    return new ClientInterceptor() {
      @Override
      public <Q, R> ClientCall<Q, R> interceptCall(MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
        return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
          @Override
          public void start(Listener<R> listener, Metadata metadata) {
            headers
                .get()
                .forEach(
                    (name, value) ->
                        metadata.put(
                            Metadata.Key.of(name.toLowerCase(Locale.ROOT), Metadata.ASCII_STRING_MARSHALLER), value));
            super.start(listener, metadata);
          }
        };
      }
    };
  }

  /** Puts a path in front of that of every call. */
  private static ClientInterceptor under(String prefix) {
    return new ClientInterceptor() {
      @Override
      public <Q, R> ClientCall<Q, R> interceptCall(MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
        if (prefix.isEmpty()) return next.newCall(method, options);
        String name = prefix.substring(1) + "/" + method.getFullMethodName();
        return next.newCall(method.toBuilder().setFullMethodName(name).build(), options);
      }
    };
  }

  /** gzip as everybody reads it. */
  private static final class FastGzip implements Codec {
    private final Codec gzip = new Codec.Gzip();

    @Override
    public String getMessageEncoding() {
      return gzip.getMessageEncoding();
    }

    @Override
    public InputStream decompress(InputStream bytes) throws IOException {
      return gzip.decompress(bytes);
    }

    @Override
    public OutputStream compress(OutputStream bytes) throws IOException {
      return new FastGzipStream(bytes);
    }
  }
}
