"""Which course of market time a process records."""

from __future__ import annotations

from typing import Any

from vivienne.roles.recording import run_of
from vivienne.settings.boot import Boot

BEGIN = "2026-01-31T08:00Z"


def key(**given: Any) -> tuple[str, bool]:
    run = run_of(Boot.read(**given))
    return run.key, run.is_real


def test_a_real_market_has_one_run_for_ever() -> None:
    assert key(feed="push") == ("push", True)
    usual = key(feed="exchange", exchange="binance")
    assert usual == ("exchange:binance:USDT", True)
    assert usual == key(feed="exchange", exchange="binance", quote="usdt", assets="BTC")
    others: list[dict[str, Any]] = [{"quote": "EUR"}, {"exchange_url": "https://api.binance.us"}, {"exchange": "bybit"}]
    assert usual not in [key(**({"feed": "exchange", "exchange": "binance"} | other)) for other in others]


def test_a_simulation_goes_on_only_where_its_beginning_and_settings_are_the_same() -> None:
    assert key() != key()
    assert key(market_begin=BEGIN) == key(market_begin=BEGIN, assets="BTC")
    others: list[dict[str, Any]] = [
        {"seed": 2},
        {"speed": "100"},
        {"timeframe": "1h"},
        {"market_begin": "2026-01-31T09:00Z"},
    ]
    assert key(market_begin=BEGIN) not in [key(**({"market_begin": BEGIN} | other)) for other in others]
    replay = {"feed": "replay", "market_begin": BEGIN}
    assert key(**replay, data=("BTC=a.csv",)) == key(**replay, data=("BTC=a.csv",))
    assert key(**replay, data=("BTC=a.csv",)) != key(**replay, data=("BTC=b.csv",))
