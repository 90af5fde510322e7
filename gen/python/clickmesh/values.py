"""What Python programs have for the fields of an event, made what the contract has."""

import difflib
import json
import operator
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from math import isfinite
from numbers import Real
from typing import Any
from uuid import UUID

from clickmesh.checks import (
    EPOCH,
    Fault,
    Shape,
    disagreeing,
    exact_micros,
    ill_formed,
    not_finite,
    number_text,
    out_of_range,
    received,
    required,
)
from clickmesh.rules import FieldRule
from clickmesh.v1.ingest_service_pb2 import RejectReason

DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
DIGITS = re.compile(r"[+-]?\d{1,30}", re.ASCII)
DATE_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:[Zz]|([+-]\d\d:\d\d))", re.ASCII)
MILLISECOND = timedelta(milliseconds=1)
MIN_INT64, MAX_INT64 = -(2**63), 2**63 - 1
# Integers up to here are exact as a double.
MAX_EXACT = 2**53

A_NUMBER = "a number such as 19.99, without separators, blanks or currency signs"
A_TIME = "milliseconds since 1970-01-01 UTC, or a time with its zone such as 2026-11-20T12:00:00Z"


class Unreadable(Exception):
    """A value that a field can't have."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def read_fields(
    event_type: str, shape: Shape, given: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str], Fault | None]:
    """
    The fields of a message, the entries of maps that can't be kept, and the first fault of what can't be read. None
    stands for a field that is absent.
    """
    fields: dict[str, Any] = {}
    left_out: list[str] = []
    first: Fault | None = None
    for name, value in given.items():
        if value is None:
            continue
        # What nearly all fields are.
        if type(value) is str and value and value.isascii() and name in shape.text_names:
            fields[name] = value
            continue
        rule = shape.by_name.get(name)
        try:
            if rule is None:
                raise Unreadable(unknown_name(event_type, shape, name, value))
            if rule.kind == "map":
                fields[name] = read_map(name, value, left_out)
            elif rule.kind == "number" and rule.stored_in and isinstance(value, (str, Decimal)):
                read_money(shape, rule, value, given, fields)
            else:
                fields[name] = READERS[rule.kind](rule, value)
        except Unreadable as error:
            first = first or error.fault
    return fields, left_out, first


def unknown_name(event_type: str, shape: Shape, name: object, value: object) -> Fault:
    text = str(name).encode("utf-8", "replace").decode()[:64]
    near = difflib.get_close_matches(text.lower(), shape.by_name, 1)
    if not near and text.lower() in ("revenue", "amount", "price", "total", "sum") and "value" in shape.by_name:
        near = ["value"]
    advice = f"did you mean {near[0]}?" if near else f"it has {', '.join(shape.by_name)}"
    article = "an" if event_type[0] in "aeiou" else "a"
    message = f"{text} is no field of {article} {event_type}: {advice}"
    return Fault(text, RejectReason.REJECT_REASON_MALFORMED, message, received=received(value))


def malformed(name: str, what: str, value: object) -> Unreadable:
    message = f"{name} must be {what}"
    return Unreadable(Fault(name, RejectReason.REJECT_REASON_MALFORMED, message, received=received(value)))


def read_text(rule: FieldRule, value: Any) -> str:
    if not isinstance(value, str):
        raise malformed(rule.name, "text, in quotes", value)
    if not is_encodable(value):
        raise Unreadable(ill_formed(rule.name)._replace(received=received(value)))
    # A text of an enum, too, as its value.
    return str.__str__(value)


def is_encodable(text: str) -> bool:
    """Whether it has no half of a surrogate pair."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_id(rule: FieldRule, value: Any) -> str:
    text = str(value) if isinstance(value, UUID) else read_text(rule, value)
    if text == "":
        # Given, and empty: a new id each time would count the event as often as it is sent.
        raise Unreadable(required(rule.name, is_time=False))
    return text


