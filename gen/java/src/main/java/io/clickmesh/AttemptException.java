package io.clickmesh;

import io.grpc.Status;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One attempt failed. */
final class AttemptException extends RuntimeException {
  private static final long serialVersionUID = 1;
  private static final Pattern HTTP_STATUS = Pattern.compile("HTTP status code (\\d{3})\\b.*", Pattern.DOTALL);

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

  /** What libraries say of a wrong address, with what to do in its place. */
  static String hint(String what) {
    if (what.contains("not an SSL/TLS record") || what.contains("Unrecognized SSL message")) {
      return "it does not answer in TLS: an address without TLS begins with http://";
    }
    if (what.contains("First received frame was not SETTINGS")) {
      return "it does not answer in HTTP/2: an address with TLS begins with https://;"
          + " behind a proxy that speaks HTTP/1.1 only choose Protocol.CONNECT";
    }
    // Behind it are all headers and the page.
    Matcher status = HTTP_STATUS.matcher(what);
    return status.matches() ? "HTTP status " + status.group(1) : what;
  }
}
