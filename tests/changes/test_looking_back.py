"""The history is found by date, field, author, reason and channel, with a limit of what one request looks through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from revisions import revision
from vivienne.changes import looking_back
from vivienne.changes.service import ConfigService
from vivienne.errors import Malformed
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

BANG, RSI = "settings.state_threshold_bang", "signal_weights.rsi"


def _made(version: int, **more: Any) -> Any:
    return revision(version, created_at=f"2026-01-{version:02}T12:00:00.000Z", **more)


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ConfigService]:
    """Five changes, one a day from 1 January on."""
    store = SqliteRevisionStore(tmp_path / "vivienne.db")
    store.append(
        _made(1, changed=[{"path": BANG, "old": 80, "new": 81}], reason="Fewer, better entries"),
        _made(2, layer="BTC", author="Ren\u00e9e", changed=[{"path": RSI, "old": 1, "new": 0.5}]),
        _made(3, layer="BTC", channel="websocket", changed=[{"path": BANG, "old": 81, "new": 82}]),
        _made(4, layer="ETH", changed=[{"path": "filters.trend.description", "new": "x"}]),
        _made(5, layer="BTC", action="pause", document={}, reason="fewer of them"),
    )
    service = ConfigService(store, ("BTC", "ETH"))
    yield service
    await service.close()


async def found(
    service: ConfigService, asset: str | None = None, limit: int = 10, *, own: bool = False, **wanted: Any
) -> list[int]:
    page = await service.history(asset, limit, None, looking_back.RevisionFilter(**wanted), own=own)
    assert page["next"] is None
    return [entry["version"] for entry in page["history"]]


@pytest.mark.parametrize(
    ("wanted", "versions"),
    [
        ({"since": "2026-01-04T12:00:00.000Z"}, [5, 4]),
        ({"until": "2026-01-02T12:00:00.000Z"}, [1]),
        ({"since": "2026-01-02T00:00:00.000Z", "until": "2026-01-04T00:00:00.000Z"}, [3, 2]),
        ({"field": BANG}, [3, 1]),
        ({"field": "bang_threshold"}, [3, 1]),
        ({"field": "settings"}, [3, 1]),
        ({"field": "filters.trend"}, [4]),
        ({"field": "signal_weights.macd"}, []),
        ({"author": "REN\u00c9"}, [2]),
        ({"reason": "fewer"}, [5, 1]),
        ({"channel": "websocket"}, [3]),
        ({"reason": "fewer", "field": BANG}, [1]),
    ],
)
async def test_a_filter_finds_what_it_says(service: ConfigService, wanted: dict[str, Any], versions: list[int]) -> None:
    assert await found(service, **wanted) == versions


async def test_changes_of_a_layer_itself_are_told_from_those_it_inherits(service: ConfigService) -> None:
    assert await found(service, "btc", field=BANG) == [3, 1]
    assert await found(service, "btc", own=True) == [5, 3, 2]
    assert await found(service, own=True) == [1]


async def test_an_unknown_field_is_refused_with_the_nearest(service: ConfigService) -> None:
    with pytest.raises(Malformed, match=r"Unknown field 'settings.bang'; the nearest known one is 'settings"):
        await found(service, field="settings.bang")


async def test_a_request_looks_through_a_limited_part_and_says_where_to_go_on(
    service: ConfigService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking_back, "MOST_EXAMINED", 2)
    monkeypatch.setattr(looking_back, "_CHUNK", 1)
    wanted = looking_back.RevisionFilter(field=BANG)
    pages, before = [], None

    for _ in range(4):
        page = await service.history(None, 1, before, wanted)
        pages.append([entry["version"] for entry in page["history"]])
        if (before := page["next"]) is None:
            break

    assert pages == [[], [3], [1]]
