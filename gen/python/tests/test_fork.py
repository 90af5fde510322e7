"""
Programs whose processes are forked from one that has a client: every event of every process is stored, and every
process ends by itself.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from gateways import Gateway, running, wait_until

# Longest time that a program may take; one that hangs takes all of it.
LIMIT_S = 60

BEFORE = """
import os, sys
from clickmesh import Client
client = Client({url!r}, protocol={protocol!r})
def event(name):
    return {{"type": "click", "event_id": name, "user_id": "u", "ad_id": "a", "campaign_id": "c", "source": "s"}}
def use_before():
    # So that the parent has a thread, a connection, and something that waits.
    client.send(event("sent-before"))
    client.track(event("tracked-before"))
"""


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running() as gateway:
        yield gateway


def run(gateway: Gateway, program: str, cwd: Path) -> list[str]:
    """Runs a program to its end, and gives the ids that were stored, in order of their names."""
    path = cwd / "program.py"
    path.write_text(BEFORE.format(url=gateway.url, protocol="connect") + program)
    # From Python 3.12 on it warns of any fork beside a thread.
    command = [sys.executable, "-W", "ignore:This process:DeprecationWarning", path]
    done = subprocess.run(command, timeout=LIMIT_S, capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return sorted(gateway.ids)


BEFORES = ["", "use_before()\n"]
SENT = {"": [], "use_before()\n": ["sent-before", "tracked-before"]}


THENS = {
    "close": "track_three(client)\n    client.close()",
    "flush": "track_three(client)\n    assert client.flush(10)",
    "answers": "for answer in track_three(client): answer.result(10)",
    "leave": "track_three(client)",
    "send": "for i in range(3): client.send(event(f'child-{i}'))",
    "own": "own = Client(client_url)\n    track_three(own)\n    own.close()",
    "fork again": "if os.fork() == 0: track_three(client)\n    else: os.wait()",
}


@pytest.mark.parametrize("before", BEFORES)
@pytest.mark.parametrize("then", THENS)
def test_fork(gateway: Gateway, tmp_path: Path, before: str, then: str) -> None:
    program = f"""
client_url = {gateway.url!r}
def track_three(client): return [client.track(event(f"child-{{i}}")) for i in range(3)]
{before}
if os.fork() == 0:
    {THENS[then]}
else:
    client.track(event("parent"))
    _, status = os.wait()
    assert status == 0, status
"""
    assert run(gateway, program, tmp_path) == ["child-0", "child-1", "child-2", "parent", *SENT[before]]


@pytest.mark.parametrize("before", BEFORES)
@pytest.mark.parametrize(
    "children",
    [
        # These end without atexit.
        "processes(get('fork'))",
        "processes(get('forkserver'))",
        "processes(get('spawn'))",
        "pool = get('fork').Pool(2); pool.map(tracked, range(3)); pool.close(); pool.join()",
        "pool = get('fork').Pool(2); pool.map(answered, range(3)); pool.terminate()",
        "with ProcessPoolExecutor(2, mp_context=get('fork')) as pool: list(pool.map(tracked, range(3)))",
    ],
)
def test_multiprocessing(gateway: Gateway, tmp_path: Path, before: str, children: str) -> None:
    program = f"""
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context as get
def tracked(i): client.track(event(f"child-{{i}}"))
def answered(i): client.track(event(f"child-{{i}}")).result(10)
def processes(context):
    all = [context.Process(target=tracked, args=(i,)) for i in range(3)]
    for process in all: process.start()
    for process in all: process.join()
if __name__ == "__main__":
    {before}
    {children}
"""
    assert run(gateway, program, tmp_path) == ["child-0", "child-1", "child-2", *SENT[before]]


def test_an_answer_that_the_parent_waits_for_does_not_hang_the_child(gateway: Gateway, tmp_path: Path) -> None:
    program = """
from clickmesh import SendFailed
future = client.track(event("parent"))
if os.fork() == 0:
    try: future.result(10)
    except SendFailed as error: assert "parent" in str(error), error
    else: raise AssertionError("answered")
else:
    assert os.wait()[1] == 0
"""
    assert run(gateway, program, tmp_path) == ["parent"]


def test_counters_of_a_child_begin_anew(gateway: Gateway, tmp_path: Path) -> None:
    program = """
client.send(event("parent"))
if os.fork() == 0:
    assert client.counters() == (0, 0, 0, 0, 0, 0), client.counters()
else:
    assert os.wait()[1] == 0
    assert client.counters().sent == 1
