"""Calls over HTTP/1.1, by the Connect protocol: https://connectrpc.com/docs/protocol."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import os
import select
import socket
import ssl
import struct
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError

from clickmesh.errors import InvalidOption
from clickmesh.options import Address, Options

USER_AGENT = "clickmesh-python/0.2.0"
# Less is not made smaller by much.
MIN_GZIP_BYTES = 1024
# Connections that are kept open between calls.
MAX_IDLE = 8
# Most bytes of an answer that is no answer, as an error quotes it.
MAX_QUOTED = 200
COMPRESSED, END_OF_STREAM = 1, 2

# By its HTTP status, the code of an answer that is not of the gateway, as the protocol has it.
CODES = {400: "INTERNAL", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "UNIMPLEMENTED"}
RETRIED_STATUSES = frozenset({408, 425, 429, 502, 503, 504})
RETRIED_CODES = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED"})


class CallError(Exception):
    """An attempt failed."""

    def __init__(
        self, code: str, message: str, *, is_transient: bool, retry_after: float = 0, details: list[Any] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.is_transient = is_transient
        #: Seconds that the gateway asks for.
        self.retry_after = retry_after


def of_code(code: str, message: str, retry_after: float) -> CallError:
    """The error of a call that the gateway answered."""
    # Without it the request is too large, and always will be.
    is_full = code == "RESOURCE_EXHAUSTED" and retry_after > 0
    return CallError(code, message, is_transient=is_full or code in RETRIED_CODES, retry_after=retry_after)


def headers_of(options: Options) -> dict[str, str]:
    """Those of the next request. Their function may have to ask somebody who is away."""
    try:
        return options.request_headers()
    except InvalidOption:
        raise
    except Exception as error:
        message = f"headers failed: {type(error).__name__}: {error}"
        raise CallError("UNAVAILABLE", message, is_transient=True) from error


class Transport(Protocol):
    """Makes one attempt of a call. Bytes are serialized messages; a method is such as "IngestService/IngestBatch"."""

    def unary(self, method: str, request: bytes, timeout: float) -> bytes:
        """:raises CallError: if it has no answer within `timeout` seconds, or a bad one."""

    def client_stream(self, method: str, requests: list[bytes], timeout: float) -> bytes:
        """The same, of a stream of requests."""

    def abort(self) -> None:
        """Ends the calls that are under way, which then fail."""

    def close(self) -> None:
        """Ends the connections."""

    def after_fork(self) -> Transport:
        """In a child: one of its own, which leaves alone what the parent's has open."""


