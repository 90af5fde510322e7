"""A mesh that takes everything, and keeps it in memory or not at all."""

from __future__ import annotations

import re
import threading
import uuid

from clickmesh.v1.event_pb2 import Event
from clickmesh.v1.ingest_service_pb2 import (
    Acceptance,
    IngestBatchRequest,
    IngestBatchResponse,
    IngestResult,
    IngestStreamRequest,
    IngestStreamResponse,
)
from clickmesh.v1.stats_service_pb2 import GetStatsResponse

NAMESPACE = uuid.UUID("25398fb8-3422-5e94-8f3f-243876f82bf9")
HEX = "[0-9a-f]"
SPELLING = re.compile(
    r"(?:urn:uuid:)?(?:U|\{U\})".replace(
        "U", f"(?:{HEX}{{32}}|{HEX}{{8}}-{HEX}{{4}}-{HEX}{{4}}-{HEX}{{4}}-{HEX}{{12}})"
    ),
    re.IGNORECASE,
)


def stored_event_id(event_id: str) -> str:
    """
    The UUID under which the mesh stores and finds an event of this id: of a UUID in any usual spelling that UUID in
    lower case, of any other text its UUIDv5.
    """
    if SPELLING.fullmatch(event_id):
        return str(uuid.UUID(event_id))
    return str(uuid.uuid5(NAMESPACE, event_id))


class MemoryTransport:
    """Answers as a gateway does that has nothing to reject."""

    def __init__(self, keeps: bool) -> None:
        self._keeps = keeps
        self._lock = threading.Lock()
        self._offset = 0
        self.events: list[Event] = []

    def unary(self, method: str, request: bytes, timeout: float) -> bytes:
        if method != "IngestService/IngestBatch":
            return GetStatsResponse().SerializeToString()
        events = IngestBatchRequest.FromString(request).events
        with self._lock:
            first = self._offset
            self._offset += len(events)
            if self._keeps:
                self.events.extend(events)
        results = []
        for i, event in enumerate(events):
            event_id = getattr(event, event.WhichOneof("event") or "click").event_id
            results.append(IngestResult(accepted=Acceptance(event_id=stored_event_id(event_id), offset=first + i)))
        return IngestBatchResponse(results=results, accepted=len(results)).SerializeToString()

    def client_stream(self, method: str, requests: list[bytes], timeout: float) -> bytes:
        accepted = 0
        for request in requests:
            events = IngestStreamRequest.FromString(request).events
            accepted += len(events)
            if self._keeps:
                with self._lock:
                    self.events.extend(events)
        return IngestStreamResponse(accepted=accepted).SerializeToString()

    def abort(self) -> None: ...

    def close(self) -> None: ...

    def after_fork(self) -> MemoryTransport:
        return MemoryTransport(self._keeps)
