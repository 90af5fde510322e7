"""Says what was lost or rejected."""

import logging
import threading
import time
from collections.abc import Callable

from clickmesh.options import LOGGER, Logger, OnError
from clickmesh.v1.event_pb2 import Event

# Seconds between two warnings.
WARNING_PERIOD_S = 10.0


class Callbacks:
    """Knows whether a thread runs code of the program that a client called: it must not wait for itself."""

    def __init__(self) -> None:
        self._local = threading.local()

    def is_running(self) -> bool:
        return getattr(self._local, "depth", 0) > 0

    def call(self, function: Callable[..., object], *args: object) -> None:
        """Whatever it raises, SystemExit as well, ends nothing but itself."""
        local = self._local
        before = getattr(local, "depth", 0)
        local.depth = before + 1
        try:
            function(*args)
        except BaseException as error:
            LOGGER.warning("clickmesh: a callback failed: %s: %s", type(error).__name__, error)
        finally:
            local.depth = before


class Reporter:
    """Tells `on_error` of each loss, and the logger of what came within 10 s in one line."""

    def __init__(self, logger: Logger, on_error: OnError | None, callbacks: Callbacks) -> None:
        self._logger = logger
        self._on_error = on_error
        self._callbacks = callbacks
        self._lock = threading.Lock()
        self._lost = 0
        self._rejected = 0
        self._reason = ""
        self._warned_at = float("-inf")

    def lost(self, error: Exception, events: list[Event]) -> None:
        self._note(error, len(events), 0)
        self.tell(error, events)

    def rejected(self, error: Exception, events: list[Event]) -> None:
        self._note(error, 0, 1)
        self.tell(error, events)

    def tell(self, error: Exception, events: list[Event]) -> None:
        """Tells what is no loss."""
        if self._on_error is not None:
            self._callbacks.call(self._on_error, error, events)

    def has_on_error(self) -> bool:
        return self._on_error is not None

    def say(self, text: str) -> None:
        """Warns of what concerns no event."""
        if isinstance(self._logger, logging.Logger):
            self._logger.warning("%s", text)
        elif self._logger is not None:
            self._callbacks.call(self._logger, text)

    def _note(self, error: Exception, lost: int, rejected: int) -> None:
        with self._lock:
            self._lost += lost
            self._rejected += rejected
            self._reason = str(error)
        self.warn_if_due()

    def due_in(self) -> float | None:
        """Seconds until the next warning; None if there is nothing to say."""
        if not (self._lost or self._rejected):
            return None
        return max(0.0, self._warned_at + WARNING_PERIOD_S - time.monotonic())

    def warn_if_due(self, is_last: bool = False) -> None:
        with self._lock:
            due = self.due_in()
            if due is None or (due > 0 and not is_last):
                return
            counts = [(self._lost, "lost"), (self._rejected, "rejected")]
            self._lost = self._rejected = 0
            self._warned_at = time.monotonic()
            reason = self._reason
        what = " and ".join(f"{n:,} {'event' if n == 1 else 'events'} {verb}" for n, verb in counts if n)
        self.say(f"clickmesh: {what}: {reason}")
