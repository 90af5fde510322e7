"""What calls of a client raise. All can be pickled, and print in one line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from clickmesh.v1.event_pb2 import Event
from clickmesh.v1.ingest_service_pb2 import RejectReason

if TYPE_CHECKING:
    from clickmesh.acceptance import Acceptance


class ClickmeshError(Exception):
    """Anything that a client raises of its own."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        # As it is, whatever its constructor takes.
        return _restore, (type(self), self.args, self.__dict__)


def _restore(kind: type[ClickmeshError], args: tuple[object, ...], state: dict[str, object]) -> ClickmeshError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class Rejected(ClickmeshError, ValueError):
    """
    The event breaks a rule of the contract: sending it again unchanged can't help.

    `field` is the offending one, such as "user_id", `limit` the limit it broke, such as "128 bytes" (empty where there
    is none), and `received` what it held, as JSON. `event_id` and `timestamp` are those of the event, which were given
    to it if it came without; `event` has them, too, and of its fields those that could be read.
    """

    def __init__(
        self,
        message: str,
        *,
        field: str,
        reason: RejectReason,
        limit: str = "",
        received: str = "",
        event_id: str = "",
        timestamp: int = 0,
        event: Event | None = None,
    ) -> None:
        super().__init__(message)
        self.field = field
        self.reason = reason
        self.limit = limit
        self.received = received
        self.event_id = event_id
        self.timestamp = timestamp
        self.event = event


class SendFailed(ClickmeshError):
    """
    The mesh did not answer within the time that the call had, or refused it as a whole. Whether it has the events is
    not known: sending `events` again is safe and doubles nothing, for they have their ids.

    `code` is that of the last attempt, as gRPC names it ("UNAVAILABLE"). `results` of `send_batch` has what became of
    each event, and None for those that are in `events`.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        events: Sequence[Event] = (),
        results: Sequence[Acceptance | Rejected | None] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.events = list(events)
        self.results = list(results)


class QueueFull(ClickmeshError):
    """As many events wait as may, and the client was told not to wait (`on_full="reject"`). `events` has this one."""

    def __init__(self, message: str, *, events: Sequence[Event] = ()) -> None:
        super().__init__(message)
        self.events = list(events)


class ClientClosed(ClickmeshError, RuntimeError):
    """The client was closed before the call."""


class NotSent(ClickmeshError):
    """
    The client lost `count` events from when it was made until it was closed; `events` are those that it discarded when
    it was closed. Earlier ones were told to `on_error`, and by what `track` returned.
    """

    def __init__(self, message: str, *, count: int, events: Sequence[Event] = ()) -> None:
        super().__init__(message)
        self.count = count
        self.events = list(events)


class InvalidOption(ClickmeshError, ValueError):
    """An option of a client, or its address, is not one."""
