"""Every way data may go wrong: the asset says so and is idle, and nothing is decided on what never happened."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from making import MIDNIGHT, minute, minutes
from sizes import rounds
from vivienne.agent.indicators import bars_needed
from vivienne.agent.schema import Indicators
from vivienne.changes.service import ConfigService
from vivienne.live.asset import LiveAsset
from vivienne.live.freshness import Freshness
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import MINUTE_MS, Bars, Candle
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from vivienne.wire.state import AssetState, ReasonId

NEEDED = bars_needed(Indicators(), 1)
WARM = NEEDED + 20
"""Minutes that are there when the tests begin; the next one is the one of this number."""
SILENCE = 180.0
HOUR = 60


class Exchange:
    """An asset with a clock of the test's, fed at the pace of an exchange: a minute lasts a minute."""

    def __init__(self, service: ConfigService) -> None:
        self.now = 1_000.0
        self.asset = LiveAsset(
            "BTC",
            feed="by hand",
            timeframe=Timeframe.M1,
            window=2500,
            active=lambda: service.active("BTC"),
            freshness=Freshness(SILENCE, 1.0, lambda: self.now),
        )
        self.asset.load(Bars.from_candles(minutes(WARM)))
        self.asset.decide()

    def wait(self, seconds: float) -> None:
        """Time passes; as in a running market, somebody looks."""
        self.now += seconds
        self.asset.freshness.look()

    def close(self, candle: Candle, *, after: float = 60.0) -> AssetState:
        """A minute comes, so long after what was before."""
        self.wait(after)
        if self.asset.take(candle):
            self.asset.decide()
        return self.data

    def trade(self, price: float, time: int, *, after: float = 0.0) -> AssetState:
        """A price comes."""
        self.wait(after)
        self.asset.move(price, time)
        return self.data

    @property
    def data(self) -> AssetState:
        return self.asset.data()


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[Exchange]:
    service = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ["BTC"])
    made = Exchange(service)
    assert made.data["status"] == "live"
    yield made
    await service.close()


def moment(number: float) -> int:
    """When the minute of this number begins."""
    return MIDNIGHT + round(number * MINUTE_MS)


def assert_stale(data: AssetState, reason: ReasonId) -> None:
    assert (data["status"], data["clarity_level"], data["position_size"]) == ("stale", "idle", 0.0)
    assert (data["side"], data["signal_confidence"], data["explanation"]) == ("none", 0.0, None)
    assert data["status_reason_id"] == reason
    assert data["status_reason"]


class TestAge:
    def test_it_grows_until_newer_data_comes(self, exchange: Exchange) -> None:
        exchange.wait(42.0)
        waited = exchange.data["data_age"]

        fresh = exchange.trade(100.0, moment(WARM + 0.7))["data_age"]

        assert (waited, fresh) == (42.0, 0.0)

    def test_what_comes_twice_or_late_makes_nothing_younger(self, exchange: Exchange) -> None:
        exchange.trade(100.0, moment(WARM + 0.1), after=6.0)
        exchange.close(minute(WARM - 1), after=10.0)
        exchange.trade(100.0, moment(WARM + 0.1), after=10.0)
        exchange.trade(100.0, moment(WARM - 5), after=10.0)

        assert exchange.data["data_age"] == 30.0

    def test_the_state_says_beyond_which_age_it_is_stale(self, exchange: Exchange) -> None:
        limit = exchange.data["data_age_limit"]
        assert limit == SILENCE

        exchange.wait(SILENCE)
        assert exchange.data["status"] == "live"
        exchange.wait(1.0)
        assert_stale(exchange.data, "no_data")

    def test_an_ended_replay_has_none(self, exchange: Exchange) -> None:
        exchange.asset.end()
        exchange.wait(10 * SILENCE)

        assert (exchange.data["status"], exchange.data["data_age"]) == ("ended", None)


class TestRepeatedData:
    def test_a_feed_that_only_repeats_itself_is_stale(self, exchange: Exchange) -> None:
        last = minutes(WARM)[-1]
        for _ in range(5):
            exchange.close(last)

        assert_stale(exchange.data, "no_data")

    def test_a_feed_that_only_delivers_old_prices_is_stale_and_shows_none_of_them(self, exchange: Exchange) -> None:
        price = exchange.data["price"]
        for number in range(5):
            exchange.trade(1.0 + number, moment(10 + number), after=60.0)

        assert_stale(exchange.data, "no_data")
        assert exchange.data["price"] == price

    def test_a_late_minute_among_good_ones_is_left_out(self, exchange: Exchange) -> None:
        exchange.close(minute(WARM, 100.0))
        before = {**exchange.data}
        after = {**exchange.close(minute(WARM - 30, 5_000.0), after=0.0)}

        assert before == after
        assert after["status"] == "live"


