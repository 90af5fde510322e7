"""
Sends clicks and conversions to a clickmesh gateway and reads the statistics made of them.

    from clickmesh import Client

    with Client("http://127.0.0.1:8080") as client:
        client.track("click", user_id="user-123", ad_id="ad-456", campaign_id="camp-789", source="facebook")
"""

from clickmesh.acceptance import Acceptance
from clickmesh.aio import AsyncClient
from clickmesh.client import Client, MemoryClient
from clickmesh.errors import (
    ClickmeshError,
    ClientClosed,
    InvalidOption,
    NotSent,
    QueueFull,
    Rejected,
    SendFailed,
)
from clickmesh.events import (
    adjustment,
    click,
    complete,
    conversion,
    invalidate,
    refund,
    restate,
    retract,
    verdict,
)
from clickmesh.statistics import StatsRow
from clickmesh.stream import StreamRejection, StreamResult
from clickmesh.tracked import Counters
from clickmesh.v1.event_pb2 import Adjustment, Click, Conversion, Event, Verdict
from clickmesh.v1.ingest_service_pb2 import RejectReason
from clickmesh.v1.stats_service_pb2 import Interval

__all__ = [
    "Acceptance",
    "Adjustment",
    "AsyncClient",
    "Click",
    "ClickmeshError",
    "Client",
    "ClientClosed",
    "Conversion",
    "Counters",
    "Event",
    "Interval",
    "InvalidOption",
    "MemoryClient",
    "NotSent",
    "QueueFull",
    "RejectReason",
    "Rejected",
    "SendFailed",
    "StatsRow",
    "StreamRejection",
    "StreamResult",
    "Verdict",
    "adjustment",
    "click",
    "complete",
    "conversion",
    "invalidate",
    "refund",
    "restate",
    "retract",
    "verdict",
]
