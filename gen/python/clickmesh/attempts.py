"""Repeats calls while the gateway is away."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence

from clickmesh.acceptance import Acceptance
from clickmesh.errors import Rejected, SendFailed
from clickmesh.events import Prepared
from clickmesh.transport import CallError, Transport
from clickmesh.v1.event_pb2 import Event
from clickmesh.v1.ingest_service_pb2 import IngestBatchResponse, IngestStreamResponse, Rejection

FIRST_BACKOFF_S = 0.1
MAX_BACKOFF_S = 5.0
# Longest wait that a gateway can ask for.
MAX_RETRY_AFTER_S = 60.0
# How long before its deadline a call is tried for the last time.
LAST_ATTEMPT_S = 1.0


class Failure(Exception):
    """A call was given up."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def error(self, events: Sequence[Event], results: Sequence[Acceptance | Rejected | None] = ()) -> SendFailed:
        return SendFailed(str(self), code=self.code, events=events, results=results)


class Attempts:
    """Makes calls, each as often as it takes or time is left."""

    def __init__(self, transport: Transport, timeout: float, attempt_timeout: float) -> None:
        self._transport = transport
        self._timeout = timeout
        self._attempt_timeout = attempt_timeout
        self._is_aborted = False
        #: What ends the waits between attempts, of the calls that are being made.
        self._stops: set[threading.Event] = set()

    def send_batch(
        self, events: Sequence[Prepared], cancelled: threading.Event | None = None
    ) -> list[Acceptance | Rejected]:
        body = b"".join([event.framed() for event in events])
        answer = self.repeat(
            lambda seconds: self._transport.unary("IngestService/IngestBatch", body, seconds), cancelled
        )
        results = IngestBatchResponse.FromString(answer).results
        if len(results) != len(events):
            raise Failure("INTERNAL", f"{len(results)} results came for {len(events)} events")
        return [
            rejection_of(result.rejected, event)
            if result.WhichOneof("result") == "rejected"
            else acceptance_of(result.accepted, event)
            for result, event in zip(results, events, strict=True)
        ]

    def send_stream(self, chunks: Sequence[Sequence[Prepared]]) -> IngestStreamResponse:
        bodies = [b"".join([event.framed() for event in chunk]) for chunk in chunks]
        answer = self.repeat(
            lambda seconds: self._transport.client_stream("IngestService/IngestStream", bodies, seconds)
        )
        return IngestStreamResponse.FromString(answer)

    def unary(self, method: str, request: bytes) -> bytes:
        return self.repeat(lambda seconds: self._transport.unary(method, request, seconds))

    def repeat(self, attempt: Callable[[float], bytes], cancelled: threading.Event | None = None) -> bytes:
        """:raises Failure: that says how often it was tried, for how long, and how it failed last."""
        stop = cancelled or threading.Event()
        self._stops.add(stop)
        try:
            return self._repeat(attempt, stop)
        finally:
            self._stops.discard(stop)

    def _repeat(self, attempt: Callable[[float], bytes], stop: threading.Event) -> bytes:
        started = time.monotonic()
        give_up_at = started + self._timeout
        tries = 0
        is_last = False
        while True:
            try:
                return attempt(max(0.001, min(self._attempt_timeout, give_up_at - time.monotonic())))
            except CallError as error:
                tries += 1
                remaining = give_up_at - time.monotonic()
                wait = max(backoff(tries), min(error.retry_after, MAX_RETRY_AFTER_S))
                if not error.is_transient or is_last or remaining <= error.retry_after:
                    raise given_up(error, tries, time.monotonic() - started) from None
                if wait >= remaining:
                    wait = max(error.retry_after, remaining - min(LAST_ATTEMPT_S, remaining / 2))
                    is_last = True
                if self._is_aborted or stop.wait(wait):
                    reason = "the client was closed" if self._is_aborted else "the call was cancelled"
                    raise Failure("CANCELLED", f"{reason} after {tries} {plural(tries)}: {error}") from None

    def abort(self) -> None:
        """Ends all calls."""
        self._is_aborted = True
        for stop in list(self._stops):
            stop.set()
        self._transport.abort()

    def close(self) -> None:
        self._transport.close()

    def has_other_protocol(self, other: Attempts) -> bool:
        return type(self._transport) is not type(other._transport)

    def after_fork(self) -> Attempts:
        return Attempts(self._transport.after_fork(), self._timeout, self._attempt_timeout)


def backoff(tries: int) -> float:
    """Seconds: at random up to what doubles with each try, so that clients spread."""
    return random.uniform(0, min(MAX_BACKOFF_S, FIRST_BACKOFF_S * 2 ** min(tries - 1, 10)))


def given_up(error: CallError, tries: int, seconds: float) -> Failure:
    return Failure(error.code, f"gave up after {tries} {plural(tries)} in {seconds:.1f} s: {error}")


def plural(tries: int) -> str:
    return "attempt" if tries == 1 else "attempts"


def acceptance_of(accepted: object, event: Prepared) -> Acceptance:
    return Acceptance(
        event.event_id,
        event.timestamp,
        accepted.event_id,  # type: ignore[attr-defined]
        accepted.partition,  # type: ignore[attr-defined]
        accepted.offset,  # type: ignore[attr-defined]
        (*accepted.ignored, *event.left_out),  # type: ignore[attr-defined]
    )


def rejection_of(rejection: Rejection, event: Prepared) -> Rejected:
    return Rejected(
        rejection.message,
        field=rejection.field,
        reason=rejection.reason,
        limit=rejection.limit,
        received=rejection.received,
        event_id=event.event_id,
        timestamp=event.timestamp,
        event=event.event(),
    )
