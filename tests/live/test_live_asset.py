"""One asset fed by hand: what its state says as data comes, stops and fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from making import MIDNIGHT, minute, minutes
from vivienne.agent.indicators import bars_needed
from vivienne.agent.schema import Indicators
from vivienne.changes.requests import ChangeRequest, SwitchRequest, Update
from vivienne.changes.service import ConfigService
from vivienne.live.asset import LiveAsset
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import MINUTE_MS, Bars
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from vivienne.market.types import Candle
    from vivienne.wire.state import AssetState

NEEDED = bars_needed(Indicators(), 1)


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ConfigService]:
    made = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ["BTC"])
    yield made
    await made.close()


def live_asset(
    service: ConfigService, timeframe: Timeframe = Timeframe.M1, *, require_full_history: bool = False
) -> LiveAsset:
    return LiveAsset(
        "BTC",
        feed="by hand",
        timeframe=timeframe,
        window=2500,
        active=lambda: service.active("BTC"),
        require_full_history=require_full_history,
    )


@pytest.fixture
def fresh(service: ConfigService) -> LiveAsset:
    return live_asset(service)


@pytest.fixture
def warm(fresh: LiveAsset) -> LiveAsset:
    """With just enough bars, decided."""
    fresh.load(Bars.from_candles(minutes(NEEDED + 20)))
    fresh.decide()
    return fresh


def idle(data: AssetState) -> bool:
    return (data["clarity_level"], data["position_size"], data["signal_confidence"]) == ("idle", 0.0, 0.0)


def test_without_data_it_is_warming_up_and_has_no_price(fresh: LiveAsset) -> None:
    fresh.decide()

    data = fresh.data()

    assert (data["status"], data["price"], data["bar_time"]) == ("warming_up", None, None)
    assert (data["status_reason_id"], data["status_reason"]) == ("warming_up", f"0 of {NEEDED} bars of 1m")
    assert data["history"] == {"bars": 0, "needed": NEEDED, "of": 1_000}
    assert idle(data)


def test_warming_up_counts_the_bars_until_there_are_enough(fresh: LiveAsset) -> None:
    seen = []
    for candle in minutes(NEEDED):
        assert fresh.take(candle)
        fresh.decide()
        data = fresh.data()
        seen.append((data["status"], data["status_reason_id"], data["history"]["bars"]))
        if data["status"] == "warming_up":
            assert data["status_reason"] == f"{data['history']['bars']} of {NEEDED} bars of 1m"

    waiting = [("warming_up", "warming_up", count) for count in range(1, NEEDED)]
    assert seen == [*waiting, ("live", "short_history", NEEDED)]


@pytest.mark.parametrize("price", [-5.0, 0.0])
def test_a_history_of_prices_that_are_none_is_not_decided_on_and_the_reason_says_so(
    fresh: LiveAsset, price: float
) -> None:
    """The history of a feed is checked like what follows it."""
    right = minutes(3 * NEEDED)
    wrong = [each._replace(open=price, high=price, low=price, close=price) for each in right]
    fresh.load(Bars.from_candles([]), bars=Bars.from_candles(right[: 2 * NEEDED] + wrong[2 * NEEDED : -40]))
    fresh.load(Bars.from_candles(wrong[-40:-30] + right[-30:-10]))
    for candle in right[-10:]:
        fresh.take(candle)
    fresh.decide()

    data = fresh.data()

    assert [data["status"], data["price"], data["history"]["bars"]] == ["warming_up", right[-1].close, 30]
    assert data["status_reason"] == (
        f"30 of {NEEDED} bars of 1m; {len(right) - 40} bars of the history are invalid or before an invalid one, "
        "and not used"
    )
    assert idle(data)


def test_live_says_how_much_history_is_there_until_it_is_full(fresh: LiveAsset) -> None:
    candles = minutes(1_001)
    fresh.load(Bars.from_candles(candles[:999]))
    seen = []
    for candle in (None, *candles[999:]):
        if candle is not None:
            fresh.take(candle)
        fresh.decide()
        data = fresh.data()
        seen.append((data["status"], data["status_reason_id"], data["history"]))

    full = ("live", None, {"bars": 1_000, "needed": NEEDED, "of": 1_000})
    assert seen == [("live", "short_history", {"bars": 999, "needed": NEEDED, "of": 1_000}), full, full]
    assert fresh.data()["status_reason"] is None


def test_where_the_full_history_is_required_it_is_warming_up_until_then(service: ConfigService) -> None:
    candles = minutes(1_000)
    asset = live_asset(service, require_full_history=True)
    asset.load(Bars.from_candles(candles[:999]))
    asset.decide()
    waiting = asset.data()
    asset.take(candles[999])
    asset.decide()

    assert (waiting["status"], waiting["status_reason"]) == ("warming_up", "999 of 1000 bars of 1m")
    assert idle(waiting)
    assert (asset.data()["status"], asset.data()["status_reason"]) == ("live", None)


def test_warming_up_shows_the_price_and_explains_nothing(fresh: LiveAsset) -> None:
    fresh.take(minute(0, 123.5))
    fresh.decide()

    data = fresh.data()

    assert (data["price"], data["price_time"]) == (123.5, "2025-01-01T00:01:00.000Z")
    assert data["explanation"] is None
    assert idle(data)


def test_a_minute_inside_a_longer_bar_decides_nothing(service: ConfigService) -> None:
    asset = live_asset(service, Timeframe.M5)

    closed = [asset.take(candle) for candle in minutes(10)]

    assert closed == [False, False, False, False, True] * 2


def test_a_price_moves_the_price_and_nothing_else(warm: LiveAsset) -> None:
    before = warm.data()

    warm.move(999.5, MIDNIGHT + (NEEDED + 20) * MINUTE_MS + 5_000)

    after = warm.data()
    assert (after["price"], after["price_time"]) == (999.5, iso(MIDNIGHT + (NEEDED + 20) * MINUTE_MS + 5_000))
    changed = {name for name, value in after.items() if value != dict(before)[name]}
    assert changed - {"data_age"} == {"price", "price_time"}


def test_an_ended_feed_keeps_its_last_decision_on_show(warm: LiveAsset) -> None:
    before = warm.data()

    warm.end()

    after = warm.data()
    assert after["status"] == "ended"
    assert after["status_reason"]
    changed = {name for name, value in after.items() if value != dict(before)[name]}
    assert changed == {"status", "status_reason", "status_reason_id", "data_age"}
    assert after["data_age"] is None


def test_a_feed_that_ended_too_early_says_so(fresh: LiveAsset) -> None:
    fresh.load(Bars.from_candles(minutes(5)))
    fresh.decide()
    fresh.end()

    data = fresh.data()

    assert data["status"] == "warming_up"
    assert data["status_reason"] == f"5 of {NEEDED} bars of 1m; the replay has ended"
    assert idle(data)


def test_a_broken_feed_is_stale_and_idle_with_the_reason(warm: LiveAsset) -> None:
    warm.break_off("the file ends in the middle of a line")

    data = warm.data()

    assert (data["status"], data["status_reason"]) == ("stale", "the file ends in the middle of a line")
    assert (data["side"], data["explanation"]) == ("none", None)
    assert idle(data)


def test_a_broken_feed_stays_broken_whatever_is_reconfigured(warm: LiveAsset) -> None:
    warm.break_off("gone")

    warm.decide()

    assert warm.data()["status"] == "stale"


def test_a_failed_decision_is_stale_until_the_next_one_succeeds(warm: LiveAsset) -> None:
    warm.fail("it failed")
    failed = warm.data()

    warm.decide()

    assert (failed["status"], failed["status_reason"]) == ("stale", "it failed")
    assert idle(failed)
    assert warm.data()["status"] == "live"


@pytest.mark.parametrize(("missing", "status"), [(1, "live"), (60, "live"), (61, "warming_up"), (5000, "warming_up")])
def test_a_hole_of_more_than_an_hour_starts_the_warm_up_again(warm: LiveAsset, missing: int, status: str) -> None:
    news = warm.take(minute(NEEDED + 20 + missing, 100.0))
    warm.decide()

    assert news
    assert warm.data()["status"] == status
    if status == "warming_up":
        assert warm.data()["status_reason"] == f"1 of {NEEDED} bars of 1m"
        assert idle(warm.data())


def test_a_hole_inside_a_longer_bar_is_news_at_once(service: ConfigService) -> None:
    """Nothing decided before the hole may stay on show until the next bar closes."""
    asset = live_asset(service, Timeframe.M15)
    asset.load(Bars.from_candles(minutes(15 * 170)))
    asset.decide()
    assert asset.data()["status"] == "live"

    assert asset.take(minute(15 * 170 + 62, 100.0))

    asset.decide()
    assert asset.data()["status"] == "warming_up"


def test_after_a_hole_the_newest_of_the_bars_that_closed_is_on_show(warm: LiveAsset) -> None:
    candle = minute(NEEDED + 23, 120.0)

    warm.take(candle)
    warm.decide()

    assert warm.data()["bar_time"] == iso(candle.open_time)
    assert warm.chart(1)["bars"][0]["config_version"] == 0


def test_late_and_repeated_minutes_change_nothing(warm: LiveAsset) -> None:
    before = warm.data()

    news = [warm.take(minute(number, 5000.0)) for number in (0, NEEDED, NEEDED + 19)]

    assert news == [False, False, False]
    warm.decide()
    assert warm.data() | {"data_age": None} == before | {"data_age": None}


async def test_a_change_decides_with_the_new_configuration(service: ConfigService, warm: LiveAsset) -> None:
    answer = await service.change(ChangeRequest(Update({"position_size_idle": 3}, partial=True), channel="test"))

    warm.decide()

    assert warm.config.version == answer["version"] == 1
    assert warm.config.document["settings"]["position_size_idle"] == 3


async def test_a_longer_period_than_there_are_bars_is_warming_up_and_a_shorter_one_live_again(
    service: ConfigService, warm: LiveAsset
) -> None:
    await service.change(ChangeRequest(Update({"indicators": {"ema_slow_period": 200}}, partial=True), channel="test"))
    warm.decide()
    assert warm.data()["status"] == "warming_up"
    assert f"{NEEDED + 20} of " in str(warm.data()["status_reason"])

    await service.change(ChangeRequest(Update({"indicators": {"ema_slow_period": 21}}, partial=True), channel="test"))
    warm.decide()

    assert warm.data()["status"] == "live"


def test_the_state_says_which_bar_was_decided_and_where_the_data_is_from(warm: LiveAsset) -> None:
    data = warm.data()

    last = MIDNIGHT + (NEEDED + 19) * MINUTE_MS
    assert data["bar_time"] == f"2025-01-01T{(last - MIDNIGHT) // 3_600_000:02}:{(NEEDED + 19) % 60:02}:00.000Z"
    assert (data["timeframe"], data["feed"], data["bar_closed"]) == ("1m", "by hand", True)


def test_a_decision_on_a_tick_says_that_its_bar_is_open_and_may_be_taken_back(service: ConfigService) -> None:
    asset = LiveAsset(
        "BTC", feed="by hand", timeframe=Timeframe.M5, window=2500, active=lambda: service.active("BTC"), on_tick=True
    )
    candles = minutes(1_005)
    asset.load(Bars.from_candles(candles[:1_002]))
    asset.decide()
    opened = asset.data()
    assert opened["price"] is not None
    asset.move(opened["price"] * 1.2, candles[1_002].open_time)
    asset.decide()
    moved = asset.data()
    asset.load(Bars.from_candles(candles[1_002:]))
    asset.decide()

    closed = asset.data()

    assert [data["bar_closed"] for data in (opened, moved, closed)] == [False, False, True]
    assert {data["bar_time"] for data in (opened, moved, closed)} == {"2025-01-01T16:40:00.000Z"}
    assert moved["explanation"] != opened["explanation"]


def on_ticks(service: ConfigService, timeframe: Timeframe, candles: list[Candle]) -> LiveAsset:
    asset = LiveAsset(
        "BTC", feed="by hand", timeframe=timeframe, window=2500, active=lambda: service.active("BTC"), on_tick=True
    )
    asset.load(Bars.from_candles(candles))
    asset.decide()
    return asset


def test_a_tick_opens_the_next_minute_before_any_of_it_has_closed(service: ConfigService) -> None:
    candles = minutes(200)
    asset = on_ticks(service, Timeframe.M1, candles)
    assert asset.data()["bar_closed"]

    asset.move(candles[-1].close * 1.01, candles[-1].open_time + MINUTE_MS + 1)
    asset.decide()

    data = asset.data()
    assert not data["bar_closed"]
    assert data["bar_time"] == iso(candles[-1].open_time + MINUTE_MS)
    assert data["explanation"] is not None


def test_prices_between_two_decisions_leave_their_high_and_low_in_the_open_bar(service: ConfigService) -> None:
    """The true range of the open bar sees them, so the distances in ATR shrink."""
    candles = minutes(1_001)
    last, time = candles[-1], candles[-1].open_time + MINUTE_MS

    def ema_distance(*prices: float) -> float:
        asset = on_ticks(service, Timeframe.M5, candles)
        for price in prices:
            asset.move(price, time + 1)
        asset.decide()
        explanation = asset.data()["explanation"]
        assert explanation is not None
        reading = explanation["signals"][0]["reading"]
        assert reading is not None
        return abs(reading)

    assert ema_distance(last.close * 1.2, last.close * 0.8, last.close) < ema_distance(last.close)


def test_the_trading_of_the_open_bar_is_projected_to_its_length(service: ConfigService) -> None:
    """Two minutes of five are in: trades per minute are theirs, and so is the volume under the VWAP."""
    candles = minutes(1_002)
    asset = on_ticks(service, Timeframe.M5, candles)
    asset.move(candles[-1].close, candles[-1].open_time + MINUTE_MS + 1)
    asset.decide()
    data = asset.data()
    assert not data["bar_closed"]
    assert data["explanation"] is not None
    values = {
        check["id"]: check["value"]
        for one in data["explanation"]["filters"]
        for scenario in one["scenarios"]
        for check in scenario["checks"]
    }

    open_minutes = candles[1_000:]
    assert values["trades_per_minute"] == pytest.approx(sum(candle.trade_count for candle in open_minutes) / 2)
    closed = candles[945:1_000]  # eleven bars of the hour under the VWAP, the open one is the twelfth
    quote = sum(candle.quote_volume for candle in closed) + 2.5 * sum(candle.quote_volume for candle in open_minutes)
    base = sum(candle.volume for candle in closed) + 2.5 * sum(candle.volume for candle in open_minutes)
    assert values["over_vwap"] == pytest.approx(candles[-1].close - quote / base)


async def test_during_a_pause_the_trouble_of_the_data_is_told_apart(service: ConfigService, warm: LiveAsset) -> None:
    warm.break_off("the feed broke off")
    assert {"id": "feed_failed", "message": "the feed broke off"} == warm.data()["trouble"]

    await service.switch(SwitchRequest("pause", asset="BTC", channel="test"))

    data = warm.data()
    assert ("paused", "paused") == (data["status"], data["status_reason_id"])
    assert {"id": "feed_failed", "message": "the feed broke off"} == data["trouble"]
    assert data["pause"] is not None
