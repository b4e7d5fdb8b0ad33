"""Replays: every candle once, in order, and the same decisions each time."""

from __future__ import annotations

import gzip
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from making import MIDNIGHT, candles_in, configured, minutes
from sizes import rounds
from vivienne.agent.evaluate import evaluate
from vivienne.agent.indicators import bars_needed
from vivienne.errors import MarketDataError
from vivienne.live.freshness import Freshness
from vivienne.market.bars import BarBuilder, GapFiller, Restart
from vivienne.market.feeds.base import FeedEnded, FeedEvent, MinuteClosed, PriceMoved
from vivienne.market.feeds.replay import ReplayFeed, _Pace
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import DAY_MS, MINUTE_MS, Candle, Trade
from vivienne.market.window import BarWindow

if TYPE_CHECKING:
    from pathlib import Path

    from vivienne.agent.decision import Decision

DAY = DAY_MS // MINUTE_MS


def written(path: Path, candles: list[Candle]) -> Path:
    """A kline file with exactly these candles; one that does not end a day gets an unclosed one at its end."""
    rows = ["open_time,open,high,low,close,volume,quote_volume,count,taker_buy_volume"]
    rows += [",".join(map(str, candle)) for candle in candles]
    if (candles[-1].open_time + MINUTE_MS) % DAY_MS:
        rows.append(",".join(map(str, candles[-1]._replace(open_time=candles[-1].open_time + MINUTE_MS))))
    path.write_text("\n".join(rows))
    return path


def written_trades(path: Path, trades: list[Trade]) -> Path:
    rows = ["time,price,qty,is_buyer_maker"]
    rows += [f"{trade.time},{trade.price},{trade.quantity},{trade.buyer_is_maker}" for trade in trades]
    path.write_text("\n".join(rows))
    return path


async def rest(feed: ReplayFeed, asset: str = "BTC") -> list[FeedEvent]:
    return [event async for event in feed.follow(asset)]


def candles_of(events: list[FeedEvent]) -> list[Candle]:
    return [event.candle for event in events if isinstance(event, MinuteClosed)]


async def test_history_and_what_follows_give_every_candle_once(tmp_path: Path) -> None:
    candles = minutes(5_000)
    feed = ReplayFeed({"BTC": [written(tmp_path / "a.csv", candles)]}, None)
    history = feed.history("BTC", least=975, most=15_000)
    events = await rest(feed)
    assert history.is_whole
    assert candles[:975] == [*history.minutes.candles()]
    assert candles[975:] == candles_of(events)
    assert [FeedEnded()] == events[-1:]
    assert events.count(FeedEnded()) == 1


async def test_several_files_follow_each_other(tmp_path: Path) -> None:
    candles = minutes(3 * DAY - 7)
    days = [written(tmp_path / f"{n}.csv", candles[n * DAY : (n + 1) * DAY]) for n in range(3)]
    feed = ReplayFeed({"BTC": days}, None)
    history = feed.history("BTC", least=DAY + 100, most=10_000)
    assert len(history.minutes) == DAY + 100
    assert candles == [*history.minutes.candles(), *candles_of(await rest(feed))]


async def test_files_cut_within_a_day_follow_each_other_without_a_hole(tmp_path: Path) -> None:
    """The minute a file ends with was closed where the next file goes on right after it."""
    candles = minutes(100)
    text = written(tmp_path / "a.csv", candles).read_text().splitlines()
    paths = [tmp_path / "b.csv", tmp_path / "c.csv"]
    paths[0].write_text("\n".join(text[:41]))
    paths[1].write_text("\n".join([text[0], *text[41:]]))
    assert candles == candles_of(await rest(ReplayFeed({"BTC": paths}, None)))


