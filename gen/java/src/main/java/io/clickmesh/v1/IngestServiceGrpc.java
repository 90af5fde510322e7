package io.clickmesh.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Takes clicks, conversions, adjustments and verdicts. An event is acknowledged only when it is durable in the log;
 * retrying under the same event_id is safe for EVENT_ID_DAYS of the mesh (30 by default). Beyond the limit of events in
 * flight, or of requests on their way, calls fail with RESOURCE_EXHAUSTED, and while the log is down with UNAVAILABLE, as
 * do those with an event whose user is to be found in ClickHouse while that is down; both carry a retry-after in seconds,
 * and nothing of the call was acknowledged. A request that is too large is INVALID_ARGUMENT: sent again it would fail
 * again.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class IngestServiceGrpc {

  private IngestServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "clickmesh.v1.IngestService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<io.clickmesh.v1.IngestRequest,
      io.clickmesh.v1.IngestResponse> getIngestMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Ingest",
      requestType = io.clickmesh.v1.IngestRequest.class,
      responseType = io.clickmesh.v1.IngestResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.clickmesh.v1.IngestRequest,
      io.clickmesh.v1.IngestResponse> getIngestMethod() {
    io.grpc.MethodDescriptor<io.clickmesh.v1.IngestRequest, io.clickmesh.v1.IngestResponse> getIngestMethod;
    if ((getIngestMethod = IngestServiceGrpc.getIngestMethod) == null) {
      synchronized (IngestServiceGrpc.class) {
        if ((getIngestMethod = IngestServiceGrpc.getIngestMethod) == null) {
          IngestServiceGrpc.getIngestMethod = getIngestMethod =
              io.grpc.MethodDescriptor.<io.clickmesh.v1.IngestRequest, io.clickmesh.v1.IngestResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Ingest"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.IngestRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.IngestResponse.getDefaultInstance()))
              .setSchemaDescriptor(new IngestServiceMethodDescriptorSupplier("Ingest"))
              .build();
        }
      }
    }
    return getIngestMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.clickmesh.v1.IngestBatchRequest,
      io.clickmesh.v1.IngestBatchResponse> getIngestBatchMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "IngestBatch",
      requestType = io.clickmesh.v1.IngestBatchRequest.class,
      responseType = io.clickmesh.v1.IngestBatchResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.clickmesh.v1.IngestBatchRequest,
      io.clickmesh.v1.IngestBatchResponse> getIngestBatchMethod() {
    io.grpc.MethodDescriptor<io.clickmesh.v1.IngestBatchRequest, io.clickmesh.v1.IngestBatchResponse> getIngestBatchMethod;
    if ((getIngestBatchMethod = IngestServiceGrpc.getIngestBatchMethod) == null) {
      synchronized (IngestServiceGrpc.class) {
        if ((getIngestBatchMethod = IngestServiceGrpc.getIngestBatchMethod) == null) {
          IngestServiceGrpc.getIngestBatchMethod = getIngestBatchMethod =
              io.grpc.MethodDescriptor.<io.clickmesh.v1.IngestBatchRequest, io.clickmesh.v1.IngestBatchResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "IngestBatch"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.IngestBatchRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.IngestBatchResponse.getDefaultInstance()))
              .setSchemaDescriptor(new IngestServiceMethodDescriptorSupplier("IngestBatch"))
              .build();
        }
      }
    }
    return getIngestBatchMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.clickmesh.v1.IngestStreamRequest,
      io.clickmesh.v1.IngestStreamResponse> getIngestStreamMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "IngestStream",
      requestType = io.clickmesh.v1.IngestStreamRequest.class,
      responseType = io.clickmesh.v1.IngestStreamResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.CLIENT_STREAMING)
  public static io.grpc.MethodDescriptor<io.clickmesh.v1.IngestStreamRequest,
      io.clickmesh.v1.IngestStreamResponse> getIngestStreamMethod() {
    io.grpc.MethodDescriptor<io.clickmesh.v1.IngestStreamRequest, io.clickmesh.v1.IngestStreamResponse> getIngestStreamMethod;
    if ((getIngestStreamMethod = IngestServiceGrpc.getIngestStreamMethod) == null) {
      synchronized (IngestServiceGrpc.class) {
        if ((getIngestStreamMethod = IngestServiceGrpc.getIngestStreamMethod) == null) {
          IngestServiceGrpc.getIngestStreamMethod = getIngestStreamMethod =
              io.grpc.MethodDescriptor.<io.clickmesh.v1.IngestStreamRequest, io.clickmesh.v1.IngestStreamResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.CLIENT_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "IngestStream"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.IngestStreamRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.IngestStreamResponse.getDefaultInstance()))
              .setSchemaDescriptor(new IngestServiceMethodDescriptorSupplier("IngestStream"))
              .build();
        }
      }
    }
    return getIngestStreamMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static IngestServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<IngestServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<IngestServiceStub>() {
        @java.lang.Override
        public IngestServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new IngestServiceStub(channel, callOptions);
        }
      };
    return IngestServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static IngestServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<IngestServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<IngestServiceBlockingV2Stub>() {
        @java.lang.Override
        public IngestServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new IngestServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return IngestServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static IngestServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<IngestServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<IngestServiceBlockingStub>() {
        @java.lang.Override
        public IngestServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new IngestServiceBlockingStub(channel, callOptions);
        }
      };
    return IngestServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static IngestServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<IngestServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<IngestServiceFutureStub>() {
        @java.lang.Override
        public IngestServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new IngestServiceFutureStub(channel, callOptions);
        }
      };
    return IngestServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Takes clicks, conversions, adjustments and verdicts. An event is acknowledged only when it is durable in the log;
   * retrying under the same event_id is safe for EVENT_ID_DAYS of the mesh (30 by default). Beyond the limit of events in
   * flight, or of requests on their way, calls fail with RESOURCE_EXHAUSTED, and while the log is down with UNAVAILABLE, as
   * do those with an event whose user is to be found in ClickHouse while that is down; both carry a retry-after in seconds,
   * and nothing of the call was acknowledged. A request that is too large is INVALID_ARGUMENT: sent again it would fail
   * again.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Takes one event. A rejected one fails with INVALID_ARGUMENT and a Rejection as error detail; with
     * FAILED_PRECONDITION if it may be taken later, for REJECT_REASON_UNKNOWN_TARGET.
     * </pre>
     */
    default void ingest(io.clickmesh.v1.IngestRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.IngestResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getIngestMethod(), responseObserver);
    }

    /**
     * <pre>
     * Takes 1 to 1,000 events (1 MiB). Not atomic: each event is accepted or rejected by itself, also one that can't be
     * decoded. The call fails only when no event could be told from another, or nothing could be stored.
     * </pre>
     */
    default void ingestBatch(io.clickmesh.v1.IngestBatchRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.IngestBatchResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getIngestBatchMethod(), responseObserver);
    }

    /**
     * <pre>
     * Takes any number of messages of up to 1,000 events (1 MiB) each and answers when the client closes its side.
     * If the stream breaks, send again what was not answered: duplicates change nothing, for EVENT_ID_DAYS (Click).
     * </pre>
     */
    default io.grpc.stub.StreamObserver<io.clickmesh.v1.IngestStreamRequest> ingestStream(
        io.grpc.stub.StreamObserver<io.clickmesh.v1.IngestStreamResponse> responseObserver) {
      return io.grpc.stub.ServerCalls.asyncUnimplementedStreamingCall(getIngestStreamMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service IngestService.
   * <pre>
   * Takes clicks, conversions, adjustments and verdicts. An event is acknowledged only when it is durable in the log;
   * retrying under the same event_id is safe for EVENT_ID_DAYS of the mesh (30 by default). Beyond the limit of events in
   * flight, or of requests on their way, calls fail with RESOURCE_EXHAUSTED, and while the log is down with UNAVAILABLE, as
   * do those with an event whose user is to be found in ClickHouse while that is down; both carry a retry-after in seconds,
   * and nothing of the call was acknowledged. A request that is too large is INVALID_ARGUMENT: sent again it would fail
   * again.
   * </pre>
   */
  public static abstract class IngestServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return IngestServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service IngestService.
   * <pre>
   * Takes clicks, conversions, adjustments and verdicts. An event is acknowledged only when it is durable in the log;
   * retrying under the same event_id is safe for EVENT_ID_DAYS of the mesh (30 by default). Beyond the limit of events in
   * flight, or of requests on their way, calls fail with RESOURCE_EXHAUSTED, and while the log is down with UNAVAILABLE, as
   * do those with an event whose user is to be found in ClickHouse while that is down; both carry a retry-after in seconds,
   * and nothing of the call was acknowledged. A request that is too large is INVALID_ARGUMENT: sent again it would fail
   * again.
   * </pre>
   */
  public static final class IngestServiceStub
      extends io.grpc.stub.AbstractAsyncStub<IngestServiceStub> {
    private IngestServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected IngestServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new IngestServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * Takes one event. A rejected one fails with INVALID_ARGUMENT and a Rejection as error detail; with
     * FAILED_PRECONDITION if it may be taken later, for REJECT_REASON_UNKNOWN_TARGET.
     * </pre>
     */
    public void ingest(io.clickmesh.v1.IngestRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.IngestResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getIngestMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Takes 1 to 1,000 events (1 MiB). Not atomic: each event is accepted or rejected by itself, also one that can't be
     * decoded. The call fails only when no event could be told from another, or nothing could be stored.
     * </pre>
     */
    public void ingestBatch(io.clickmesh.v1.IngestBatchRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.IngestBatchResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getIngestBatchMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Takes any number of messages of up to 1,000 events (1 MiB) each and answers when the client closes its side.
     * If the stream breaks, send again what was not answered: duplicates change nothing, for EVENT_ID_DAYS (Click).
     * </pre>
     */
    public io.grpc.stub.StreamObserver<io.clickmesh.v1.IngestStreamRequest> ingestStream(
        io.grpc.stub.StreamObserver<io.clickmesh.v1.IngestStreamResponse> responseObserver) {
      return io.grpc.stub.ClientCalls.asyncClientStreamingCall(
          getChannel().newCall(getIngestStreamMethod(), getCallOptions()), responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service IngestService.
   * <pre>
   * Takes clicks, conversions, adjustments and verdicts. An event is acknowledged only when it is durable in the log;
   * retrying under the same event_id is safe for EVENT_ID_DAYS of the mesh (30 by default). Beyond the limit of events in
   * flight, or of requests on their way, calls fail with RESOURCE_EXHAUSTED, and while the log is down with UNAVAILABLE, as
   * do those with an event whose user is to be found in ClickHouse while that is down; both carry a retry-after in seconds,
   * and nothing of the call was acknowledged. A request that is too large is INVALID_ARGUMENT: sent again it would fail
   * again.
   * </pre>
   */
  public static final class IngestServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<IngestServiceBlockingV2Stub> {
    private IngestServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected IngestServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new IngestServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Takes one event. A rejected one fails with INVALID_ARGUMENT and a Rejection as error detail; with
     * FAILED_PRECONDITION if it may be taken later, for REJECT_REASON_UNKNOWN_TARGET.
     * </pre>
     */
    public io.clickmesh.v1.IngestResponse ingest(io.clickmesh.v1.IngestRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getIngestMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Takes 1 to 1,000 events (1 MiB). Not atomic: each event is accepted or rejected by itself, also one that can't be
     * decoded. The call fails only when no event could be told from another, or nothing could be stored.
     * </pre>
     */
    public io.clickmesh.v1.IngestBatchResponse ingestBatch(io.clickmesh.v1.IngestBatchRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getIngestBatchMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Takes any number of messages of up to 1,000 events (1 MiB) each and answers when the client closes its side.
     * If the stream breaks, send again what was not answered: duplicates change nothing, for EVENT_ID_DAYS (Click).
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<io.clickmesh.v1.IngestStreamRequest, io.clickmesh.v1.IngestStreamResponse>
        ingestStream() {
      return io.grpc.stub.ClientCalls.blockingClientStreamingCall(
          getChannel(), getIngestStreamMethod(), getCallOptions());
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service IngestService.
   * <pre>
   * Takes clicks, conversions, adjustments and verdicts. An event is acknowledged only when it is durable in the log;
   * retrying under the same event_id is safe for EVENT_ID_DAYS of the mesh (30 by default). Beyond the limit of events in
   * flight, or of requests on their way, calls fail with RESOURCE_EXHAUSTED, and while the log is down with UNAVAILABLE, as
   * do those with an event whose user is to be found in ClickHouse while that is down; both carry a retry-after in seconds,
   * and nothing of the call was acknowledged. A request that is too large is INVALID_ARGUMENT: sent again it would fail
   * again.
   * </pre>
   */
  public static final class IngestServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<IngestServiceBlockingStub> {
    private IngestServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected IngestServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new IngestServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Takes one event. A rejected one fails with INVALID_ARGUMENT and a Rejection as error detail; with
     * FAILED_PRECONDITION if it may be taken later, for REJECT_REASON_UNKNOWN_TARGET.
     * </pre>
     */
    public io.clickmesh.v1.IngestResponse ingest(io.clickmesh.v1.IngestRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getIngestMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Takes 1 to 1,000 events (1 MiB). Not atomic: each event is accepted or rejected by itself, also one that can't be
     * decoded. The call fails only when no event could be told from another, or nothing could be stored.
     * </pre>
     */
    public io.clickmesh.v1.IngestBatchResponse ingestBatch(io.clickmesh.v1.IngestBatchRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getIngestBatchMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service IngestService.
   * <pre>
   * Takes clicks, conversions, adjustments and verdicts. An event is acknowledged only when it is durable in the log;
   * retrying under the same event_id is safe for EVENT_ID_DAYS of the mesh (30 by default). Beyond the limit of events in
   * flight, or of requests on their way, calls fail with RESOURCE_EXHAUSTED, and while the log is down with UNAVAILABLE, as
   * do those with an event whose user is to be found in ClickHouse while that is down; both carry a retry-after in seconds,
   * and nothing of the call was acknowledged. A request that is too large is INVALID_ARGUMENT: sent again it would fail
   * again.
   * </pre>
   */
  public static final class IngestServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<IngestServiceFutureStub> {
    private IngestServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected IngestServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new IngestServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Takes one event. A rejected one fails with INVALID_ARGUMENT and a Rejection as error detail; with
     * FAILED_PRECONDITION if it may be taken later, for REJECT_REASON_UNKNOWN_TARGET.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.clickmesh.v1.IngestResponse> ingest(
        io.clickmesh.v1.IngestRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getIngestMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Takes 1 to 1,000 events (1 MiB). Not atomic: each event is accepted or rejected by itself, also one that can't be
     * decoded. The call fails only when no event could be told from another, or nothing could be stored.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.clickmesh.v1.IngestBatchResponse> ingestBatch(
        io.clickmesh.v1.IngestBatchRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getIngestBatchMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_INGEST = 0;
  private static final int METHODID_INGEST_BATCH = 1;
  private static final int METHODID_INGEST_STREAM = 2;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final AsyncService serviceImpl;
    private final int methodId;

    MethodHandlers(AsyncService serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_INGEST:
          serviceImpl.ingest((io.clickmesh.v1.IngestRequest) request,
              (io.grpc.stub.StreamObserver<io.clickmesh.v1.IngestResponse>) responseObserver);
          break;
        case METHODID_INGEST_BATCH:
          serviceImpl.ingestBatch((io.clickmesh.v1.IngestBatchRequest) request,
              (io.grpc.stub.StreamObserver<io.clickmesh.v1.IngestBatchResponse>) responseObserver);
          break;
        default:
          throw new AssertionError();
      }
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public io.grpc.stub.StreamObserver<Req> invoke(
        io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_INGEST_STREAM:
          return (io.grpc.stub.StreamObserver<Req>) serviceImpl.ingestStream(
              (io.grpc.stub.StreamObserver<io.clickmesh.v1.IngestStreamResponse>) responseObserver);
        default:
          throw new AssertionError();
      }
    }
  }

  public static final io.grpc.ServerServiceDefinition bindService(AsyncService service) {
    return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
        .addMethod(
          getIngestMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.clickmesh.v1.IngestRequest,
              io.clickmesh.v1.IngestResponse>(
                service, METHODID_INGEST)))
        .addMethod(
          getIngestBatchMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.clickmesh.v1.IngestBatchRequest,
              io.clickmesh.v1.IngestBatchResponse>(
                service, METHODID_INGEST_BATCH)))
        .addMethod(
          getIngestStreamMethod(),
          io.grpc.stub.ServerCalls.asyncClientStreamingCall(
            new MethodHandlers<
              io.clickmesh.v1.IngestStreamRequest,
              io.clickmesh.v1.IngestStreamResponse>(
                service, METHODID_INGEST_STREAM)))
        .build();
  }

  private static abstract class IngestServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    IngestServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return io.clickmesh.v1.IngestServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("IngestService");
    }
  }

  private static final class IngestServiceFileDescriptorSupplier
      extends IngestServiceBaseDescriptorSupplier {
    IngestServiceFileDescriptorSupplier() {}
  }

  private static final class IngestServiceMethodDescriptorSupplier
      extends IngestServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    IngestServiceMethodDescriptorSupplier(java.lang.String methodName) {
      this.methodName = methodName;
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.MethodDescriptor getMethodDescriptor() {
      return getServiceDescriptor().findMethodByName(methodName);
    }
  }

  private static volatile io.grpc.ServiceDescriptor serviceDescriptor;

  public static io.grpc.ServiceDescriptor getServiceDescriptor() {
    io.grpc.ServiceDescriptor result = serviceDescriptor;
    if (result == null) {
      synchronized (IngestServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new IngestServiceFileDescriptorSupplier())
              .addMethod(getIngestMethod())
              .addMethod(getIngestBatchMethod())
              .addMethod(getIngestStreamMethod())
              .build();
        }
      }
    }
    return result;
  }
}
