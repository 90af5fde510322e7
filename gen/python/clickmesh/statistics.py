"""What statistics are asked by, and told as."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal, TypeAlias

from clickmesh.v1.stats_service_pb2 import GetStatsRequest, GetStatsResponse, Interval
from clickmesh.values import utc_day

IntervalName: TypeAlias = Literal["daily", "weekly", "monthly", "hourly"]


class StatsRow(dict[str, Any]):
    """
    A row of statistics: a dict, so that it prints as JSON, whose entries are attributes as well. `date`,
    `campaign_id`, `source`, `clicks`, `conversions`, `revenue`, `cvr` (None without clicks), and the exact sums
    `conversions_micros` and `revenue_micros`.
    """

    date: str
    campaign_id: str
    source: str
    clicks: int
    conversions: float
    revenue: float
    cvr: float | None
    conversions_micros: int
    revenue_micros: int

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"a row has no {name}: it has {', '.join(self)}") from None


def stats_request(
    start: date | str, end: date | str, interval: Interval | IntervalName, *, by: Sequence[str], **filters: Any
) -> GetStatsRequest:
    if isinstance(interval, str):
        try:
            interval = getattr(Interval, f"INTERVAL_{interval.upper()}")
        except AttributeError:
            raise ValueError(f'interval must be "daily", "weekly", "monthly" or "hourly": it is {interval!r}') from None
    first, last = utc_day("start", start), utc_day("end", end)
    return GetStatsRequest(start_date=first, end_date=last, interval=interval, by=by, **filters)


def stats_rows(response: GetStatsResponse) -> list[StatsRow]:
    return [row_of(row) for row in response.data]


def row_of(message: Any) -> StatsRow:
    row = StatsRow()
    for field in message.DESCRIPTOR.fields:
        if field.has_presence and not message.HasField(field.name):
            # What was not asked for is not there; without clicks there is no rate.
            if field.name == "cvr":
                row["cvr"] = None
        elif field.name == "values":
            if message.values:
                row["values"] = list(message.values)
        else:
            row[field.name] = getattr(message, field.name)
    return row