async def test_each_asset_is_replayed_on_its_own(tmp_path: Path) -> None:
    bitcoin, ether = minutes(200, seed=1), minutes(120, first=5_000, seed=2)
    feed = ReplayFeed(
        {"BTC": [written(tmp_path / "b.csv", bitcoin)], "ETH": [written(tmp_path / "e.csv", ether)]}, None
    )
    assert feed.assets == ("BTC", "ETH")
    assert ether == [*feed.history("ETH", least=10, most=99).minutes.candles(), *candles_of(await rest(feed, "ETH"))]
    assert bitcoin == [*feed.history("BTC", least=10, most=99).minutes.candles(), *candles_of(await rest(feed, "BTC"))]


async def test_a_file_that_is_all_history_ends_at_once(tmp_path: Path) -> None:
    feed = ReplayFeed({"BTC": [written(tmp_path / "a.csv", minutes(50))]}, None)
    assert minutes(50) == [*feed.history("BTC", least=975, most=15_000).minutes.candles()]
    assert [FeedEnded()] == await rest(feed)


async def test_missing_minutes_count_as_history(tmp_path: Path) -> None:
    """They will be filled, so that what is needed is there."""
    candles = [candle for number, candle in enumerate(minutes(400)) if number % 50 < 25]
    feed = ReplayFeed({"BTC": [written(tmp_path / "a.csv", candles)]}, None)
    history = [*feed.history("BTC", least=101, most=1_000).minutes.candles()]
    assert history[-1].open_time - history[0].open_time == 100 * MINUTE_MS
    assert candles == [*history, *candles_of(await rest(feed))]


async def test_trades_are_replayed_as_prices_and_minutes(tmp_path: Path) -> None:
    trades = [Trade(MIDNIGHT + number * 20_000, 100.0 + number, 1.0, buyer_is_maker=False) for number in range(13)]
    feed = ReplayFeed({"BTC": [written_trades(tmp_path / "t.csv", trades)]}, None)
    events = await rest(feed)
    assert [PriceMoved(trade.price, trade.time) for trade in trades] == [
        event for event in events if isinstance(event, PriceMoved)
    ]
    assert [MIDNIGHT + number * MINUTE_MS for number in (1, 2, 3)] == [
        candle.open_time for candle in candles_of(events)
    ]
    assert [(103.0, 105.0), (106.0, 108.0), (109.0, 111.0)] == [(c.open, c.close) for c in candles_of(events)]


async def test_a_minute_closes_before_the_price_that_follows_it(tmp_path: Path) -> None:
    trades = [Trade(MIDNIGHT + number * MINUTE_MS, 100.0, 1.0, buyer_is_maker=False) for number in range(3)]
    events = await rest(ReplayFeed({"BTC": [written_trades(tmp_path / "t.csv", trades)]}, None))
    assert [PriceMoved, PriceMoved, MinuteClosed, PriceMoved, FeedEnded] == [type(event) for event in events]


def test_trades_that_give_no_candle_are_counted_and_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trades = [Trade(MIDNIGHT + number * 20_000, 100.0, 1.0, buyer_is_maker=False) for number in range(6)]
    with caplog.at_level("INFO"):
        feed = ReplayFeed({"BTC": [written_trades(tmp_path / "t.csv", trades)]}, None)
    assert feed.left_out["BTC", "partial"] == 6
    assert "6 trades left out, of the first and the last minute" in caplog.text
    (warning,) = (record.getMessage() for record in caplog.records if record.levelname == "WARNING")
    assert warning.startswith("BTC: no candle comes of these trades")
    assert warning.endswith("trades of at least three minutes are needed")


async def test_a_late_trade_is_replayed_at_its_time(tmp_path: Path) -> None:
    on_time = [Trade(MIDNIGHT + number * 40_000, 100.0, 1.0, buyer_is_maker=False) for number in range(9)]
    late = Trade(MIDNIGHT + 70_000, 999.0, 1.0, buyer_is_maker=False)
    feed = ReplayFeed({"BTC": [written_trades(tmp_path / "t.csv", [*on_time[:6], late, *on_time[6:]])]}, None)
    events = await rest(feed)
    moves = [event for event in events if isinstance(event, PriceMoved)]
    assert [PriceMoved(trade.price, trade.time) for trade in [*on_time[:2], late, *on_time[2:]]] == moves
    assert [999.0, 100.0] == [candle.high for candle in candles_of(events)][:2]


