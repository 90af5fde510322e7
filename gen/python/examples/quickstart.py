"""
Sends a click and the purchase that followed it, waits for the statistics and fails if they are not what was sent.
CLICKMESH_URL names the gateway.
"""

import os
import time
import uuid
from datetime import datetime, timezone

from clickmesh import Click, Client, Conversion

campaign = f"python-quickstart-{uuid.uuid4()}"
user = f"user-{uuid.uuid4()}"

with Client(os.environ.get("CLICKMESH_URL", "http://127.0.0.1:8080")) as client:
    client.track(Click(user_id=user, ad_id="ad-1", campaign_id=campaign, source="facebook"))
    client.track(Conversion(user_id=user, type="purchase", value=19.99, source="ios_app"))
    client.flush()

    today = datetime.now(timezone.utc).date()
    give_up_at = time.monotonic() + 30
    while not (rows := client.stats(today, today, campaign_id=campaign)) or rows[0].conversions == 0:
        assert time.monotonic() < give_up_at, "the statistics did not come"
        time.sleep(0.2)

[row] = rows
assert (row.clicks, row.conversions, row.revenue_micros) == (1, 1, 19_990_000), row
print(row)
