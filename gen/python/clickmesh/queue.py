"""Gathers tracked events into batches by number, bytes and time."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from clickmesh.events import MAX_BATCH_BYTES, size
from clickmesh.v1.event_pb2 import Event
from clickmesh.v1.ingest_service_pb2 import Acceptance


@dataclass
class Tracked:
    event: Event
    answer: Future[Acceptance] = field(default_factory=Future)


# Set once everything queued before it has been answered.
Mark = threading.Event


class BatchQueue:
    """A thread of its own sends one batch after the other."""

    def __init__(
        self,
        send: Callable[[Sequence[Event]], Sequence[Acceptance | Exception]],
        *,
        batch_size: int,
        batch_delay: float,
        max_waiting: int,
    ) -> None:
        self._send = send
        self._batch_size = batch_size
        self._batch_delay = batch_delay
        self._queue: queue.Queue[Tracked | Mark] = queue.Queue(max_waiting)
        threading.Thread(target=self._run, name="clickmesh", daemon=True).start()

    def put(self, event: Event) -> Future[Acceptance]:
        """Blocks while `max_waiting` events wait."""
        tracked = Tracked(event)
        self._queue.put(tracked)
        return tracked.answer

    def flush(self, timeout: float | None) -> bool:
        """Whether everything put before was answered within the time."""
        mark = Mark()
        self._queue.put(mark)
        return mark.wait(timeout)

    def _run(self) -> None:
        while True:
            batch, mark = self._gather()
            if batch:
                self._deliver(batch)
            if mark is not None:
                mark.set()

    def _gather(self) -> tuple[list[Tracked], Mark | None]:
        """Waits for a first event and then for more, until they are enough, it has waited long enough, or a mark comes."""
        batch: list[Tracked] = []
        batch_bytes = 0
        due: float | None = None
        while len(batch) < self._batch_size and batch_bytes < MAX_BATCH_BYTES:
            try:
                item = self._queue.get(timeout=None if due is None else max(0, due - time.monotonic()))
            except queue.Empty:
                break
            if isinstance(item, Mark):
                return batch, item
            batch.append(item)
            batch_bytes += size(item.event)
            due = due or time.monotonic() + self._batch_delay
        return batch, None

    def _deliver(self, batch: list[Tracked]) -> None:
        # A cancelled future takes no answer.
        batch = [tracked for tracked in batch if tracked.answer.set_running_or_notify_cancel()]
        try:
            results = self._send([tracked.event for tracked in batch])
        except Exception as error:
            results = [error] * len(batch)
        for tracked, result in zip(batch, results, strict=True):
            if isinstance(result, Exception):
                tracked.answer.set_exception(result)
            else:
                tracked.answer.set_result(result)
