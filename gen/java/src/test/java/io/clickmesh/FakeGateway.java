package io.clickmesh;

import com.google.protobuf.Any;
import com.google.rpc.RetryInfo;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.clickmesh.v1.Acceptance;
import io.clickmesh.v1.Event;
import io.clickmesh.v1.IngestBatchRequest;
import io.clickmesh.v1.IngestBatchResponse;
import io.clickmesh.v1.IngestResult;
import io.clickmesh.v1.IngestServiceGrpc;
import io.clickmesh.v1.IngestStreamRequest;
import io.clickmesh.v1.IngestStreamResponse;
import io.clickmesh.v1.Rejection;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.zip.GZIPInputStream;

/** Gateways that do what a test says. They reject the user "refused". */
final class FakeGateway implements AutoCloseable {
  final List<Event> taken = Collections.synchronizedList(new ArrayList<>());
  final List<Metadata> headers = Collections.synchronizedList(new ArrayList<>());
  final List<String> paths = Collections.synchronizedList(new ArrayList<>());
  /** Called before each answer; a status in place of null is the answer. */
  volatile Supplier<Status> before = () -> null;
  /** Go with such a status; null for none. */
  volatile RetryInfo asked;
  volatile String retryAfter;
  /** Of each call that was answered. */
  final List<IngestBatchRequest> calls = Collections.synchronizedList(new ArrayList<>());

  private final Server server;

  private FakeGateway(String prefix) throws IOException {
    MethodDescriptor<IngestBatchRequest, IngestBatchResponse> batch = under(prefix, IngestServiceGrpc.getIngestBatchMethod());
    MethodDescriptor<IngestStreamRequest, IngestStreamResponse> stream =
        under(prefix, IngestServiceGrpc.getIngestStreamMethod());
    ServerServiceDefinition service =
        ServerServiceDefinition.builder(MethodDescriptor.extractFullServiceName(batch.getFullMethodName()))
            .addMethod(batch, ServerCalls.asyncUnaryCall(this::ingest))
            .addMethod(stream, ServerCalls.asyncClientStreamingCall(this::ingestStream))
            .build();
    server =
        Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
            .addService(service)
            .intercept(
                new ServerInterceptor() {
                  @Override
                  public <Q, R> ServerCall.Listener<Q> interceptCall(
                      ServerCall<Q, R> call, Metadata metadata, ServerCallHandler<Q, R> next) {
                    headers.add(metadata);
                    return next.startCall(call, metadata);
                  }
                })
            .build()
            .start();
  }

  private static <Q, R> MethodDescriptor<Q, R> under(String prefix, MethodDescriptor<Q, R> method) {
    return method.toBuilder().setFullMethodName(prefix + method.getFullMethodName()).build();
  }

  static FakeGateway start() throws IOException {
    return new FakeGateway("");
  }

  /** @param prefix such as "a/b/" */
  static FakeGateway under(String prefix) throws IOException {
    return new FakeGateway(prefix);
  }

  int port() {
    return server.getPort();
  }

  String url() {
    return "http://127.0.0.1:" + port();
  }

  private void ingest(IngestBatchRequest request, StreamObserver<IngestBatchResponse> answer) {
    Status status = before.get();
    if (status != null) {
      Metadata trailers = new Metadata();
      if (retryAfter != null) trailers.put(Metadata.Key.of("retry-after", Metadata.ASCII_STRING_MARSHALLER), retryAfter);
      answer.onError(asked == null ? status.asRuntimeException(trailers) : withAsked(status));
      return;
    }
    answer.onNext(accept(request));
    answer.onCompleted();
  }

  private StatusRuntimeException withAsked(Status status) {
    return StatusProto.toStatusRuntimeException(
        com.google.rpc.Status.newBuilder().setCode(status.getCode().value()).addDetails(Any.pack(asked)).build());
  }

  private IngestBatchResponse accept(IngestBatchRequest request) {
    IngestBatchResponse.Builder response = IngestBatchResponse.newBuilder();
    calls.add(request);
    for (Event event : request.getEventsList()) {
      if (event.getClick().getUserId().equals("refused")) {
        response.addResults(IngestResult.newBuilder().setRejected(Rejection.newBuilder().setMessage("user_id is refused")));
        continue;
      }
      taken.add(event);
      response.addResults(
          IngestResult.newBuilder().setAccepted(Acceptance.newBuilder().setEventId(StoredId.of(Events.eventId(event)))));
    }
    return response.build();
  }

