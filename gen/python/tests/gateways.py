"""Gateways for tests: what stands in for one, and what is wrong with the way to it."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc  # type: ignore[import-untyped]

from clickmesh.memory import MemoryTransport
from clickmesh.v1.ingest_service_pb2 import IngestBatchRequest


class Gateway(ThreadingHTTPServer):
    """Takes everything over HTTP/1.1, unless it is told otherwise."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.memory = MemoryTransport(keeps=False)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        #: event_ids, in the order in which they came, and as often.
        self.ids: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        #: What of the next requests is answered: (status, headers, body); None breaks the connection.
        self.faults: list[tuple[int, dict[str, str], bytes] | None] = []
        #: Answers wait for it.
        self.is_open = threading.Event()
        self.is_open.set()

    def handle_error(self, *_: object) -> None:
        """A client that goes away is no error."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Gateway

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers["content-encoding"] == "gzip":
            body = gzip.decompress(body)
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        self.server.paths.append(self.path)
        fault = self.server.faults.pop(0) if self.server.faults else (200, {}, b"")
        self.server.is_open.wait()
        if fault is None:
            self.close_connection = True
            return
        status, headers, answer = fault
        if status == 200 and not answer:
            for event in IngestBatchRequest.FromString(body).events:
                self.server.ids.append(getattr(event, event.WhichOneof("event")).event_id)
            answer = self.server.memory.unary(self.path.split(".v1.")[1], body, 1)
            headers = {"content-type": "application/proto"}
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(answer))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def running() -> Iterator[Gateway]:
    gateway = Gateway()
    thread = threading.Thread(target=gateway.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        gateway.is_open.set()
        gateway.shutdown()
        gateway.server_close()
        thread.join()


@contextmanager
def running_grpc() -> Iterator[tuple[str, list[str]]]:
    """A gateway that speaks gRPC: its address, and the event_ids that came."""
    memory = MemoryTransport(keeps=False)
    ids: list[str] = []

    class Calls(grpc.GenericRpcHandler):  # type: ignore[misc]
        def service(self, call: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
            def answer(request: bytes, _: object) -> bytes:
                ids.extend(event.click.event_id for event in IngestBatchRequest.FromString(request).events)
                return memory.unary(call.method.split(".v1.")[1], request, 1)

            return grpc.unary_unary_rpc_method_handler(answer)

    server = grpc.server(ThreadPoolExecutor(2), handlers=[Calls()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}", ids
    finally:
        server.stop(None).wait()


def wait_until(is_true: object, seconds: float = 30) -> None:
    """Fails if it does not come true."""
    give_up_at = time.monotonic() + seconds
    while not is_true():  # type: ignore[operator]
        assert time.monotonic() < give_up_at, "it did not come true"
        time.sleep(0.01)
