"""Sends clicks and conversions to a clickmesh gateway and reads the statistics made of them."""

from clickmesh.client import Client, Rejected
from clickmesh.v1.event_pb2 import Adjustment, Click, Conversion, Event, Verdict
from clickmesh.v1.ingest_service_pb2 import Acceptance, RejectReason
from clickmesh.v1.stats_service_pb2 import Interval, StatsRow

__all__ = [
    "Acceptance",
    "Adjustment",
    "Click",
    "Client",
    "Conversion",
    "Event",
    "Interval",
    "Rejected",
    "RejectReason",
    "StatsRow",
    "Verdict",
]
