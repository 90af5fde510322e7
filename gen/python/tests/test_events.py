"""The shapes in which events are given, and what is made of them."""

from __future__ import annotations

import asyncio
import json
import pickle
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from gateways import running, wait_until

import clickmesh
from clickmesh import (
    AsyncClient,
    Click,
    Client,
    Event,
    MemoryClient,
    NotSent,
    Rejected,
    RejectReason,
    SendFailed,
    StatsRow,
    click,
    complete,
    conversion,
    refund,
)
from clickmesh.rules import EVENT_RULES

IDS = {"user_id": "u", "ad_id": "a", "campaign_id": "c", "source": "s"}
SALE = {"user_id": "u", "type": "purchase", "source": "s"}
MS = 1_793_511_000_123


def rejection(event: Any) -> Rejected:
    """Of track, which never raises, and of all other ways."""
    client = MemoryClient(logger=None)
    error = client.track(event).exception(0)
    assert isinstance(error, Rejected)
    for other in (client.send_batch([event])[0], client.send_stream([event]).rejections[0].rejected):
        assert isinstance(other, Rejected) and str(other) == str(error)
    with pytest.raises(Rejected):
        client.send(event)
    assert client.counters().rejected == 4 and client.events == []
    return error


# Times


@pytest.mark.parametrize(
    "time",
    [
        *(MS, float(MS), str(MS), "2026-11-01T05:30:00.123Z", "2026-11-01 11:00:00.1239+05:30"),
        datetime(2026, 11, 1, 5, 30, 0, 123_999, timezone.utc),
        datetime(2026, 11, 1, 11, 0, 0, 123_000, timezone(timedelta(hours=5, minutes=30))),
    ],
)
def test_times(time: Any) -> None:
    assert complete(click(**IDS, timestamp=time)).click.timestamp == MS


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (datetime(2026, 11, 1), r"datetime with its zone.*datetime.now\(timezone.utc\)"),
        (date(2026, 11, 1), "a date alone is no time"),
        *((time, "milliseconds since 1970") for time in ("yesterday", MS + 0.5, float("nan"), True, [MS], "", "5e3")),
        *((time, "milliseconds since 1970") for time in ("2026-02-30T00:00:00Z", "2026-11-01T05:30:00", {})),
        (0, "timestamp is required: it is missing or 0"),
        (MS // 1000, "looks like seconds, multiply by 1,000"),
        (2**80, "in the future"),
    ],
)
def test_times_that_are_none(time: Any, words: str) -> None:
    error = rejection(click(**IDS, timestamp=time))
    assert error.field == "timestamp" and error.timestamp > 0 and error.event_id
    assert pytest.raises(Rejected, complete, click(**IDS, timestamp=time)).match(words)


# Money


@pytest.mark.parametrize(
    ("value", "micros"),
    [
        *((19.99, 0), (5, 0), ("4245.42", 4_245_420_000), ("9007199254.740993", 9_007_199_254_740_993)),
        *((Decimal("19.995"), 19_995_000), (Decimal("0.0000005"), 1), ("1e12", 10**18), ("+5", 5_000_000)),
    ],
)
def test_money(value: Any, micros: int) -> None:
    made = complete(conversion(**SALE, value=value)).conversion
    assert made.value_micros == micros
    assert made.value == (value if micros == 0 else 0)


@pytest.mark.parametrize("value", ["4,245.42", "$5", "", "0x10", " 5", "five", True, [5], {}, "NaN", "٣"])
def test_money_that_is_none(value: Any) -> None:
    assert rejection(conversion(**SALE, value=value)).field == "value"


def test_money_of_two_kinds_must_agree() -> None:
    assert rejection(conversion(**SALE, value="5", value_micros=6_000_000)).field == "value_micros"
    assert complete(conversion(**SALE, value="5", value_micros=5_000_000)).conversion.value_micros == 5_000_000
    assert rejection(conversion(**SALE, value=Decimal("-1"))).limit == "[0, 1e12]"
    assert rejection(conversion(**SALE, value_micros=2**70)).limit == "[0, 1e18]"
    assert rejection(conversion(**SALE, value_micros=1.5)).field == "value_micros"