async def test_real_trades_replay_to_the_minutes_of_the_archive(marketdata: Path) -> None:
    path = marketdata / "trades" / "BTCUSDT-spot-trades-2024-08-08T2354_2024-08-09T0005.csv.gz"
    feed = ReplayFeed({"BTC": [path]}, None)
    candles = [*feed.history("BTC", least=3, most=1_000).minutes.candles(), *candles_of(await rest(feed))]
    assert [1_723_161_300_000 + number * MINUTE_MS for number in range(10)] == [c.open_time for c in candles]


async def decisions(feed: ReplayFeed) -> list[Decision]:
    """What the live path decides at each closed bar."""
    config = configured()
    gaps, builder, window = GapFiller(), BarBuilder(Timeframe.M15), BarWindow(1_500)
    least = (bars_needed(config.indicators, 15) + 1) * 15
    decided: list[Decision] = []
    for candle in [*feed.history("BTC", least=least, most=1_501 * 15).minutes.candles(), *candles_of(await rest(feed))]:
        for item in gaps.add(candle):
            if isinstance(item, Restart):
                builder.restart()
                window.clear()
            elif (bar := builder.add(item)) is not None:
                window.append(bar)
                decided.append(evaluate(window.bars(), config, 15, is_cut=window.is_cut).decision())
    return decided


@pytest.mark.sized
async def test_a_replay_decides_the_same_each_time(marketdata: Path, tmp_path: Path) -> None:
    month = candles_in(marketdata / "klines" / "BTCUSDT-1m-2025-02.csv.gz")
    bars = rounds(2_688, 700)
    files = {"BTC": [written(tmp_path / "february.csv", month[: bars * 15 + 1])]}  # the last minute may be open
    once = await decisions(ReplayFeed(files, None))
    assert list(map(repr, once)) == list(map(repr, await decisions(ReplayFeed(files, None))))
    assert len(once) == bars
    assert {1, 2, 3} <= {decision.raw_level for decision in once}
    assert all(decision.is_whole for decision in once)


async def test_every_real_minute_is_replayed_once(marketdata: Path) -> None:
    paths = [marketdata / "klines" / f"ETHUSDT-1m-2022-08-{day}.zip" for day in (14, 15)]
    feed = ReplayFeed({"ETH": paths}, None)
    replayed = [*feed.history("ETH", least=975, most=15_000).minutes.candles(), *candles_of(await rest(feed, "ETH"))]
    assert [candle for path in paths for candle in candles_in(path)] == replayed
    assert {MINUTE_MS} == set(np.diff([candle.open_time for candle in replayed]).tolist())


# What is wrong with files is said at once, or when it is reached


async def test_files_are_put_in_order_by_their_times(tmp_path: Path) -> None:
    candles = minutes(2 * DAY)
    first, second = written(tmp_path / "a.csv", candles[:DAY]), written(tmp_path / "b.csv", candles[DAY:])
    assert candles == candles_of(await rest(ReplayFeed({"BTC": [second, first]}, None)))


def test_a_missing_file_is_refused_before_anything_is_replayed(tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match="the file does not exist"):
        ReplayFeed({"BTC": [written(tmp_path / "a.csv", minutes(9)), tmp_path / "b.csv"]}, None)


def test_a_file_without_one_closed_minute_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("open_time,open,high,low,close,volume\n")
    with pytest.raises(MarketDataError, match="does not contain a closed minute"):
        ReplayFeed({"BTC": [path]}, None)


async def test_a_broken_line_is_reported_when_the_replay_gets_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path / "a.csv", minutes(100))
    lines = path.read_text().splitlines()
    lines[60] = lines[60].replace("0", "x")
    path.write_text("\n".join(lines))
    feed = ReplayFeed({"BTC": [path]}, None)
    assert minutes(100)[:30] == [*feed.history("BTC", least=30, most=1_000).minutes.candles()]
    with pytest.raises(MarketDataError) as caught:
        await rest(feed)
    assert (caught.value.path, caught.value.line) == (str(path), 61)
    assert caplog.text.count("the replay stops there") == 1


