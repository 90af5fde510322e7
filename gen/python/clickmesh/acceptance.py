"""What became of an event that is stored."""

from typing import NamedTuple


class Acceptance(NamedTuple):
    """The event is durable in the mesh."""

    #: As it was sent; given by the client if it came without.
    event_id: str
    #: As it was sent, in milliseconds since 1970-01-01 UTC.
    timestamp: int
    #: The UUID that the event is stored under: `event_id` itself if that is one.
    stored_id: str
    #: Position in the log.
    partition: int
    offset: int
    #: What the mesh did not store: names that it does not know, and entries of metadata that it could not keep.
    ignored: tuple[str, ...] = ()