  private StreamObserver<IngestStreamRequest> ingestStream(StreamObserver<IngestStreamResponse> answer) {
    return new StreamObserver<>() {
      private final List<Event> events = new ArrayList<>();

      @Override
      public void onNext(IngestStreamRequest message) {
        events.addAll(message.getEventsList());
      }

      @Override
      public void onError(Throwable error) {}

      @Override
      public void onCompleted() {
        taken.addAll(events);
        answer.onNext(IngestStreamResponse.newBuilder().setAccepted(events.size()).build());
        answer.onCompleted();
      }
    };
  }

  @Override
  public void close() {
    server.shutdownNow();
  }

  /** The same by the Connect protocol, over HTTP/1.1 and nothing else. */
  HttpServer startConnect() throws IOException {
    HttpServer http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    http.createContext("/", this::connect);
    http.start();
    return http;
  }

  private void connect(HttpExchange exchange) throws IOException {
    paths.add(exchange.getRequestURI().getPath());
    Metadata metadata = new Metadata();
    exchange
        .getRequestHeaders()
        .forEach((name, values) -> metadata.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), values.get(0)));
    headers.add(metadata);
    InputStream body = exchange.getRequestBody();
    if ("gzip".equals(exchange.getRequestHeaders().getFirst("content-encoding"))) body = new GZIPInputStream(body);
    IngestBatchRequest request = IngestBatchRequest.parseFrom(body);
    Status status = before.get();
    byte[] answer;
    if (status == null) {
      answer = accept(request).toByteArray();
      exchange.getResponseHeaders().add("content-type", "application/proto");
      exchange.sendResponseHeaders(200, answer.length);
    } else {
      String code = status.getCode().name().toLowerCase();
      String details = "";
      if (asked != null) {
        String value = Base64.getEncoder().withoutPadding().encodeToString(asked.toByteArray());
        details = ",\"details\":[{\"type\":\"google.rpc.RetryInfo\",\"value\":\"%s\"}]".formatted(value);
      }
      String message = status.getDescription();
      answer = "{\"code\":\"%s\",\"message\":\"%s\"%s}".formatted(code, message, details).getBytes();
      exchange.getResponseHeaders().add("content-type", "application/json");
      if (retryAfter != null) exchange.getResponseHeaders().add("retry-after", retryAfter);
      exchange.sendResponseHeaders(503, answer.length);
    }
    exchange.getResponseBody().write(answer);
    exchange.close();
  }

  /** A way to the gateway that answers HTTP/1.1 503 while it is away, as a load balancer without backends does. */
  final class Balancer implements AutoCloseable {
    volatile boolean isAway = true;
    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final Set<Socket> inner = ConcurrentHashMap.newKeySet();

    Balancer() throws IOException {
      daemon(
          () -> {
            while (true) {
              Socket client = server.accept();
              open.add(client);
              daemon(() -> serve(client));
            }
          });
    }

    String url() {
      return "http://127.0.0.1:" + server.getLocalPort();
    }

    private void serve(Socket client) throws IOException {
      if (isAway) {
        client.getInputStream().read();
        String answer = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        client.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
        client.close();
        return;
      }
      Socket gateway = new Socket(InetAddress.getLoopbackAddress(), port());
      open.add(gateway);
      inner.add(gateway);
      daemon(() -> gateway.getInputStream().transferTo(client.getOutputStream()));
      OutputStream out = gateway.getOutputStream();
      client.getInputStream().transferTo(out);
    }

    /** Connections up to now stay, and nothing comes over them any more. */
    void fallSilent() throws IOException {
      for (Socket socket : inner) socket.close();
    }

    @Override
    public void close() throws IOException {
      server.close();
      for (Socket socket : open) socket.close();
    }
  }

  private interface Task {
    void run() throws IOException;
  }

  private static void daemon(Task task) {
    Thread thread =
        new Thread(
            () -> {
              try {
                task.run();
              } catch (IOException closed) {
                // At the end of the test.
              }
            });
    thread.setDaemon(true);
    thread.start();
  }
}
