"""The simulated market: reproducible, valid, and eventful enough to see everything the agent can say."""

from __future__ import annotations

import asyncio
import time
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from making import columns_of, configured, document_of, resampled
from sizes import examples, rounds
from vivienne.agent.evaluate import Evaluation, evaluate
from vivienne.agent.filters import FILTERS
from vivienne.errors import MarketDataError
from vivienne.market.feeds.base import FeedEvent, MinuteClosed, PriceMoved
from vivienne.market.feeds.simulated import BEGIN_MS, SimulatedFeed, simulated_minutes
from vivienne.market.types import MINUTE_MS, Bars, Candle

DAY = 1_440
ASSETS = ("BTC", "ETH", "SOL")
MONTH_OF_BARS = 30 * DAY // 15


def feed(*assets: str, seed: int = 1, speed: float = 1e9, timeframe_minutes: int = 15) -> SimulatedFeed:
    return SimulatedFeed(assets or ASSETS, seed=seed, speed=speed, timeframe_minutes=timeframe_minutes)


def market(asset: str, seed: int, count: int) -> list[Candle]:
    return list(islice(simulated_minutes(asset, seed), count))


def test_the_same_seed_is_the_same_market() -> None:
    assert market("BTC", 7, 2 * DAY) == market("BTC", 7, 2 * DAY)


def test_another_seed_or_another_asset_is_another_market() -> None:
    one, two, three = market("BTC", 7, 100), market("BTC", 8, 100), market("ETH", 7, 100)
    returns = [[candle.close / candle.open for candle in candles] for candles in (one, two, three)]
    assert returns[0] != returns[1]
    assert returns[0] != returns[2]


def test_an_asset_has_the_same_market_whoever_else_is_simulated() -> None:
    alone = feed("ETH").history("ETH", least=960, most=3_000)
    among = feed("BTC", "ETH", "SOL").history("ETH", least=960, most=3_000)
    assert [*alone.minutes.candles()] == [*among.minutes.candles()]


@examples(75)
@given(asset=st.sampled_from(["BTC", "ETH", "SOL", "DOGE", "PEPE", "A", "ZZZ9"]), seed=st.integers(0, 2**32 - 1))
def test_every_minute_is_a_valid_candle(asset: str, seed: int) -> None:
    bars = Bars.from_candles(market(asset, seed, 3 * DAY))
    assert (np.arange(3 * DAY) * MINUTE_MS + BEGIN_MS).tolist() == bars.open_time.tolist()
    assert all(np.isfinite(column).all() for column in columns_of(bars))
    assert (bars.low > 0).all()
    assert (bars.low <= np.minimum(bars.open, bars.close)).all()
    assert (bars.high >= np.maximum(bars.open, bars.close)).all()
    assert (bars.volume > 0).all()
    assert (bars.trade_count >= 1).all()
    assert (bars.trade_count == np.round(bars.trade_count)).all()
    assert ((bars.taker_buy_volume >= 0) & (bars.taker_buy_volume <= bars.volume)).all()
    average = bars.quote_volume / bars.volume
    assert ((average >= bars.low * 0.999) & (average <= bars.high * 1.001)).all()
    # A minute opens where the one before closed.
    np.testing.assert_allclose(bars.open[1:], bars.close[:-1], rtol=1e-9, atol=1e-4)


@pytest.mark.sized
@pytest.mark.parametrize(("asset", "usual"), [("BTC", 65_000), ("ETH", 3_200), ("SOL", 160)])
def test_prices_stay_about_where_they_usually_are(asset: str, usual: float) -> None:
    closes = [candle.close for candle in market(asset, 1, rounds(60, 15) * DAY)]
    assert usual / 5 < min(closes)
    assert max(closes) < usual * 5


@pytest.fixture(scope="module")
def month() -> list[Evaluation]:
    """Thirty days of three assets, decided with the defaults."""
    evaluations = []
    for asset in ASSETS:
        bars = resampled(market(asset, 1, 30 * DAY))
        assert len(bars) == MONTH_OF_BARS
        evaluations.append(evaluate(bars, configured(), 15, len(bars)))
    return evaluations


