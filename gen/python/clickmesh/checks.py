"""What the gateway asks of an event, asked before it is sent, in the same order and words."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from math import isfinite
from typing import Any, NamedTuple

from clickmesh.rules import BLANKS, EVENT_RULES, MAX_CALL_BYTES, NOBODY, FieldRule
from clickmesh.v1.ingest_service_pb2 import RejectReason

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
HOUR_MS = 3_600_000
MICRO = Decimal("0.000001")
#: Most characters of what was received that a rejection repeats.
MAX_CUT = 64


class Fault(NamedTuple):
    """What is wrong with an event. The message begins with the field."""

    field: str
    reason: RejectReason
    message: str
    limit: str = ""
    received: str = ""


class Shape:
    """The fields of an event type by the steps that look at them."""

    def __init__(self, rules: tuple[FieldRule, ...]) -> None:
        def having(*kinds: str) -> list[FieldRule]:
            return [rule for rule in rules if rule.kind in kinds]

        self.by_name = {rule.name: rule for rule in rules}
        # A text that the gateway can find elsewhere is missed by the gateway alone.
        self.required = [
            (rule.name, rule.kind == "time", rule.optional) for rule in rules if rule.required and not rule.found_by
        ]
        self.written = having("uuid", "text", "choice", "currency")
        # Of each text that is written: its name, its most bytes, and whether it is an id.
        self.texts = [
            (rule.name, rule.max_bytes or MAX_CALL_BYTES, rule.kind == "uuid" or rule.is_id) for rule in self.written
        ]
        self.text_names = frozenset(rule.name for rule in self.written)
        self.choices = having("choice")
        self.times = having("time")
        self.numbers = having("number")
        self.integers = having("integer")
        self.stored = next(
            ((rule, self.by_name[rule.stored_in]) for rule in rules if rule.kind == "number" and rule.stored_in), None
        )


SHAPES = {name: Shape(rules) for name, rules in EVENT_RULES.items()}
# What no text of nobody begins with: what is printed of ASCII, but for these. An empty text is none, either.
UNSUSPECTED = frozenset(chr(code) for code in range(0x21, 0x7F)) - frozenset("uUnN0$%(<[{") | {""}
BLANK = "[" + "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in BLANKS) + "]+"
NOBODY_TEXT = re.compile("|".join([*(pattern.pattern for pattern in NOBODY), BLANK]), re.ASCII | re.DOTALL)


def fault_of(shape: Shape, fields: Any, now_ms: int) -> Fault | None:
    """The first fault of an event's message, if it has one."""
    for name, is_time, optional in shape.required:
        if getattr(fields, name) or (optional and fields.HasField(name)):
            continue
        return required(name, is_time)
    for name, max_bytes, is_id in shape.texts:
        text = getattr(fields, name)
        # A character has at most four bytes.
        is_short = len(text) * 4 <= max_bytes or text.isascii() and len(text) <= max_bytes
        if not is_short or "\0" in text or (is_id and text[:1] not in UNSUSPECTED and NOBODY_TEXT.fullmatch(text)):
            fault = fault_of_texts(shape, fields)
            if fault is not None:
                return fault
            break
    if shape.choices:
        fault = fault_of_choices(shape, fields)
        if fault is not None:
            return fault
    for rule in shape.times:
        time = getattr(fields, rule.name)
        if not rule.min_ms <= time <= now_ms + rule.max_ahead_ms:
            return time_out_of_range(rule, time, now_ms)
    return fault_of_numbers(shape, fields) if shape.numbers or shape.integers else None


def required(name: str, is_time: bool) -> Fault:
    message = f"{name} is required{': it is missing or 0' if is_time else ''}"
    return Fault(name, RejectReason.REJECT_REASON_REQUIRED, message)


def ill_formed(name: str) -> Fault:
    message = f"{name} has NUL, half of a surrogate pair, or bytes that are not UTF-8: send it as UTF-8 text"
    return Fault(name, RejectReason.REJECT_REASON_MALFORMED, message)


def fault_of_texts(shape: Shape, fields: Any) -> Fault | None:
    named = [(name, getattr(fields, name), max_bytes, is_id) for name, max_bytes, is_id in shape.texts]
    for name, text, _, _ in named:
        if "\0" in text:
            return ill_formed(name)._replace(received=received(text))
    for name, text, max_bytes, _ in named:
        size = len(text.encode())
        if size > max_bytes:
            limit = f"{max_bytes} bytes"
            message = f"{name} must have at most {limit} of UTF-8: it has {size}"
            return Fault(name, RejectReason.REJECT_REASON_TOO_LONG, message, limit, received(text))
    for name, text, _, is_id in named:
        if is_id and text and NOBODY_TEXT.fullmatch(text):
            message = (
                f"{name} is a placeholder, not an id: strangers would share it; send the event once the id is known"
            )
            return Fault(name, RejectReason.REJECT_REASON_PLACEHOLDER, message, received=received(text))
    return None


