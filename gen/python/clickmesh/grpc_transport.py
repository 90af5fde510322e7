"""Calls over gRPC, of the package grpcio: `pip install 'clickmesh[grpc]'`."""

from __future__ import annotations

import ctypes
from typing import Any

from clickmesh.errors import InvalidOption
from clickmesh.options import Address, Options
from clickmesh.transport import (
    USER_AGENT,
    CallError,
    ConnectTransport,
    Transport,
    headers_of,
    of_code,
    retry_delay,
    seconds_of,
)

try:
    import grpc  # type: ignore[import-untyped]
except ImportError as error:
    raise InvalidOption("protocol \"grpc\" needs grpcio: pip install 'clickmesh[grpc]'") from error

# The client repeats calls itself, and waits no longer than that for a connection.
CHANNEL_OPTIONS = [
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.enable_retries", 0),
    ("grpc.primary_user_agent", USER_AGENT),
]


class GrpcTransport:
    """Opens its channel at the first call: one that is open does not survive a fork."""

    def __init__(self, address: Address, options: Options) -> None:
        self._address = address
        self._options = options
        self._channel: Any = None
        self._is_aborted = False

    def unary(self, method: str, request: bytes, timeout: float) -> bytes:
        return self._call("unary_unary", method, request, timeout)

    def client_stream(self, method: str, requests: list[bytes], timeout: float) -> bytes:
        return self._call("stream_unary", method, iter(requests), timeout)

    def _opened(self) -> Any:
        if self._channel is None:
            authority = self._address.authority
            if self._address.is_https:
                self._channel = grpc.secure_channel(authority, grpc.ssl_channel_credentials(), CHANNEL_OPTIONS)
            else:
                self._channel = grpc.insecure_channel(authority, CHANNEL_OPTIONS)
        return self._channel

    def _call(self, kind: str, method: str, request: Any, timeout: float) -> bytes:
        if self._is_aborted:
            raise CallError("CANCELLED", "the client was closed", is_transient=True)
        path = f"{self._address.prefix}/clickmesh.v1.{method}"
        metadata = tuple(headers_of(self._options).items())
        try:
            # It blocks: a call that does not needs a thread, which is not to be had while the interpreter ends.
            call = getattr(self._opened(), kind)(path, None, None)
            return bytes(
                call(request, timeout=max(timeout, 0.001), metadata=metadata, compression=grpc.Compression.Gzip)
            )
        except (grpc.RpcError, ValueError) as error:
            # ValueError is what a channel that is closed says.
            if self._is_aborted or isinstance(error, ValueError):
                raise CallError("CANCELLED", "the client was closed", is_transient=True) from None
            raise call_error(error) from None

    def abort(self) -> None:
        self._is_aborted = True
        self.close()

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def after_fork(self) -> Transport:
        """
        gRPC's threads and locks are not in the child, and its epoll set is the parent's as well: the child goes by
        HTTP/1.1, and the channel is never freed there, which would wait for those threads.
        """
        if self._channel is None:
            return GrpcTransport(self._address, self._options)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._channel))
        return ConnectTransport(self._address, self._options)


def call_error(error: Any) -> CallError:
    trailers = list(error.trailing_metadata() or ())
    retry_after = max((seconds_of(value) for key, value in trailers if key == "retry-after"), default=0)
    code, message = error.code().name, " ".join(str(error.details() or "").split())
    # A connection that ends badly within a call is told in many ways.
    is_broken = code in ("INTERNAL", "UNKNOWN", "CANCELLED") and not trailers and is_of_connection(message)
    if is_broken:
        return CallError("UNAVAILABLE", message, is_transient=True)
    return of_code(code, message, retry_after or retry_info(trailers))


def is_of_connection(message: str) -> bool:
    return any(
        word in message for word in ("RST_STREAM", "Stream removed", "stream", "GOAWAY", "reset", "HTTP2", "http2")
    )


def retry_info(trailers: list[tuple[str, Any]]) -> float:
    """Seconds of a RetryInfo in the status that came with the error; 0 if there is none."""
    marker = b"type.googleapis.com/google.rpc.RetryInfo\x12"
    for key, value in trailers:
        at = value.find(marker) if key == "grpc-status-details-bin" else -1
        if at >= 0:
            start = at + len(marker)
            return retry_delay(value[start + 1 : start + 1 + value[start]])
    return 0
