"""What became of the events of a stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clickmesh.attempts import rejection_of
from clickmesh.errors import Rejected
from clickmesh.events import Prepared
from clickmesh.v1.ingest_service_pb2 import IngestStreamResponse

# Rejections that an answer lists, as the gateway does.
MAX_REJECTIONS = 1000


@dataclass(frozen=True)
class StreamRejection:
    """A rejected event of a stream."""

    #: Its number among those given, from 0.
    index: int
    rejected: Rejected


@dataclass(frozen=True)
class StreamResult:
    """What became of the events of a stream."""

    accepted: int
    rejected: int
    #: The first 1,000.
    rejections: list[StreamRejection]
    #: Names that were ignored, and in how many events: the first 100 names.
    ignored: dict[str, int]


def stream_result(
    answer: IngestStreamResponse | None,
    prepared: Sequence[Prepared],
    places: Sequence[int],
    refused: Sequence[tuple[int, Rejected]],
) -> StreamResult:
    """The gateway's answer, if it was asked, with what the client itself rejected, by the numbers of what was given."""
    rejections = [StreamRejection(i, error) for i, error in refused]
    ignored: dict[str, int] = {}
    if answer is not None:
        for told in answer.rejections:
            error = rejection_of(told.rejection, prepared[told.index])
            rejections.append(StreamRejection(places[told.index], error))
        ignored = {name.name: name.events for name in answer.ignored}
    for event in prepared:
        for name in event.left_out:
            ignored[name] = ignored.get(name, 0) + 1
    rejections.sort(key=lambda rejection: rejection.index)
    accepted, rejected = (answer.accepted, answer.rejected) if answer is not None else (0, 0)
    return StreamResult(accepted, rejected + len(refused), rejections[:MAX_REJECTIONS], ignored)
