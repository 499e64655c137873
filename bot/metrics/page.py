"""`/metrics`, for Prometheus. It needs no token and says nothing of anybody's data, as `/healthz`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from bot.forges.port import Forge
from bot.log.store import Store
from bot.metrics.counts import Counting, Numbers
from bot.metrics.families import families

FRESH_S = 5.0
"""The page is made at most so often: whoever asks more, gets the one before."""
UNREACHABLE = "The database does not answer. See /readyz.\n"


def metrics_router(
    store: Store, forges: Mapping[str, Forge], clock: Callable[[], float] = time.monotonic
) -> APIRouter:
    """The route."""
    routes, page = APIRouter(tags=["health"]), Page(store, forges, clock)

    @routes.get("/metrics", response_class=Response, responses={503: {"description": UNREACHABLE}})
    async def metrics() -> Response:
        """Numbers in the text format of Prometheus."""
        try:
            return Response(await page.text(), media_type=CONTENT_TYPE_LATEST)
        except SQLAlchemyError:
            return Response(UNREACHABLE, status_code=503, media_type="text/plain; charset=utf-8")

    return routes


@dataclass
class Page:
    """The page as it was made last. One at a time is made."""

    store: Store
    forges: Mapping[str, Forge]
    clock: Callable[[], float] = time.monotonic
    _count: Counting = field(default_factory=Counting)
    _made: tuple[float, bytes] | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def text(self) -> bytes:
        """The exposition. Raises SQLAlchemyError."""
        async with self._lock:
            if self._made is None or self.clock() - self._made[0] >= FRESH_S:
                self._made = (self.clock(), await run_in_threadpool(self._make))
            return self._made[1]

    def _make(self) -> bytes:
        with self.store.read() as session:
            numbers = self._count(session)
        return generate_latest(_Collected(numbers, self.forges))


@dataclass(frozen=True)
class _Collected(Collector):
    numbers: Numbers
    forges: Mapping[str, Forge]

    def collect(self) -> Iterator[Metric]:
        return families(self.numbers, {name: forge.allowances() for name, forge in self.forges.items()})
