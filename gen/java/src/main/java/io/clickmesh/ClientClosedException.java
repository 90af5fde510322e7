package io.clickmesh;

/** The call came after close(). It took no event. */
public final class ClientClosedException extends IllegalStateException {
  private static final long serialVersionUID = 1;

  ClientClosedException() {
    super("the client is closed: it takes no more events");
  }
}
