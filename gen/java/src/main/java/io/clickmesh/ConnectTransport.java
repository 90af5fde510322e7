package io.clickmesh;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import com.google.rpc.RetryInfo;
import io.clickmesh.v1.GetStatsRequest;
import io.clickmesh.v1.GetStatsResponse;
import io.clickmesh.v1.IngestBatchRequest;
import io.clickmesh.v1.IngestBatchResponse;
import io.clickmesh.v1.IngestServiceGrpc;
import io.clickmesh.v1.StatsServiceGrpc;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** The Connect protocol in Protobuf over HTTP/1.1. */
final class ConnectTransport implements Transport {
  /** One for all clients of the process: it has a thread that only the garbage collector ends. */
  private static final class Http {
    static final HttpClient CLIENT =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(Duration.ofSeconds(10))
            .build();
  }

  private static final Set<Integer> AWAY = Set.of(408, 425, 429, 502, 503, 504);
  private static final int MIN_ZIPPED_BYTES = 1024;
  private static final int MAX_TEXT = 200;

  private final Address address;
  private final Supplier<Map<String, String>> headers;
  private final Set<CompletableFuture<?>> running = ConcurrentHashMap.newKeySet();

  ConnectTransport(Address address, Supplier<Map<String, String>> headers) {
    this.address = address;
    this.headers = headers;
  }

  @Override
  public CompletableFuture<IngestBatchResponse> ingest(IngestBatchRequest request, Duration time) {
    return call(IngestServiceGrpc.getIngestBatchMethod(), request, IngestBatchResponse.parser(), time);
  }

  @Override
  public CompletableFuture<GetStatsResponse> stats(GetStatsRequest request, Duration time) {
    return call(StatsServiceGrpc.getGetStatsMethod(), request, GetStatsResponse.parser(), time);
  }

  private <R> CompletableFuture<R> call(MethodDescriptor<?, R> method, Message request, Parser<R> parser, Duration time) {
    HttpRequest.Builder post =
        HttpRequest.newBuilder(address.call(method.getFullMethodName()))
            .timeout(time)
            .header("content-type", "application/proto")
            .header("connect-protocol-version", "1")
            .header("connect-timeout-ms", Long.toString(Math.max(1, time.toMillis())));
    byte[] body = request.toByteArray();
    if (body.length >= MIN_ZIPPED_BYTES) {
      post.header("content-encoding", "gzip");
      body = zipped(body);
    }
    headers.get().forEach(post::setHeader);
    CompletableFuture<HttpResponse<byte[]>> exchange =
        Http.CLIENT.sendAsync(
            post.POST(HttpRequest.BodyPublishers.ofByteArray(body)).build(), HttpResponse.BodyHandlers.ofByteArray());
    running.add(exchange);
    CompletableFuture<R> answer = new CompletableFuture<>();
    answer.whenComplete((value, error) -> exchange.cancel(true));
    exchange.whenComplete(
        (response, error) -> {
          running.remove(exchange);
          try {
            answer.complete(answerOf(response, error, parser));
          } catch (AttemptException failed) {
            answer.completeExceptionally(failed);
          }
        });
    return answer;
  }

  private static byte[] zipped(byte[] body) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(body.length / 2);
    try (OutputStream gzip = new FastGzipStream(bytes)) {
      gzip.write(body);
    } catch (IOException inMemory) {
      throw new UncheckedIOException(inMemory);
    }
    return bytes.toByteArray();
  }

  private static <R> R answerOf(HttpResponse<byte[]> response, Throwable error, Parser<R> parser) {
    if (error != null) throw broken(error instanceof CompletionException ? error.getCause() : error);
    String type = response.headers().firstValue("content-type").orElse("");
    if (response.statusCode() != 200) throw refused(response);
    try {
      if (type.startsWith("application/proto")) return parser.parseFrom(response.body());
    } catch (InvalidProtocolBufferException unreadable) {
      throw new AttemptException(Status.Code.INTERNAL, "the answer can't be read", true, 0, unreadable);
    }
    throw new AttemptException(Status.Code.UNKNOWN, "the answer is of type \"" + type + "\"", false, 0, null);
  }

  private static AttemptException broken(Throwable error) {
    Throwable first = error;
    while (first.getCause() != null) first = first.getCause();
    String text = error.getMessage() == null ? error.getClass().getSimpleName() : error.getMessage();
    // The client of the JDK says no more than that.
    if (first instanceof UnresolvedAddressException) text = "the host is not known";
    else if (error instanceof ConnectException && first instanceof ClosedChannelException) text = "connection refused";
    boolean isLate = error instanceof HttpTimeoutException;
    Status.Code code = isLate ? Status.Code.DEADLINE_EXCEEDED : Status.Code.UNAVAILABLE;
    return new AttemptException(code, AttemptException.hint(text), error instanceof IOException, 0, error);
  }

  /** An error of Connect, or of what stands between. */
  private static AttemptException refused(HttpResponse<byte[]> response) {
    int http = response.statusCode();
    String text = new String(response.body(), StandardCharsets.UTF_8);
    Status.Code code = null;
    long retryAfterMs = RetryAfter.ms(response.headers().firstValue("retry-after").orElse(null));
    try {
      JsonObject json = JsonParser.parseString(text).getAsJsonObject();
      code = codeOf(json.get("code").getAsString());
      text = json.has("message") ? json.get("message").getAsString() : "";
      if (retryAfterMs == 0) retryAfterMs = retryInfoMs(json);
    } catch (JsonParseException | IllegalStateException | NullPointerException | UnsupportedOperationException noConnect) {
      text = text.strip();
    }
    text = "HTTP status " + http + (text.isEmpty() ? "" : ": " + text.substring(0, Math.min(text.length(), MAX_TEXT)));
    if (code == null) code = AWAY.contains(http) ? Status.Code.UNAVAILABLE : Status.Code.UNKNOWN;
    boolean isTransient =
        switch (code) {
          case UNAVAILABLE, DEADLINE_EXCEEDED, ABORTED -> true;
          case RESOURCE_EXHAUSTED -> retryAfterMs > 0;
          default -> false;
        };
    return new AttemptException(code, text, isTransient, retryAfterMs, null);
  }

  /** Connect's name of a code; null if it is none. */
  private static Status.Code codeOf(String name) {
    if (name.equals("canceled")) return Status.Code.CANCELLED;
    for (Status.Code code : Status.Code.values()) {
      if (code.name().toLowerCase(Locale.ROOT).equals(name)) return code;
    }
    return null;
  }

  private static long retryInfoMs(JsonObject error) {
    if (!error.has("details")) return 0;
    for (JsonElement one : error.getAsJsonArray("details")) {
      JsonObject detail = one.getAsJsonObject();
      if (!detail.get("type").getAsString().equals("google.rpc.RetryInfo")) continue;
      try {
        String value = detail.get("value").getAsString().replace('-', '+').replace('_', '/');
        var delay = RetryInfo.parseFrom(Base64.getDecoder().decode(value)).getRetryDelay();
        return Math.max(1, delay.getSeconds() * 1000 + delay.getNanos() / 1_000_000);
      } catch (InvalidProtocolBufferException | IllegalArgumentException unreadable) {
        return 0;
      }
    }
    return 0;
  }

  /** A request that gets no answer takes its connection with it. */
  @Override
  public String address() {
    return address.toString();
  }

  @Override
  public void renew() {}

  @Override
  public void close() {
    for (CompletableFuture<?> exchange : running) exchange.cancel(true);
  }
}
