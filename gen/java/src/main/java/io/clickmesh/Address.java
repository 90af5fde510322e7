package io.clickmesh;

import java.net.URI;
import java.net.URISyntaxException;

/**
 * Where the gateway is.
 *
 * @param authority host and port as they were given
 * @param prefix the path in front of that of every call: empty, or "/…" without a slash at its end
 */
record Address(boolean isTls, String authority, String prefix) {
  private static final int MAX_PORT = 65_535;

  static Address of(String url) {
    if (url == null || url.isBlank()) throw new IllegalArgumentException("the address is empty: http://localhost:8080");
    if (!url.contains("://")) {
      throw new IllegalArgumentException("\"%s\" has no scheme: http://%s".formatted(url, url));
    }
    URI uri;
    try {
      uri = new URI(url);
    } catch (URISyntaxException error) {
      throw new IllegalArgumentException("\"%s\" is no address: %s".formatted(url, error.getReason()));
    }
    String scheme = uri.getScheme().toLowerCase();
    if (!scheme.equals("http") && !scheme.equals("https")) {
      throw new IllegalArgumentException("\"%s\" has the scheme %s: only http and https are known".formatted(url, scheme));
    }
    if (uri.getHost() == null) throw new IllegalArgumentException("\"%s\" has no host".formatted(url));
    if (uri.getPort() == 0 || uri.getPort() > MAX_PORT) {
      throw new IllegalArgumentException("\"%s\" has the port %d: ports are 1 to %d".formatted(url, uri.getPort(), MAX_PORT));
    }
    if (uri.getRawQuery() != null || uri.getRawFragment() != null || uri.getRawUserInfo() != null) {
      throw new IllegalArgumentException(
          "\"%s\" has more than a scheme, a host, a port and a path: give a key by the option key".formatted(url));
    }
    return new Address(scheme.equals("https"), uri.getRawAuthority(), uri.getRawPath().replaceAll("/+$", ""));
  }

  /** The URL of a call, whose name is such as "clickmesh.v1.IngestService/IngestBatch". */
  URI call(String call) {
    return URI.create(this + "/" + call);
  }

  @Override
  public String toString() {
    return (isTls ? "https://" : "http://") + authority + prefix;
  }
}
