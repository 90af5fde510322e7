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

  private static volatile io.grpc.MethodDescriptor<io.clickmesh.v1.RunReportRequest,
      io.clickmesh.v1.RunReportResponse> getRunReportMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "RunReport",
      requestType = io.clickmesh.v1.RunReportRequest.class,
      responseType = io.clickmesh.v1.RunReportResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.clickmesh.v1.RunReportRequest,
      io.clickmesh.v1.RunReportResponse> getRunReportMethod() {
    io.grpc.MethodDescriptor<io.clickmesh.v1.RunReportRequest, io.clickmesh.v1.RunReportResponse> getRunReportMethod;
    if ((getRunReportMethod = StatsServiceGrpc.getRunReportMethod) == null) {
      synchronized (StatsServiceGrpc.class) {
        if ((getRunReportMethod = StatsServiceGrpc.getRunReportMethod) == null) {
          StatsServiceGrpc.getRunReportMethod = getRunReportMethod =
              io.grpc.MethodDescriptor.<io.clickmesh.v1.RunReportRequest, io.clickmesh.v1.RunReportResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "RunReport"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.RunReportRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.RunReportResponse.getDefaultInstance()))
              .setSchemaDescriptor(new StatsServiceMethodDescriptorSupplier("RunReport"))
              .build();
        }
      }
    }
    return getRunReportMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.clickmesh.v1.WatchReportRequest,
      io.clickmesh.v1.WatchReportResponse> getWatchReportMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "WatchReport",
      requestType = io.clickmesh.v1.WatchReportRequest.class,
      responseType = io.clickmesh.v1.WatchReportResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<io.clickmesh.v1.WatchReportRequest,
      io.clickmesh.v1.WatchReportResponse> getWatchReportMethod() {
    io.grpc.MethodDescriptor<io.clickmesh.v1.WatchReportRequest, io.clickmesh.v1.WatchReportResponse> getWatchReportMethod;
    if ((getWatchReportMethod = StatsServiceGrpc.getWatchReportMethod) == null) {
      synchronized (StatsServiceGrpc.class) {
        if ((getWatchReportMethod = StatsServiceGrpc.getWatchReportMethod) == null) {
          StatsServiceGrpc.getWatchReportMethod = getWatchReportMethod =
              io.grpc.MethodDescriptor.<io.clickmesh.v1.WatchReportRequest, io.clickmesh.v1.WatchReportResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "WatchReport"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.WatchReportRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.WatchReportResponse.getDefaultInstance()))
              .setSchemaDescriptor(new StatsServiceMethodDescriptorSupplier("WatchReport"))
              .build();
        }
      }
    }
    return getWatchReportMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.clickmesh.v1.ListConversionsRequest,
      io.clickmesh.v1.ListConversionsResponse> getListConversionsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListConversions",
      requestType = io.clickmesh.v1.ListConversionsRequest.class,
      responseType = io.clickmesh.v1.ListConversionsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.clickmesh.v1.ListConversionsRequest,
      io.clickmesh.v1.ListConversionsResponse> getListConversionsMethod() {
    io.grpc.MethodDescriptor<io.clickmesh.v1.ListConversionsRequest, io.clickmesh.v1.ListConversionsResponse> getListConversionsMethod;
    if ((getListConversionsMethod = StatsServiceGrpc.getListConversionsMethod) == null) {
      synchronized (StatsServiceGrpc.class) {
        if ((getListConversionsMethod = StatsServiceGrpc.getListConversionsMethod) == null) {
          StatsServiceGrpc.getListConversionsMethod = getListConversionsMethod =
              io.grpc.MethodDescriptor.<io.clickmesh.v1.ListConversionsRequest, io.clickmesh.v1.ListConversionsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListConversions"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.ListConversionsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.ListConversionsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new StatsServiceMethodDescriptorSupplier("ListConversions"))
              .build();
        }
      }
    }
    return getListConversionsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.clickmesh.v1.ListClicksRequest,
      io.clickmesh.v1.ListClicksResponse> getListClicksMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListClicks",
      requestType = io.clickmesh.v1.ListClicksRequest.class,
      responseType = io.clickmesh.v1.ListClicksResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.clickmesh.v1.ListClicksRequest,
      io.clickmesh.v1.ListClicksResponse> getListClicksMethod() {
    io.grpc.MethodDescriptor<io.clickmesh.v1.ListClicksRequest, io.clickmesh.v1.ListClicksResponse> getListClicksMethod;
    if ((getListClicksMethod = StatsServiceGrpc.getListClicksMethod) == null) {
      synchronized (StatsServiceGrpc.class) {
        if ((getListClicksMethod = StatsServiceGrpc.getListClicksMethod) == null) {
          StatsServiceGrpc.getListClicksMethod = getListClicksMethod =
              io.grpc.MethodDescriptor.<io.clickmesh.v1.ListClicksRequest, io.clickmesh.v1.ListClicksResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListClicks"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.ListClicksRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.ListClicksResponse.getDefaultInstance()))
              .setSchemaDescriptor(new StatsServiceMethodDescriptorSupplier("ListClicks"))
              .build();
        }
      }
    }
    return getListClicksMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.clickmesh.v1.TopPathsRequest,
      io.clickmesh.v1.TopPathsResponse> getTopPathsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "TopPaths",
      requestType = io.clickmesh.v1.TopPathsRequest.class,
      responseType = io.clickmesh.v1.TopPathsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.clickmesh.v1.TopPathsRequest,
      io.clickmesh.v1.TopPathsResponse> getTopPathsMethod() {
    io.grpc.MethodDescriptor<io.clickmesh.v1.TopPathsRequest, io.clickmesh.v1.TopPathsResponse> getTopPathsMethod;
    if ((getTopPathsMethod = StatsServiceGrpc.getTopPathsMethod) == null) {
      synchronized (StatsServiceGrpc.class) {
        if ((getTopPathsMethod = StatsServiceGrpc.getTopPathsMethod) == null) {
          StatsServiceGrpc.getTopPathsMethod = getTopPathsMethod =
              io.grpc.MethodDescriptor.<io.clickmesh.v1.TopPathsRequest, io.clickmesh.v1.TopPathsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "TopPaths"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.TopPathsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.TopPathsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new StatsServiceMethodDescriptorSupplier("TopPaths"))
              .build();
        }
      }
    }
    return getTopPathsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.clickmesh.v1.TopTouchesRequest,
      io.clickmesh.v1.TopTouchesResponse> getTopTouchesMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "TopTouches",
      requestType = io.clickmesh.v1.TopTouchesRequest.class,
      responseType = io.clickmesh.v1.TopTouchesResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.clickmesh.v1.TopTouchesRequest,
      io.clickmesh.v1.TopTouchesResponse> getTopTouchesMethod() {
    io.grpc.MethodDescriptor<io.clickmesh.v1.TopTouchesRequest, io.clickmesh.v1.TopTouchesResponse> getTopTouchesMethod;
    if ((getTopTouchesMethod = StatsServiceGrpc.getTopTouchesMethod) == null) {
      synchronized (StatsServiceGrpc.class) {
        if ((getTopTouchesMethod = StatsServiceGrpc.getTopTouchesMethod) == null) {
          StatsServiceGrpc.getTopTouchesMethod = getTopTouchesMethod =
              io.grpc.MethodDescriptor.<io.clickmesh.v1.TopTouchesRequest, io.clickmesh.v1.TopTouchesResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "TopTouches"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.TopTouchesRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.TopTouchesResponse.getDefaultInstance()))
              .setSchemaDescriptor(new StatsServiceMethodDescriptorSupplier("TopTouches"))
              .build();
        }
      }
    }
    return getTopTouchesMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.clickmesh.v1.TimeLagRequest,
      io.clickmesh.v1.TimeLagResponse> getTimeLagMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "TimeLag",
      requestType = io.clickmesh.v1.TimeLagRequest.class,
      responseType = io.clickmesh.v1.TimeLagResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.clickmesh.v1.TimeLagRequest,
      io.clickmesh.v1.TimeLagResponse> getTimeLagMethod() {
    io.grpc.MethodDescriptor<io.clickmesh.v1.TimeLagRequest, io.clickmesh.v1.TimeLagResponse> getTimeLagMethod;
    if ((getTimeLagMethod = StatsServiceGrpc.getTimeLagMethod) == null) {
      synchronized (StatsServiceGrpc.class) {
        if ((getTimeLagMethod = StatsServiceGrpc.getTimeLagMethod) == null) {
          StatsServiceGrpc.getTimeLagMethod = getTimeLagMethod =
              io.grpc.MethodDescriptor.<io.clickmesh.v1.TimeLagRequest, io.clickmesh.v1.TimeLagResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "TimeLag"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.TimeLagRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.TimeLagResponse.getDefaultInstance()))
              .setSchemaDescriptor(new StatsServiceMethodDescriptorSupplier("TimeLag"))
              .build();
        }
      }
    }
    return getTimeLagMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.clickmesh.v1.PathLengthRequest,
      io.clickmesh.v1.PathLengthResponse> getPathLengthMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "PathLength",
      requestType = io.clickmesh.v1.PathLengthRequest.class,
      responseType = io.clickmesh.v1.PathLengthResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.clickmesh.v1.PathLengthRequest,
      io.clickmesh.v1.PathLengthResponse> getPathLengthMethod() {
    io.grpc.MethodDescriptor<io.clickmesh.v1.PathLengthRequest, io.clickmesh.v1.PathLengthResponse> getPathLengthMethod;
    if ((getPathLengthMethod = StatsServiceGrpc.getPathLengthMethod) == null) {
      synchronized (StatsServiceGrpc.class) {
        if ((getPathLengthMethod = StatsServiceGrpc.getPathLengthMethod) == null) {
          StatsServiceGrpc.getPathLengthMethod = getPathLengthMethod =
              io.grpc.MethodDescriptor.<io.clickmesh.v1.PathLengthRequest, io.clickmesh.v1.PathLengthResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "PathLength"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.PathLengthRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.PathLengthResponse.getDefaultInstance()))
              .setSchemaDescriptor(new StatsServiceMethodDescriptorSupplier("PathLength"))
              .build();
        }
      }
    }
    return getPathLengthMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.clickmesh.v1.ListConflictsRequest,
      io.clickmesh.v1.ListConflictsResponse> getListConflictsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListConflicts",
      requestType = io.clickmesh.v1.ListConflictsRequest.class,
      responseType = io.clickmesh.v1.ListConflictsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.clickmesh.v1.ListConflictsRequest,
      io.clickmesh.v1.ListConflictsResponse> getListConflictsMethod() {
    io.grpc.MethodDescriptor<io.clickmesh.v1.ListConflictsRequest, io.clickmesh.v1.ListConflictsResponse> getListConflictsMethod;
    if ((getListConflictsMethod = StatsServiceGrpc.getListConflictsMethod) == null) {
      synchronized (StatsServiceGrpc.class) {
        if ((getListConflictsMethod = StatsServiceGrpc.getListConflictsMethod) == null) {
          StatsServiceGrpc.getListConflictsMethod = getListConflictsMethod =
              io.grpc.MethodDescriptor.<io.clickmesh.v1.ListConflictsRequest, io.clickmesh.v1.ListConflictsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListConflicts"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.ListConflictsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.ListConflictsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new StatsServiceMethodDescriptorSupplier("ListConflicts"))
              .build();
        }
      }
    }
    return getListConflictsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.clickmesh.v1.ListDeadLettersRequest,
      io.clickmesh.v1.ListDeadLettersResponse> getListDeadLettersMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListDeadLetters",
      requestType = io.clickmesh.v1.ListDeadLettersRequest.class,
      responseType = io.clickmesh.v1.ListDeadLettersResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.clickmesh.v1.ListDeadLettersRequest,
      io.clickmesh.v1.ListDeadLettersResponse> getListDeadLettersMethod() {
    io.grpc.MethodDescriptor<io.clickmesh.v1.ListDeadLettersRequest, io.clickmesh.v1.ListDeadLettersResponse> getListDeadLettersMethod;
    if ((getListDeadLettersMethod = StatsServiceGrpc.getListDeadLettersMethod) == null) {
      synchronized (StatsServiceGrpc.class) {
        if ((getListDeadLettersMethod = StatsServiceGrpc.getListDeadLettersMethod) == null) {
          StatsServiceGrpc.getListDeadLettersMethod = getListDeadLettersMethod =
              io.grpc.MethodDescriptor.<io.clickmesh.v1.ListDeadLettersRequest, io.clickmesh.v1.ListDeadLettersResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListDeadLetters"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.ListDeadLettersRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.ListDeadLettersResponse.getDefaultInstance()))
              .setSchemaDescriptor(new StatsServiceMethodDescriptorSupplier("ListDeadLetters"))
              .build();
        }
      }
    }
    return getListDeadLettersMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.clickmesh.v1.TailEventsRequest,
      io.clickmesh.v1.TailEventsResponse> getTailEventsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "TailEvents",
      requestType = io.clickmesh.v1.TailEventsRequest.class,
      responseType = io.clickmesh.v1.TailEventsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<io.clickmesh.v1.TailEventsRequest,
      io.clickmesh.v1.TailEventsResponse> getTailEventsMethod() {
    io.grpc.MethodDescriptor<io.clickmesh.v1.TailEventsRequest, io.clickmesh.v1.TailEventsResponse> getTailEventsMethod;
    if ((getTailEventsMethod = StatsServiceGrpc.getTailEventsMethod) == null) {
      synchronized (StatsServiceGrpc.class) {
        if ((getTailEventsMethod = StatsServiceGrpc.getTailEventsMethod) == null) {
          StatsServiceGrpc.getTailEventsMethod = getTailEventsMethod =
              io.grpc.MethodDescriptor.<io.clickmesh.v1.TailEventsRequest, io.clickmesh.v1.TailEventsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "TailEvents"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.TailEventsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.TailEventsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new StatsServiceMethodDescriptorSupplier("TailEvents"))
              .build();
        }
      }
    }
    return getTailEventsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.clickmesh.v1.RunAuditRequest,
      io.clickmesh.v1.RunAuditResponse> getRunAuditMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "RunAudit",
      requestType = io.clickmesh.v1.RunAuditRequest.class,
      responseType = io.clickmesh.v1.RunAuditResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<io.clickmesh.v1.RunAuditRequest,
      io.clickmesh.v1.RunAuditResponse> getRunAuditMethod() {
    io.grpc.MethodDescriptor<io.clickmesh.v1.RunAuditRequest, io.clickmesh.v1.RunAuditResponse> getRunAuditMethod;
    if ((getRunAuditMethod = StatsServiceGrpc.getRunAuditMethod) == null) {
      synchronized (StatsServiceGrpc.class) {
        if ((getRunAuditMethod = StatsServiceGrpc.getRunAuditMethod) == null) {
          StatsServiceGrpc.getRunAuditMethod = getRunAuditMethod =
              io.grpc.MethodDescriptor.<io.clickmesh.v1.RunAuditRequest, io.clickmesh.v1.RunAuditResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "RunAudit"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.RunAuditRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.clickmesh.v1.RunAuditResponse.getDefaultInstance()))
              .setSchemaDescriptor(new StatsServiceMethodDescriptorSupplier("RunAudit"))
              .build();
        }
      }
    }
    return getRunAuditMethod;
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
     * The same, again whenever it changed, looked at every period_ms. Those who watch the same share the looks; who is slow
     * gets the newest only.
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

    /**
     * <pre>
     * Measures by any dimensions, by period, under several models side by side, with totals and how they were counted.
     * </pre>
     */
    default void runReport(io.clickmesh.v1.RunReportRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.RunReportResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getRunReportMethod(), responseObserver);
    }

    /**
     * <pre>
     * The same, again whenever it changed. Watchers of the same query share its looks.
     * </pre>
     */
    default void watchReport(io.clickmesh.v1.WatchReportRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.WatchReportResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getWatchReportMethod(), responseObserver);
    }

    /**
     * <pre>
     * Conversions, credited or not, with what changed them.
     * </pre>
     */
    default void listConversions(io.clickmesh.v1.ListConversionsRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.ListConversionsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListConversionsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Clicks of a user.
     * </pre>
     */
    default void listClicks(io.clickmesh.v1.ListClicksRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.ListClicksResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListClicksMethod(), responseObserver);
    }

    /**
     * <pre>
     * The sequences of touches that conversions came by.
     * </pre>
     */
    default void topPaths(io.clickmesh.v1.TopPathsRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.TopPathsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getTopPathsMethod(), responseObserver);
    }

    /**
     * <pre>
     * How many conversions had a touch of a campaign, an ad or a source at all, whoever is credited.
     * </pre>
     */
    default void topTouches(io.clickmesh.v1.TopTouchesRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.TopTouchesResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getTopTouchesMethod(), responseObserver);
    }

    /**
     * <pre>
     * How long after the credited click conversions came.
     * </pre>
     */
    default void timeLag(io.clickmesh.v1.TimeLagRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.TimeLagResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getTimeLagMethod(), responseObserver);
    }

    /**
     * <pre>
     * How many touches conversions had.
     * </pre>
     */
    default void pathLength(io.clickmesh.v1.PathLengthRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.PathLengthResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getPathLengthMethod(), responseObserver);
    }

    /**
     * <pre>
     * Events that came again under their event_id with other content, beside what was kept.
     * </pre>
     */
    default void listConflicts(io.clickmesh.v1.ListConflictsRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.ListConflictsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListConflictsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Records that could not be counted, with the reason.
     * </pre>
     */
    default void listDeadLetters(io.clickmesh.v1.ListDeadLettersRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.ListDeadLettersResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListDeadLettersMethod(), responseObserver);
    }

    /**
     * <pre>
     * Events as they arrive, and how many by the second.
     * </pre>
     */
    default void tailEvents(io.clickmesh.v1.TailEventsRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.TailEventsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getTailEventsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Recounts everything: as `clickmesh audit`. One at a time: RESOURCE_EXHAUSTED while another runs.
     * </pre>
     */
    default void runAudit(io.clickmesh.v1.RunAuditRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.RunAuditResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getRunAuditMethod(), responseObserver);
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
     * The same, again whenever it changed, looked at every period_ms. Those who watch the same share the looks; who is slow
     * gets the newest only.
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

    /**
     * <pre>
     * Measures by any dimensions, by period, under several models side by side, with totals and how they were counted.
     * </pre>
     */
    public void runReport(io.clickmesh.v1.RunReportRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.RunReportResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getRunReportMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * The same, again whenever it changed. Watchers of the same query share its looks.
     * </pre>
     */
    public void watchReport(io.clickmesh.v1.WatchReportRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.WatchReportResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getWatchReportMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Conversions, credited or not, with what changed them.
     * </pre>
     */
    public void listConversions(io.clickmesh.v1.ListConversionsRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.ListConversionsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListConversionsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Clicks of a user.
     * </pre>
     */
    public void listClicks(io.clickmesh.v1.ListClicksRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.ListClicksResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListClicksMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * The sequences of touches that conversions came by.
     * </pre>
     */
    public void topPaths(io.clickmesh.v1.TopPathsRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.TopPathsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getTopPathsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * How many conversions had a touch of a campaign, an ad or a source at all, whoever is credited.
     * </pre>
     */
    public void topTouches(io.clickmesh.v1.TopTouchesRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.TopTouchesResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getTopTouchesMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * How long after the credited click conversions came.
     * </pre>
     */
    public void timeLag(io.clickmesh.v1.TimeLagRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.TimeLagResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getTimeLagMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * How many touches conversions had.
     * </pre>
     */
    public void pathLength(io.clickmesh.v1.PathLengthRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.PathLengthResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getPathLengthMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Events that came again under their event_id with other content, beside what was kept.
     * </pre>
     */
    public void listConflicts(io.clickmesh.v1.ListConflictsRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.ListConflictsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListConflictsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Records that could not be counted, with the reason.
     * </pre>
     */
    public void listDeadLetters(io.clickmesh.v1.ListDeadLettersRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.ListDeadLettersResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListDeadLettersMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Events as they arrive, and how many by the second.
     * </pre>
     */
    public void tailEvents(io.clickmesh.v1.TailEventsRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.TailEventsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getTailEventsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Recounts everything: as `clickmesh audit`. One at a time: RESOURCE_EXHAUSTED while another runs.
     * </pre>
     */
    public void runAudit(io.clickmesh.v1.RunAuditRequest request,
        io.grpc.stub.StreamObserver<io.clickmesh.v1.RunAuditResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getRunAuditMethod(), getCallOptions()), request, responseObserver);
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
     * The same, again whenever it changed, looked at every period_ms. Those who watch the same share the looks; who is slow
     * gets the newest only.
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

    /**
     * <pre>
     * Measures by any dimensions, by period, under several models side by side, with totals and how they were counted.
     * </pre>
     */
    public io.clickmesh.v1.RunReportResponse runReport(io.clickmesh.v1.RunReportRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getRunReportMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * The same, again whenever it changed. Watchers of the same query share its looks.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<?, io.clickmesh.v1.WatchReportResponse>
        watchReport(io.clickmesh.v1.WatchReportRequest request) {
      return io.grpc.stub.ClientCalls.blockingV2ServerStreamingCall(
          getChannel(), getWatchReportMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Conversions, credited or not, with what changed them.
     * </pre>
     */
    public io.clickmesh.v1.ListConversionsResponse listConversions(io.clickmesh.v1.ListConversionsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListConversionsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Clicks of a user.
     * </pre>
     */
    public io.clickmesh.v1.ListClicksResponse listClicks(io.clickmesh.v1.ListClicksRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListClicksMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * The sequences of touches that conversions came by.
     * </pre>
     */
    public io.clickmesh.v1.TopPathsResponse topPaths(io.clickmesh.v1.TopPathsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getTopPathsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * How many conversions had a touch of a campaign, an ad or a source at all, whoever is credited.
     * </pre>
     */
    public io.clickmesh.v1.TopTouchesResponse topTouches(io.clickmesh.v1.TopTouchesRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getTopTouchesMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * How long after the credited click conversions came.
     * </pre>
     */
    public io.clickmesh.v1.TimeLagResponse timeLag(io.clickmesh.v1.TimeLagRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getTimeLagMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * How many touches conversions had.
     * </pre>
     */
    public io.clickmesh.v1.PathLengthResponse pathLength(io.clickmesh.v1.PathLengthRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getPathLengthMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Events that came again under their event_id with other content, beside what was kept.
     * </pre>
     */
    public io.clickmesh.v1.ListConflictsResponse listConflicts(io.clickmesh.v1.ListConflictsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListConflictsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Records that could not be counted, with the reason.
     * </pre>
     */
    public io.clickmesh.v1.ListDeadLettersResponse listDeadLetters(io.clickmesh.v1.ListDeadLettersRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListDeadLettersMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Events as they arrive, and how many by the second.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<?, io.clickmesh.v1.TailEventsResponse>
        tailEvents(io.clickmesh.v1.TailEventsRequest request) {
      return io.grpc.stub.ClientCalls.blockingV2ServerStreamingCall(
          getChannel(), getTailEventsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Recounts everything: as `clickmesh audit`. One at a time: RESOURCE_EXHAUSTED while another runs.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<?, io.clickmesh.v1.RunAuditResponse>
        runAudit(io.clickmesh.v1.RunAuditRequest request) {
      return io.grpc.stub.ClientCalls.blockingV2ServerStreamingCall(
          getChannel(), getRunAuditMethod(), getCallOptions(), request);
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
     * The same, again whenever it changed, looked at every period_ms. Those who watch the same share the looks; who is slow
     * gets the newest only.
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

    /**
     * <pre>
     * Measures by any dimensions, by period, under several models side by side, with totals and how they were counted.
     * </pre>
     */
    public io.clickmesh.v1.RunReportResponse runReport(io.clickmesh.v1.RunReportRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getRunReportMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * The same, again whenever it changed. Watchers of the same query share its looks.
     * </pre>
     */
    public java.util.Iterator<io.clickmesh.v1.WatchReportResponse> watchReport(
        io.clickmesh.v1.WatchReportRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getWatchReportMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Conversions, credited or not, with what changed them.
     * </pre>
     */
    public io.clickmesh.v1.ListConversionsResponse listConversions(io.clickmesh.v1.ListConversionsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListConversionsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Clicks of a user.
     * </pre>
     */
    public io.clickmesh.v1.ListClicksResponse listClicks(io.clickmesh.v1.ListClicksRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListClicksMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * The sequences of touches that conversions came by.
     * </pre>
     */
    public io.clickmesh.v1.TopPathsResponse topPaths(io.clickmesh.v1.TopPathsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getTopPathsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * How many conversions had a touch of a campaign, an ad or a source at all, whoever is credited.
     * </pre>
     */
    public io.clickmesh.v1.TopTouchesResponse topTouches(io.clickmesh.v1.TopTouchesRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getTopTouchesMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * How long after the credited click conversions came.
     * </pre>
     */
    public io.clickmesh.v1.TimeLagResponse timeLag(io.clickmesh.v1.TimeLagRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getTimeLagMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * How many touches conversions had.
     * </pre>
     */
    public io.clickmesh.v1.PathLengthResponse pathLength(io.clickmesh.v1.PathLengthRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getPathLengthMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Events that came again under their event_id with other content, beside what was kept.
     * </pre>
     */
    public io.clickmesh.v1.ListConflictsResponse listConflicts(io.clickmesh.v1.ListConflictsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListConflictsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Records that could not be counted, with the reason.
     * </pre>
     */
    public io.clickmesh.v1.ListDeadLettersResponse listDeadLetters(io.clickmesh.v1.ListDeadLettersRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListDeadLettersMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Events as they arrive, and how many by the second.
     * </pre>
     */
    public java.util.Iterator<io.clickmesh.v1.TailEventsResponse> tailEvents(
        io.clickmesh.v1.TailEventsRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getTailEventsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Recounts everything: as `clickmesh audit`. One at a time: RESOURCE_EXHAUSTED while another runs.
     * </pre>
     */
    public java.util.Iterator<io.clickmesh.v1.RunAuditResponse> runAudit(
        io.clickmesh.v1.RunAuditRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getRunAuditMethod(), getCallOptions(), request);
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

    /**
     * <pre>
     * Measures by any dimensions, by period, under several models side by side, with totals and how they were counted.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.clickmesh.v1.RunReportResponse> runReport(
        io.clickmesh.v1.RunReportRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getRunReportMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Conversions, credited or not, with what changed them.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.clickmesh.v1.ListConversionsResponse> listConversions(
        io.clickmesh.v1.ListConversionsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListConversionsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Clicks of a user.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.clickmesh.v1.ListClicksResponse> listClicks(
        io.clickmesh.v1.ListClicksRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListClicksMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * The sequences of touches that conversions came by.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.clickmesh.v1.TopPathsResponse> topPaths(
        io.clickmesh.v1.TopPathsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getTopPathsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * How many conversions had a touch of a campaign, an ad or a source at all, whoever is credited.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.clickmesh.v1.TopTouchesResponse> topTouches(
        io.clickmesh.v1.TopTouchesRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getTopTouchesMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * How long after the credited click conversions came.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.clickmesh.v1.TimeLagResponse> timeLag(
        io.clickmesh.v1.TimeLagRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getTimeLagMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * How many touches conversions had.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.clickmesh.v1.PathLengthResponse> pathLength(
        io.clickmesh.v1.PathLengthRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getPathLengthMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Events that came again under their event_id with other content, beside what was kept.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.clickmesh.v1.ListConflictsResponse> listConflicts(
        io.clickmesh.v1.ListConflictsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListConflictsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Records that could not be counted, with the reason.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.clickmesh.v1.ListDeadLettersResponse> listDeadLetters(
        io.clickmesh.v1.ListDeadLettersRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListDeadLettersMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_GET_STATS = 0;
  private static final int METHODID_WATCH_STATS = 1;
  private static final int METHODID_EXPLAIN_CONVERSION = 2;
  private static final int METHODID_RUN_REPORT = 3;
  private static final int METHODID_WATCH_REPORT = 4;
  private static final int METHODID_LIST_CONVERSIONS = 5;
  private static final int METHODID_LIST_CLICKS = 6;
  private static final int METHODID_TOP_PATHS = 7;
  private static final int METHODID_TOP_TOUCHES = 8;
  private static final int METHODID_TIME_LAG = 9;
  private static final int METHODID_PATH_LENGTH = 10;
  private static final int METHODID_LIST_CONFLICTS = 11;
  private static final int METHODID_LIST_DEAD_LETTERS = 12;
  private static final int METHODID_TAIL_EVENTS = 13;
  private static final int METHODID_RUN_AUDIT = 14;

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
        case METHODID_RUN_REPORT:
          serviceImpl.runReport((io.clickmesh.v1.RunReportRequest) request,
              (io.grpc.stub.StreamObserver<io.clickmesh.v1.RunReportResponse>) responseObserver);
          break;
        case METHODID_WATCH_REPORT:
          serviceImpl.watchReport((io.clickmesh.v1.WatchReportRequest) request,
              (io.grpc.stub.StreamObserver<io.clickmesh.v1.WatchReportResponse>) responseObserver);
          break;
        case METHODID_LIST_CONVERSIONS:
          serviceImpl.listConversions((io.clickmesh.v1.ListConversionsRequest) request,
              (io.grpc.stub.StreamObserver<io.clickmesh.v1.ListConversionsResponse>) responseObserver);
          break;
        case METHODID_LIST_CLICKS:
          serviceImpl.listClicks((io.clickmesh.v1.ListClicksRequest) request,
              (io.grpc.stub.StreamObserver<io.clickmesh.v1.ListClicksResponse>) responseObserver);
          break;
        case METHODID_TOP_PATHS:
          serviceImpl.topPaths((io.clickmesh.v1.TopPathsRequest) request,
              (io.grpc.stub.StreamObserver<io.clickmesh.v1.TopPathsResponse>) responseObserver);
          break;
        case METHODID_TOP_TOUCHES:
          serviceImpl.topTouches((io.clickmesh.v1.TopTouchesRequest) request,
              (io.grpc.stub.StreamObserver<io.clickmesh.v1.TopTouchesResponse>) responseObserver);
          break;
        case METHODID_TIME_LAG:
          serviceImpl.timeLag((io.clickmesh.v1.TimeLagRequest) request,
              (io.grpc.stub.StreamObserver<io.clickmesh.v1.TimeLagResponse>) responseObserver);
          break;
        case METHODID_PATH_LENGTH:
          serviceImpl.pathLength((io.clickmesh.v1.PathLengthRequest) request,
              (io.grpc.stub.StreamObserver<io.clickmesh.v1.PathLengthResponse>) responseObserver);
          break;
        case METHODID_LIST_CONFLICTS:
          serviceImpl.listConflicts((io.clickmesh.v1.ListConflictsRequest) request,
              (io.grpc.stub.StreamObserver<io.clickmesh.v1.ListConflictsResponse>) responseObserver);
          break;
        case METHODID_LIST_DEAD_LETTERS:
          serviceImpl.listDeadLetters((io.clickmesh.v1.ListDeadLettersRequest) request,
              (io.grpc.stub.StreamObserver<io.clickmesh.v1.ListDeadLettersResponse>) responseObserver);
          break;
        case METHODID_TAIL_EVENTS:
          serviceImpl.tailEvents((io.clickmesh.v1.TailEventsRequest) request,
              (io.grpc.stub.StreamObserver<io.clickmesh.v1.TailEventsResponse>) responseObserver);
          break;
        case METHODID_RUN_AUDIT:
          serviceImpl.runAudit((io.clickmesh.v1.RunAuditRequest) request,
              (io.grpc.stub.StreamObserver<io.clickmesh.v1.RunAuditResponse>) responseObserver);
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
        .addMethod(
          getRunReportMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.clickmesh.v1.RunReportRequest,
              io.clickmesh.v1.RunReportResponse>(
                service, METHODID_RUN_REPORT)))
        .addMethod(
          getWatchReportMethod(),
          io.grpc.stub.ServerCalls.asyncServerStreamingCall(
            new MethodHandlers<
              io.clickmesh.v1.WatchReportRequest,
              io.clickmesh.v1.WatchReportResponse>(
                service, METHODID_WATCH_REPORT)))
        .addMethod(
          getListConversionsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.clickmesh.v1.ListConversionsRequest,
              io.clickmesh.v1.ListConversionsResponse>(
                service, METHODID_LIST_CONVERSIONS)))
        .addMethod(
          getListClicksMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.clickmesh.v1.ListClicksRequest,
              io.clickmesh.v1.ListClicksResponse>(
                service, METHODID_LIST_CLICKS)))
        .addMethod(
          getTopPathsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.clickmesh.v1.TopPathsRequest,
              io.clickmesh.v1.TopPathsResponse>(
                service, METHODID_TOP_PATHS)))
        .addMethod(
          getTopTouchesMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.clickmesh.v1.TopTouchesRequest,
              io.clickmesh.v1.TopTouchesResponse>(
                service, METHODID_TOP_TOUCHES)))
        .addMethod(
          getTimeLagMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.clickmesh.v1.TimeLagRequest,
              io.clickmesh.v1.TimeLagResponse>(
                service, METHODID_TIME_LAG)))
        .addMethod(
          getPathLengthMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.clickmesh.v1.PathLengthRequest,
              io.clickmesh.v1.PathLengthResponse>(
                service, METHODID_PATH_LENGTH)))
        .addMethod(
          getListConflictsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.clickmesh.v1.ListConflictsRequest,
              io.clickmesh.v1.ListConflictsResponse>(
                service, METHODID_LIST_CONFLICTS)))
        .addMethod(
          getListDeadLettersMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.clickmesh.v1.ListDeadLettersRequest,
              io.clickmesh.v1.ListDeadLettersResponse>(
                service, METHODID_LIST_DEAD_LETTERS)))
        .addMethod(
          getTailEventsMethod(),
          io.grpc.stub.ServerCalls.asyncServerStreamingCall(
            new MethodHandlers<
              io.clickmesh.v1.TailEventsRequest,
              io.clickmesh.v1.TailEventsResponse>(
                service, METHODID_TAIL_EVENTS)))
        .addMethod(
          getRunAuditMethod(),
          io.grpc.stub.ServerCalls.asyncServerStreamingCall(
            new MethodHandlers<
              io.clickmesh.v1.RunAuditRequest,
              io.clickmesh.v1.RunAuditResponse>(
                service, METHODID_RUN_AUDIT)))
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
              .addMethod(getRunReportMethod())
              .addMethod(getWatchReportMethod())
              .addMethod(getListConversionsMethod())
              .addMethod(getListClicksMethod())
              .addMethod(getTopPathsMethod())
              .addMethod(getTopTouchesMethod())
              .addMethod(getTimeLagMethod())
              .addMethod(getPathLengthMethod())
              .addMethod(getListConflictsMethod())
              .addMethod(getListDeadLettersMethod())
              .addMethod(getTailEventsMethod())
              .addMethod(getRunAuditMethod())
              .build();
        }
      }
    }
    return result;
  }
}
