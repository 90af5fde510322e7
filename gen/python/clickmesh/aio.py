"""The client for asyncio."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from datetime import date
from typing import Any, TypeVar

from clickmesh.acceptance import Acceptance
from clickmesh.client import LIMIT_S, Client
from clickmesh.errors import NotSent, Rejected
from clickmesh.events import AnyEvent
from clickmesh.statistics import IntervalName, StatsRow
from clickmesh.stream import StreamResult
from clickmesh.tracked import Counters
from clickmesh.v1.event_pb2 import Event
from clickmesh.v1.stats_service_pb2 import Interval

T = TypeVar("T")


class AsyncClient:
    """
    The calls of Client as coroutines, with its options. Nothing blocks the event loop; callbacks such as `on_error` are
    called by other threads.

        async with AsyncClient("http://127.0.0.1:8080") as client:
            answer = await client.track("click", user_id="u", ad_id="a", campaign_id="c", source="web")
            acceptance = await answer  # only if you want to know
    """

    def __init__(self, url: str, **options: Any) -> None:
        self._client = Client(url, **options)
        #: So that those who wait for room go on in their order.
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        try:
            await self.close()
        except NotSent:
            if kind is None:
                raise

    async def track(self, event: AnyEvent | str, /, **fields: Any) -> asyncio.Future[Acceptance]:
        """
        Queues an event as Client.track does; waits while the queue is full. What it returns may be awaited for what
        became of the event, or left alone; to cancel it takes nothing back.
        """
        if self._turn.locked() or not self._client.has_room():
            async with self._turn:
                answer = await asyncio.to_thread(self._client.track, event, **fields)
        else:
            answer = self._client.track(event, **fields)
        return wrapped(answer)

    async def send(self, event: AnyEvent) -> Acceptance:
        """As Client.send. Cancelled, it is not tried again; the mesh may have the event all the same."""
        return await self._cancellable(lambda cancelled: self._client._send(event, cancelled))

    async def send_batch(self, events: Iterable[AnyEvent]) -> list[Acceptance | Rejected]:
        """As Client.send_batch; cancelled as send()."""
        return await self._cancellable(lambda cancelled: self._client._send_all(events, cancelled))

    async def _cancellable(self, call: Callable[[threading.Event], T]) -> T:
        cancelled = threading.Event()
        try:
            return await asyncio.to_thread(call, cancelled)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def send_stream(self, events: Iterable[AnyEvent]) -> StreamResult:
        """As Client.send_stream."""
        return await asyncio.to_thread(self._client.send_stream, events)

    def complete(self, event: AnyEvent) -> Event:
        """As Client.complete."""
        return self._client.complete(event)

    async def ready(self, limit: float = LIMIT_S) -> bool:
        """As Client.ready."""
        return await asyncio.to_thread(self._client.ready, limit)

    async def flush(self, limit: float = LIMIT_S) -> bool:
        """As Client.flush."""
        return await asyncio.to_thread(self._client.flush, limit)

    async def close(self, limit: float = LIMIT_S) -> None:
        """As Client.close. Cancelled, it goes on in a thread of its own."""
        await asyncio.to_thread(self._client.close, limit)

    def close_on_sigterm(self, limit: float = LIMIT_S) -> None:
        """As Client.close_on_sigterm."""
        self._client.close_on_sigterm(limit)

    def counters(self) -> Counters:
        """As Client.counters."""
        return self._client.counters()

    async def stats(
        self,
        start: date | str,
        end: date | str,
        *,
        interval: Interval | IntervalName = "daily",
        campaign_id: str = "",
        source: str = "",
        conversion_type: str = "",
        model: str = "",
        by: Sequence[str] = (),
        gross: bool = False,
    ) -> list[StatsRow]:
        """As Client.stats."""
        return await asyncio.to_thread(
            self._client.stats,
            start,
            end,
            interval=interval,
            campaign_id=campaign_id,
            source=source,
            conversion_type=conversion_type,
            model=model,
            by=by,
            gross=gross,
        )


def wrapped(answer: Future[Acceptance]) -> asyncio.Future[Acceptance]:
    """One that nobody looks at says nothing: on_error and the logger were told."""
    future = asyncio.wrap_future(answer)
    future.add_done_callback(lambda done: done.cancelled() or done.exception())
    return future