def read_time(rule: FieldRule, value: Any) -> int:
    if isinstance(value, datetime):
        if value.tzinfo is None or value.utcoffset() is None:
            what = (
                "a datetime with its zone, and this one has none: datetime.now(timezone.utc), or "
                "value.replace(tzinfo=...) with the zone that it is of"
            )
            raise malformed(rule.name, what, value)
        return int((value - EPOCH) // MILLISECOND)
    if isinstance(value, date):
        raise malformed(rule.name, f"{A_TIME}: a date alone is no time", value)
    if isinstance(value, str) and (match := DATE_TIME.fullmatch(value)):
        day, clock, fraction, zone = match.groups()
        try:
            moment = datetime.fromisoformat(f"{day}T{clock}{zone or '+00:00'}")
        except ValueError:
            raise malformed(rule.name, A_TIME, value) from None
        return int((moment - EPOCH) // MILLISECOND) + int((fraction or "")[:3].ljust(3, "0"))
    time = read_whole(value)
    if time is None:
        raise malformed(rule.name, A_TIME, value)
    if time == 0:
        raise Unreadable(required(rule.name, is_time=True))
    # Beyond what the message holds it is as far out of range.
    return min(max(time, MIN_INT64), MAX_INT64)


def read_whole(value: Any) -> int | None:
    """None if it is no integer, or may have been rounded."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return int(value) if DIGITS.fullmatch(value) else None
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) <= MAX_EXACT else None
    if isinstance(value, Decimal):
        return int(value) if value.is_finite() and value == value.to_integral_value() else None
    try:
        return operator.index(value)
    except TypeError:
        return None


def read_integer(rule: FieldRule, value: Any) -> int:
    whole = read_whole(value)
    if whole is None:
        raise malformed(rule.name, "a whole number, of digits only", value)
    if not MIN_INT64 <= whole <= MAX_INT64:
        raise Unreadable(out_of_range(rule, str(whole)))
    return whole


def read_number(rule: FieldRule, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise malformed(rule.name, A_NUMBER, value)
    if isinstance(value, int) and not 0 <= value <= rule.max:
        raise Unreadable(out_of_range(rule, str(value)))
    return float(value)


def read_money(
    shape: Shape, rule: FieldRule, value: str | Decimal, given: Mapping[str, Any], fields: dict[str, Any]
) -> None:
    """A decimal, of which every micro counts: it goes out as micros."""
    if isinstance(value, str):
        if not DECIMAL.fullmatch(value):
            raise malformed(rule.name, A_NUMBER, value)
        value = Decimal(value)
    if not value.is_finite():
        raise Unreadable(not_finite(rule.name, str(value)))
    if not 0 <= value <= rule.max:
        raise Unreadable(out_of_range(rule, f"{value}"))
    micros = exact_micros(value)
    sent = given.get(rule.stored_in)
    if sent is not None and read_integer(shape.by_name[rule.stored_in], sent) != micros:
        raise Unreadable(disagreeing(rule.name, rule.stored_in, sent))
    fields[rule.stored_in] = micros


def read_flag(rule: FieldRule, value: Any) -> bool:
    if not isinstance(value, bool):
        raise malformed(rule.name, "True or False", value)
    return value


def read_map(name: str, value: Any, left_out: list[str]) -> dict[str, str]:
    """Never costs the event: what can't be text is left out, and named."""
    if not isinstance(value, Mapping):
        left_out.append(name)
        return {}
    texts: dict[str, str] = {}
    for key, item in value.items():
        if type(key) is type(item) is str and key.isascii() and item.isascii():
            texts[key] = item
            continue
        key_text = key if isinstance(key, str) else metadata_text(key)
        text = item if isinstance(item, str) else metadata_text(item)
        if key_text is not None and text is not None and is_encodable(key_text) and is_encodable(text):
            texts[str.__str__(key_text)] = str.__str__(text)
        else:
            left_out.append(f"{name}.{key}".encode("utf-8", "replace").decode()[:64])
    return texts


def metadata_text(value: Any) -> str | None:
    """Numbers and booleans as JSON has them, what nests as JSON; None for what has no text."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_text(value) if isfinite(value) else None
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (Mapping, list, tuple)):
        try:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            return None
    return str(value) if isinstance(value, (Decimal, UUID)) else None


READERS = {
    "uuid": read_id,
    "text": read_text,
    "currency": read_text,
    "choice": read_text,
    "time": read_time,
    "number": read_number,
    "integer": read_integer,
    "flag": read_flag,
}


def utc_day(name: str, value: date | str) -> str:
    """A day as YYYY-MM-DD, of a date, an aware datetime (its day in UTC) or ISO text."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{name} must be a date, or a datetime with its zone: this one has none")
        return value.astimezone(timezone.utc).date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a date or text such as 2026-11-20: it is {value!r}") from None
