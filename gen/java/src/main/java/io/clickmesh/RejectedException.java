package io.clickmesh;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.Status;
import io.clickmesh.v1.Rejection;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;

/** The event breaks a rule of the contract: sending it again unchanged can't help. */
public final class RejectedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final Rejection rejection;

  RejectedException(Rejection rejection) {
    super(rejection.getMessage());
    this.rejection = rejection;
  }

  /** The offending field, the reason and the limit. */
  public Rejection rejection() {
    return rejection;
  }

  /** The rejection that the gateway answered, or the error itself if it is none. */
  static RuntimeException of(StatusRuntimeException error) {
    Status status = StatusProto.fromThrowable(error);
    for (Any detail : status.getDetailsList()) {
      if (!detail.is(Rejection.class)) continue;
      try {
        return new RejectedException(detail.unpack(Rejection.class));
      } catch (InvalidProtocolBufferException unreadable) {
        return error;
      }
    }
    return error;
  }
}