async def test_candles_before_a_broken_line_are_replayed(tmp_path: Path) -> None:
    """At the pace of the market a break that lies hours ahead is no reason to stop now."""
    path = written(tmp_path / "a.csv", minutes(100))
    lines = path.read_text().splitlines()
    lines[60] = "what is this"
    path.write_text("\n".join(lines))
    feed = ReplayFeed({"BTC": [path]}, None)
    feed.history("BTC", least=30, most=1_000)
    events = feed.follow("BTC")
    # A later row for the minute before the break might have replaced it.
    assert minutes(100)[30:58] == candles_of([await anext(events) for _ in range(28)])
    with pytest.raises(MarketDataError, match="line 61"):
        _ = [event async for event in events]


async def test_a_broken_line_in_the_history_is_reported_by_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(tmp_path / "a.csv", minutes(100))
    lines = path.read_text().splitlines()
    lines[20] = "what is this"
    path.write_text("\n".join(lines))
    with pytest.raises(MarketDataError, match="line 21: columns are missing in this row"):
        ReplayFeed({"BTC": [path]}, None).history("BTC", least=30, most=1_000)
    assert "the replay stops there" not in caplog.text


def test_a_damaged_archive_is_refused_before_anything_is_replayed(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", minutes(4_000))
    packed = gzip.compress(path.read_bytes())
    path.write_bytes(packed[: len(packed) * 3 // 4])
    with pytest.raises(MarketDataError, match="the compressed data is damaged"):
        ReplayFeed({"BTC": [path]}, None)


# Pace


class Clock:
    """Sleeps at once, and keeps the sum of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr("vivienne.market.feeds.replay.asyncio.sleep", self.sleep)
        monkeypatch.setattr("vivienne.market.feeds.replay.asyncio.get_running_loop", lambda: self)

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("speed", [1.0, 60.0, 3_600.0])
async def test_the_market_passes_at_a_multiple_of_its_pace(monkeypatch: pytest.MonkeyPatch, speed: float) -> None:
    clock, pace = Clock(monkeypatch), _Pace(speed)
    for number in (0, 1, 2, 5, 6):
        await pace.until(MIDNIGHT + number * MINUTE_MS)
        assert clock.now == pytest.approx(number * 60 / speed)


async def test_what_is_late_is_not_held_back_any_further(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, pace = Clock(monkeypatch), _Pace(60.0)
    await pace.until(MIDNIGHT)
    clock.now = 100.0
    await pace.until(MIDNIGHT + MINUTE_MS)
    assert clock.now == 100.0


async def test_assets_of_one_begin_are_in_step_however_long_their_files_take_to_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)
    monkeypatch.setattr(time, "time", lambda: 1e9 + clock.now)
    for seconds in (0.0, 0.7):
        clock.now = 0.0
        pace = _Pace(60.0, begun=1e9)
        clock.now = seconds
        await pace.until(MIDNIGHT)
        await pace.until(MIDNIGHT + MINUTE_MS)
        assert clock.now == pytest.approx(1.0)


async def test_a_hole_that_is_filled_takes_its_time_and_a_longer_one_is_skipped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, pace = Clock(monkeypatch), _Pace(60.0)
    await pace.until(MIDNIGHT)
    await pace.until(MIDNIGHT + 61 * MINUTE_MS)
    assert clock.now == pytest.approx(61.0)
    await pace.until(MIDNIGHT + (61 + 62) * MINUTE_MS)
    assert clock.now == pytest.approx(62.0)
    await pace.until(MIDNIGHT + (61 + 63) * MINUTE_MS)
    assert clock.now == pytest.approx(63.0)


# Candles longer than a minute, and wrong rows that are left out


def hours(count: int) -> list[Candle]:
    return [candle._replace(open_time=MIDNIGHT + n * 3_600_000) for n, candle in enumerate(minutes(count))]


async def test_longer_candles_give_their_own_bars_exactly(tmp_path: Path) -> None:
    feed = ReplayFeed({"BTC": [written_whole(tmp_path / "h.csv", hours(30))]}, None, timeframe=Timeframe.H1)
    history = feed.history("BTC", least=300, most=1_000)
    builder = BarBuilder(Timeframe.H1)
    made = [*history.minutes.candles(), *candles_of(await rest(feed))]
    assert hours(30) == [bar for candle in made if (bar := builder.add(candle)) is not None]
    assert (feed.longest_candle, len(history.minutes)) == (60, 300)


async def test_nothing_of_a_longer_candle_is_seen_before_it_closes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written_whole(tmp_path / "h.csv", hours(3))
    clock = Clock(monkeypatch)
    feed = ReplayFeed({"BTC": [path]}, 3_600.0, timeframe=Timeframe.H4)
    seen = [clock.now async for event in feed.follow("BTC") if isinstance(event, MinuteClosed)]
    assert [0.0, 1.0, 2.0] == [pytest.approx(seen[n * 60 + minute]) for n in range(3) for minute in (0, 59)][::2]
    assert len(seen) == 180


def written_whole(path: Path, candles: list[Candle]) -> Path:
    """A file of longer candles that says when they close."""
    length = candles[1].open_time - candles[0].open_time
    rows = ["open_time,open,high,low,close,volume,quote_volume,count,taker_buy_volume,close_time"]
    rows += [",".join(map(str, [*candle, candle.open_time + length - 1])) for candle in candles]
    path.write_text("\n".join(rows))
    return path


@pytest.mark.parametrize("timeframe", [Timeframe.M1, Timeframe.M15])
def test_longer_candles_are_refused_for_a_shorter_timeframe(tmp_path: Path, timeframe: Timeframe) -> None:
    path = written_whole(tmp_path / "h.csv", hours(9))
    with pytest.raises(MarketDataError, match=r"the candles are 60 minutes apart.*use --timeframe 1h or 4h or 1d"):
        ReplayFeed({"BTC": [path]}, None, timeframe=timeframe)


async def test_a_wrong_row_that_is_left_out_makes_the_asset_stale_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path / "a.csv", minutes(9))
    lines = path.read_text().splitlines()
    lines[6] = lines[6].replace(",1", ",x", 1)
    path.write_text("\n".join(lines))
    with caplog.at_level("INFO"):
        feed = ReplayFeed({"BTC": [path]}, None, on_bad_row="skip")
    assert (
        "BTC: candles, 1 minute, known by its header, 10 rows, 2025-01-01 to 2025-01-01; 1 wrong row: line 7"
        in caplog.text
    )
    assert "line 7: '" in caplog.text
    counts = {"bad": 1, "unclosed": 1, "partial": 0, "repeated": 0, "replaced": 0}
    assert feed.left_out == {("BTC", reason): count for reason, count in counts.items()}
    freshness = Freshness()
    troubles = []
    for candle in candles_of(await rest(feed)):
        freshness.admit_minute(candle)
        troubles.append(freshness.trouble)
    assert [5] == [number for number, trouble in enumerate(troubles) if trouble is not None]
    assert troubles[5] is not None
    assert troubles[5].id == "bad_minute"


async def test_a_wrong_trade_that_is_left_out_makes_the_asset_stale_there(tmp_path: Path) -> None:
    trades = [Trade(MIDNIGHT + number * 40_000, 100.0, 1.0, buyer_is_maker=False) for number in range(9)]
    path = written_trades(tmp_path / "t.csv", trades)
    path.write_text(path.read_text().replace(f"{trades[4].time},100.0", f"{trades[4].time},0"))
    events = await rest(ReplayFeed({"BTC": [path]}, None, on_bad_row="skip"))
    bad = [event for event in events if isinstance(event, PriceMoved) and not event.price > 0]
    assert [trades[3].time] == [event.time for event in bad]
