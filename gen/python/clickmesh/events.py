"""Makes events, and makes them ready to be sent: copied, with id and time, checked, and encoded."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

from clickmesh.checks import SHAPES, Fault, fault_of, received
from clickmesh.errors import Rejected
from clickmesh.rules import MAX_CALL_BYTES
from clickmesh.v1.event_pb2 import Adjustment, Click, Conversion, Event, Verdict
from clickmesh.v1.ingest_service_pb2 import RejectReason
from clickmesh.values import read_fields

#: What calls take: what a helper such as `click()` gives, a mapping of the same form, or a message of the contract.
AnyEvent: TypeAlias = Mapping[str, Any] | Event | Click | Conversion | Adjustment | Verdict
#: A time: milliseconds since 1970-01-01 UTC, a datetime with its zone, or text of either.
Time: TypeAlias = int | datetime | str
#: Money: a number, a Decimal, or decimal text such as "19.99".
Money: TypeAlias = float | Decimal | str
#: An id: any text of 1 to 128 bytes, or a UUID.
Id: TypeAlias = str | uuid.UUID

# By the name of a message, the case of Event that it is.
CASES: dict[str, str] = {
    field.message_type.full_name: field.name  # type: ignore[union-attr]
    for field in Event.DESCRIPTOR.oneofs_by_name["event"].fields
}
# What `type` may be beside the event types of the contract, with what it stands for.
ALIASES: dict[str, tuple[str, dict[str, Any]]] = {
    "refund": ("adjustment", {"kind": "refund"}),
    "restate": ("adjustment", {"kind": "restate"}),
    "retract": ("adjustment", {"kind": "retract"}),
    "invalidate": ("verdict", {"valid": False}),
}
# Names under which a mapping has the type of the event.
TYPE_NAMES = ("event", "event_type", "type")
# Tag and length before an event in a message.
EVENT_TAG = b"\x0a"


class Prepared(NamedTuple):
    """An event as it goes out."""

    body: bytes
    event_id: str
    timestamp: int
    #: Entries of metadata that could not be kept.
    left_out: list[str]

    def event(self) -> Event:
        return Event.FromString(self.body)

    def framed(self) -> bytes:
        """As field 1 of a request."""
        return EVENT_TAG + varint(len(self.body)) + self.body


def varint(number: int) -> bytes:
    digits = bytearray()
    while number >= 0x80:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def prepare(
    item: AnyEvent | str | None, event_type: str | None = None, fields: Mapping[str, Any] | None = None
) -> Prepared:
    """
    Copies an event, gives it its id and time if it has none, and checks it.

    :raises Rejected: with that id and time.
    """
    now_ms = time.time_ns() // 1_000_000
    left_out: list[str] = []
    fault: Fault | None = None
    if event_type is not None and event_type not in SHAPES:
        item = {**(fields or {}), "event": event_type}
    kind: str | None
    if event_type in SHAPES and fields is not None:
        kind = event_type
        values, left_out, fault = read_fields(kind, SHAPES[kind], fields)
        event = Event(**{kind: values})
    elif isinstance(item, Event):
        event = Event()
        event.CopyFrom(item)
        kind = event.WhichOneof("event")
    elif isinstance(item, (Click, Conversion, Adjustment, Verdict)):
        kind = CASES[item.DESCRIPTOR.full_name]
        event = Event()
        getattr(event, kind).CopyFrom(item)
    elif isinstance(item, Mapping):
        kind, given = read_type(item)
        values, left_out, fault = read_fields(kind, SHAPES[kind], given)
        event = Event(**{kind: values})
    else:
        message = f"{NO_TYPE.message}: it must be what click() or another helper gives, a dict, or a message"
        raise rejected(NO_TYPE._replace(message=message, received="" if item is None else received(item)))
    if kind is None:
        raise rejected(NO_TYPE)
    message = getattr(event, kind)
    if not message.event_id:
        message.event_id = new_id()
    if not message.timestamp:
        message.timestamp = now_ms
    fault = fault or fault_of(SHAPES[kind], message, now_ms)
    if fault is not None:
        raise rejected(fault, event, message)
    body = event.SerializeToString()
    if len(body) > MAX_EVENT_BYTES:
        raise rejected(too_large(len(body)), event, message)
    return Prepared(body, message.event_id, message.timestamp, left_out)


def new_id() -> str:
    """A UUID (version 4), made in a fifth of the time that the standard library's takes."""
    digits = os.urandom(16).hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


