"""What becomes of events when the gateway is away, refuses, or is slow: each is sent, or told as lost."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from gateways import Gateway, running, running_grpc, wait_until

from clickmesh import (
    Acceptance,
    Client,
    ClientClosed,
    Event,
    InvalidOption,
    MemoryClient,
    NotSent,
    QueueFull,
    Rejected,
    SendFailed,
    click,
    complete,
)

NOBODY = "http://127.0.0.1:1"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running() as gateway:
        yield gateway


def event(name: str | None = None, **fields: Any) -> dict[str, Any]:
    return click(**{"event_id": name, "user_id": "u", "ad_id": "a", "campaign_id": "c", "source": "s", **fields})


def ids(events: list[Event]) -> list[str]:
    return [event.click.event_id for event in events]


# Attempts


CONNECT_ERROR = b'{"code":"%s","message":"as asked"}'
JSON = {"content-type": "application/json"}
TRANSIENT: list[tuple[int, dict[str, str], bytes] | None] = [
    None,
    (503, {}, b"no backend"),
    *((status, {}, b"") for status in (408, 425, 429, 502, 504)),
    (503, JSON, CONNECT_ERROR % b"unavailable"),
    (409, JSON, CONNECT_ERROR % b"aborted"),
    (429, {**JSON, "retry-after": "0"}, b"no json"),
]


@pytest.mark.parametrize("fault", TRANSIENT)
def test_is_sent_again(gateway: Gateway, fault: tuple[int, dict[str, str], bytes] | None) -> None:
    with Client(gateway.url) as client:
        gateway.faults = [fault, fault]
        client.send(event("a"))
        gateway.faults = [fault]
        client.track(event("b"))
        gateway.faults = [fault]
        client.send_batch([event("c")])
    assert sorted(gateway.ids) == ["a", "b", "c"]


FINAL = [
    ((400, JSON, CONNECT_ERROR % b"invalid_argument"), "INVALID_ARGUMENT"),
    ((429, JSON, CONNECT_ERROR % b"resource_exhausted"), "RESOURCE_EXHAUSTED"),
    ((401, {}, b"<html>who\nare you</html>"), "UNAUTHENTICATED"),
    ((200, {"content-type": "text/html"}, b"<html>a portal</html>"), "UNKNOWN"),
    ((302, {"location": "https://other"}, b""), "UNKNOWN"),
]


@pytest.mark.parametrize(("fault", "code"), FINAL)
def test_is_not_sent_again(gateway: Gateway, fault: tuple[int, dict[str, str], bytes], code: str) -> None:
    client = Client(gateway.url, logger=None)
    gateway.faults = [fault]
    with pytest.raises(SendFailed, match="1 attempt") as raised:
        client.send(event("a"))
    assert (raised.value.code, ids(raised.value.events)) == (code, ["a"])
    assert "\n" not in str(raised.value)
    with pytest.raises(NotSent):
        client.close()


def test_retry_after_is_waited_for(gateway: Gateway) -> None:
    with Client(gateway.url) as client:
        gateway.faults = [(429, {**JSON, "retry-after": "1"}, CONNECT_ERROR % b"resource_exhausted")]
        began = time.monotonic()
        client.send(event("a"))
        assert time.monotonic() - began >= 1
    hasty = Client(gateway.url, timeout=30, logger=None)
    gateway.faults = [(429, {**JSON, "retry-after": "3600"}, CONNECT_ERROR % b"resource_exhausted")]
    # Longer than there is time: it does not wait for nothing.
    with pytest.raises(SendFailed, match="RESOURCE_EXHAUSTED"):
        hasty.send(event("b"))
    with pytest.raises(NotSent):
        hasty.close()


RETRY_INFO = b'{"code":"unavailable","details":[{"type":"google.rpc.RetryInfo","value":"%s"}]}'
AWAY = CONNECT_ERROR % b"unavailable"


@pytest.mark.parametrize(
    ("headers", "body", "is_asked"),
    [
        ({"retry-after": "50"}, AWAY, True),
        ({"retry-after": formatdate(time.time() + 600, usegmt=True)}, AWAY, True),
        ({}, RETRY_INFO % b"CgQIMhAB", True),
        ({}, AWAY, False),
        ({"retry-after": "soon"}, RETRY_INFO % b"CgQI", False),
        ({}, RETRY_INFO % b"!", False),
    ],
)
def test_what_is_asked_for_is_waited(gateway: Gateway, headers: dict[str, str], body: bytes, is_asked: bool) -> None:
    """It asks for more time than the call has: so that it is tried once, and else again."""
    gateway.faults = [(503, {**JSON, **headers}, body)]
    client = Client(gateway.url, timeout=20, logger=None)
    if is_asked:
        with pytest.raises(SendFailed, match="after 1 attempt in"):
            client.send(event("a"))
        with pytest.raises(NotSent):
            client.close()
    else:
        client.send(event("a"))
        client.close()


def test_a_connection_that_was_closed_while_idle_costs_no_attempt(gateway: Gateway) -> None:
    with Client(gateway.url) as client:
        client.send(event("a"))
        # The next request gets no answer, as of a server that has just closed the connection.
        gateway.faults = [None]
        assert client._attempts._transport.unary("IngestService/IngestBatch", b"", 10) is not None


# Queue and bounds


def test_a_full_queue_waits(gateway: Gateway) -> None:
    gateway.is_open.clear()
    with Client(gateway.url, max_queue_events=10, batch_size=5, batch_delay=0) as client:
        tracked = threading.Thread(target=lambda: [client.track(event(f"{i}")) for i in range(30)])
        tracked.start()
        wait_until(lambda: client.counters().waiting == 10)
        assert not client.ready(0.05)
        assert not client.has_room()
        gateway.is_open.set()
        assert client.ready()
        tracked.join()
    assert sorted(gateway.ids, key=int) == [f"{i}" for i in range(30)]


def test_a_full_queue_rejects_if_asked_to(gateway: Gateway) -> None:
    gateway.is_open.clear()
    told: list[tuple[Exception, list[Event]]] = []
    client = Client(
        gateway.url, max_queue_events=10, on_full="reject", on_error=lambda *all: told.append(all), logger=None
    )
    futures = [client.track(event(f"{i}")) for i in range(12)]
    assert [type(future.exception()) for future in futures[10:]] == [QueueFull, QueueFull]
    assert [ids(events) for _, events in told] == [["10"], ["11"]]
    gateway.is_open.set()
    with pytest.raises(NotSent, match="2 events were not sent"):
        client.close()
    assert client.counters() == (12, 10, 0, 2, 0, 0)


def test_a_full_queue_counts_bytes(gateway: Gateway) -> None:
    gateway.is_open.clear()
    with Client(gateway.url, max_queue_bytes=1 << 20, batch_delay=0) as client:
        metadata = {"padding": "x" * 300_000}
        for i in range(3):
            client.track(event(f"{i}", metadata=metadata))
        assert client.has_room() and client.counters().waiting == 3
        late = threading.Thread(target=client.track, args=(event("3", metadata=metadata),))
        late.start()
        late.join(0.1)
        assert late.is_alive()
        gateway.is_open.set()
        late.join()
    assert sorted(gateway.ids) == ["0", "1", "2", "3"]


def test_one_bad_event_among_many(gateway: Gateway) -> None:
    good = [event(f"{i}") for i in range(999)]
    big = event("big", metadata={"blob": "x" * 1_200_000})
    for bad in (event("", user_id="u"), event("x", timestamp=12), event("x", campain_id="c"), big, None, {}):
        events = [*good[:500], bad, *good[500:]]
        gateway.ids.clear()
        with Client(gateway.url, logger=None) as client:
            results = client.send_batch(events)
            assert isinstance(results[500], Rejected)
            assert sum(isinstance(result, Acceptance) for result in results) == 999
            futures = [client.track(one) for one in events]
            assert isinstance(futures[500].exception(), Rejected)
        assert sorted(gateway.ids) == sorted([f"{i}" for i in range(999)] * 2)
        assert client.counters() == (2000, 1998, 2, 0, 0, 0)


def test_an_event_that_is_queued_can_not_be_taken_back(gateway: Gateway) -> None:
    gateway.is_open.clear()
    with Client(gateway.url) as client:
        future = client.track(event("a"))
        assert not future.cancel()
        gateway.is_open.set()
        assert future.result(10).event_id == "a"


# flush and close


@pytest.mark.parametrize("call", ["flush", "close", "track", "ready"])
def test_a_callback_may_call_the_client(gateway: Gateway, call: str) -> None:
    client = Client(gateway.url, batch_size=2)
    done = threading.Event()

    def callback(_: Future[Acceptance]) -> None:
        client.track(event("z")) if call == "track" else getattr(client, call)(10)
        done.set()

    # So many that all threads wait in callbacks at once.
    futures = [client.track(event(f"{i}")) for i in range(40)]
    for future in futures:
        future.add_done_callback(callback)
    assert done.wait(20)
    client.close(20)
    assert {f"{i}" for i in range(40)} <= set(gateway.ids)
    assert threading.active_count() <= 45


def test_a_callback_that_raises_ends_nothing(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    def callback(_: Future[Acceptance]) -> None:
        raise SystemExit(1)

    with Client(gateway.url, on_error=callback) as client:
        gateway.is_open.clear()
        future = client.track(event("a"))
        future.add_done_callback(callback)
        gateway.is_open.set()
        future.result(10)
        client.track(event(user_id=""))
        assert client.track(event("b")).result(10)
    assert "a callback failed: SystemExit: 1" in caplog.text


def test_close_keeps_to_its_limit_and_says_what_was_not_sent() -> None:
    told: list[Event] = []
    client = Client(NOBODY, batch_size=10, on_error=lambda _, events: told.extend(events), logger=None)
    futures = [client.track(event(f"{i}")) for i in range(100)]
    began = time.monotonic()
    with pytest.raises(NotSent) as raised:
        client.close(0.3)
    assert time.monotonic() - began < 5
    assert raised.value.count == 100
    assert sorted(ids(raised.value.events), key=int) == [f"{i}" for i in range(100)]
    assert sorted(ids(told), key=int) == [f"{i}" for i in range(100)]
    assert all(isinstance(future.exception(0), SendFailed) for future in futures)
    assert client.counters() == (100, 0, 0, 100, 0, 0)
    with pytest.raises(NotSent):
        client.close()


def test_close_does_not_wait_for_a_gateway_that_is_silent(gateway: Gateway) -> None:
    gateway.is_open.clear()
    before = threading.active_count()
    client = Client(gateway.url, logger=None)
    client.track(event("a"))
    sent: list[object] = []
    sender = threading.Thread(target=lambda: sent.append(pytest.raises(SendFailed, client.send, event("b"))))
    sender.start()
    wait_until(lambda: len(gateway.paths) == 2)
    with pytest.raises(NotSent) as raised:
        client.close(0.2)
    assert sorted(ids(raised.value.events)) == ["a", "b"]
    sender.join(10)
    assert len(sent) == 1
    assert client.counters() == (2, 0, 0, 2, 0, 0)
    gateway.is_open.set()
    wait_until(lambda: threading.active_count() <= before)


def test_two_threads_that_close_wait_for_the_same(gateway: Gateway) -> None:
    gateway.is_open.clear()
    client = Client(gateway.url)
    client.track(event("a"))
    closers = [threading.Thread(target=client.close) for _ in range(2)]
    for closer in closers:
        closer.start()
    wait_until(lambda: gateway.paths)
    assert all(closer.is_alive() for closer in closers)
    gateway.is_open.set()
    for closer in closers:
        closer.join(10)
        assert not closer.is_alive()
    client.close()
    assert gateway.ids == ["a"]


def test_after_close_nothing_is_taken(gateway: Gateway) -> None:
    client = Client(gateway.url)
    client.close()
    calls: list[Any] = [client.track, client.send, lambda one: client.send_batch([one]), lambda _: client.ready()]
    for call in [*calls, lambda one: client.send_stream([one]), lambda _: client.stats("2026-01-01", "2026-01-02")]:
        with pytest.raises(ClientClosed):
            call(event())
    assert client.counters() == (0, 0, 0, 0, 0, 0)


def test_threads_end_with_close(gateway: Gateway) -> None:
    before = threading.active_count()
    for _ in range(50):
        with Client(gateway.url) as client:
            client.track(event())
    wait_until(lambda: threading.active_count() <= before + 1)


def test_an_exception_in_the_block_is_not_hidden() -> None:
    with pytest.raises(KeyError), Client(NOBODY, timeout=0.001, logger=None) as client:
        client.track(event())
        raise KeyError("of the program")


# Reports


def test_what_is_lost_is_told_once_by_each_way(caplog: pytest.LogCaptureFixture) -> None:
    told: list[tuple[Exception, list[Event]]] = []
    client = Client(NOBODY, timeout=0.05, batch_size=10, on_error=lambda *all: told.append(all))
    futures = [client.track(event(f"{i}")) for i in range(10)]
    errors = [future.exception(10) for future in futures]
    assert all(isinstance(error, SendFailed) for error in errors)
    assert [ids(error.events) for error in errors] == [[f"{i}"] for i in range(10)]  # type: ignore[union-attr]
    # The thread that has answered the last tells on_error next.
    wait_until(lambda: told)
    client.track(event("bad", user_id=""))
    client.track(event("worse", user_id=""))
    assert [ids(events) for _, events in told] == [[f"{i}" for i in range(10)], ["bad"], ["worse"]]
    [line] = [record for record in caplog.records if record.name == "clickmesh"]
    assert line.levelno == logging.WARNING
    assert line.getMessage().startswith("clickmesh: 10 events lost: gave up after ")
    caplog.clear()
    with pytest.raises(NotSent, match="10 events were not sent"):
        client.close()
    [line] = [record for record in caplog.records if record.name == "clickmesh"]
    assert line.getMessage() == "clickmesh: 2 events rejected: user_id is required"


def test_without_a_logger_it_goes_to_stderr() -> None:
    program = f"""