def fault_of_choices(shape: Shape, fields: Any) -> Fault | None:
    """What a number would mean where it has no meaning, or counting none as 0, is a guess about money."""
    for rule in shape.choices:
        chosen = getattr(fields, rule.name)
        if chosen not in rule.values:
            limit = any_of(rule.values)
            message = f"{rule.name} must be {limit}"
            return Fault(rule.name, RejectReason.REJECT_REASON_UNKNOWN_CHOICE, message, limit, received(chosen))
        if shape.stored is None or not rule.without_value:
            continue
        names = [stored.name for stored in shape.stored]
        given = next((name for name in names if fields.HasField(name)), None)
        may_have = chosen not in rule.without_value
        if may_have and given is None:
            message = f"{names[0]} is required for a {chosen}: send {names[0]} or {names[1]}"
            return Fault(names[0], RejectReason.REJECT_REASON_REQUIRED, message)
        if not may_have and given is not None:
            message = f"{given} and {chosen} contradict each other: a {chosen} has no {names[0]}"
            value = getattr(fields, given)
            return Fault(
                given, RejectReason.REJECT_REASON_CONTRADICTION, message, received=number_text(value) if value else ""
            )
    return None


def any_of(values: tuple[str, ...]) -> str:
    return f"{', '.join(values[:-1])}, or {values[-1]}" if len(values) > 2 else " or ".join(values)


def time_out_of_range(rule: FieldRule, time: int, now_ms: int) -> Fault:
    latest = now_ms + rule.max_ahead_ms
    earliest = (EPOCH + timedelta(milliseconds=rule.min_ms)).date().isoformat()
    limit = f"[{earliest}, now + {rule.max_ahead_ms // HOUR_MS} h] in milliseconds"
    message = f"{rule.name} must be in {limit}: {time} {look_of(time, rule.min_ms, latest)}"
    return Fault(rule.name, RejectReason.REJECT_REASON_OUT_OF_RANGE, message, limit, str(time))


def look_of(time: int, earliest: int, latest: int) -> str:
    """What a time out of range looks like, and what to do."""
    if earliest <= time * 1000 <= latest:
        return "looks like seconds, multiply by 1,000"
    if earliest <= time / 1000 <= latest:
        return "looks like microseconds, divide by 1,000"
    if earliest <= time / 1_000_000 <= latest:
        return "looks like nanoseconds, divide by 1,000,000"
    try:
        moment = EPOCH + timedelta(milliseconds=time)
        date = f"is {moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z, "
    except OverflowError:
        date = ""
    return (
        f"{date}in the future: check the clock of the sender" if time > latest else f"{date}too early: check its unit"
    )


def fault_of_numbers(shape: Shape, fields: Any) -> Fault | None:
    for rule in shape.numbers:
        number = getattr(fields, rule.name)
        if not isfinite(number):
            return not_finite(rule.name, number_text(number))
    for rule in shape.numbers + shape.integers:
        number = getattr(fields, rule.name)
        if not 0 <= number <= rule.max:
            return out_of_range(rule, number_text(number))
    if shape.stored is None:
        return None
    number_rule, micros_rule = shape.stored
    number, micros = getattr(fields, number_rule.name), getattr(fields, micros_rule.name)
    if number_rule.optional:
        if not (fields.HasField(number_rule.name) and fields.HasField(micros_rule.name)):
            return None
    elif not number or not micros:
        return None
    # They agree if either converts into the other: doubles above 2^53 micros stand for several integers.
    if exact_micros(Decimal(number)) == micros or micros / 1_000_000 == number:
        return None
    return disagreeing(number_rule.name, micros_rule.name, micros)


def not_finite(name: str, text: str) -> Fault:
    return Fault(name, RejectReason.REJECT_REASON_NOT_FINITE, f"{name} is not a finite number", received=text)


def out_of_range(rule: FieldRule, text: str) -> Fault:
    limit = f"[0, 1e{len(str(rule.max)) - 1}]"
    message = f"{rule.name} must be in {limit}: it is {text}"
    if text.startswith("-") and rule.reduced_by:
        message += f"; to take something back, send an event of type {rule.reduced_by}"
    return Fault(rule.name, RejectReason.REJECT_REASON_OUT_OF_RANGE, message, limit, text)


def disagreeing(name: str, micros_name: str, micros: int) -> Fault:
    message = f"{micros_name} is not {name} in micros: send one of them"
    return Fault(micros_name, RejectReason.REJECT_REASON_CONTRADICTION, message, received=str(micros))


def exact_micros(value: Decimal) -> int:
    """Rounded to nearest, the middle up, as the gateway rounds."""
    return int(value.scaleb(6).quantize(Decimal(1), ROUND_HALF_UP)) if value else 0


def number_text(number: float) -> str:
    """As JavaScript writes it, whose words the gateway's are."""
    if isinstance(number, int):
        return str(number)
    if not isfinite(number):
        return "NaN" if number != number else "Infinity" if number > 0 else "-Infinity"
    if number == int(number) and abs(number) < 1e21:
        return str(int(number))
    return re.sub(r"e([+-])0*", r"e\1", repr(number))


def received(value: object) -> str:
    """What a field held, as JSON, cut."""
    try:
        text = json.dumps(value[:MAX_CUT] if isinstance(value, str) else value, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError):
        text = type(value).__name__
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= MAX_CUT else f"{text[: MAX_CUT - 1]}…"