# Ids and names


def test_ids() -> None:
    uuid = UUID("7d444840-9dc0-11d1-b245-5ffdce74fad2")
    assert complete(click(**IDS, event_id=uuid)).click.event_id == str(uuid)
    assert complete(click(**IDS, event_id="order-1001")).click.event_id == "order-1001"
    assert UUID(complete(click(**IDS, event_id=None)).click.event_id).version == 4
    assert complete(refund(conversion_id=uuid, value="5")).adjustment.conversion_id == str(uuid)
    assert rejection(click(**IDS, event_id="")).reason == RejectReason.REJECT_REASON_REQUIRED
    assert rejection(click(**IDS, event_id=5)).field == "event_id"
    assert rejection(click(**IDS, event_id="x" * 129)).reason == RejectReason.REJECT_REASON_TOO_LONG


def test_names_that_are_not_known() -> None:
    error = rejection(click(**IDS, campain_id="c"))
    assert (error.field, str(error)) == ("campain_id", "campain_id is no field of a click: did you mean campaign_id?")
    assert "did you mean value?" in str(rejection(conversion(**SALE, revenue=49.9)))
    assert "did you mean value_micros?" in str(rejection(conversion(**SALE, valueMicros=5)))


def test_text_is_never_changed() -> None:
    for text in ("🛍️👩‍👩‍👧", "שלום", "\ufffe", "e\u0301"):
        assert complete(click(**{**IDS, "source": text})).click.source == text
    for text in ("x\ud83d", "a\0b"):
        assert rejection(click(**{**IDS, "user_id": text})).field == "user_id"
    for text in ("undefined", "{{user.id}}", "\u200b", "00000000-0000-0000-0000-000000000000"):
        assert rejection(click(**{**IDS, "user_id": text})).reason == RejectReason.REJECT_REASON_PLACEHOLDER


def test_metadata_never_costs_the_event() -> None:
    metadata = {"n": 5, "f": 1.5, "yes": True, "d": Decimal("1.50"), "nested": {"a": [1]}, 7: "seven", "text": "x"}
    bad = {"none": None, "half": "\ud83d", "nan": float("nan"), "object": object()}
    with MemoryClient() as client:
        acceptance = client.send(click(**IDS, metadata={**metadata, **bad}))
        assert set(acceptance.ignored) == {"metadata.none", "metadata.half", "metadata.nan", "metadata.object"}
        texts = {"n": "5", "f": "1.5", "yes": "true", "d": "1.50", "nested": '{"a":[1]}', "7": "seven", "text": "x"}
        assert dict(client.events[0].click.metadata) == texts


# Shapes


def test_every_helper_has_the_fields_of_its_type() -> None:
    for name, rules in EVENT_RULES.items():
        fields = {rule.name for rule in rules}
        made = getattr(clickmesh, name)(**{field: "x" for field in fields})
        assert set(made) == {*fields, "event"}


def test_one_line() -> None:
    with MemoryClient() as client:
        client.track("click", **IDS)
        client.track({"type": "click", **IDS})
        client.track({"event_type": "click", **IDS})
        client.track(Click(**IDS))
        client.track(Event(click=Click(**IDS)))
        client.track("conversion", **SALE)
        client.track(SALE)
        client.track("refund", conversion_id="order", value=5)
        client.track("invalidate", click_id="click")
        kinds = [event.WhichOneof("event") for event in client.events]
    assert kinds == ["click"] * 5 + ["conversion"] * 2 + ["adjustment", "verdict"]
    for bad in (None, "click", 5, {}, Event(), {"type": None}, [], {"event": "purchase"}):
        assert rejection(bad).field == "event"
    with pytest.raises(TypeError, match="this is one"):
        client.send_batch(click(**IDS))  # type: ignore[arg-type]


