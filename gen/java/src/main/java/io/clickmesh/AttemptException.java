package io.clickmesh;

import io.grpc.Status;

/** One attempt failed. */
final class AttemptException extends RuntimeException {
  private static final long serialVersionUID = 1;

  final Status.Code code;
  /** Whether another attempt may go better. */
  final boolean isTransient;
  /** How long the gateway asks to wait before that, in ms; 0 if it does not say. */
  final long retryAfterMs;

  AttemptException(Status.Code code, String message, boolean isTransient, long retryAfterMs, Throwable cause) {
    super(message, cause);
    this.code = code;
    this.isTransient = isTransient;
    this.retryAfterMs = retryAfterMs;
  }
}