@pytest.mark.parametrize("number", range(len(ASSETS)))
def test_every_level_can_be_seen_within_a_month(month: list[Evaluation], number: int) -> None:
    decided = month[number].decided
    assert {0, 1, 2, 3} == set(decided.raw_level.tolist())
    assert (decided.level < decided.raw_level).any()


def test_every_level_is_earned_and_kept_by_some_asset_within_a_month(month: list[Evaluation]) -> None:
    assert {0, 1, 2, 3} == {level for evaluation in month for level in evaluation.decided.level.tolist()}
    assert {-1.0, 1.0} <= {side for evaluation in month for side in evaluation.votes.side.tolist()}


SCENARIOS = [(barrier.name, scenario.id) for barrier in FILTERS for scenario in barrier.scenarios]


def times_blocked(evaluations: list[Evaluation]) -> dict[tuple[str, str], int]:
    blocks = [evaluation.filters.scenario_blocks.sum(axis=1) for evaluation in evaluations]
    return dict(zip(SCENARIOS, np.sum(blocks, axis=0).tolist(), strict=True))


@pytest.mark.parametrize("scenario", [found for found in SCENARIOS if found != ("volatility", "overextended")])
def test_every_way_to_block_can_be_seen_within_a_month(month: list[Evaluation], scenario: tuple[str, str]) -> None:
    assert times_blocked(month)[scenario] > 0


def test_an_overextended_close_blocks_where_no_breakout_votes_for_it() -> None:
    """Three deviations away the bands widen, so the breakout votes; nearer to the middle it does not."""
    config = configured(document_of({"filters.volatility.overextended_deviations": 1.8}))
    bars = resampled(market("BTC", 1, 30 * DAY))
    evaluation = evaluate(bars, config, 15, len(bars))
    assert times_blocked([evaluation])["volatility", "overextended"] > 0


@pytest.mark.parametrize("number", range(len(ASSETS)))
def test_every_state_of_volatility_and_trend_can_be_seen_within_a_month(month: list[Evaluation], number: int) -> None:
    now, tunables = month[number].now, configured().filters.volatility
    assert (now.bandwidth < tunables.volatility_squeeze_threshold).any()
    assert (now.bandwidth > tunables.volatility_breakout_threshold).any()
    assert (np.abs(now.deviations) >= tunables.overextended_deviations).any()
    assert {-1.0, 0.0, 1.0} == set(month[number].trend.tolist())


def test_without_filters_nothing_is_held_back() -> None:
    config = configured(document_of({barrier.switch: False for barrier in FILTERS}))
    bars = resampled(market("BTC", 1, 10 * DAY))
    decided = evaluate(bars, config, 15, len(bars)).decided
    assert decided.raw_level.tolist() == decided.level.tolist()


@pytest.mark.parametrize(
    ("timeframe_minutes", "least", "most", "expected"),
    [
        (15, 65 * 15, 1_001 * 15, 1_001 * 15),  # as much as is kept
        (1, 65, 1_001, 1_001),
        (60, 65 * 60, 1_001 * 60, 60_000),  # no more than can be made in a moment
        (240, 65 * 240, 1_001 * 240, 60_000),
        (1_440, 65 * 1_440, 1_001 * 1_440, 100 * 1_440),  # enough bars of the longest kind
        (240, 531 * 240, 1_001 * 240, 531 * 240),  # enough for the longest periods
        (15, 65 * 15, 100, 90),  # whole bars
    ],
)
def test_history_is_as_long_as_is_useful(timeframe_minutes: int, least: int, most: int, expected: int) -> None:
    history = feed("BTC", timeframe_minutes=timeframe_minutes).history("BTC", least=least, most=most)
    assert history.is_whole
    assert len(history.minutes) == expected
    assert history.minutes.open_time[0] == BEGIN_MS