from clickmesh import Client
client = Client({NOBODY!r}, timeout=0.05)
client.track("click", user_id="u", ad_id="a", campaign_id="c", source="s")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    assert lines[0].startswith("clickmesh: 1 event lost: gave up after") and "clickmesh: at exit" in lines[1]
    assert len(lines) == 2


@pytest.mark.parametrize("own", ["", "signal.signal(signal.SIGTERM, lambda *_: (print('own'), sys.exit(3)))"])
def test_sigterm(gateway: Gateway, own: str) -> None:
    program = f"""
import signal, sys, time
from clickmesh import Client
{own}
client = Client({gateway.url!r}, batch_delay=60)
client.close_on_sigterm()
for i in range(20): client.track("click", event_id=f"e-{{i}}", user_id="u", ad_id="a", campaign_id="c", source="s")
print("tracked", flush=True)
while True:
    # So that the signal comes in the middle of a call as well.
    client.counters()
"""
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "tracked\n"
    child.send_signal(signal.SIGTERM)
    output, errors = child.communicate(timeout=30)
    assert errors == ""
    assert (child.returncode, output) == ((3, "own\n") if own else (-signal.SIGTERM, ""))
    assert len(gateway.ids) == 20


def test_what_is_tracked_by_grpc_is_sent_at_the_end() -> None:
    """From Python 3.12 on no thread can be started there."""
    with running_grpc() as (url, ids):
        program = f"""
from clickmesh import Client
client = Client({url!r}, protocol="grpc")
client.track("click", event_id="a", user_id="u", ad_id="a", campaign_id="c", source="s")
"""
        ended = subprocess.run([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, timeout=60)
        assert (ended.returncode, ended.stderr, ids) == (0, "", ["a"])


def test_close_ends_a_call_by_grpc(gateway: Gateway) -> None:
    gateway.is_open.clear()
    client = Client(gateway.url, protocol="grpc", logger=None)
    client.track(event("a"))
    began = time.monotonic()
    with pytest.raises(NotSent):
        client.close(0.2)
    assert time.monotonic() - began < 5
    assert threading.active_count() < 20


# Store


def test_what_was_given_up_waits_in_the_store(gateway: Gateway, tmp_path: Path) -> None:
    store = tmp_path / "events"
    first = Client(NOBODY, timeout=0.05, store=store, logger=None)
    assert isinstance(first.track(event("given-up")).exception(10), SendFailed)
    first.track(event("discarded"))
    first.close(0)
    assert first.counters() == (2, 0, 0, 0, 2, 0)
    second = Client(NOBODY, timeout=0.05, store=store, logger=None)
    second.close()
    assert second.counters() == (2, 0, 0, 0, 2, 0)
    with Client(gateway.url, store=store) as third:
        pass
    assert third.counters() == (2, 2, 0, 0, 0, 0)
    assert sorted(gateway.ids) == ["discarded", "given-up"]
    assert store.stat().st_size == 0


def test_a_store_that_is_full_loses_and_says_so(tmp_path: Path) -> None:
    client = Client(NOBODY, timeout=0.05, store=tmp_path / "events", store_bytes=64 << 10, logger=None)
    for i in range(30):
        client.track(event(f"{i}", metadata={"padding": "x" * 4000}))
    with pytest.raises(NotSent) as raised:
        client.close()
    counters = client.counters()
    assert (counters.stored + counters.lost, counters.lost) == (30, raised.value.count)
    assert 60 << 10 < (tmp_path / "events").stat().st_size <= 64 << 10


def test_a_store_has_one_owner_and_what_nobody_owns_is_taken_over(gateway: Gateway, tmp_path: Path) -> None:
    store = tmp_path / "events"
    program = f"""
import os
from clickmesh import Client
client = Client({NOBODY!r}, timeout=0.05, store={str(store)!r}, logger=None)
if os.fork() == 0:
    client.track("click", event_id="of-child", user_id="u", ad_id="a", campaign_id="c", source="s").exception()
    os._exit(0)
os.wait()
client.track("click", event_id="of-parent", user_id="u", ad_id="a", campaign_id="c", source="s").exception()
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    assert len(list(tmp_path.iterdir())) == 2
    with Client(gateway.url, store=store):
        pass
    assert sorted(gateway.ids) == ["of-child", "of-parent"]
    assert [path.name for path in tmp_path.iterdir()] == ["events"]


def test_a_record_that_was_cut_off_costs_no_other(gateway: Gateway, tmp_path: Path) -> None:
    store = tmp_path / "events"
    first = Client(NOBODY, timeout=0.05, store=store, logger=None)
    first.track(event("a"))
    first.track(event("b"))
    first.close()
    os.truncate(store, store.stat().st_size - 3)
    with Client(gateway.url, store=store) as second:
        second.track(event("c"))
    assert sorted(gateway.ids) == ["a", "c"]


# Options


def test_headers_key_and_path(gateway: Gateway) -> None:
    asked = iter(["1", "2"])
    with Client(f"{gateway.url}/mesh/", key="secret", headers=lambda: {"X-Tenant": next(asked)}) as client:
        client.send(event())
        client.send(event())
    assert gateway.paths == ["/mesh/clickmesh.v1.IngestService/IngestBatch"] * 2
    assert [headers["x-tenant"] for headers in gateway.headers] == ["1", "2"]
    assert {headers["authorization"] for headers in gateway.headers} == {"Bearer secret"}


def test_headers_that_can_not_be_had_lose_nothing_silently(gateway: Gateway) -> None:
    asked: list[int] = []

    def headers() -> dict[str, str]:
        asked.append(len(asked))
        raise OSError("no token")

    client = Client(gateway.url, headers=headers, logger=None, timeout=1)
    with pytest.raises(SendFailed, match="no token"):
        client.track(event()).result(10)
    with pytest.raises(NotSent):
        client.close()
    assert len(asked) > 1


def test_a_proxy_of_the_environment(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", gateway.url)
    with Client("http://gateway.invalid:8080/mesh") as client:
        client.send(event())
    assert gateway.paths == ["http://gateway.invalid:8080/mesh/clickmesh.v1.IngestService/IngestBatch"]


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("localhost:8080", '"localhost:8080" has no scheme: http://localhost:8080'),
        ("127.0.0.1:8080", '"127.0.0.1:8080" has no scheme: http://127.0.0.1:8080'),
        ("ftp://localhost", "only http and https"),
        ("http://", "has no host"),
        ("http://localhost:99999", "is no address"),
        ("http://localhost?a=b", "query"),
        ("http://me:secret@localhost", "user"),
        (None, "must be text"),
    ],
)
def test_addresses(url: Any, error: str) -> None:
    with pytest.raises(InvalidOption) as raised:
        Client(url)
    assert error in str(raised.value)


@pytest.mark.parametrize(
    "options",
    [
        *({"batch_size": value} for value in (0, 1001, -1, 1.5, True)),
        *({"timeout": value} for value in (0, -5, float("nan"), "30", 86_401)),
        *({"attempt_timeout": 0}, {"batch_delay": -1}, {"batch_delay": 61}),
        *({"max_queue_events": 0}, {"max_queue_bytes": 1000}, {"on_full": "drop"}, {"protocol": "rest"}),
        *({"key": "a\nb"}, {"headers": {"a b": "c"}}, {"headers": {"a": "b\r\nc"}}, {"headers": 5}),
        *({"disabled": 1}, {"on_error": 1}, {"logger": 1}, {"store": 1}, {"store_bytes": 1}, {"ssl_context": 1}),
    ],
)
def test_options(options: dict[str, Any]) -> None:
    [(name, _)] = options.items()
    with pytest.raises(InvalidOption, match=f"^{name} must be "):
        Client(NOBODY, **options)


def test_disabled_checks_and_counts_and_sends_nothing() -> None:
    with Client(NOBODY, disabled=True, logger=None) as client:
        assert client.track(event("a")).result(10).event_id == "a"
        assert isinstance(client.track(event(user_id="")).exception(10), Rejected)
        assert client.stats("2026-01-01", "2026-01-02") == []
    assert client.counters() == (2, 1, 1, 0, 0, 0)


def test_a_client_in_memory() -> None:
    with MemoryClient() as client:
        client.track("click", event_id="a", user_id="u", ad_id="a", campaign_id="c", source="s")
        client.send(event("b"))
        client.send_batch([event("c"), complete(event("d"))])
        client.send_stream([event("e")])
        assert ids(client.events) == ["a", "b", "c", "d", "e"]
        assert client.send(event("order-1001")).stored_id == "d9f4ac00-73dd-5950-9359-bd43b480c350"
