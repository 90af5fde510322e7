"""The driver of the conformance suite, by the protocol in gen/README.md: JSON commands in, answers out, one a line."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from datetime import date, datetime
from typing import Any

import clickmesh
from clickmesh import Acceptance, AsyncClient, Client, MemoryClient, Rejected, RejectReason

# By their names in TypeScript: those that are in ms there and in seconds here, and the others.
SECONDS = {"timeoutMs": "timeout", "attemptTimeoutMs": "attempt_timeout", "batchDelayMs": "batch_delay"}
OPTIONS = {
    **{"batchSize": "batch_size", "maxQueueEvents": "max_queue_events", "maxQueueBytes": "max_queue_bytes"},
    **{"onFull": "on_full", "headers": "headers", "key": "key", "protocol": "protocol", "disabled": "disabled"},
    **{"store": "store", "storeBytes": "store_bytes"},
}
ERRORS = [
    (clickmesh.SendFailed, "failed"),
    (clickmesh.QueueFull, "full"),
    (clickmesh.ClientClosed, "closed"),
    (clickmesh.NotSent, "notSent"),
    (clickmesh.InvalidOption, "option"),
    (asyncio.CancelledError, "cancelled"),
]

Command = dict[str, Any]
Json = dict[str, Any]

clients: dict[str, Client] = {}
urls: dict[str, tuple[str, dict[str, Any]]] = {}
reports: dict[str, tuple[list[Json], list[str]]] = {}
output = threading.Lock()


class Exit(Exception):
    """How the program is to end."""


def write(answer: Json) -> None:
    line = json.dumps(answer).encode("utf-8", "replace").decode()
    with output:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


# From JSON to what programs have


def value_of(value: Any) -> Any:
    if not isinstance(value, dict):
        return [value_of(item) for item in value] if isinstance(value, list) else value
    match value.get("$"):
        case "date":
            return datetime.fromisoformat(value["value"].replace("Z", "+00:00"))
        case "naive":
            return datetime.fromisoformat(value["value"].replace("Z", ""))
        case "uuid":
            return uuid.UUID(value["value"])
        case "nan":
            return float("nan")
        case "infinity":
            return float("inf")
        case "half":
            return value["value"] + "\ud83d"
        case "absent":
            return None
        case "integer":
            return int(value["value"])
        case "repeat":
            return value["value"] * value["count"]
    return {key: value_of(item) for key, item in value.items()}


def event_of(event: Any) -> Any:
    if isinstance(event, dict) and isinstance(event.get("fields"), dict) and "type" in event:
        return getattr(clickmesh, event["type"])(**value_of(event["fields"]))
    return value_of(event)


def failing_at_first(headers: dict[str, str]) -> Callable[[], dict[str, str]]:
    asked = iter([0])

    def give() -> dict[str, str]:
        if next(asked, None) is not None:
            raise OSError("no headers yet")
        return headers

    return give


def options_of(name: str, given: Json) -> dict[str, Any]:
    options: dict[str, Any] = {}
    errors, warnings = reports.setdefault(name, ([], []))
    for option, value in given.items():
        if option in SECONDS:
            options[SECONDS[option]] = value / 1000 if isinstance(value, (int, float)) else value
        elif option == "silent":
            options["logger"] = warnings.append
        elif option == "failingHeaders":
            options["headers"] = failing_at_first(given["headers"])
        elif option != "memory" and not (option == "headers" and "headers" in options):
            options[OPTIONS.get(option, option)] = value
    options["on_error"] = lambda error, events: errors.append(
        {"error": told_error(error), "events": [identity(event) for event in events]}
    )
    return options


# From what programs have to JSON


def identity(event: clickmesh.Event) -> Json:
    fields = getattr(event, event.WhichOneof("event") or "click")
    return {"event_id": fields.event_id, "timestamp": fields.timestamp}


def told_error(error: BaseException) -> Json:
    if isinstance(error, clickmesh.ClickmeshError):
        # As it comes to another process.
        error = pickle.loads(pickle.dumps(error))
    kind = next((kind for of, kind in ERRORS if isinstance(error, of)), "other")
    told: Json = {"kind": kind, "message": str(error), "events": [identity(e) for e in getattr(error, "events", [])]}
    if isinstance(error, clickmesh.NotSent):
        told["notSent"] = error.count
    return told


def refusal(error: Rejected) -> Json:
    error = pickle.loads(pickle.dumps(error))
    reason = RejectReason.Name(error.reason).removeprefix("REJECT_REASON_")
    return {
        **{"event_id": error.event_id, "timestamp": error.timestamp, "field": error.field, "reason": reason},
        **{"limit": error.limit, "message": str(error)},
    }


def result_of(outcome: object) -> Json:
    if isinstance(outcome, Acceptance):
        told = {"event_id": outcome.event_id, "timestamp": outcome.timestamp, "ignored": list(outcome.ignored)}
        return {"accepted": {**told, "stored_id": outcome.stored_id}}
    if isinstance(outcome, Rejected):
        return {"rejected": refusal(outcome)}
    if isinstance(outcome, BaseException):
        return {"error": told_error(outcome)}
    raise TypeError(f"no result: {outcome!r}")


def outcome_of(future: Future[Acceptance]) -> object:
    return future.exception() or future.result()


def caught(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except (clickmesh.ClickmeshError, asyncio.CancelledError, TypeError) as error:
        return error


def took(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


# Commands


def open_client(command: Command) -> Json:
    name = command.get("client", "")
    given = command.get("options") or {}
    options = options_of(name, given)
    urls[name] = (command.get("url", ""), options)
    clients[name] = MemoryClient(**options) if given.get("memory") else Client(command["url"], **options)
    return {}


def track_many(client: Client, command: Command) -> Json:
    started = time.monotonic()
    counts = {"accepted": 0, "rejected": 0, "failed": 0}
    errors: list[Json] = []
    all_told = threading.Event()
    counting = threading.Lock()

    def count(future: Future[Acceptance]) -> None:
        error = future.exception()
        kind = "accepted" if error is None else "rejected" if isinstance(error, Rejected) else "failed"
        with counting:
            counts[kind] += 1
            if error is not None and kind == "failed" and len(errors) < 3:
                errors.append({"error": told_error(error)})
            if sum(counts.values()) == command["count"]:
                all_told.set()

    event = event_of(command["event"])
    rate = command.get("ratePerSecond") or 0
    for i in range(command["count"]):
        if rate:
            time.sleep(max(0, started + i / rate - time.monotonic()))
        one = {**event, "event_id": f"{event['event_id']}-{i}"} if event.get("event_id") else event
        client.track(one).add_done_callback(count)
    if command["count"] > 0:
        all_told.wait()
    return {**counts, "tookMs": took(started), "errors": errors}


def track_all(client: Client, command: Command) -> Json:
    for event in command["events"]:
        client.track(event_of(event))
    return {}


def mutate(client: Client, command: Command) -> Json:
    event = event_of(command["event"])
    future = client.track(event)
    before = {key: value for key, value in event.items() if key != "event"}
    event.update(value_of(command["changes"]))
    return {"object": before, "result": result_of(outcome_of(future))}


def events_of(command: Command) -> Any:
    return event_of(command["event"]) if "event" in command else [event_of(event) for event in command["events"]]


def batch(client: Client, call: str, events: Any) -> Json:
    outcome = caught(lambda: getattr(client, "send_batch" if call == "sendBatch" else "send_stream")(events))
    if isinstance(outcome, BaseException):
        return {"error": told_error(outcome)}
    if isinstance(outcome, list):
        return {"results": [result_of(result) for result in outcome]}
    rejections = [{"index": one.index, "rejected": refusal(one.rejected)} for one in outcome.rejections]
    return {"accepted": outcome.accepted, "rejected": outcome.rejected, "rejections": rejections}


def one(client: Client, call: str, event: Any) -> Json:
    if call == "track":
        outcome = caught(lambda: outcome_of(client.track(event)))
    else:
        outcome = caught(lambda: client.send(event))
    return {"result": result_of(outcome)}


def send_again(client: Client, command: Command) -> Json:
    call = command["call"]
    is_one = "event" in command
    first = caught(
        lambda: getattr(
            client, {"track": "track", "send": "send", "sendBatch": "send_batch", "sendStream": "send_stream"}[call]
        )(event_of(command["event"]) if is_one else [event_of(event) for event in command["events"]])
    )
    error = first.exception() if isinstance(first, Future) else first
    if not isinstance(error, clickmesh.SendFailed):
        if isinstance(first, Future) or is_one:
            return {"result": result_of(outcome_of(first) if isinstance(first, Future) else first)}
        return {"fault": f"{call} did not give up"}
    return one(client, call, error.events[0]) if is_one else batch(client, call, error.events)


async def cancel(command: Command) -> Json:
    """Of the client for asyncio: a call of the other can't be cancelled."""
    url, options = urls[command.get("client", "")]
    client = AsyncClient(url, **options)
    started = time.monotonic()
    event = event_of(command["event"])

    async def call() -> Acceptance:
        return await client.send(event) if command["call"] == "send" else await (await client.track(event))

    task = asyncio.ensure_future(call())
    await asyncio.sleep(command["afterMs"] / 1000)
    task.cancel()
    try:
        outcome: object = await task
    except (asyncio.CancelledError, clickmesh.ClickmeshError) as error:
        outcome = error
    answer = {"result": result_of(outcome), "tookMs": took(started)}
    write({"id": command["id"], **answer})
    # What the thread of the call is at ends with its attempt.
    return answer


