"""Sends what waits when a process ends, and begins anew in one that is forked."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any, Protocol

# Seconds after which a signal is looked at again that came while a client was at its state.
SIGNAL_RETRY_S = 0.01


class Client(Protocol):
    def _after_fork(self) -> None: ...

    def _at_exit(self) -> None: ...


_clients: weakref.WeakSet[Any] = weakref.WeakSet()


def _after_fork() -> None:
    for client in list(_clients):
        client._after_fork()


# Windows does not fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def register(client: Client) -> None:
    _clients.add(client)
    atexit.register(client._at_exit)


def unregister(client: Client) -> None:
    _clients.discard(client)
    atexit.unregister(client._at_exit)


def register_in_child(client: Client) -> None:
    """
    Processes of multiprocessing, and of billiard, which is that of celery, end without atexit, but by finalizers of
    their own, which they forget when they begin: so it is said when a client is first used in one.
    """
    for package in ("multiprocessing", "billiard"):
        util = sys.modules.get(f"{package}.util")
        if util is not None and hasattr(util, "Finalize"):
            util.Finalize(None, client._at_exit, exitpriority=0)


def on_sigterm(close: Callable[[], object], is_locked: Callable[[], bool]) -> None:
    """
    Calls `close` when SIGTERM comes, and then does what would have been done without it.

    :raises ValueError: in another thread than the main one.
    """
    previous = signal.getsignal(signal.SIGTERM)

    def handle(number: int, frame: FrameType | None) -> None:
        if is_locked():
            # This thread may be what holds the lock: it goes on, and comes again.
            timer = threading.Timer(SIGNAL_RETRY_S, os.kill, (os.getpid(), signal.SIGTERM))
            timer.daemon = True
            timer.start()
            return
        close()
        if signal.getsignal(signal.SIGTERM) is handle:
            signal.signal(signal.SIGTERM, signal.SIG_DFL if previous is None else previous)
        if callable(previous):
            previous(number, frame)
        elif previous != signal.SIG_IGN:
            os.kill(os.getpid(), signal.SIGTERM)

    signal.signal(signal.SIGTERM, handle)
