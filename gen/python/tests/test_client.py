"""
Against a live gateway: CLICKMESH_URL names it, and CLICKMESH_FLAKY_URL a way to it that loses the first answer of every
other connection.
"""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from clickmesh import (
    Click,
    Client,
    ClientClosed,
    Conversion,
    Interval,
    NotSent,
    Rejected,
    RejectReason,
    SendFailed,
    StatsRow,
    conversion,
    invalidate,
    refund,
)
from clickmesh.options import Protocol

GATEWAY = os.environ["CLICKMESH_URL"]
FLAKY = os.environ["CLICKMESH_FLAKY_URL"]
INVALID = Click(ad_id="ad", campaign_id="c", source="web")
# The longest that there is.
FOREVER = 60


@pytest.fixture(params=["connect", "grpc"])
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    with Client(GATEWAY, protocol=request.param) as client:
        yield client


@pytest.fixture
def campaign() -> str:
    return f"python-{uuid.uuid4()}"


def click(campaign: str, user: str | None = None) -> Click:
    return Click(user_id=user or f"user-of-{campaign}", ad_id="ad", campaign_id=campaign, source="web")


def rows(client: Client, campaign: str) -> list[StatsRow]:
    today = datetime.now(timezone.utc).date()
    day = timedelta(days=1)
    return client.stats(today - day, today + day, campaign_id=campaign, interval=Interval.INTERVAL_MONTHLY)


def clicks(client: Client, campaign: str) -> int:
    return sum(row.clicks for row in rows(client, campaign))


def counted(client: Client, campaign: str) -> int:
    """Waits for a later click of the same user, which is counted after all others, and then counts them."""
    client.send(click(f"{campaign}-last", f"user-of-{campaign}"))
    give_up_at = time.monotonic() + 30
    while clicks(client, f"{campaign}-last") == 0:
        assert time.monotonic() < give_up_at, "the last click was not counted"
        time.sleep(0.1)
    return clicks(client, campaign)


def test_send(client: Client, campaign: str) -> None:
    event = click(campaign)
    event.event_id = str(uuid.uuid4())
    assert client.send(event).event_id == event.event_id
    client.send(Conversion(user_id=event.user_id, type="purchase", value=1, source="web"))
    assert counted(client, campaign) == 1


def test_what_was_sent_is_taken_back(client: Client, campaign: str) -> None:
    good, bad = click(campaign), click(campaign)
    bad.event_id = str(uuid.uuid4())
    user = good.user_id
    sale = conversion(event_id=campaign, user_id=user, type="purchase", value="20.000001", source="web")
    client.send_batch([good, bad, sale])
    client.send(refund(user_id=user, conversion_id=campaign, value=Decimal(5)))
    client.send(invalidate(user_id=user, click_id=bad.event_id, reason="bot"))
    assert counted(client, campaign) == 1
    assert sum(row.revenue_micros for row in rows(client, campaign)) == 15_000_001


def test_send_tells_why_an_event_is_rejected(client: Client) -> None:
    with pytest.raises(Rejected) as raised:
        client.send(INVALID)
    assert (raised.value.field, raised.value.reason) == ("user_id", RejectReason.REJECT_REASON_REQUIRED)


def test_send_batch_splits_and_answers_in_order(client: Client, campaign: str) -> None:
    events = [click(campaign) for _ in range(2500)]
    events[1700] = INVALID
    results = client.send_batch(events)
    assert len(results) == 2500
    assert [i for i, result in enumerate(results) if isinstance(result, Rejected)] == [1700]
    assert counted(client, campaign) == 2499


def test_send_batch_splits_by_bytes(client: Client, campaign: str) -> None:
    events = [click(campaign) for _ in range(600)]
    for event in events:
        event.metadata["padding"] = "x" * 4000
    assert not [result for result in client.send_batch(events) if isinstance(result, Rejected)]


def test_send_stream(client: Client, campaign: str) -> None:
    events = [click(campaign) for _ in range(2500)]
    events[1700] = INVALID
    answer = client.send_stream(events)
    assert (answer.accepted, answer.rejected, answer.rejections[0].index) == (2499, 1, 1700)
    assert counted(client, campaign) == 2499


def test_track_sends_what_fills_a_batch(campaign: str) -> None:
    with Client(GATEWAY, batch_size=10, batch_delay=FOREVER) as client:
        futures = [client.track(click(campaign)) for _ in range(10)]
        for future in futures:
            future.result(timeout=30)


def test_track_sends_what_has_waited_long_enough(campaign: str) -> None:
    with Client(GATEWAY, batch_delay=0.001) as client:
        assert client.track(click(campaign)).result(timeout=30).event_id


def test_close_sends_what_is_queued(client: Client, campaign: str) -> None:
    with Client(GATEWAY, batch_delay=FOREVER) as closing:
        good = closing.track(click(campaign))
        bad = closing.track(INVALID)
    assert good.result(timeout=0).event_id
    assert isinstance(bad.exception(timeout=0), Rejected)
    with pytest.raises(ClientClosed):
        closing.track(click(campaign))
    assert counted(client, campaign) == 1


def test_exit_sends_what_is_queued(client: Client, campaign: str) -> None:
    program = f"""
from clickmesh import Click, Client
click = Click(user_id="user-of-{campaign}", ad_id="ad", campaign_id="{campaign}", source="web")
Client("{GATEWAY}", batch_delay={FOREVER}).track(click)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    assert counted(client, campaign) == 1


@pytest.mark.parametrize("protocol", ["connect", "grpc"])
def test_lost_answers_are_asked_for_again_without_counting_twice(
    client: Client, campaign: str, protocol: Protocol
) -> None:
    with Client(FLAKY, protocol=protocol) as flaky:
        flaky.send(click(campaign))
    with Client(FLAKY, protocol=protocol) as flaky:
        flaky.send_batch([click(campaign) for _ in range(10)])
    with Client(FLAKY, protocol=protocol) as flaky:
        flaky.send_stream([click(campaign) for _ in range(100)])
    with Client(FLAKY, protocol=protocol) as flaky:
        flaky.track(click(campaign))
    assert counted(client, campaign) == 112


def test_what_gave_up_is_sent_again_without_counting_twice(client: Client, campaign: str) -> None:
    hasty = Client(FLAKY, timeout=0.001)
    for call in (lambda: hasty.send(click(campaign)), lambda: hasty.send_batch([click(campaign)] * 3)):
        with pytest.raises(SendFailed) as raised:
            call()
        client.send_batch(raised.value.events)
        client.send_batch(raised.value.events)
    with pytest.raises(NotSent):
        hasty.close()
    assert counted(client, campaign) == 4
