"""The client of a clickmesh gateway."""

import atexit
from collections.abc import Iterable
from concurrent.futures import Future
from datetime import date
from urllib.parse import urlsplit

import grpc
from grpc_status import rpc_status

from clickmesh.events import MAX_BATCH_EVENTS, AnyEvent, chunks, complete
from clickmesh.queue import BatchQueue
from clickmesh.retry import Deadlines, retry
from clickmesh.v1.ingest_service_pb2 import (
    Acceptance,
    IngestBatchRequest,
    IngestRequest,
    IngestStreamRequest,
    IngestStreamResponse,
    Rejection,
    RejectReason,
)
from clickmesh.v1.ingest_service_pb2_grpc import IngestServiceStub
from clickmesh.v1.stats_service_pb2 import GetStatsRequest, Interval, StatsRow
from clickmesh.v1.stats_service_pb2_grpc import StatsServiceStub

CHANNEL_OPTIONS = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 5000)]


class Rejected(Exception):
    """The event breaks a rule of the contract: sending it again unchanged can't help."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.message)
        self.event_id: str = rejection.event_id
        # The offending field, such as "user_id".
        self.field: str = rejection.field
        self.reason: RejectReason = rejection.reason
        # The limit it broke, such as "128 bytes"; empty where there is none.
        self.limit: str = rejection.limit


class Client:
    """
    Sends events and reads statistics. Safe for many threads; what is tracked is sent before the interpreter exits.

    Every call is repeated under the same event_id while the gateway is away, so nothing is lost and nothing counts
    twice. After `timeout` it raises the last grpc.RpcError.

    :param url: the gateway, "http://127.0.0.1:8080" or with https.
    :param timeout: longest time of a call with all its attempts, in seconds.
    :param attempt_timeout: longest time of one attempt, in seconds.
    :param batch_size: tracked events go out when this many wait, at most 1000.
    :param batch_delay: tracked events go out when the first has waited this long, in seconds.
    :param max_waiting: track() blocks while this many tracked events wait.
    :param credentials: of a TLS connection, where the system's certificate authorities are not enough.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        *,
        timeout: float = 30,
        attempt_timeout: float = 10,
        batch_size: int = 500,
        batch_delay: float = 0.05,
        max_waiting: int = 10_000,
        credentials: grpc.ChannelCredentials | None = None,
    ) -> None:
        self._channel = open_channel(url, credentials)
        #: Generated stubs, for calls that the client has no method for.
        self.ingest_stub = IngestServiceStub(self._channel)
        self.stats_stub = StatsServiceStub(self._channel)
        self._deadlines = Deadlines(timeout, attempt_timeout)
        self._queue = BatchQueue(
            self.send_batch,
            batch_size=min(batch_size, MAX_BATCH_EVENTS),
            batch_delay=batch_delay,
            max_waiting=max_waiting,
        )
        self._closed = False
        atexit.register(self.close)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, event: AnyEvent) -> Acceptance:
        """
        Stores one event and returns once it is durable. A missing event_id or timestamp is filled in.

        :raises Rejected: if it breaks a rule of the contract.
        """
        request = IngestRequest(event=complete(event))
        try:
            response = retry(self._deadlines, lambda seconds: self.ingest_stub.Ingest(request, timeout=seconds))
        except grpc.RpcError as error:
            raise rejection_of(error) or error from None
        return response.acceptance

    def send_batch(self, events: Iterable[AnyEvent]) -> list[Acceptance | Rejected]:
        """
        Stores any number of events, in calls as large as the gateway takes. One result per event, in order. If it
        raises, sending all again is safe.
        """
        results: list[Acceptance | Rejected] = []
        for chunk in chunks(map(complete, events)):
            request = IngestBatchRequest(events=chunk)
            response = retry(
                self._deadlines,
                lambda seconds: self.ingest_stub.IngestBatch(
                    request, timeout=seconds, compression=grpc.Compression.Gzip
                ),
            )
            for result in response.results:
                is_accepted = result.WhichOneof("result") == "accepted"
                results.append(result.accepted if is_accepted else Rejected(result.rejected))
        return results

    def send_stream(self, events: Iterable[AnyEvent]) -> IngestStreamResponse:
        """
        Stores any number of events over one stream, answered when all are durable. A stream that breaks is sent again
        from its start, so they are kept in memory until then.
        """
        messages = [IngestStreamRequest(events=chunk) for chunk in chunks(map(complete, events))]
        return retry(
            self._deadlines,
            lambda seconds: self.ingest_stub.IngestStream(
                iter(messages), timeout=seconds, compression=grpc.Compression.Gzip
            ),
        )

    def track(self, event: AnyEvent) -> Future[Acceptance]:
        """
        Queues one event, to be sent with others. The future tells what became of it: an Acceptance, or Rejected or
        grpc.RpcError raised.

        :raises RuntimeError: after close().
        """
        if self._closed:
            raise RuntimeError("the client is closed")
        return self._queue.put(complete(event))

    def flush(self, timeout: float | None = None) -> bool:
        """Sends what is queued and waits until it is answered; whether it was within `timeout` seconds."""
        return self._queue.flush(timeout)

    def close(self) -> None:
        """Takes no more tracked events, flushes and disconnects."""
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        self.flush()
        self._channel.close()

    def stats(
        self,
        start: date,
        end: date,
        *,
        interval: Interval = Interval.INTERVAL_DAILY,
        campaign_id: str = "",
        source: str = "",
        conversion_type: str = "",
        model: str = "",
    ) -> list[StatsRow]:
        """Clicks, conversions, revenue and conversion rate from `start` to `end`, inclusive, by period and campaign."""
        request = GetStatsRequest(
            start_date=start.isoformat(),
            end_date=end.isoformat(),
            interval=interval,
            campaign_id=campaign_id,
            source=source,
            conversion_type=conversion_type,
            model=model,
        )
        return list(retry(self._deadlines, lambda seconds: self.stats_stub.GetStats(request, timeout=seconds)).data)


def open_channel(url: str, credentials: grpc.ChannelCredentials | None) -> grpc.Channel:
    parts = urlsplit(url)
    if parts.scheme == "https":
        return grpc.secure_channel(parts.netloc, credentials or grpc.ssl_channel_credentials(), CHANNEL_OPTIONS)
    return grpc.insecure_channel(parts.netloc, CHANNEL_OPTIONS)


def rejection_of(error: grpc.RpcError) -> Rejected | None:
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        rejection = Rejection()
        if detail.Unpack(rejection):
            return Rejected(rejection)
    return None