def close(client: Client, command: Command) -> Json:
    if command.get("interrupted"):
        return {"unsupported": "threads of Python can't be interrupted"}
    limit = command.get("limitMs")

    def once(into: Json) -> None:
        started = time.monotonic()
        error = caught(client.close if limit is None else lambda: client.close(limit / 1000))
        into["tookMs"] = took(started)
        if error is not None:
            into["error"] = told_error(error)

    answer: Json = {}
    if command.get("times") == 2:
        second = threading.Thread(target=once, args=(answer.setdefault("second", {}),))
        second.start()
        once(answer)
        second.join()
    else:
        once(answer)
    return answer


def flush(client: Client, command: Command) -> Json:
    started = time.monotonic()
    limit = command.get("limitMs")
    done = client.flush() if limit is None else client.flush(limit / 1000)
    return {"done": done, "tookMs": took(started)}


def in_callback(client: Client, command: Command) -> Json:
    returned = threading.Event()
    started = time.monotonic()

    def callback(_: Future[Acceptance]) -> None:
        try:
            match command["call"]:
                case "flush":
                    client.flush()
                case "close":
                    client.close()
                case "track":
                    client.track(event_of(command["event"]))
                case "throw":
                    raise SystemExit(1)
        finally:
            returned.set()

    client.track(event_of(command["event"])).add_done_callback(callback)
    if not returned.wait(60):
        return {"fault": "the callback did not return"}
    return {"tookMs": took(started)}


