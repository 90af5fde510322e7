package io.clickmesh.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Answers from ClickHouse. An acknowledged event shows within about two seconds. What of a request can't be answered is
 * refused with INVALID_ARGUMENT and a message that begins with the field; by JSON that is also a field that is not known.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class StatsServiceGrpc {

  private StatsServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "clickmesh.v1.StatsService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<io.clickmesh.v1.GetStatsRequest,
      io.clickmesh.v1.GetStatsResponse> getGetStatsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetStats",
      requestType = io.clickmesh.v1.GetStatsRequest.class,
      responseType = io.clickmesh.v1.GetStatsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.clickmesh.v1.GetStatsRequest,
      io.clickmesh.v1.GetStatsResponse> getGetStatsMethod() {
    io.grpc.MethodDescriptor<io.clickmesh.v1.GetStatsRequest, io.clickmesh.v1.GetStatsResponse> getGetStatsMethod;
    if ((getGetStatsMethod = StatsServiceGrpc.getGetStatsMethod) == null) {
      synchronized (StatsServiceGrpc.class) {
        if ((getGetStatsMethod = StatsServiceGrpc.getGetStatsMethod) == null) {
          StatsServiceGrpc.getGetStatsMethod = getGetStatsMethod =
              io.grpc.MethodDescriptor.<io.clickmesh.v1.GetStatsRequest, io.clickmesh.v1.GetStatsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetStats"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.GetStatsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.GetStatsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new StatsServiceMethodDescriptorSupplier("GetStats"))
              .build();
        }
      }
    }
    return getGetStatsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.clickmesh.v1.WatchStatsRequest,
      io.clickmesh.v1.WatchStatsResponse> getWatchStatsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "WatchStats",
      requestType = io.clickmesh.v1.WatchStatsRequest.class,
      responseType = io.clickmesh.v1.WatchStatsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<io.clickmesh.v1.WatchStatsRequest,
      io.clickmesh.v1.WatchStatsResponse> getWatchStatsMethod() {
    io.grpc.MethodDescriptor<io.clickmesh.v1.WatchStatsRequest, io.clickmesh.v1.WatchStatsResponse> getWatchStatsMethod;
    if ((getWatchStatsMethod = StatsServiceGrpc.getWatchStatsMethod) == null) {
      synchronized (StatsServiceGrpc.class) {
        if ((getWatchStatsMethod = StatsServiceGrpc.getWatchStatsMethod) == null) {
          StatsServiceGrpc.getWatchStatsMethod = getWatchStatsMethod =
              io.grpc.MethodDescriptor.<io.clickmesh.v1.WatchStatsRequest, io.clickmesh.v1.WatchStatsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "WatchStats"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.WatchStatsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.WatchStatsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new StatsServiceMethodDescriptorSupplier("WatchStats"))
              .build();
        }
      }
    }
    return getWatchStatsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.clickmesh.v1.ExplainConversionRequest,
      io.clickmesh.v1.ExplainConversionResponse> getExplainConversionMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ExplainConversion",
      requestType = io.clickmesh.v1.ExplainConversionRequest.class,
      responseType = io.clickmesh.v1.ExplainConversionResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.clickmesh.v1.ExplainConversionRequest,
      io.clickmesh.v1.ExplainConversionResponse> getExplainConversionMethod() {
    io.grpc.MethodDescriptor<io.clickmesh.v1.ExplainConversionRequest, io.clickmesh.v1.ExplainConversionResponse> getExplainConversionMethod;
    if ((getExplainConversionMethod = StatsServiceGrpc.getExplainConversionMethod) == null) {
      synchronized (StatsServiceGrpc.class) {
        if ((getExplainConversionMethod = StatsServiceGrpc.getExplainConversionMethod) == null) {
          StatsServiceGrpc.getExplainConversionMethod = getExplainConversionMethod =
              io.grpc.MethodDescriptor.<io.clickmesh.v1.ExplainConversionRequest, io.clickmesh.v1.ExplainConversionResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ExplainConversion"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.ExplainConversionRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.ExplainConversionResponse.getDefaultInstance()))
              .setSchemaDescriptor(new StatsServiceMethodDescriptorSupplier("ExplainConversion"))
              .build();
        }
      }
    }
    return getExplainConversionMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static StatsServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<StatsServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<StatsServiceStub>() {
        @java.lang.Override
        public StatsServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new StatsServiceStub(channel, callOptions);
        }
      };
    return StatsServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static StatsServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<StatsServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<StatsServiceBlockingV2Stub>() {
        @java.lang.Override
        public StatsServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new StatsServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return StatsServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static StatsServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<StatsServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<StatsServiceBlockingStub>() {
        @java.lang.Override
        public StatsServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new StatsServiceBlockingStub(channel, callOptions);
        }
      };
    return StatsServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static StatsServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<StatsServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<StatsServiceFutureStub>() {
        @java.lang.Override
        public StatsServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new StatsServiceFutureStub(channel, callOptions);
        }
      };
    return StatsServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Answers from ClickHouse. An acknowledged event shows within about two seconds. What of a request can't be answered is
   * refused with INVALID_ARGUMENT and a message that begins with the field; by JSON that is also a field that is not known.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Clicks, conversions, revenue and conversion rate by period, campaign and source. Fails with INVALID_ARGUMENT beyond
     * 200,000 rows; GET /api/v1/stats answers any number.
     * </pre>
     */
    default void getStats(io.clickmesh.v1.GetStatsRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.GetStatsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetStatsMethod(), responseObserver);
    }

    /**
     * <pre>
     * The same, again whenever it changed, looked at every period_ms.
     * </pre>
     */
    default void watchStats(io.clickmesh.v1.WatchStatsRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.WatchStatsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getWatchStatsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Which clicks were candidates for a conversion, which won, why the others did not, and what adjustments and verdicts
     * changed since. NOT_FOUND if no decision on the conversion has reached ClickHouse.
     * </pre>
     */
    default void explainConversion(io.clickmesh.v1.ExplainConversionRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.ExplainConversionResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getExplainConversionMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service StatsService.
   * <pre>
   * Answers from ClickHouse. An acknowledged event shows within about two seconds. What of a request can't be answered is
   * refused with INVALID_ARGUMENT and a message that begins with the field; by JSON that is also a field that is not known.
   * </pre>
   */
  public static abstract class StatsServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return StatsServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service StatsService.
   * <pre>
   * Answers from ClickHouse. An acknowledged event shows within about two seconds. What of a request can't be answered is
   * refused with INVALID_ARGUMENT and a message that begins with the field; by JSON that is also a field that is not known.
   * </pre>
   */
  public static final class StatsServiceStub
      extends io.grpc.stub.AbstractAsyncStub<StatsServiceStub> {
    private StatsServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected StatsServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new StatsServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * Clicks, conversions, revenue and conversion rate by period, campaign and source. Fails with INVALID_ARGUMENT beyond
     * 200,000 rows; GET /api/v1/stats answers any number.
     * </pre>
     */
    public void getStats(io.clickmesh.v1.GetStatsRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.GetStatsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetStatsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * The same, again whenever it changed, looked at every period_ms.
     * </pre>
     */
    public void watchStats(io.clickmesh.v1.WatchStatsRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.WatchStatsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getWatchStatsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Which clicks were candidates for a conversion, which won, why the others did not, and what adjustments and verdicts
     * changed since. NOT_FOUND if no decision on the conversion has reached ClickHouse.
     * </pre>
     */
    public void explainConversion(io.clickmesh.v1.ExplainConversionRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.ExplainConversionResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getExplainConversionMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service StatsService.
   * <pre>
   * Answers from ClickHouse. An acknowledged event shows within about two seconds. What of a request can't be answered is
   * refused with INVALID_ARGUMENT and a message that begins with the field; by JSON that is also a field that is not known.
   * </pre>
   */
  public static final class StatsServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<StatsServiceBlockingV2Stub> {
    private StatsServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected StatsServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new StatsServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Clicks, conversions, revenue and conversion rate by period, campaign and source. Fails with INVALID_ARGUMENT beyond
     * 200,000 rows; GET /api/v1/stats answers any number.
     * </pre>
     */
    public io.clickmesh.v1.GetStatsResponse getStats(io.clickmesh.v1.GetStatsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetStatsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * The same, again whenever it changed, looked at every period_ms.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<?, io.clickmesh.v1.WatchStatsResponse>
        watchStats(io.clickmesh.v1.WatchStatsRequest request) {
      return io.grpc.stub.ClientCalls.blockingV2ServerStreamingCall(
          getChannel(), getWatchStatsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Which clicks were candidates for a conversion, which won, why the others did not, and what adjustments and verdicts
     * changed since. NOT_FOUND if no decision on the conversion has reached ClickHouse.
     * </pre>
     */
    public io.clickmesh.v1.ExplainConversionResponse explainConversion(io.clickmesh.v1.ExplainConversionRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getExplainConversionMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service StatsService.
   * <pre>
   * Answers from ClickHouse. An acknowledged event shows within about two seconds. What of a request can't be answered is
   * refused with INVALID_ARGUMENT and a message that begins with the field; by JSON that is also a field that is not known.
   * </pre>
   */
  public static final class StatsServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<StatsServiceBlockingStub> {
    private StatsServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected StatsServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new StatsServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Clicks, conversions, revenue and conversion rate by period, campaign and source. Fails with INVALID_ARGUMENT beyond
     * 200,000 rows; GET /api/v1/stats answers any number.
     * </pre>
     */
    public io.clickmesh.v1.GetStatsResponse getStats(io.clickmesh.v1.GetStatsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetStatsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * The same, again whenever it changed, looked at every period_ms.
     * </pre>
     */
    public java.util.Iterator<io.clickmesh.v1.WatchStatsResponse> watchStats(
        io.clickmesh.v1.WatchStatsRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getWatchStatsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Which clicks were candidates for a conversion, which won, why the others did not, and what adjustments and verdicts
     * changed since. NOT_FOUND if no decision on the conversion has reached ClickHouse.
     * </pre>
     */
    public io.clickmesh.v1.ExplainConversionResponse explainConversion(io.clickmesh.v1.ExplainConversionRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getExplainConversionMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service StatsService.
   * <pre>
   * Answers from ClickHouse. An acknowledged event shows within about two seconds. What of a request can't be answered is
   * refused with INVALID_ARGUMENT and a message that begins with the field; by JSON that is also a field that is not known.
   * </pre>
   */
  public static final class StatsServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<StatsServiceFutureStub> {
    private StatsServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected StatsServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new StatsServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Clicks, conversions, revenue and conversion rate by period, campaign and source. Fails with INVALID_ARGUMENT beyond
     * 200,000 rows; GET /api/v1/stats answers any number.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.clickmesh.v1.GetStatsResponse> getStats(
        io.clickmesh.v1.GetStatsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetStatsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Which clicks were candidates for a conversion, which won, why the others did not, and what adjustments and verdicts
     * changed since. NOT_FOUND if no decision on the conversion has reached ClickHouse.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.clickmesh.v1.ExplainConversionResponse> explainConversion(
        io.clickmesh.v1.ExplainConversionRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getExplainConversionMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_GET_STATS = 0;
  private static final int METHODID_WATCH_STATS = 1;
  private static final int METHODID_EXPLAIN_CONVERSION = 2;

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
        case METHODID_GET_STATS:
          serviceImpl.getStats((io.clickmesh.v1.GetStatsRequest) request,
              (io.grpc.stub.StreamObserver<io.clickmesh.v1.GetStatsResponse>) responseObserver);
          break;
        case METHODID_WATCH_STATS:
          serviceImpl.watchStats((io.clickmesh.v1.WatchStatsRequest) request,
              (io.grpc.stub.StreamObserver<io.clickmesh.v1.WatchStatsResponse>) responseObserver);
          break;
        case METHODID_EXPLAIN_CONVERSION:
          serviceImpl.explainConversion((io.clickmesh.v1.ExplainConversionRequest) request,
              (io.grpc.stub.StreamObserver<io.clickmesh.v1.ExplainConversionResponse>) responseObserver);
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
        default:
          throw new AssertionError();
      }
    }
  }

  public static final io.grpc.ServerServiceDefinition bindService(AsyncService service) {
    return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
        .addMethod(
          getGetStatsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.clickmesh.v1.GetStatsRequest,
              io.clickmesh.v1.GetStatsResponse>(
                service, METHODID_GET_STATS)))
        .addMethod(
          getWatchStatsMethod(),
          io.grpc.stub.ServerCalls.asyncServerStreamingCall(
            new MethodHandlers<
              io.clickmesh.v1.WatchStatsRequest,
              io.clickmesh.v1.WatchStatsResponse>(
                service, METHODID_WATCH_STATS)))
        .addMethod(
          getExplainConversionMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.clickmesh.v1.ExplainConversionRequest,
              io.clickmesh.v1.ExplainConversionResponse>(
                service, METHODID_EXPLAIN_CONVERSION)))
        .build();
  }

  private static abstract class StatsServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    StatsServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return io.clickmesh.v1.StatsServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("StatsService");
    }
  }

  private static final class StatsServiceFileDescriptorSupplier
      extends StatsServiceBaseDescriptorSupplier {
    StatsServiceFileDescriptorSupplier() {}
  }

  private static final class StatsServiceMethodDescriptorSupplier
      extends StatsServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    StatsServiceMethodDescriptorSupplier(java.lang.String methodName) {
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
      synchronized (StatsServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new StatsServiceFileDescriptorSupplier())
              .addMethod(getGetStatsMethod())
              .addMethod(getWatchStatsMethod())
              .addMethod(getExplainConversionMethod())
              .build();
        }
      }
    }
    return result;
  }
}
