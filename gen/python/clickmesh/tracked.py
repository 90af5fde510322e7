"""What waits to be sent, what is under way, and what is told of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import NamedTuple, TypeVar

from clickmesh.acceptance import Acceptance
from clickmesh.attempts import Failure
from clickmesh.errors import Rejected
from clickmesh.events import Prepared
from clickmesh.v1.event_pb2 import Event
from clickmesh.v1.ingest_service_pb2 import IngestStreamResponse

Result = Acceptance | Rejected
Answer = TypeVar("Answer", list[Result], IngestStreamResponse)


class Counters(NamedTuple):
    """What became of the events of a client: always queued = sent + rejected + lost + stored + waiting."""

    #: Given to the client, by whatever call.
    queued: int
    #: Durable in the mesh.
    sent: int
    #: That break a rule of the contract.
    rejected: int
    #: Given up, refused by a full queue, or discarded by close().
    lost: int
    #: In the file of the option `store`, for the next client that opens it.
    stored: int
    #: Not answered yet.
    waiting: int


class Tracked:
    """An event in the queue."""

    __slots__ = ("answer", "at", "event", "seq")

    def __init__(self, event: Prepared, seq: int) -> None:
        self.event = event
        self.seq = seq
        self.at = time.monotonic()
        self.answer: Future[Acceptance] = Future()
        # So that cancel() takes nothing back: an event that is queued is sent.
        self.answer.set_running_or_notify_cancel()


class Batch:
    """What one thread sends."""

    __slots__ = ("events", "first_seq", "is_answered", "is_discarded", "items")

    def __init__(self, events: Sequence[Prepared], items: Sequence[Tracked] = ()) -> None:
        self.events = events
        #: Of tracked events; none of a call that waits for its answer.
        self.items = items
        self.first_seq = items[0].seq if items else float("inf")
        #: Its answer is there, and is being told.
        self.is_answered = False
        #: close() did not wait for it.
        self.is_discarded = False


def failure_of(error: Exception) -> Failure:
    """Of what is no failure of a call, too, such as headers that could not be had."""
    return error if isinstance(error, Failure) else Failure("INTERNAL", f"{type(error).__name__}: {error}")


def prepared_of(body: bytes) -> Prepared:
    event = Event.FromString(body)
    fields = getattr(event, event.WhichOneof("event") or "click")
    return Prepared(body, fields.event_id, fields.timestamp, [])