class TestPricesThatAreNone:
    @pytest.mark.parametrize("price", [math.nan, math.inf, -math.inf, 0.0, -1.0])
    def test_a_price_that_is_none_is_stale_until_a_minute_closes(self, exchange: Exchange, price: float) -> None:
        shown = exchange.data["price"]

        assert_stale(exchange.trade(price, moment(WARM + 0.5)), "bad_price")
        assert exchange.data["price"] == shown
        assert exchange.close(minute(WARM))["status"] == "live"

    @pytest.mark.parametrize("price", [math.nan, math.inf, 0.0, -1.0])
    @pytest.mark.parametrize("field", ["open", "high", "low", "close"])
    def test_a_minute_with_such_a_price_is_left_out(self, exchange: Exchange, field: str, price: float) -> None:
        bar = exchange.data["bar_time"]

        assert_stale(exchange.close(Candle(**{**minute(WARM)._asdict(), field: price})), "bad_minute")

        assert exchange.data["bar_time"] == bar
        assert exchange.close(minute(WARM + 1))["status"] == "live"
        assert all(math.isfinite(close) and close > 0 for close in exchange.asset.closes(1000))

    @pytest.mark.parametrize(
        "wrong",
        [{"volume": math.nan}, {"volume": -1.0}, {"quote_volume": math.inf}, {"trade_count": -5.0}, {"high": 1.0},
         {"open_time": moment(WARM) + 1_000}, {"open_time": moment(WARM) * 1_000}, {"open_time": -60_000}],
    )  # fmt: skip
    def test_what_is_no_minute_is_left_out(self, exchange: Exchange, wrong: dict[str, Any]) -> None:
        assert_stale(exchange.close(Candle(**{**minute(WARM)._asdict(), **wrong})), "bad_minute")
        assert exchange.close(minute(WARM))["status"] == "live"

    def test_a_feed_that_sends_nothing_else_says_both(self, exchange: Exchange) -> None:
        for number in range(5):
            exchange.close(minute(WARM + number)._replace(close=math.nan))

        assert_stale(exchange.data, "no_data")
        assert "; minute ignored" in str(exchange.data["status_reason"])


class TestClocks:
    def test_one_that_is_always_wrong_does_not_matter(self, exchange: Exchange) -> None:
        """The minutes of the exchange are of 2025, and this machine thinks of another year."""
        for number in range(10):
            assert exchange.close(minute(WARM + number))["status"] == "live"

    def test_a_minute_an_hour_ahead_is_a_slip_and_makes_up_no_hour(self, exchange: Exchange) -> None:
        count = len(exchange.asset.closes(1000))

        assert_stale(exchange.close(minute(WARM + HOUR - 5)), "clock_jumped")

        assert exchange.close(minute(WARM + 1))["status"] == "live"
        assert len(exchange.asset.closes(1000)) == count + 2

    def test_a_clock_that_stays_an_hour_ahead_starts_the_window_anew(self, exchange: Exchange) -> None:
        exchange.close(minute(WARM + HOUR - 5))

        data = exchange.close(minute(WARM + HOUR - 4))

        assert (data["status"], data["position_size"]) == ("warming_up", 0.0)
        assert len(exchange.asset.closes(1000)) == 1

    def test_minutes_of_a_year_ahead_that_come_at_once_are_a_slip_too(self, exchange: Exchange) -> None:
        count = len(exchange.asset.closes(1000))
        for number in range(WARM + 365 * 24 * HOUR, WARM + 365 * 24 * HOUR + 20):
            assert_stale(exchange.close(minute(number), after=0.01), "clock_jumped")
        assert exchange.close(minute(WARM + 1))["status"] == "live"
        assert len(exchange.asset.closes(1000)) == count + 2

    def test_a_price_an_hour_ahead_is_not_shown(self, exchange: Exchange) -> None:
        shown = exchange.data["price"]

        assert_stale(exchange.trade(5_000.0, moment(WARM + HOUR)), "clock_jumped")
        assert exchange.data["price"] == shown

    def test_a_clock_that_falls_an_hour_back_is_stale(self, exchange: Exchange) -> None:
        for number in range(4):
            exchange.close(minute(WARM + number - HOUR, 5_000.0))

        assert_stale(exchange.data, "no_data")
        assert 5_000.0 not in exchange.asset.closes(1000)

    def test_a_machine_that_slept_for_an_hour_makes_up_no_hour(self, exchange: Exchange) -> None:
        """Its clock stood still, the exchange's did not."""
        exchange.close(minute(WARM + 50))
        data = exchange.close(minute(WARM + 51))

        assert data["status"] == "warming_up"