class ConnectTransport:
    """Needs no more than the standard library, so that nothing of it is lost in a fork."""

    def __init__(self, address: Address, options: Options) -> None:
        self._address = address
        self._options = options
        self._idle: list[http.client.HTTPConnection] = []
        self._busy: set[http.client.HTTPConnection] = set()
        self._proxy = proxy_of(address)
        self._ssl_context: ssl.SSLContext | None = None
        if address.is_https:
            self._ssl_context = options.ssl_context or ssl.create_default_context()

    def unary(self, method: str, request: bytes, timeout: float) -> bytes:
        headers = {
            "content-type": "application/proto",
            "connect-protocol-version": "1",
            "accept-encoding": "gzip",
        }
        if len(request) >= MIN_GZIP_BYTES:
            request = gzip.compress(request, 1, mtime=0)
            headers["content-encoding"] = "gzip"
        status, answer, body = self._post(method, headers, request, timeout)
        if status == 200 and is_type(answer, "application/proto"):
            return body
        raise unary_error(status, answer, body)

    def client_stream(self, method: str, requests: list[bytes], timeout: float) -> bytes:
        headers = {
            "content-type": "application/connect+proto",
            "connect-protocol-version": "1",
            "connect-content-encoding": "gzip",
            "transfer-encoding": "chunked",
        }
        envelopes = [envelope(request) for request in requests]
        status, answer, body = self._post(method, headers, envelopes, timeout)
        if status != 200 or not is_type(answer, "application/connect+proto"):
            raise unary_error(status, answer, body)
        return stream_answer(body)

    def _post(
        self, method: str, headers: dict[str, str], body: bytes | Iterable[bytes], timeout: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        ends_at = time.monotonic() + timeout
        headers = {
            "user-agent": USER_AGENT,
            **headers_of(self._options),
            **headers,
            "connect-timeout-ms": str(max(1, round(timeout * 1000))),
        }
        while True:
            connection, is_reused = self._take(ends_at)
            try:
                answer = self._exchange(connection, method, headers, body, ends_at)
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                # The gateway, or what is between, may have closed it while it was idle.
                if is_reused and not isinstance(error, TimeoutError):
                    continue
                raise connection_error(error, timeout) from None
            except BaseException:
                connection.close()
                raise
            finally:
                self._busy.discard(connection)
            if connection.sock is not None and len(self._idle) < MAX_IDLE:
                self._idle.append(connection)
            else:
                connection.close()
            return answer

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        headers: dict[str, str],
        body: bytes | Iterable[bytes],
        ends_at: float,
    ) -> tuple[int, Mapping[str, str], bytes]:
        path = f"{self._address.prefix}/clickmesh.v1.{method}"
        if self._proxy is not None and not self._address.is_https:
            path = f"http://{self._address.authority}{path}"
        if connection.sock is None:
            connection.connect()
        set_timeout(connection, ends_at)
        connection.request("POST", path, body, headers, encode_chunked=not isinstance(body, bytes))
        set_timeout(connection, ends_at)
        response = connection.getresponse()
        answer = {name.lower(): value for name, value in response.getheaders()}
        parts = []
        while part := response.read1(1 << 16):
            parts.append(part)
            set_timeout(connection, ends_at)
        # Frees the connection for the next request, which read1() does not.
        parts.append(response.read())
        data = b"".join(parts)
        if answer.get("content-length", str(len(data))) != str(len(data)):
            raise http.client.IncompleteRead(data)
        if answer.get("content-encoding") == "gzip":
            data = gzip.decompress(data)
        return response.status, answer, data

    def _take(self, ends_at: float) -> tuple[http.client.HTTPConnection, bool]:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:
                break
            if is_idle(connection.sock):
                self._busy.add(connection)
                return connection, True
            connection.close()
        connection = self._connection(max(0.001, ends_at - time.monotonic()))
        self._busy.add(connection)
        return connection, False

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        host, port = self._proxy or (self._address.host, self._address.port)
        if self._ssl_context is None:
            return http.client.HTTPConnection(host, port, timeout=timeout)
        connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=self._ssl_context)
        if self._proxy is not None:
            connection.set_tunnel(self._address.host, self._address.port)
        return connection

    def abort(self) -> None:
        for connection in list(self._busy):
            if connection.sock is not None:
                try:
                    connection.sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def after_fork(self) -> ConnectTransport:
        # Closes the child's own descriptors of the parent's connections, which stay open.
        for connection in [*self._idle, *self._busy]:
            if connection.sock is not None:
                os.close(connection.sock.detach())
        return ConnectTransport(self._address, self._options)


def proxy_of(address: Address) -> tuple[str, int] | None:
    """The proxy that the environment names for an address (http_proxy, https_proxy, no_proxy)."""
    if urllib.request.proxy_bypass(address.host):
        return None
    url = urllib.request.getproxies().get("https" if address.is_https else "http")
    parts = urlsplit(url if url and "://" in url else f"http://{url}") if url else None
    return (parts.hostname, parts.port or 80) if parts and parts.hostname else None


def set_timeout(connection: http.client.HTTPConnection, ends_at: float) -> None:
    remaining = ends_at - time.monotonic()
    if remaining <= 0:
        raise TimeoutError
    # An answer that ends with its connection has taken the socket.
    if connection.sock is not None:
        connection.sock.settimeout(remaining)


def is_idle(sock: Any) -> bool:
    """Whether the other side neither closed the connection nor said something unasked."""
    if sock is None:
        return False
    try:
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(sock, select.POLLIN)
            return not poll.poll(0)
        return not select.select([sock], [], [], 0)[0]
    except (OSError, ValueError):
        return False


