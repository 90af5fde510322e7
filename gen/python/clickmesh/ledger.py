"""Counts what becomes of events, keeps what could not be sent, and tells both."""

from __future__ import annotations

from collections.abc import Sequence

from clickmesh.acceptance import Acceptance
from clickmesh.attempts import Failure
from clickmesh.errors import Rejected
from clickmesh.events import Prepared
from clickmesh.report import Callbacks, Reporter
from clickmesh.store import Store
from clickmesh.tracked import Counters, Result, Tracked
from clickmesh.v1.event_pb2 import Event
from clickmesh.v1.ingest_service_pb2 import IngestStreamResponse


class Ledger:
    """What counts and keeps is called by a thread that is at the sender's state, what tells by one that is not."""

    def __init__(self, reporter: Reporter, callbacks: Callbacks, store: Store | None) -> None:
        self.reporter = reporter
        self.store = store
        self.rejected = self.lost = 0
        self._callbacks = callbacks
        self._sent = self._stored = 0
        #: To be said later.
        self._store_fault = ""

    def count(self, events: Sequence[Prepared], outcome: Sequence[Result] | IngestStreamResponse | Failure) -> None:
        """What became of a call."""
        if isinstance(outcome, Failure):
            self.count_unsent(events)
            return
        accepted = (
            outcome.accepted
            if isinstance(outcome, IngestStreamResponse)
            else sum(isinstance(result, Acceptance) for result in outcome)
        )
        self._sent += accepted
        self.rejected += len(events) - accepted
        if self.store is not None:
            self.store.remove(event.body for event in events)

    def count_unsent(self, events: Sequence[Prepared]) -> list[Event]:
        """Keeps in the store what it has room for, and returns the others, which are lost."""
        kept = [False] * len(events)
        if self.store is not None and events:
            try:
                kept = self.store.add(event.body for event in events)
            except (OSError, ValueError) as error:
                self._store_fault = f"clickmesh: the store failed: {error}"
        self._stored += sum(kept)
        self.lost += len(events) - sum(kept)
        return [event.event() for event, is_kept in zip(events, kept, strict=True) if not is_kept]

    def counters(self, waiting: int) -> Counters:
        told = (self._sent, self.rejected, self.lost, self._stored)
        return Counters(sum(told) + waiting, *told, waiting)

    def tell(self, item: Tracked, result: Result) -> None:
        if isinstance(result, Rejected):
            self._callbacks.call(item.answer.set_exception, result)
            self.reporter.rejected(result, [item.event.event()])
        else:
            self._callbacks.call(item.answer.set_result, result)

    def tell_failure(self, items: Sequence[Tracked], failure: Failure) -> None:
        for item in items:
            self._callbacks.call(item.answer.set_exception, failure.error([item.event.event()]))

    def report_failure(self, events: Sequence[Prepared], failure: Failure) -> None:
        if self._store_fault:
            self.reporter.say(self._store_fault)
            self._store_fault = ""
        kept = set(self.store.events()) if self.store is not None else set()
        lost = [event.event() for event in events if event.body not in kept]
        stored = [event.event() for event in events if event.body in kept]
        if stored:
            self.reporter.tell(failure.error(stored), stored)
        if lost:
            self.reporter.lost(failure.error(lost), lost)