# What of a call one event may take: tag and length stand before it.
MAX_EVENT_BYTES = MAX_CALL_BYTES - 4
TYPES = tuple(SHAPES)
NO_TYPE = Fault("event", RejectReason.REJECT_REASON_UNKNOWN_EVENT_TYPE, f"event is none of {', '.join(TYPES)}")


def read_type(item: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The event type of a mapping, and its fields."""
    given = dict(item)
    sent: object = None
    for name in TYPE_NAMES:
        value = given.get(name)
        if value is None:
            continue
        # The field of a conversion has the same name.
        is_field = name == "type" and not (isinstance(value, str) and (value in SHAPES or value in ALIASES))
        sent = "conversion" if is_field else given.pop(name)
        break
    if not isinstance(sent, str) or sent not in SHAPES and sent not in ALIASES:
        raise rejected(NO_TYPE._replace(received="" if sent is None else received(sent)))
    kind, implied = ALIASES.get(sent, (sent, {}))
    return kind, {**given, **implied}


def too_large(size: int) -> Fault:
    limit = f"{MAX_EVENT_BYTES} bytes"
    message = f"event must have at most {limit} encoded: it has {size}, so it can't be sent"
    return Fault("event", RejectReason.REJECT_REASON_TOO_LONG, message, limit)


def rejected(fault: Fault, event: Event | None = None, fields: Any = None) -> Rejected:
    return Rejected(
        fault.message,
        field=fault.field,
        reason=fault.reason,
        limit=fault.limit,
        received=fault.received,
        event_id=fields.event_id if fields else "",
        timestamp=fields.timestamp if fields else 0,
        event=event,
    )


def complete(event: AnyEvent) -> Event:
    """
    Returns a copy that has its `event_id` and `timestamp`: sent as often as you like, by any call, it is one event.

    :raises Rejected: if it breaks a rule of the contract.
    """
    return prepare(event).event()


def chunks(events: Iterable[Prepared], most_events: int, most_bytes: int) -> Iterable[list[Prepared]]:
    """Splits events into calls that the gateway takes."""
    chunk: list[Prepared] = []
    size = 0
    for event in events:
        if chunk and (len(chunk) == most_events or size + len(event.body) > most_bytes):
            yield chunk
            chunk, size = [], 0
        chunk.append(event)
        size += len(event.body)
    if chunk:
        yield chunk


def click(
    *,
    user_id: str | None = None,
    ad_id: str | None = None,
    campaign_id: str | None = None,
    source: str | None = None,
    event_id: Id | None = None,
    timestamp: Time | None = None,
    metadata: Mapping[str, Any] | None = None,
    **unknown: object,
) -> dict[str, Any]:
    """
    A user clicked an ad.

    Nothing is checked here, but by the call that sends it, which refuses what the contract does not know.

    :param user_id: who clicked, at most 128 bytes; required.
    :param ad_id: the ad clicked; required.
    :param campaign_id: the campaign that the ad belongs to; required.
    :param source: where the ad was shown, such as "facebook"; required.
    :param event_id: any text of yours that is the same when you send the click again; a new UUID if absent.
    :param timestamp: when, in milliseconds since 1970-01-01 UTC or as a datetime with its zone; now if absent.
    :param metadata: free context, at most 32 entries and 4,096 bytes.
    """
    return {**arguments(locals()), **unknown, "event": "click"}


def conversion(
    *,
    user_id: str | None = None,
    type: str | None = None,
    source: str | None = None,
    value: Money | None = None,
    value_micros: int | None = None,
    currency: str | None = None,
    event_id: Id | None = None,
    timestamp: Time | None = None,
    metadata: Mapping[str, Any] | None = None,
    **unknown: object,
) -> dict[str, Any]:
    """
    A user did what the advertiser pays for.

    :param user_id: who: matched with the clicks of the same `user_id`; required.
    :param type: what was done, such as "purchase"; required.
    :param source: where it was reported from, such as "ios_app"; required.
    :param value: its value in currency units: a number, a Decimal or text such as "19.99"; 0 if absent.
    :param value_micros: the same in millionths of a unit, instead.
    :param currency: of the value; a mesh takes one only.
    :param event_id: such as your order number, by which a refund can name it; a new UUID if absent.
    :param timestamp: as of `click`.
    :param metadata: as of `click`.
    """
    return {**arguments(locals()), **unknown, "event": "conversion"}


def adjustment(
    *,
    conversion_id: Id | None = None,
    kind: str | None = None,
    value: Money | None = None,
    value_micros: int | None = None,
    user_id: str | None = None,
    reason: str | None = None,
    currency: str | None = None,
    event_id: Id | None = None,
    timestamp: Time | None = None,
    **unknown: object,
) -> dict[str, Any]:
    """
    What became of a conversion later.

    :param conversion_id: the conversion's `event_id`, as it was sent; required.
    :param kind: "refund" (takes its value back), "restate" (puts its value in place) or "retract" (it never was).
    :param value: as of `conversion`; a retract has none.
    :param user_id: of the conversion; where it is absent, the gateway looks it up.
    :param reason: why, for people.
    """
    return {**arguments(locals()), **unknown, "event": "adjustment"}


def refund(*, conversion_id: Id | None = None, value: Money | None = None, **fields: object) -> dict[str, Any]:
    """Takes `value` back from a conversion: an `adjustment` of that kind, whose other fields it takes, too."""
    return {**fields, "conversion_id": conversion_id, "value": value, "event": "adjustment", "kind": "refund"}


def restate(*, conversion_id: Id | None = None, value: Money | None = None, **fields: object) -> dict[str, Any]:
    """Puts `value` in place of a conversion's: an `adjustment` of that kind, whose other fields it takes, too."""
    return {**fields, "conversion_id": conversion_id, "value": value, "event": "adjustment", "kind": "restate"}


def retract(*, conversion_id: Id | None = None, **fields: object) -> dict[str, Any]:
    """Makes a conversion not have happened: an `adjustment` of that kind, whose other fields it takes, too."""
    return {**fields, "conversion_id": conversion_id, "event": "adjustment", "kind": "retract"}


def verdict(
    *,
    click_id: Id | None = None,
    valid: bool | None = None,
    user_id: str | None = None,
    reason: str | None = None,
    event_id: Id | None = None,
    timestamp: Time | None = None,
    **unknown: object,
) -> dict[str, Any]:
    """
    What a click turned out to be.

    :param click_id: the click's `event_id`, as it was sent; required.
    :param valid: whether the click counts; required.
    :param user_id: of the click; where it is absent, the gateway looks it up.
    :param reason: why, for people, such as "bot".
    """
    return {**arguments(locals()), **unknown, "event": "verdict"}


def invalidate(*, click_id: Id | None = None, **fields: object) -> dict[str, Any]:
    """Makes a click not count: a `verdict` with `valid=False`, whose other fields it takes, too."""
    return {**fields, "click_id": click_id, "event": "verdict", "valid": False}


def arguments(given: dict[str, Any]) -> dict[str, Any]:
    """Those of a helper that are there."""
    return {name: value for name, value in given.items() if value is not None and name != "unknown"}
