"""Queues events, sends them in batches, and counts what became of each."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from clickmesh.acceptance import Acceptance
from clickmesh.attempts import Attempts, Failure
from clickmesh.errors import ClientClosed, NotSent, QueueFull, SendFailed
from clickmesh.events import Prepared
from clickmesh.ledger import Ledger
from clickmesh.options import Options
from clickmesh.report import Callbacks, Reporter
from clickmesh.store import Store
from clickmesh.tracked import Answer, Batch, Counters, Result, Tracked, failure_of, prepared_of
from clickmesh.v1.ingest_service_pb2 import IngestStreamResponse

# Batches of tracked events that are under way at once.
MAX_WORKERS = 4
# Encoded bytes of a batch. A little less than the gateway takes leaves room for tags.
MAX_BATCH_BYTES = 1_000_000
# Longest wait at close() for threads that have nothing left to do, in seconds.
JOIN_S = 1.0


class Sender:
    """Threads of its own send one batch after the other. All methods may be called by any thread."""

    def __init__(
        self, options: Options, attempts: Attempts, reporter: Reporter, callbacks: Callbacks, store: Store | None
    ) -> None:
        self._options = options
        self._attempts = attempts
        self._callbacks = callbacks
        self._ledger = Ledger(reporter, callbacks, None)
        self._init_state()
        self.open_store(store)

    def open_store(self, store: Store | None) -> None:
        """Queues what an earlier client left."""
        self._ledger.store = store
        with self._lock:
            for body in store.events() if store is not None else ():
                self._append(prepared_of(body))

    def _init_state(self) -> None:
        self._lock = threading.Lock()
        #: Something is to be done by a thread.
        self._work = threading.Condition(self._lock)
        #: Something was answered.
        self._done = threading.Condition(self._lock)
        self._waiting: deque[Tracked] = deque()
        self._waiting_bytes = 0
        #: Tracked events that wait or are under way, and their bytes.
        self._held = 0
        self._held_bytes = 0
        self._under_way: set[Batch] = set()
        self._seq = 0
        #: What was tracked up to here goes out at once.
        self._flush_to = 0
        self._threads: set[threading.Thread] = set()
        self._idle = 0
        #: Threads that wait in a callback, in whose place others may work.
        self._blocked = 0
        self._is_closing = False
        self._has_ended = False
        #: What is lost at close() is known.
        self._is_drained = False
        self._is_closed = False
        self._not_sent: NotSent | None = None

    def after_fork(self, attempts: Attempts, reporter: Reporter) -> None:
        """In a child: forgets what the parent sends. Its answers come there alone."""
        forgotten = [*self._waiting, *(item for batch in self._under_way for item in batch.items)]
        was_closing = self._is_closing
        self._attempts = attempts
        if self._ledger.store is not None:
            self._ledger.store.abandon()
        self._ledger = Ledger(reporter, self._callbacks, None)
        self._init_state()
        if was_closing:
            self._is_closing = self._has_ended = True
            self._is_drained = self._is_closed = True
        for item in forgotten:
            if not item.answer.done():
                # Anew, because a thread of the parent may have held its lock.
                item.answer.__init__()  # type: ignore[misc]
                message = "the event was tracked before the fork: the parent process sends it"
                item.answer.set_exception(SendFailed(message, code="CANCELLED", events=[item.event.event()]))

    # Tracked events

    def put(self, event: Prepared) -> Future[Acceptance]:
        """Waits while the queue is full, unless told otherwise: then the future has the error."""
        size = len(event.body)
        with self._lock:
            while not self._has_room(size) and not self._is_closing:
                if self._options.on_full == "reject":
                    self._ledger.lost += 1
                    break
                self._wait_for_others(self._done, None)
            else:
                if self._is_closing:
                    raise ClientClosed("the client is closed")
                return self._append(event).answer
        answer: Future[Acceptance] = Future()
        error = QueueFull(
            f"{self._held:,} events wait (max_queue_events {self._options.max_queue_events:,}, "
            f"max_queue_bytes {self._options.max_queue_bytes:,})",
            events=[event.event()],
        )
        answer.set_exception(error)
        self._ledger.reporter.lost(error, error.events)
        return answer

    def _has_room(self, size: int = 1) -> bool:
        if self._held == 0:
            return True
        is_below = self._held < self._options.max_queue_events
        return is_below and self._held_bytes + size <= self._options.max_queue_bytes

    def _append(self, event: Prepared) -> Tracked:
        self._seq += 1
        item = Tracked(event, self._seq)
        self._waiting.append(item)
        size = len(event.body)
        self._waiting_bytes += size
        self._held += 1
        self._held_bytes += size
        waiting = len(self._waiting)
        # A thread has slept until now, or would have slept until the batch's time.
        if waiting == 1 or waiting % self._options.batch_size == 0 or self._waiting_bytes >= MAX_BATCH_BYTES:
            self._wake_worker()
        return item

    def _wake_worker(self) -> None:
        if self._idle > 0:
            self._work.notify()
        elif len(self._threads) - self._blocked < MAX_WORKERS:
            thread = threading.Thread(target=self._run, name="clickmesh", daemon=True)
            self._threads.add(thread)
            try:
                thread.start()
            except RuntimeError:
                # The interpreter ends: close() sends what waits itself.
                self._threads.discard(thread)

    def _run(self) -> None:
        while (batch := self._next_batch()) is not None:
            self._send_tracked(batch)
        with self._lock:
            self._threads.discard(threading.current_thread())

    def _next_batch(self) -> Batch | None:
        """Waits for a batch that is due. None if the thread is to end."""
        with self._lock:
            while True:
                if self._has_ended or len(self._threads) - self._blocked > MAX_WORKERS:
                    return None
                due = self._due_in()
                if due is not None and due <= 0:
                    return self._take_batch()
                if self._is_closing and not self._waiting:
                    return None
                warning_due = self._ledger.reporter.due_in()
                self._idle += 1
                try:
                    self._work.wait(due if warning_due is None else min(warning_due + 0.01, due or warning_due + 0.01))
                finally:
                    self._idle -= 1
                if warning_due is not None:
                    self._lock.release()
                    try:
                        self._ledger.reporter.warn_if_due()
                    finally:
                        self._lock.acquire()

    def _due_in(self) -> float | None:
        """Seconds until what waits is to go out; None if nothing waits."""
        if not self._waiting:
            return None
        first = self._waiting[0]
        is_full = len(self._waiting) >= self._options.batch_size or self._waiting_bytes >= MAX_BATCH_BYTES
        if is_full or self._is_closing or first.seq <= self._flush_to:
            return 0
        return first.at + self._options.batch_delay - time.monotonic()

    def _take_batch(self) -> Batch:
        items: list[Tracked] = []
        size = 0
        while self._waiting and len(items) < self._options.batch_size:
            next_size = len(self._waiting[0].event.body)
            if items and size + next_size > MAX_BATCH_BYTES:
                break
            items.append(self._waiting.popleft())
            size += next_size
        self._waiting_bytes -= size
        batch = Batch([item.event for item in items], items)
        self._under_way.add(batch)
        # What is left may be due as well, and nobody may be there who looks.
        if self._waiting:
            self._wake_worker()
        return batch

    def _send_tracked(self, batch: Batch) -> None:
        outcome: list[Result] | Failure
        try:
            outcome = self._attempts.send_batch(batch.events)
        except Exception as error:
            outcome = failure_of(error)
        if not self._settle(batch, outcome):
            return
        try:
            if isinstance(outcome, Failure):
                self._ledger.tell_failure(batch.items, outcome)
                self._ledger.report_failure(batch.events, outcome)
            else:
                for item, result in zip(batch.items, outcome, strict=True):
                    self._ledger.tell(item, result)
        finally:
            self._finish(batch)

    def _settle(self, batch: Batch, outcome: Sequence[Result] | IngestStreamResponse | Failure) -> bool:
        """Counts what became of a batch. False if close() has already."""
        with self._lock:
            if batch.is_discarded:
                return False
            batch.is_answered = True
            self._ledger.count(batch.events, outcome)
            if batch.items:
                self._held -= len(batch.items)
                self._held_bytes -= sum(len(event.body) for event in batch.events)
            self._done.notify_all()
        return True

    def _finish(self, batch: Batch) -> None:
        with self._lock:
            self._under_way.discard(batch)
            self._done.notify_all()

    # Calls that wait for their answer

    def call(self, events: Sequence[Prepared], attempt: Callable[[Sequence[Prepared]], Answer]) -> Answer:
        """Makes a call, counted and waited for by close() as what is tracked is."""
        batch = Batch(events)
        with self._lock:
            if self._is_closing:
                raise ClientClosed("the client is closed")
            self._under_way.add(batch)
        outcome: Answer | Failure
        try:
            outcome = attempt(events)
        except Exception as error:
            outcome = failure_of(error)
        except BaseException as error:
            # Such as KeyboardInterrupt: nobody knows what became of the events.
            self._settle(batch, Failure("CANCELLED", f"the call was interrupted: {type(error).__name__}"))
            self._finish(batch)
            raise
        is_settled = self._settle(batch, outcome)
        self._finish(batch)
        if isinstance(outcome, Failure):
            if is_settled:
                self._ledger.report_failure(events, outcome)
            raise outcome
        return outcome

    def count_rejected(self, events: int = 1) -> None:
        """Of what the client itself rejected, or did not attempt."""
        with self._lock:
            self._ledger.rejected += events

    def count_lost(self, events: Sequence[Prepared], error: Failure) -> None:
        """Of a call that gave up before their turn."""
        with self._lock:
            self._ledger.count_unsent(events)
        self._ledger.report_failure(events, error)

    def has_room(self) -> bool:
        with self._lock:
            return self._has_room()

    def assert_open(self) -> None:
        if self._is_closing:
            raise ClientClosed("the client is closed")

    # Waiting

    def _wait_for_others(self, condition: threading.Condition, timeout: float | None) -> None:
        """Waits; in a callback another thread may work in the place of this one."""
        if not self._callbacks.is_running():
            condition.wait(timeout)
            return
        self._blocked += 1
        try:
            self._wake_worker()
            condition.wait(timeout)
        finally:
            self._blocked -= 1

    def _wait_until(self, is_true: Callable[[], bool], limit: float) -> bool:
        ends_at = time.monotonic() + limit
        while not is_true():
            remaining = ends_at - time.monotonic()
            if remaining <= 0:
                return False
            self._wait_for_others(self._done, remaining)
        return True

    def _is_answered(self, mark: float) -> bool:
        """Whether all up to a number was answered; in a callback, but for telling it, which this thread may be at."""
        if self._waiting and self._waiting[0].seq <= mark:
            return False
        in_callback = self._callbacks.is_running()
        return all(batch.first_seq > mark or (batch.is_answered and in_callback) for batch in self._under_way)

    def ready(self, limit: float) -> bool:
        with self._lock:
            is_ready = self._wait_until(lambda: self._is_closing or self._has_room(), limit)
            if self._is_closing:
                raise ClientClosed("the client is closed")
            return is_ready

    def flush(self, limit: float) -> bool:
        with self._lock:
            mark = self._seq
            self._flush_to = max(self._flush_to, mark)
            self._work.notify_all()
            if self._waiting:
                self._wake_worker()
            return self._wait_until(lambda: self._is_answered(mark), limit)

    def counters(self) -> Counters:
        with self._lock:
            waiting = len(self._waiting) + sum(
                len(batch.events) for batch in self._under_way if not (batch.is_answered or batch.is_discarded)
            )
            return self._ledger.counters(waiting)

    def is_locked(self) -> bool:
        """Whether some thread, which may be the one that asks, is at the state."""
        if not self._lock.acquire(blocking=False):
            return True
        self._lock.release()
        return False

    # The end

    def close(self, limit: float) -> None:
        """:raises NotSent: if anything was lost since the client was made."""
        ends_at = time.monotonic() + limit
        with self._lock:
            is_first = not self._is_closing
            self._is_closing = True
            self._work.notify_all()
            self._done.notify_all()
            if not is_first:
                # A callback must not wait for what waits until it has returned.
                in_callback = self._callbacks.is_running()
                self._wait_until(lambda: self._is_drained if in_callback else self._is_closed, limit + JOIN_S)
        if is_first:
            self._end(ends_at)
        if self._not_sent is not None:
            raise self._not_sent

    def _end(self, ends_at: float) -> None:
        items, events = self._drain(ends_at)
        self._attempts.abort()
        failure = Failure("CANCELLED", "the client was closed before the event was sent")
        self._ledger.tell_failure(items, failure)
        if events:
            self._ledger.report_failure(events, failure)
        with self._lock:
            self._wait_until(self._is_told, ends_at - time.monotonic())
            threads = [thread for thread in self._threads if thread is not threading.current_thread()]
        for thread in threads:
            # A thread that is in a callback of the program ends when that does.
            thread.join(max(0, min(JOIN_S, ends_at - time.monotonic() + JOIN_S)))
        self._attempts.close()
        if self._ledger.store is not None:
            self._ledger.store.close()
        self._ledger.reporter.warn_if_due(is_last=True)
        with self._lock:
            self._is_closed = True
            self._done.notify_all()

    def _drain(self, ends_at: float) -> tuple[list[Tracked], list[Prepared]]:
        """Waits until everything was answered, and gives what was not within the time: tracked, and in all."""
        with self._lock:
            if self._waiting:
                self._wake_worker()
            while self._waiting and not self._threads and time.monotonic() < ends_at:
                # No thread can be started any more.
                batch = self._take_batch()
                self._lock.release()
                try:
                    self._send_tracked(batch)
                finally:
                    self._lock.acquire()
            self._wait_until(
                lambda: not self._waiting and all(batch.is_answered for batch in self._under_way),
                ends_at - time.monotonic(),
            )
            unanswered = [batch for batch in self._under_way if not batch.is_answered]
            for batch in unanswered:
                batch.is_discarded = True
            items = [item for batch in unanswered for item in batch.items] + list(self._waiting)
            events = [event for batch in unanswered for event in batch.events]
            events += [item.event for item in self._waiting]
            self._waiting.clear()
            discarded = self._ledger.count_unsent(events)
            count = self._ledger.lost
            if count > 0:
                message = f"{count:,} {'event was' if count == 1 else 'events were'} not sent"
                self._not_sent = NotSent(message, count=count, events=discarded)
            self._has_ended = self._is_drained = True
            self._work.notify_all()
            self._done.notify_all()
            return items, events

    def _is_told(self) -> bool:
        """Whether all that was answered was told; in a callback, which may be what tells it, nothing is waited for."""
        return self._callbacks.is_running() or all(batch.is_discarded for batch in self._under_way)