def is_type(headers: Mapping[str, str], content_type: str) -> bool:
    return headers.get("content-type", "").split(";")[0].strip() == content_type


def connection_error(error: Exception, timeout: float) -> CallError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return CallError("UNAVAILABLE", f"the certificate is not trusted: {error.verify_message}", is_transient=False)
    if isinstance(error, TimeoutError):
        return CallError("DEADLINE_EXCEEDED", f"no answer within {timeout:.3g} s", is_transient=True)
    if isinstance(error, http.client.BadStatusLine) and not isinstance(error, http.client.RemoteDisconnected):
        what = 'the answer is not HTTP/1.1; where only gRPC gets through, protocol="grpc" does'
        return CallError("UNAVAILABLE", what, is_transient=True)
    text = " ".join(str(error).split()) or "the connection broke"
    return CallError("UNAVAILABLE", f"{type(error).__name__}: {text}", is_transient=True)


def unary_error(status: int, headers: Mapping[str, str], body: bytes) -> CallError:
    retry_after = seconds_of(headers.get("retry-after"))
    if is_type(headers, "application/json"):
        try:
            error = json.loads(body)
            return of_code(error["code"].upper(), str(error.get("message", "")), retry_after or retry_info(error))
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
    if status in RETRIED_STATUSES:
        code = "DEADLINE_EXCEEDED" if status in (408, 504) else "UNAVAILABLE"
        return CallError(code, f"HTTP {status}", is_transient=True, retry_after=retry_after)
    text = " ".join(body[:MAX_QUOTED].decode("utf-8", "replace").split())
    where = f", location {headers['location']}" if "location" in headers else ""
    what = f"HTTP {status} of {headers.get('content-type', 'no type')}{where}, which no gateway answers: {text}"
    return CallError(CODES.get(status, "UNKNOWN"), what, is_transient=False)


def seconds_of(text: str | None) -> float:
    """Of a retry-after, in seconds or as a date of HTTP; 0 if there is none."""
    if not text:
        return 0
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError):
        return 0


def retry_info(error: dict[str, Any]) -> float:
    """Seconds of a google.rpc.RetryInfo among the details; 0 if there is none."""
    for detail in error.get("details") or ():
        if detail.get("type") == "google.rpc.RetryInfo":
            value = detail.get("value", "")
            return retry_delay(base64.b64decode(value + "=" * (-len(value) % 4)))
    return 0


def retry_delay(info: bytes) -> float:
    """Seconds of a serialized RetryInfo, whose field 1 is a Duration; 0 if it is none."""
    if info[:1] != b"\x0a" or len(info) < 2:
        return 0
    try:
        delay = Duration.FromString(info[2 : 2 + info[1]])
    except DecodeError:
        return 0
    return delay.seconds + delay.nanos / 1e9


def envelope(message: bytes) -> bytes:
    if len(message) < MIN_GZIP_BYTES:
        return struct.pack(">BI", 0, len(message)) + message
    packed = gzip.compress(message, 1, mtime=0)
    return struct.pack(">BI", COMPRESSED, len(packed)) + packed


def envelopes_in(body: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 5 <= len(body):
        flags, size = struct.unpack_from(">BI", body, at)
        data = body[at + 5 : at + 5 + size]
        if len(data) < size:
            return
        yield flags, gzip.decompress(data) if flags & COMPRESSED else data
        at += 5 + size


def stream_answer(body: bytes) -> bytes:
    message: bytes | None = None
    for flags, data in envelopes_in(body):
        if not flags & END_OF_STREAM:
            message = data
            continue
        end = json.loads(data)
        error = end.get("error")
        if error is not None:
            asked = (end.get("metadata") or {}).get("retry-after") or [None]
            raise of_code(
                str(error.get("code", "unknown")).upper(),
                str(error.get("message", "")),
                seconds_of(asked[0]) or retry_info(error),
            )
        if message is not None:
            return message
    raise CallError("UNAVAILABLE", "the answer was cut off", is_transient=True)
