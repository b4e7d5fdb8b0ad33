"""A client of the web application over a record, in this process."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from starlette.testclient import TestClient

from vivienne.changes.service import ConfigService
from vivienne.server.factory import web_application
from vivienne.store.opening import open_store
from vivienne.stream.hub import Hub
from vivienne.stream.logs import LogStream
from vivienne.stream.state import StateBoard

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from vivienne.live.view import MarketView
    from vivienne.record.reading.view import RecordView


@contextmanager
def client(
    folder: Path, record: RecordView, market: MarketView | None = None, *, assets: Sequence[str] = ("BTC", "ETH", "SOL")
) -> Iterator[TestClient]:
    """A client of everything under /phoenix.

    Args:
        folder: for the database of the configuration.
        record: what is read.
        market: has the bars that are in memory.
        assets: that are decided.
    """
    service = ConfigService(open_store(folder / "v.db", "alone"), assets)
    hub = Hub(service.metrics)
    app = web_application(service, cast("MarketView", market), hub, StateBoard(hub), LogStream(), record=record)
    with TestClient(app, "http://here/phoenix/") as found:
        yield found
        assert found.portal is not None
        found.portal.call(service.close)


def get(client: TestClient, where: str, **query: Any) -> dict[str, Any]:
    """What a client is answered."""
    answer = client.get(where, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found