def stats(client: Client, command: Command) -> Json:
    query = command["query"]
    days = [query["startDate"], query["endDate"]]
    if query.get("dates") == "native":
        days = [date.fromisoformat(day) for day in days]
    names = {"campaignId": "campaign_id", "conversionType": "conversion_type"}
    others = {names.get(k, k): v for k, v in query.items() if k not in ("startDate", "endDate", "dates")}
    return {"rows": client.stats(*days, **others)}


def open_many(command: Command) -> Json:
    before = threading.active_count()
    for _ in range(command["count"]):
        with Client(command["url"]) as client:
            client.track(event_of(command["event"]))
    return {"threadsBefore": before, "threadsAfter": threading.active_count()}


def fork(client: Client, command: Command) -> Json | None:
    """None in the child, which is then to end."""
    started = time.monotonic()
    sys.stdout.flush()
    pid = os.fork()
    if pid != 0:
        threading.Thread(target=wait_for, args=(pid, started, command["id"]), daemon=True).start()
        return {}
    then = command["then"]
    if then == "own":
        url, options = urls[command.get("client", "")]
        client = Client(url, **options)
    for event in command["events"]:
        client.track(event_of(event))
    if then in ("close", "own"):
        client.close()
    elif then == "flush":
        client.flush()
    return None


