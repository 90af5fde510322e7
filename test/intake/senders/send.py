"""Sends events as send.mjs does."""

import base64
import os
import sys

from clickmesh import Acceptance, Client, Event, Rejected
from clickmesh.v1.ingest_service_pb2 import IngestResult, Rejection


def show(answer: Acceptance | Rejected) -> None:
    if isinstance(answer, Rejected):
        rejection = Rejection(
            event_id=answer.event_id, field=answer.field, reason=answer.reason, limit=answer.limit, message=str(answer)
        )
        result = IngestResult(rejected=rejection)
    else:
        result = IngestResult(accepted=answer)
    print(base64.b64encode(result.SerializeToString()).decode())


events = [Event.FromString(base64.b64decode(line)) for line in sys.stdin]
with Client(os.environ["CLICKMESH_URL"]) as client:
    for event in events:
        try:
            show(client.send(event))
        except Rejected as rejected:
            show(rejected)
    for answer in client.send_batch(events):
        show(answer)
