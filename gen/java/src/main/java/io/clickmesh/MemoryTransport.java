package io.clickmesh;

import io.clickmesh.v1.Acceptance;
import io.clickmesh.v1.Event;
import io.clickmesh.v1.GetStatsRequest;
import io.clickmesh.v1.GetStatsResponse;
import io.clickmesh.v1.IngestBatchRequest;
import io.clickmesh.v1.IngestBatchResponse;
import io.clickmesh.v1.IngestResult;
import io.grpc.Status;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** Takes everything, and sends it nowhere: of clients that are switched off, and for tests. */
final class MemoryTransport implements Transport {
  private final Consumer<Event> keep;
  private long offset;

  MemoryTransport(Consumer<Event> keep) {
    this.keep = keep;
  }

  @Override
  public synchronized CompletableFuture<IngestBatchResponse> ingest(IngestBatchRequest request, Duration time) {
    IngestBatchResponse.Builder answer = IngestBatchResponse.newBuilder();
    for (Event event : request.getEventsList()) {
      keep.accept(event);
      String storedId = StoredId.of(Events.eventId(event));
      Acceptance acceptance = Acceptance.newBuilder().setEventId(storedId).setOffset(offset++).build();
      answer.addResults(IngestResult.newBuilder().setAccepted(acceptance));
    }
    return CompletableFuture.completedFuture(answer.build());
  }

  @Override
  public CompletableFuture<GetStatsResponse> stats(GetStatsRequest request, Duration time) {
    String why = "a client that connects to nothing has no statistics";
    return CompletableFuture.failedFuture(new AttemptException(Status.Code.UNIMPLEMENTED, why, false, 0, null));
  }

  @Override
  public String address() {
    return "memory";
  }

  @Override
  public void renew() {}

  @Override
  public void close() {}
}
