package io.clickmesh;

import io.clickmesh.v1.Event;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** A client for tests, made by {@link ClickmeshClient#inMemory()}. */
public final class InMemoryClient extends ClickmeshClient {
  private final List<Event> events;

  InMemoryClient(ClickmeshOptions options) {
    this(options, Collections.synchronizedList(new ArrayList<>()));
  }

  private InMemoryClient(ClickmeshOptions options, List<Event> events) {
    super(new MemoryTransport(events::add), options);
    this.events = events;
  }

  /** What was accepted, as it was sent, what waits included. */
  public List<Event> events() {
    flush();
    synchronized (events) {
      return List.copyOf(events);
    }
  }
}
