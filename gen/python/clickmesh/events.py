"""Events on their way out."""

import time
import uuid
from collections.abc import Iterable, Iterator

from clickmesh.v1.event_pb2 import Adjustment, Click, Conversion, Event, Verdict

AnyEvent = Event | Click | Conversion | Adjustment | Verdict

# What the gateway takes in one call is 1000 events and 1 MiB; a little less leaves room for what surrounds them.
MAX_BATCH_EVENTS = 1000
MAX_BATCH_BYTES = 1_000_000
# Tag and length in front of an event.
EVENT_OVERHEAD = 5
# By the name of a message, the case of Event that it is: of every type of event that the contract has.
CASES = {field.message_type.full_name: field.name for field in Event.DESCRIPTOR.oneofs_by_name["event"].fields}


def complete(item: AnyEvent) -> Event:
    """The event, given its id and time once, so that every attempt to send it has the same."""
    event = as_event(item)
    arm = event.WhichOneof("event")
    if arm is not None:
        fields = getattr(event, arm)
        fields.event_id = fields.event_id or str(uuid.uuid4())
        fields.timestamp = fields.timestamp or time.time_ns() // 1_000_000
    return event


def as_event(item: AnyEvent) -> Event:
    case = CASES.get(item.DESCRIPTOR.full_name)
    return item if case is None else Event(**{case: item})


def size(event: Event) -> int:
    """Bytes it takes in a message."""
    return event.ByteSize() + EVENT_OVERHEAD


def chunks(events: Iterable[Event]) -> Iterator[list[Event]]:
    """Splits events into messages that the gateway takes."""
    chunk: list[Event] = []
    chunk_bytes = 0
    for event in events:
        if chunk and (len(chunk) == MAX_BATCH_EVENTS or chunk_bytes + size(event) > MAX_BATCH_BYTES):
            yield chunk
            chunk, chunk_bytes = [], 0
        chunk.append(event)
        chunk_bytes += size(event)
    if chunk:
        yield chunk