async def followed(source: SimulatedFeed, asset: str, minutes: int) -> list[FeedEvent]:
    events: list[FeedEvent] = []
    closed = 0
    async for event in source.follow(asset):
        events.append(event)
        closed += isinstance(event, MinuteClosed)
        if closed == minutes:
            break
    return events


@pytest.mark.parametrize("speed", [1e9, 2_000.0])
async def test_what_follows_continues_where_the_history_ended(speed: float) -> None:
    source = feed("BTC", "ETH", speed=speed)
    history = source.history("ETH", least=960, most=1_440)
    live = [event.candle for event in await followed(source, "ETH", 10) if isinstance(event, MinuteClosed)]
    assert market("ETH", 1, 1_450) == [*history.minutes.candles(), *live]


def begun(ago: float, *, speed: float = 60.0) -> SimulatedFeed:
    """A market of one minute a second, and so long ago."""
    return SimulatedFeed(ASSETS, seed=1, speed=speed, timeframe_minutes=15, begun=time.time() - ago)


def test_a_market_that_has_begun_is_where_the_time_since_has_brought_it() -> None:
    """Two days of it have passed in 48 minutes; what is kept of it ends at the present minute."""
    history = begun(48 * 60).history("BTC", least=960, most=15_000)
    elsewhere = market("BTC", 1, 15_000 + 2 * DAY + 60)
    candles = [*history.minutes.candles()]
    end = elsewhere.index(candles[-1])
    assert 15_000 + 2 * DAY - 1 <= end <= 15_000 + 2 * DAY + 30
    assert elsewhere[end + 1 - len(candles) : end + 1] == candles
    assert len(candles) == 15_000
    assert not history.is_whole


async def test_two_that_began_at_the_same_time_are_at_the_same_minute() -> None:
    beginning = time.time() - 100

    async def newest() -> Candle:
        source = SimulatedFeed(ASSETS, seed=1, speed=60.0, timeframe_minutes=15, begun=beginning)
        source.history("ETH", least=960, most=1_440)
        async for event in source.follow("ETH"):
            if isinstance(event, MinuteClosed):
                return event.candle
        raise AssertionError("the market ended")

    first = await newest()
    await asyncio.sleep(1.2)
    second = await newest()
    assert 1 <= (second.open_time - first.open_time) / MINUTE_MS <= 4


def test_a_market_that_began_too_long_ago_is_refused() -> None:
    with pytest.raises(MarketDataError, match="set a later start"):
        begun(100 * 86_400)


async def test_following_without_a_history_begins_at_the_beginning() -> None:
    live = [event.candle for event in await followed(feed("BTC"), "BTC", 5) if isinstance(event, MinuteClosed)]
    assert market("BTC", 1, 5) == live


async def test_prices_move_within_a_minute_and_stay_within_its_candle() -> None:
    source = feed("BTC", speed=600.0)
    moved: list[PriceMoved] = []
    for event in await followed(source, "BTC", 3):
        if isinstance(event, PriceMoved):
            moved.append(event)
            continue
        candle = event.candle if isinstance(event, MinuteClosed) else None
        assert candle is not None
        assert len(moved) == 3
        for move in moved:
            assert candle.low <= move.price <= candle.high
            assert candle.open_time <= move.time < candle.open_time + MINUTE_MS
        assert sorted(move.time for move in moved) == [move.time for move in moved]
        moved.clear()


async def test_at_high_speed_only_whole_minutes_are_shown() -> None:
    events = await followed(feed("BTC", speed=1e6), "BTC", 5)
    assert {MinuteClosed} == {type(event) for event in events}


@pytest.mark.sized
def test_a_market_stays_near_its_usual_price_in_the_long_run() -> None:
    days = [candle.close for candle in islice(simulated_minutes("ETH", 3), 0, rounds(500, 120) * 1440, 1440)]
    assert 3_200 / 3 < min(days)
    assert max(days) < 3_200 * 3
