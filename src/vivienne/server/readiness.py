"""Readiness: what `/ready` says of the process and its parts, and the metric of the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from vivienne.metrics.registry import Sample
from vivienne.slices import one_piece

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from vivienne.changes.service import ConfigService
    from vivienne.live.view import MarketView
    from vivienne.server.store_health import StoreHealth
    from vivienne.slices import Pieces

ReadyStatus = Literal["ready", "degraded", "unavailable"]


class Readiness:
    """The health of the parts.

    Args:
        service: knows configurations that are left out, and pauses that are not stored; has the metrics.
        market: knows the health of the feeds.
        store: knows the health of the store, as of its last check.
        additions: health of optional parts: by name ``ok``, or what is wrong with it.
        is_stopping: tells whether the process is about to stop.
    """

    def __init__(
        self,
        service: ConfigService,
        market: MarketView,
        store: StoreHealth,
        additions: Callable[[], Pieces[dict[str, Any]]] = lambda: one_piece(dict),
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._service = service
        self._market = market
        self._store = store
        self._additions = additions
        self._is_stopping = is_stopping
        service.metrics.long_source(self._samples)

    def now(self) -> Pieces[tuple[ReadyStatus, dict[str, Any]]]:
        """The status, and by part ``ok`` or what is wrong with it; looks at one asset after the other."""
        needed: dict[str, Any] = {"store": self._store.trouble or "ok"}
        if self._is_stopping():
            needed["process"] = "It is stopping; connect to another one"
        helpful = yield from self._additions()
        feeds = needed if self._market.is_local else helpful
        troubles = yield from self._market.troubles()
        feeds["feeds"] = dict.fromkeys(self._market.assets, "ok") | troubles
        yield
        for layer, found in self._service.ignored.items():
            helpful.setdefault("configuration", {})[layer] = [problem.message for problem in found]
        if unstored := self._service.unstored():
            helpful["unstored_pauses"] = unstored
        status: ReadyStatus = "ready" if _is_ok(helpful) else "degraded"
        if not _is_ok(needed):
            status = "unavailable"
        return status, {**needed, **helpful}

    def _samples(self) -> Generator[Sample | None]:
        current, _ = yield from self.now()
        for status in get_args(ReadyStatus):
            yield Sample("vivienne_ready", (status,), float(status == current))


def _is_ok(part: Any) -> bool:
    return all(map(_is_ok, part.values())) if isinstance(part, dict) else bool(part == "ok")