def test_what_is_given_is_copied_and_never_changed() -> None:
    with running() as gateway, Client(gateway.url) as client:
        message = Click(**IDS)
        given = click(**IDS)
        gateway.is_open.clear()
        futures = [client.track(message), client.track(given), client.track(given)]
        message.user_id = given["user_id"] = "changed"
        assert (message.event_id, message.timestamp, "event_id" in given) == ("", 0, False)
        gateway.is_open.set()
        assert len({future.result(10).event_id for future in futures}) == 3
        once = complete(message)
        assert client.send(once).event_id == client.track(once).result(10).event_id == once.click.event_id


def test_errors_get_through_pickle() -> None:
    rejected = rejection(click(**IDS, timestamp=12))
    failed = SendFailed("gave up", code="UNAVAILABLE", events=[complete(click(**IDS))], results=[None])
    for error in (rejected, failed, NotSent("5 events", count=5, events=failed.events)):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), copy.__dict__) == (type(error), str(error), error.__dict__)


def test_rows_print_as_json() -> None:
    row = StatsRow(date="2026-11-20", clicks=2**60)
    assert json.loads(json.dumps([row])) == [{"date": "2026-11-20", "clicks": 2**60}]
    assert row.clicks == 2**60
    with pytest.raises(AttributeError, match="a row has no click: it has date, clicks"):
        row.click  # noqa: B018


@pytest.mark.parametrize("day", ["2026-11-1", "yesterday", 5, None, datetime(2026, 11, 1)])
def test_days_that_are_none(day: Any) -> None:
    with MemoryClient() as client, pytest.raises(ValueError, match="^start must be a date"):
        client.stats(day, "2026-11-20")


# asyncio


def test_asyncio() -> None:
    async def use(url: str) -> None:
        async with AsyncClient(url, max_queue_events=10) as client:
            answers = [await client.track("click", **IDS) for _ in range(100)]
            assert len({answer.event_id for answer in await asyncio.gather(*answers)}) == 100
            assert (await client.send(click(**IDS))).event_id
            assert len(await client.send_batch([click(**IDS)] * 3)) == 3
            assert isinstance((await asyncio.wait([await client.track("click")]))[0].pop().exception(), Rejected)
            assert await client.ready() and await client.flush()
            with pytest.raises(Rejected):
                await client.send(click())
            assert client.counters().sent == 104

    with running() as gateway:
        asyncio.run(use(gateway.url))


def test_asyncio_goes_on_while_the_queue_is_full() -> None:
    async def use(url: str) -> None:
        # Were the loop blocked, nobody would open the gateway, and the first be given up.
        async with AsyncClient(url, timeout=2, max_queue_events=1, logger=None) as client:
            first = await client.track("click", **IDS)
            waiting = [asyncio.ensure_future(client.track("click", **IDS)) for _ in range(2)]
            done, _ = await asyncio.wait(waiting, timeout=0.05)
            assert not done
            gateway.is_open.set()
            await first
            for answer in await asyncio.gather(*waiting):
                await answer
            assert client.counters().sent == 3

    with running() as gateway:
        gateway.is_open.clear()
        asyncio.run(use(gateway.url))


def test_asyncio_cancelled_calls_are_not_tried_again() -> None:
    async def use(url: str) -> None:
        # Longer than is waited for what follows.
        client = AsyncClient(url, timeout=45, logger=None)
        call = asyncio.ensure_future(client.send(click(**IDS)))
        await asyncio.to_thread(wait_until, lambda: len(gateway.paths) > 2)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.to_thread(wait_until, lambda: client.counters().lost == 1)
        tried = len(gateway.paths)
        # To wait no longer for an answer takes nothing back.
        gateway.faults.clear()
        gateway.is_open.clear()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(await client.track("click", event_id="kept", **IDS), 0.05)
        gateway.is_open.set()
        with pytest.raises(NotSent, match="1 event was not sent"):
            await client.close()
        assert (gateway.ids, len(gateway.paths)) == (["kept"], tried + 1)

    with running() as gateway:
        gateway.faults = [(503, {}, b"")] * 1000
        asyncio.run(use(gateway.url))
