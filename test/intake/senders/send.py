"""Sends events as send.mjs does."""

import base64
import os
import sys

from clickmesh import Acceptance, Client, Event, Rejected
from clickmesh.v1 import ingest_service_pb2 as v1


def show(answer: Acceptance | Rejected) -> None:
    if isinstance(answer, Rejected):
        rejection = v1.Rejection(
            event_id=answer.event_id[:128],
            field=answer.field,
            reason=answer.reason,
            limit=answer.limit,
            message=str(answer),
            received=answer.received,
        )
        result = v1.IngestResult(rejected=rejection)
    else:
        accepted = v1.Acceptance(event_id=answer.stored_id, ignored=answer.ignored)
        result = v1.IngestResult(accepted=accepted)
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
