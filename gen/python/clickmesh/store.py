"""Keeps events that could not be sent in a file, for the next client that opens it."""

from __future__ import annotations

import glob
import os
import struct
import zlib
from collections.abc import Iterable
from typing import IO

from clickmesh.errors import InvalidOption

try:
    import fcntl
except ImportError:  # Windows: one process at a time, which the program sees to.
    fcntl = None  # type: ignore[assignment]

# Before each event: its length and CRC-32.
HEADER = struct.Struct(">II")


class Store:
    """
    A file of one process, which holds a lock on it. Others that open the same path have files beside it, named by
    their process; who opens the path takes over those that nobody holds.

    A record stays until its event was answered: a crash sends it twice, under the same id, and never not at all.
    """

    def __init__(self, path: str, most_bytes: int) -> None:
        self._path = path
        self._most_bytes = most_bytes
        #: What waits, in order.
        self._kept: dict[bytes, None] = {}
        try:
            self._file = self._own_file()
            #: Bytes of the file, of which some may be of what was answered since.
            self._bytes = os.fstat(self._file.fileno()).st_size
            self._kept.update(dict.fromkeys(read_records(self._file)))
            self._compact()
            self._take_over()
        except OSError as error:
            raise InvalidOption(f"store {path!r} can't be read and written: {error}") from None

    def events(self) -> list[bytes]:
        return list(self._kept)

    def add(self, events: Iterable[bytes]) -> list[bool]:
        """Whether each is kept: durable when this returns."""
        kept = []
        for event in events:
            if event not in self._kept:
                size = HEADER.size + len(event)
                if self._bytes + size > self._most_bytes:
                    self._compact()
                if self._bytes + size > self._most_bytes:
                    kept.append(False)
                    continue
                self._file.write(record_of(event))
                self._bytes += size
                self._kept[event] = None
            kept.append(True)
        os.fsync(self._file.fileno())
        return kept

    def remove(self, events: Iterable[bytes]) -> None:
        """Forgets those that were answered; in the file once there are no others, or at close()."""
        for event in events:
            self._kept.pop(event, None)
        if not self._kept:
            self._compact()

    def close(self) -> None:
        if self._file.closed:
            return
        self._compact()
        # What is empty and named by a process would be left behind for ever.
        if not self._kept and self._name != self._path:
            os.unlink(self._name)
        self._file.close()

    def abandon(self) -> None:
        """In a child of a fork: leaves the file, and the lock on it, to its parent."""
        self._file.close()

    def _own_file(self) -> IO[bytes]:
        for name in (self._path, f"{self._path}.{os.getpid()}"):
            file = locked_file(name)
            if file is not None:
                self._name = name
                return file
        raise InvalidOption(f"store {self._path!r} is in use by other clients of this process")

    def _take_over(self) -> None:
        for path in glob.glob(f"{glob.escape(self._path)}.*"):
            if path == self._name or not path[len(self._path) + 1 :].isdigit():
                continue
            file = locked_file(path)
            if file is None:
                continue
            with file:
                if all(self.add(read_records(file))):
                    os.unlink(path)

    def _compact(self) -> None:
        """Leaves in the file what waits, by a new one in its place: a crash leaves the old one or the new one."""
        records = b"".join(map(record_of, self._kept))
        if len(records) == self._bytes:
            return
        new = open(f"{self._name}.new", "w+b", buffering=0)
        lock(new)
        new.write(records)
        os.fsync(new.fileno())
        os.replace(new.name, self._name)
        self._file.close()
        self._file = new
        self._bytes = len(records)


def locked_file(path: str) -> IO[bytes] | None:
    """The file, with the lock on it; None if another process has that."""
    while True:
        file = open(path, "a+b", buffering=0)
        if not lock(file):
            file.close()
            return None
        # Another file may have taken its place before it was locked.
        if os.path.exists(path) and os.path.samestat(os.stat(path), os.fstat(file.fileno())):
            return file
        file.close()


def lock(file: IO[bytes]) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def record_of(event: bytes) -> bytes:
    return HEADER.pack(len(event), zlib.crc32(event)) + event


def read_records(file: IO[bytes]) -> list[bytes]:
    """Up to the first that was not written whole."""
    file.seek(0)
    data = file.read()
    events = []
    at = 0
    while at + HEADER.size <= len(data):
        size, checksum = HEADER.unpack_from(data, at)
        event = data[at + HEADER.size : at + HEADER.size + size]
        if len(event) < size or zlib.crc32(event) != checksum:
            break
        events.append(event)
        at += HEADER.size + size
    return events
