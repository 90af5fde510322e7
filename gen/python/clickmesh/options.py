"""Checks what a client is made with."""

from __future__ import annotations

import logging
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from clickmesh.errors import InvalidOption
from clickmesh.rules import MAX_CALL_EVENTS
from clickmesh.v1.event_pb2 import Event

Headers: TypeAlias = Mapping[str, str]
HeadersOption: TypeAlias = Headers | Callable[[], Headers] | None
OnError: TypeAlias = Callable[[Exception, list[Event]], object]
Logger: TypeAlias = logging.Logger | Callable[[str], object] | None
OnFull: TypeAlias = Literal["wait", "reject"]
Protocol: TypeAlias = Literal["connect", "grpc"]

LOGGER = logging.getLogger("clickmesh")
DAY_S = 86_400
MIB = 1 << 20
# RFC 9110: of a name its tokens; of a value what is printed, and blanks within.
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
HEADER_VALUE = re.compile(r"[\x21-\x7e\x80-\xff](?:[\x20-\x7e\x80-\xff\t]*[\x21-\x7e\x80-\xff])?|")


@dataclass(frozen=True)
class Address:
    """Where a gateway is."""

    is_https: bool
    host: str
    port: int
    #: As the URL has it, without user and path.
    authority: str
    #: Stands before that of every call; empty, or begins with a slash and does not end with one.
    prefix: str


@dataclass(frozen=True)
class Options:
    """What Client's constructor takes. Times are in seconds."""

    timeout: float
    attempt_timeout: float
    batch_size: int
    batch_delay: float
    max_queue_events: int
    max_queue_bytes: int
    on_full: OnFull
    headers: HeadersOption
    key: str | None
    protocol: Protocol
    disabled: bool
    on_error: OnError | None
    logger: Logger
    store: str | PathLike[str] | None
    store_bytes: int
    ssl_context: ssl.SSLContext | None

    def __post_init__(self) -> None:
        self._number("timeout", 0.001, DAY_S, "s")
        self._number("attempt_timeout", 0.001, DAY_S, "s")
        self._integer("batch_size", 1, MAX_CALL_EVENTS)
        self._number("batch_delay", 0, 60, "s")
        self._integer("max_queue_events", 1, 10_000_000)
        self._integer("max_queue_bytes", MIB, 16 << 30)
        self._choice("on_full", "wait", "reject")
        self._choice("protocol", "connect", "grpc")
        self._integer("store_bytes", 64 << 10, 1 << 30)
        self._check("disabled", "True or False", isinstance(self.disabled, bool))
        self._check("on_error", "a function or None", self.on_error is None or callable(self.on_error))
        is_logger = self.logger is None or isinstance(self.logger, logging.Logger) or callable(self.logger)
        self._check("logger", "a logging.Logger, a function or None", is_logger)
        self._check(
            "store", "the path of a file or None", self.store is None or isinstance(self.store, (str, PathLike))
        )
        self._check("key", "text that a header can have, or None", self.key is None or is_header_value(self.key))
        is_headers = self.headers is None or callable(self.headers) or is_header_map(self.headers)
        self._check("headers", "a mapping of header names to texts, or a function that gives one", is_headers)
        is_context = self.ssl_context is None or isinstance(self.ssl_context, ssl.SSLContext)
        self._check("ssl_context", "an ssl.SSLContext or None", is_context)
        if self.ssl_context is not None and self.protocol == "grpc":
            raise InvalidOption('ssl_context is for protocol "connect": gRPC takes GRPC_DEFAULT_SSL_ROOTS_FILE_PATH')

    def _check(self, name: str, what: str, is_right: bool) -> None:
        if not is_right:
            raise InvalidOption(f"{name} must be {what}: it is {getattr(self, name)!r}")

    def _number(self, name: str, least: float, most: float, unit: str) -> None:
        value = getattr(self, name)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        self._check(name, f"a number of {unit} in [{least}, {most}]", is_number and least <= value <= most)

    def _integer(self, name: str, least: int, most: int) -> None:
        value = getattr(self, name)
        is_integer = isinstance(value, int) and not isinstance(value, bool)
        self._check(name, f"an integer in [{least:,}, {most:,}]", is_integer and least <= value <= most)

    def _choice(self, name: str, *choices: str) -> None:
        self._check(name, " or ".join(f'"{choice}"' for choice in choices), getattr(self, name) in choices)

    def request_headers(self) -> dict[str, str]:
        """Those of the next request, in lower case."""
        given = self.headers() if callable(self.headers) else self.headers or {}
        if not is_header_map(given):
            raise InvalidOption(f"headers must give a mapping of header names to texts: it gave {given!r}")
        headers = {name.lower(): value for name, value in given.items()}
        if self.key is not None:
            headers["authorization"] = f"Bearer {self.key}"
        return headers

    def store_path(self) -> str | None:
        return None if self.store is None else fspath(self.store)


def is_header_value(value: Any) -> bool:
    return isinstance(value, str) and HEADER_VALUE.fullmatch(value) is not None


def is_header_map(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and HEADER_NAME.fullmatch(name) and is_header_value(text) for name, text in value.items()
    )


def read_address(url: str) -> Address:
    """:raises InvalidOption: that says what to write instead."""
    if not isinstance(url, str):
        raise InvalidOption(f"the address must be text such as http://127.0.0.1:8080: it is {url!r}")
    if "://" not in url:
        raise InvalidOption(f'"{url}" has no scheme: http://{url}')
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidOption(f'"{url}" is no address: {error}') from None
    if parts.scheme not in ("http", "https"):
        raise InvalidOption(f'"{url}" has the scheme {parts.scheme}: only http and https are known')
    if not parts.hostname:
        raise InvalidOption(f'"{url}" has no host')
    if parts.query or parts.fragment:
        raise InvalidOption(f'"{url}" has a query or fragment: an address has none')
    if parts.username is not None:
        raise InvalidOption("the address has a user in it: give the option `key` or `headers` instead")
    is_https = parts.scheme == "https"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = port or (443 if is_https else 80)
    return Address(is_https, parts.hostname, port, f"{host}:{port}", parts.path.rstrip("/"))