"""
    assert run(gateway, program, tmp_path) == ["parent"]


@pytest.mark.parametrize("before", BEFORES)
def test_grpc_goes_on_over_http_1(tmp_path: Path, before: str) -> None:
    """Against the real gateway, which speaks both."""
    program = f"""
{before.replace("use_before()", 'client.send({k: v for k, v in event("x").items() if k != "event_id"})')}
if os.fork() == 0:
    assert client.send(event(f"grpc-fork-{{os.getpid()}}")).offset >= 0
    client.track(event(f"grpc-fork-2-{{os.getpid()}}"))
else:
    assert os.wait()[1] == 0
    client.send(event(f"grpc-fork-{{os.getpid()}}"))
"""
    path = tmp_path / "program.py"
    path.write_text(BEFORE.format(url=os.environ["CLICKMESH_URL"], protocol="grpc") + program)
    done = subprocess.run([sys.executable, path], timeout=LIMIT_S, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    warnings = [line for line in done.stderr.splitlines() if line.startswith("clickmesh: ")]
    assert warnings == (
        ["clickmesh: gRPC does not survive a fork: this process goes on over HTTP/1.1"] if before else []
    )


def started(args: list[str], cwd: Path) -> subprocess.Popen[str]:
    log = open(cwd / "log", "w")
    return subprocess.Popen(args, cwd=cwd, stdout=log, stderr=subprocess.STDOUT, text=True)


@pytest.mark.parametrize("before", BEFORES)
def test_gunicorn_preload(gateway: Gateway, tmp_path: Path, before: str) -> None:
    (tmp_path / "app.py").write_text(
        BEFORE.format(url=gateway.url, protocol="connect")
        + before
        + """
def app(environ, start_response):
    name = environ["PATH_INFO"].strip("/")
    if name: client.track(event(name))
    start_response("200 OK", [("content-length", "2")])
    return [b"ok"]
"""
    )
    server = started(
        [sys.executable, "-m", "gunicorn", "--preload", "-w", "2", "-b", "127.0.0.1:0", "app:app"], tmp_path
    )
    try:
        log = tmp_path / "log"
        wait_until(lambda: "Listening at: http" in log.read_text() and log.read_text().count("Booting worker") == 2)
        url = log.read_text().split("Listening at: ")[1].split()[0]
        for i in range(6):
            urllib.request.urlopen(f"{url}/request-{i}", timeout=10).close()
    finally:
        server.send_signal(signal.SIGTERM)
        began = time.monotonic()
        server.wait(LIMIT_S)
    # Workers that hang are killed after 30 s.
    assert "SIGKILL" not in log.read_text() and time.monotonic() - began < 25, log.read_text()
    assert sorted(gateway.ids) == [*(f"request-{i}" for i in range(6)), *SENT[before]]


@pytest.mark.parametrize("before", BEFORES)
def test_celery_prefork(gateway: Gateway, tmp_path: Path, before: str) -> None:
    (tmp_path / "tasks.py").write_text(
        BEFORE.format(url=gateway.url, protocol="connect")
        + f"""
from celery import Celery
app = Celery("tasks", broker="filesystem://", backend="file://{tmp_path}/results")
folders = {{key: "{tmp_path}/queue" for key in ("data_folder_in", "data_folder_out")}}
app.conf.broker_transport_options = {{**folders, "control_folder": "{tmp_path}/control"}}
if "worker" in sys.argv:
    {before or "pass"}
@app.task
def tracked(name): client.track(event(name))
@app.task
def rejected(): return client.track({{**event("x"), "user_id": ""}}).result(10)
"""
    )
    for folder in ("queue", "results", "control"):
        (tmp_path / folder).mkdir()
    ask = """
from tasks import rejected, tracked
results = [tracked.delay(f"task-{i}") for i in range(3)]
for result in results: result.get(timeout=40)
# Errors get through pickle, too.
try: rejected.delay().get(timeout=40)
except Exception as error: print(type(error).__name__, error)
"""
    worker = started([sys.executable, "-m", "celery", "-A", "tasks", "worker", "-c", "2", "-P", "prefork"], tmp_path)
    try:
        asked = subprocess.run(
            [sys.executable, "-c", ask], cwd=tmp_path, timeout=LIMIT_S, capture_output=True, text=True
        )
        assert asked.returncode == 0, asked.stderr + (tmp_path / "log").read_text()
        assert "user_id is required" in asked.stdout
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(LIMIT_S)
    assert sorted(gateway.ids) == sorted([*(f"task-{i}" for i in range(3)), *SENT[before]])
