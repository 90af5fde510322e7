"""The client of a clickmesh gateway."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from datetime import date
from os import PathLike
from typing import Any, TypeVar

from google.protobuf.message import Message

from clickmesh import exits
from clickmesh.acceptance import Acceptance
from clickmesh.attempts import Attempts, Failure
from clickmesh.errors import NotSent, Rejected
from clickmesh.events import AnyEvent, Prepared, chunks, complete, prepare
from clickmesh.memory import MemoryTransport
from clickmesh.options import (
    LOGGER,
    Address,
    HeadersOption,
    Logger,
    OnError,
    OnFull,
    Options,
    Protocol,
    read_address,
)
from clickmesh.report import Callbacks, Reporter
from clickmesh.rules import MAX_CALL_EVENTS
from clickmesh.sender import MAX_BATCH_BYTES, Sender
from clickmesh.statistics import IntervalName, StatsRow, stats_request, stats_rows
from clickmesh.store import Store
from clickmesh.stream import StreamResult, stream_result
from clickmesh.tracked import Counters
from clickmesh.transport import ConnectTransport, Transport
from clickmesh.v1.event_pb2 import Event
from clickmesh.v1.stats_service_pb2 import GetStatsResponse, Interval

# Default of flush() and close(), and what the end of a program waits, in seconds.
LIMIT_S = 30.0

Self = TypeVar("Self", bound="Client")


class Client:
    """
    Sends events to a gateway and reads statistics. All methods may be called by any thread.

    Every call is repeated under the same `event_id` while the gateway can't be reached, so nothing is lost and nothing
    counts twice. What is tracked is sent before the interpreter ends; a process that is forked has a queue of its own.

    :param url: the gateway, such as "http://127.0.0.1:8080" or "https://host/path": the path stands before each call's.
    :param timeout: longest time of a call with all its attempts, in seconds.
    :param attempt_timeout: longest time of one attempt, in seconds.
    :param batch_size: tracked events go out when this many wait; 1 to 1,000.
    :param batch_delay: tracked events go out when the first has waited this long, in seconds; 0 to 60.
    :param max_queue_events: most tracked events that wait or are under way.
    :param max_queue_bytes: the same in bytes, at least 1 MiB.
    :param on_full: what `track` does when it would be more: "wait", or "reject" with QueueFull.
    :param headers: sent with every request: a mapping, or a function that is asked for each.
    :param key: sent as `authorization: Bearer …`.
    :param protocol: "connect" (over HTTP/1.1) or "grpc" (needs grpcio: `pip install 'clickmesh[grpc]'`).
    :param disabled: checks and counts events as ever, and connects to nothing.
    :param on_error: called with the error and the events when some are lost, or rejected after `track`; by any thread.
    :param logger: told the same in at most one line in 10 s: a logging.Logger, a function, or None.
    :param store: path of a file that keeps what could not be sent for the next client that opens it.
    :param store_bytes: most bytes of it.
    :param ssl_context: of https, where the system's certificate authorities are not enough.
    :raises InvalidOption: which names the option, its range and what was given.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 30,
        attempt_timeout: float = 10,
        batch_size: int = 500,
        batch_delay: float = 0.05,
        max_queue_events: int = 10_000,
        max_queue_bytes: int = 64 << 20,
        on_full: OnFull = "wait",
        headers: HeadersOption = None,
        key: str | None = None,
        protocol: Protocol = "connect",
        disabled: bool = False,
        on_error: OnError | None = None,
        logger: Logger = LOGGER,
        store: str | PathLike[str] | None = None,
        store_bytes: int = 16 << 20,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._options = Options(
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            batch_size=batch_size,
            batch_delay=batch_delay,
            max_queue_events=max_queue_events,
            max_queue_bytes=max_queue_bytes,
            on_full=on_full,
            headers=headers,
            key=key,
            protocol=protocol,
            disabled=disabled,
            on_error=on_error,
            logger=logger,
            store=store,
            store_bytes=store_bytes,
            ssl_context=ssl_context,
        )
        self._attempts = Attempts(self._transport(read_address(url)), timeout, attempt_timeout)
        self._callbacks = Callbacks()
        self._reporter = Reporter(logger, on_error, self._callbacks)
        self._is_hooked = False
        self._sender = Sender(self._options, self._attempts, self._reporter, self._callbacks, self._open_store())
        exits.register(self)

    def _transport(self, address: Address) -> Transport:
        if self._options.disabled:
            return MemoryTransport(keeps=False)
        if self._options.protocol == "connect":
            return ConnectTransport(address, self._options)
        # gRPC is not installed everywhere.
        from clickmesh.grpc_transport import GrpcTransport

        return GrpcTransport(address, self._options)

    def _open_store(self) -> Store | None:
        path = self._options.store_path()
        return None if path is None or self._options.disabled else Store(path, self._options.store_bytes)

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            self.close()
        except NotSent:
            # What the block raised says more; the logger and on_error were told of these.
            if kind is None:
                raise

    def track(self, event: AnyEvent | str, /, **fields: Any) -> Future[Acceptance]:
        """
        Queues an event, to be sent with others: `track(click(...))`, `track({"type": "click", ...})` or
        `track("click", user_id=...)`. Waits while the queue is full.

        The future tells what became of it: an Acceptance, or Rejected, SendFailed or QueueFull raised. It can't be
        cancelled, and may be left alone: `on_error` and the logger are told of what failed.

        :raises ClientClosed: after close().
        """
        self._sender.assert_open()
        if not self._is_hooked:
            self._is_hooked = True
            exits.register_in_child(self)
        try:
            if not isinstance(event, str) and fields:
                raise TypeError("track takes an event, or its type as text and its fields by name")
            # A type without any field is no event.
            prepared = prepare(None, event, fields) if isinstance(event, str) and fields else prepare(event)
        except Rejected as error:
            self._sender.count_rejected()
            answer: Future[Acceptance] = Future()
            answer.set_exception(error)
            self._reporter.rejected(error, [error.event] if error.event else [])
            return answer
        return self._sender.put(prepared)

    def send(self, event: AnyEvent) -> Acceptance:
        """
        Stores one event and returns once it is durable.

        :raises Rejected: if it breaks a rule of the contract.
        :raises SendFailed: if the gateway did not answer in time; `events` of the error is safe to be sent again.
        """
        return self._send(event, None)

    def _send(self, event: AnyEvent, cancelled: threading.Event | None) -> Acceptance:
        [result] = self._send_all([event], cancelled)
        if isinstance(result, Rejected):
            raise result
        return result

    def send_batch(self, events: Iterable[AnyEvent]) -> list[Acceptance | Rejected]:
        """
        Stores any number of events, in calls as large as the gateway takes. One result per event, in order.

        :raises SendFailed: if not all could be sent: `results` has what became of the others, `events` is safe to be
            sent again.
        """
        return self._send_all(events, None)

    def _send_all(self, events: Iterable[AnyEvent], cancelled: threading.Event | None) -> list[Acceptance | Rejected]:
        results, prepared = self._prepare_all(events)
        failure: Failure | None = None
        failed: list[Prepared] = []
        at = iter([i for i, result in enumerate(results) if result is None])
        for chunk in chunks(prepared, MAX_CALL_EVENTS, MAX_BATCH_BYTES):
            if failure is not None:
                self._sender.count_lost(chunk, failure)
                failed += chunk
                continue
            try:
                answers = self._sender.call(chunk, lambda batch: self._attempts.send_batch(batch, cancelled))
            except Failure as error:
                failure = error
                failed += chunk
                continue
            for answer in answers:
                results[next(at)] = answer
        if failure is not None:
            raise failure.error([event.event() for event in failed], results) from None
        return [result for result in results if result is not None]

    def _prepare_all(self, events: Iterable[AnyEvent]) -> tuple[list[Acceptance | Rejected | None], list[Prepared]]:
        """Of each event its rejection, or None, and those that are to be sent."""
        if isinstance(events, (Mapping, Message, str)):
            raise TypeError("send_batch and send_stream take a list of events: this is one")
        self._sender.assert_open()
        results: list[Acceptance | Rejected | None] = []
        prepared: list[Prepared] = []
        for event in events:
            try:
                prepared.append(prepare(event))
                results.append(None)
            except Rejected as error:
                results.append(error)
        self._sender.count_rejected(len(results) - len(prepared))
        return results, prepared

    def send_stream(self, events: Iterable[AnyEvent]) -> StreamResult:
        """
        Stores any number of events over one stream, answered when all are durable. A stream that breaks is sent again
        from its start, so they are kept in memory until then.

        :raises SendFailed: if the gateway did not answer in time; `events` of the error is safe to be sent again.
        """
        results, prepared = self._prepare_all(events)
        places = [i for i, result in enumerate(results) if result is None]
        refused = [(i, result) for i, result in enumerate(results) if isinstance(result, Rejected)]
        if not prepared:
            return stream_result(None, prepared, places, refused)
        parts = list(chunks(prepared, MAX_CALL_EVENTS, MAX_BATCH_BYTES))
        try:
            answer = self._sender.call(prepared, lambda _: self._attempts.send_stream(parts))
        except Failure as failure:
            raise failure.error([event.event() for event in prepared]) from None
        return stream_result(answer, prepared, places, refused)

    def complete(self, event: AnyEvent) -> Event:
        """
        Returns a copy that has its `event_id` and `timestamp`: sent as often as you like, it is one event.

        :raises Rejected: if it breaks a rule of the contract.
        """
        return complete(event)

    def ready(self, limit: float = LIMIT_S) -> bool:
        """Waits until the queue has room; whether it has within `limit` seconds."""
        return self._sender.ready(limit)

    def flush(self, limit: float = LIMIT_S) -> bool:
        """Sends what is queued; whether all of it was answered within `limit` seconds."""
        return self._sender.flush(limit)

    def close(self, limit: float = LIMIT_S) -> None:
        """
        Takes no more events, sends what is queued, disconnects, and ends within `limit` seconds in all.

        :raises NotSent: if anything was lost since the client was made.
        """
        try:
            self._sender.close(limit)
        finally:
            exits.unregister(self)

    def close_on_sigterm(self, limit: float = LIMIT_S) -> None:
        """
        Closes the client when SIGTERM comes, as `docker stop` and Kubernetes send it, before the program ends as it
        would have ended without: by its own handler, if it had put one in place before. Call it in the main thread.
        """

        def close() -> None:
            try:
                self.close(limit)
            except NotSent as error:
                self._reporter.say(f"clickmesh: {error}")

        exits.on_sigterm(close, self._sender.is_locked)

    def has_room(self) -> bool:
        """Whether `track` would not wait."""
        return self._sender.has_room()

    def counters(self) -> Counters:
        """What became of the events so far: queued = sent + rejected + lost + stored + waiting."""
        return self._sender.counters()

    def stats(
        self,
        start: date | str,
        end: date | str,
        *,
        interval: Interval | IntervalName = "daily",
        campaign_id: str = "",
        source: str = "",
        conversion_type: str = "",
        model: str = "",
        by: Sequence[str] = (),
        gross: bool = False,
    ) -> list[StatsRow]:
        """
        Clicks, conversions, revenue and conversion rate by period, campaign and source.

        :param start: first day: a date, a datetime with its zone (its day in UTC), or text such as "2026-11-20".
        :param end: last day, inclusive.
        :param interval: "daily", "weekly", "monthly" or "hourly".
        :param campaign_id: only this campaign; `source`, `conversion_type` alike.
        :param model: attribution model; the mesh's first if empty.
        :param by: dimensions of the rows instead of campaign and source, such as ["ad_id"].
        :param gross: also invalid clicks, sums before refunds, and refunds.
        :raises SendFailed: if the gateway did not answer in time, or can't answer what was asked.
        """
        request = stats_request(
            start,
            end,
            interval,
            campaign_id=campaign_id,
            source=source,
            conversion_type=conversion_type,
            model=model,
            by=by,
            gross=gross,
        )
        self._sender.assert_open()
        try:
            answer = self._attempts.unary("StatsService/GetStats", request.SerializeToString())
        except Failure as failure:
            raise failure.error([]) from None
        return stats_rows(GetStatsResponse.FromString(answer))

    def _after_fork(self) -> None:
        before = self._attempts
        self._attempts = before.after_fork()
        self._is_hooked = False
        self._reporter = Reporter(self._options.logger, self._options.on_error, self._callbacks)
        self._sender.after_fork(self._attempts, self._reporter)
        if self._options.store is not None:
            self._sender.open_store(self._open_store())
        if self._attempts.has_other_protocol(before):
            self._reporter.say("clickmesh: gRPC does not survive a fork: this process goes on over HTTP/1.1")

    def _at_exit(self) -> None:
        try:
            self.close()
        except NotSent as error:
            self._reporter.say(f"clickmesh: at exit {error}")


class MemoryClient(Client):
    """
    A client for tests: checks events as every client does, and keeps what it accepts in memory, at once.

        client = MemoryClient()
        client.track("click", user_id="u", ad_id="a", campaign_id="c", source="web")
        assert client.events[0].click.user_id == "u"
    """

    def __init__(self, **options: Any) -> None:
        self._memory = MemoryTransport(keeps=True)
        super().__init__("http://memory", **options)

    def _transport(self, address: Address) -> Transport:
        return self._memory

    def track(self, event: AnyEvent | str, /, **fields: Any) -> Future[Acceptance]:
        """As Client.track; it is answered when this returns."""
        answer = super().track(event, **fields)
        self.flush()
        return answer

    @property
    def events(self) -> list[Event]:
        """What was accepted so far, in the order of the calls."""
        return list(self._memory.events)
