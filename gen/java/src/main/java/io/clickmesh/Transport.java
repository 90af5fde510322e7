package io.clickmesh;

import io.clickmesh.v1.GetStatsRequest;
import io.clickmesh.v1.GetStatsResponse;
import io.clickmesh.v1.IngestBatchRequest;
import io.clickmesh.v1.IngestBatchResponse;
import io.clickmesh.v1.IngestResult;
import io.clickmesh.v1.IngestStreamResponse;
import io.clickmesh.v1.StreamRejection;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * A way to the gateway. Each call is one attempt, which may take the time given. Its future fails with {@link
 * AttemptException}; cancelling it ends the attempt.
 */
interface Transport {
  /** Most rejections that the answer to a stream lists. */
  int MAX_REJECTIONS = 1000;

  CompletableFuture<IngestBatchResponse> ingest(IngestBatchRequest request, Duration time);

  CompletableFuture<GetStatsResponse> stats(GetStatsRequest request, Duration time);

  /** By default batch by batch: what breaks is sent again from the start, as a stream is. */
  default CompletableFuture<IngestStreamResponse> stream(List<IngestBatchRequest> messages, Duration time) {
    long endsAt = System.nanoTime() + time.toNanos();
    CompletableFuture<IngestStreamResponse.Builder> sum =
        CompletableFuture.completedFuture(IngestStreamResponse.newBuilder());
    for (IngestBatchRequest message : messages) {
      sum =
          sum.thenCompose(
              before -> {
                Duration left = Duration.ofNanos(Math.max(1_000_000, endsAt - System.nanoTime()));
                return ingest(message, left).thenApply(answer -> add(before, answer));
              });
    }
    return sum.thenApply(IngestStreamResponse.Builder::build);
  }

  private static IngestStreamResponse.Builder add(IngestStreamResponse.Builder sum, IngestBatchResponse answer) {
    for (IngestResult result : answer.getResultsList()) {
      long index = sum.getAccepted() + sum.getRejected();
      if (result.hasAccepted()) {
        sum.setAccepted(sum.getAccepted() + 1);
        continue;
      }
      sum.setRejected(sum.getRejected() + 1);
      if (sum.getRejectionsCount() == MAX_REJECTIONS) continue;
      sum.addRejections(StreamRejection.newBuilder().setIndex(index).setRejection(result.getRejected()));
    }
    return sum;
  }

  /** Where it leads, for people. */
  String address();

  /** Makes the next attempt use a new connection, because the last got no answer over this one. */
  void renew();

  /** Ends all attempts and connections. */
  void close();
}
