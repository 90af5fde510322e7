package io.clickmesh;

/** How a client speaks with the gateway. */
public enum Protocol {
  /** gRPC, which is HTTP/2. */
  GRPC,
  /** Connect over HTTP/1.1, for proxies that speak nothing else. */
  CONNECT
}