class TestOutages:
    @pytest.mark.parametrize("missing", [10, HOUR, 3 * HOUR])
    def test_after_an_outage_nothing_is_made_up(self, exchange: Exchange, missing: int) -> None:
        exchange.wait(missing * 60.0)
        assert_stale(exchange.data, "no_data")

        assert_stale(exchange.trade(100.0, moment(WARM + missing)), "minutes_missing")

        data = exchange.close(minute(WARM + missing))
        assert (data["status"], data["clarity_level"], data["position_size"]) == ("warming_up", "idle", 0.0)

    def test_data_that_was_kept_back_over_an_outage_is_stale_until_it_has_caught_up(self, exchange: Exchange) -> None:
        exchange.wait(HOUR * 60.0)
        assert_stale(exchange.trade(100.0, moment(WARM + 0.5)), "behind")

        for number in range(HOUR - 4):
            assert_stale(exchange.close(minute(WARM + number), after=0.1), "behind")
        for number in range(HOUR - 4, HOUR):
            caught_up = exchange.close(minute(WARM + number), after=0.1)
        assert caught_up["status"] == "live"

    def test_a_market_that_stood_still_and_goes_on_at_its_pace_is_live_with_the_second_minute(
        self, exchange: Exchange
    ) -> None:
        exchange.wait(HOUR * 60.0)
        assert_stale(exchange.data, "no_data")

        assert_stale(exchange.close(minute(WARM), after=0.0), "behind")
        assert exchange.close(minute(WARM + 1))["status"] == "live"

    @pytest.mark.sized
    def test_a_clock_that_is_a_little_slow_is_never_behind(self, exchange: Exchange) -> None:
        """By half a minute a day, which is more than clocks are."""
        for number in range(rounds(20, 4) * HOUR):
            assert exchange.close(minute(WARM + number), after=60.02)["status"] == "live"

    @pytest.mark.parametrize("missing", [5, 10, 40])
    def test_while_prices_came_and_no_minutes_nothing_is_made_up(self, exchange: Exchange, missing: int) -> None:
        for number in range(2 * missing):
            exchange.trade(100.0 - number / 100, moment(WARM + number / 2), after=30.0)

        data = exchange.close(minute(WARM + missing))
        assert (data["status"], data["clarity_level"], data["position_size"]) == ("warming_up", "idle", 0.0)

    def test_several_minutes_that_were_left_out_are_not_made_up(self, exchange: Exchange) -> None:
        for number in range(3):
            exchange.close(minute(WARM + number)._replace(close=math.nan))
            exchange.trade(100.0, moment(WARM + number + 1.2))

        assert exchange.close(minute(WARM + 3))["status"] == "warming_up"

    def test_a_price_does_not_end_an_outage(self, exchange: Exchange) -> None:
        """It may have come late; what happened in the minutes that follow is still not known."""
        exchange.wait(SILENCE + 10)
        exchange.trade(100.0, moment(WARM + 0.5))

        assert exchange.close(minute(WARM + 3), after=30.0)["status"] == "warming_up"

    def test_minutes_without_trades_are_no_outage(self, exchange: Exchange) -> None:
        """Some exchanges leave them out."""
        exchange.wait(SILENCE / 2)

        assert exchange.close(minute(WARM + 2))["status"] == "live"

    def test_prices_without_minutes_are_stale_and_decide_nothing(self, exchange: Exchange) -> None:
        bar = exchange.data["bar_time"]
        for number in range(8):
            exchange.trade(100.0 + number, moment(WARM + number / 2), after=30.0)

        assert_stale(exchange.data, "no_minute_closed")
        assert exchange.data["bar_time"] == bar