def wait_for(pid: int, started: float, command_id: int) -> None:
    _, status = os.waitpid(pid, 0)
    write({"id": command_id, "exitCode": os.waitstatus_to_exitcode(status), "tookMs": took(started)})


def handle_sigterm(client: Client, command: Command) -> Json:
    if command.get("own"):

        def own(*_: object) -> None:
            sys.stderr.write("own handler\n")
            sys.stderr.flush()
            # As a program ends that has a handler.
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)

        signal.signal(signal.SIGTERM, own)
    client.close_on_sigterm()
    return {}


def told(client: Client, command: Command) -> Json:
    match command["do"]:
        case "counters":
            return {"counters": client.counters()._asdict()}
        case "reports":
            errors, warnings = reports[command.get("client", "")]
            return {"errors": list(errors), "warnings": list(warnings)}
        case "events":
            return {"events": [identity(event) for event in client.events]}  # type: ignore[attr-defined]
        case "ready":
            client.ready()
            return {}
        case "complete":
            event = client.complete(event_of(command["event"]))
            kind = event.WhichOneof("event")
            fields = {f.name: v for f, v in getattr(event, kind).ListFields() if f.name != "metadata"}
            return {"event": {"type": kind, "fields": fields}}
    return {"unsupported": f"{command['do']} is not known"}


COMMANDS: dict[str, Callable[[Client, Command], Json]] = {
    "trackMany": track_many,
    "trackAll": track_all,
    "mutate": mutate,
    "send": lambda client, command: one(client, "send", event_of(command["event"])),
    "sendBatch": lambda client, command: batch(client, "sendBatch", events_of(command)),
    "sendStream": lambda client, command: batch(client, "sendStream", events_of(command)),
    "sendAgain": send_again,
    "close": close,
    "flush": flush,
    "inCallback": in_callback,
    "stats": stats,
}


def answer(command: Command, call: Callable[[], Json]) -> None:
    try:
        told_answer = call()
    except (clickmesh.ClickmeshError, ValueError) as error:
        told_answer = {"error": told_error(error)}
        if isinstance(error, Rejected):
            told_answer = {"result": result_of(error)}
    except BaseException as error:
        told_answer = {"fault": f"{type(error).__name__}: {error}"}
    write({"id": command["id"], **told_answer})


def track(client: Client, command: Command) -> None:
    """In the order of the commands, so that only a full queue is waited for elsewhere."""

    def queue() -> None:
        try:
            future = client.track(event_of(command["event"]))
        except clickmesh.ClientClosed as error:
            write({"id": command["id"], "result": result_of(error)})
            return
        future.add_done_callback(lambda done: write({"id": command["id"], "result": result_of(outcome_of(done))}))

    if client.has_room():
        queue()
    else:
        threading.Thread(target=queue, daemon=True).start()


def run(command: Command) -> None:
    """Answers at once what must not be done by another thread, and else later."""
    name = command.get("client", "")
    match command["do"]:
        case "open":
            answer(command, lambda: open_client(command))
        case "openMany":
            answer(command, lambda: open_many(command))
        case "track":
            track(clients[name], command)
        case "fork":
            if fork(clients[name], command) is None:
                raise Exit("end")
        case "handleSigterm":
            answer(command, lambda: handle_sigterm(clients[name], command))
        case "cancel":
            threading.Thread(target=lambda: asyncio.run(cancel(command)), daemon=True).start()
        case "exit":
            raise Exit(command["how"])
        case other if other in COMMANDS:
            call = COMMANDS[other]
            threading.Thread(target=answer, args=(command, lambda: call(clients[name], command)), daemon=True).start()
        case _:
            answer(command, lambda: told(clients[name], command))


def main() -> None:
    try:
        for line in sys.stdin:
            run(json.loads(line))
    except Exit as how:
        match str(how):
            case "exit":
                sys.exit(0)
            case "exception":
                raise RuntimeError("as the suite asked") from None
            case "now":
                os._exit(0)
        return
    os._exit(0)


main()
