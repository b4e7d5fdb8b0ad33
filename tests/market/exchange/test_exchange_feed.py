"""A feed follows an exchange over real sockets: cuts, silence, refusals and lies change no minute, or are said."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from exchange_watching import IMPATIENT, QUIETLY, SECONDS, check, followed, generous, until
from fake_exchange import BEGIN, DIALECTS, FakeExchange, FakeMarket
from sizes import rounds
from vivienne import slices
from vivienne.market.feeds.base import PriceMoved
from vivienne.market.feeds.exchange.adapter import Instrument, NumberedTrade
from vivienne.market.feeds.exchange.group import Group
from vivienne.market.feeds.exchange.hearing import Hearing
from vivienne.market.feeds.exchange.known import EXCHANGES
from vivienne.market.feeds.exchange.line import Line
from vivienne.market.feeds.exchange.listener import Counts
from vivienne.market.feeds.exchange.plausible import LEAP_MS, Latest
from vivienne.market.feeds.exchange.regions import stream_of
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import MINUTE_MS, Candle, Trade
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HAS_PAST_TRADES = ("okx", "kraken", "coinbase")


@pytest.mark.sized
@pytest.mark.parametrize("name", DIALECTS)
async def test_minutes_are_those_of_the_exchange_however_often_it_is_cut(name: str) -> None:
    market = FakeMarket(ahead=300)
    rng = random.Random(name)  # noqa: S311
    async with FakeExchange(name, market) as exchange, followed(exchange, name) as (_, (watching,)):
        cuts = rounds(100, 5)
        for count in range(cuts):
            await watching.until(count // 2 + 1)
            exchange.cut()
            await asyncio.sleep(rng.random() * 0.05)
        await watching.until(cuts + 4)
        check(watching, market, known_counts=name != "bybit")
        assert {each.source for each in watching.minutes} <= {"streamed", "filled"}
        assert any(isinstance(event, PriceMoved) for event in watching.events)
        if name in HAS_PAST_TRADES:
            assert {each.source for each in watching.minutes} == {"streamed"}


async def test_more_trades_than_an_answer_has_are_asked_for_a_part_at_a_time() -> None:
    """Coinbase gives a hundred, however many are asked for; the minute of the start lacked the others."""
    market = FakeMarket(ahead=600, a_minute=600, past=70)
    market.step()
    async with FakeExchange("coinbase", market) as exchange, followed(exchange, "coinbase") as (_, (watching,)):
        await watching.until(3)
        check(watching, market)
        assert {each.source for each in watching.minutes} == {"streamed"}


async def test_a_market_in_usdc_has_the_stream_of_the_one_in_usd() -> None:
    market = FakeMarket(ahead=600)
    market.quotes = ("USD", "USDC")
    symbols = {"B2": "BTC-USDC"}
    async with (
        FakeExchange("coinbase", market) as exchange,
        followed(exchange, "coinbase", "BTC", "B2", symbols=symbols) as (_, (btc, b2)),
    ):
        for watching in (btc, b2):
            await watching.until(2)
            check(watching, market)


@pytest.mark.parametrize(
    ("name", "url", "stream"),
    [
        ("binance", "https://api.binance.us", "wss://stream.binance.us:9443"),
        ("okx", "https://eea.okx.com", "wss://wseea.okx.com:8443"),
        ("bybit", "https://api.bybit.eu", "wss://stream.bybit.eu"),
        ("kraken", "https://proxy.example", "wss://proxy.example"),
        ("kraken", "http://127.0.0.1:9000", "ws://127.0.0.1:9000"),
    ],
)
def test_the_stream_of_a_region_is_found_from_its_host_of_rest(name: str, url: str, stream: str) -> None:
    assert stream_of(EXCHANGES[name], url) == stream


@pytest.mark.parametrize("name", EXCHANGES)
def test_the_usual_host_may_be_named(name: str) -> None:
    adapter = EXCHANGES[name]
    assert stream_of(adapter, adapter.rest) == stream_of(adapter, None) == adapter.stream


@pytest.mark.parametrize("name", DIALECTS)
async def test_history_comes_in_bars_of_the_timeframe_and_minutes_of_the_open_one(name: str) -> None:
    market = FakeMarket(past=1_000, ahead=20, pace=1.0)
    # At Coinbase no trade tells yet that the last bar is over.
    whole = 39 if name == "coinbase" else 40
    async with FakeExchange(name, market) as exchange:
        exchange.faults.stream_status = 503
        async with followed(exchange, name, timeframe=Timeframe.M15, bars=40) as (_, (watching,)):
            await watching.wait(lambda: len(watching.histories) == 1)
        bars, minutes = watching.history.history.bars, watching.history.history.minutes
        assert bars is not None
        assert bars.open_time.tolist() == [BEGIN - (40 - place) * 15 * MINUTE_MS for place in range(whole)]
        expected = market.candles("BTC", 15, BEGIN - 600 * MINUTE_MS, BEGIN)
        assert bars.close.tolist() == [candle.close for candle in expected[:whole]]
        end = int(bars.open_time[-1]) + 15 * MINUTE_MS
        assert minutes.open_time.tolist() == [end + place * MINUTE_MS for place in range(len(minutes))]
        assert int([*bars.open_time, *minutes.open_time][-1]) < BEGIN
        asked = [path for path in exchange.requests if any(word in path for word in ("kline", "candles", "OHLC"))]
        assert len(asked) <= 2


class CatchingUp(FakeMarket):
    """Its answers are ten seconds behind, until the second one with candles."""

    def __init__(self) -> None:
        super().__init__(past=1_000, ahead=20, begin=BEGIN + 1_000, a_minute=120)
        self._asked: list[int] = []

    def candles(self, base: str, length: int, begin: int, end: int) -> list[Candle]:
        """See `FakeMarket`; it is that of one answer."""
        self._begin -= 0 if self._asked else 10_000
        self._asked.append(length)
        return super().candles(base, length, begin, end)


@pytest.mark.parametrize("name", DIALECTS)
async def test_at_the_end_of_a_bar_no_later_answer_tells_that_one_before_was_whole(name: str) -> None:
    market = CatchingUp()
    async with FakeExchange(name, market) as exchange:
        exchange.faults.stream_status = 503
        async with followed(exchange, name, timeframe=Timeframe.M15, bars=40) as (_, (watching,)):
            await watching.wait(lambda: len(watching.histories) == 1)
        bars = watching.history.history.bars
        assert bars is not None
        expected = market.candles("BTC", 15, int(bars.open_time[0]), int(bars.open_time[-1]) + 1)
        assert bars.volume.tolist() == pytest.approx([candle.volume for candle in expected])
        assert len(bars) >= 38


@pytest.mark.parametrize("timeframe", [Timeframe.M1, Timeframe.M15])
@pytest.mark.parametrize("minutes", [-60, 60])
@pytest.mark.parametrize("name", DIALECTS)
async def test_a_clock_of_answers_that_is_wrong_makes_no_bar_that_is_not_there_yet(
    name: str, minutes: int, timeframe: Timeframe
) -> None:
    market = FakeMarket(past=1_000, ahead=200)
    market.rest_ahead = minutes * MINUTE_MS
    async with FakeExchange(name, market) as exchange:
        exchange.faults.stream_status = 503
        bars = 100 if timeframe.minutes == 1 else 20
        async with followed(exchange, name, timeframe=timeframe, bars=bars) as (_, (watching,)):
            await watching.wait(lambda: len(watching.histories) == 1)
            now, history = market.now(), watching.history.history
    assert history.bars is not None
    ends = [*(history.bars.open_time + timeframe.milliseconds), *(history.minutes.open_time + MINUTE_MS)]
    assert max(ends) <= now
    expected = market.candles("BTC", timeframe.minutes, int(history.bars.open_time[0]), int(max(ends)))
    assert history.bars.close.tolist() == [candle.close for candle in expected[: len(history.bars)]]
    assert not history.is_whole or name == "coinbase"  # nothing was traded in its first minute


@pytest.mark.parametrize("name", DIALECTS)
async def test_doubles_order_and_nonsense_change_no_minute(name: str) -> None:
    market = FakeMarket(("BTC", "ETH"))
    async with FakeExchange(name, market) as exchange, followed(exchange, name, "BTC", "ETH") as (feed, watching):
        exchange.faults.doubles = exchange.faults.shuffles = True
        exchange.faults.garbage = ['{"channel": "what"}', "not JSON", "[]", '{"e": "kline"}', "{" * 50]
        for each in watching:
            await each.until(6)
        for each, base in zip(watching, ("BTC", "ETH"), strict=True):
            check(each, market, base, known_counts=name != "bybit")
        left_out = feed.streams[0].counts.left_out
        assert sum(left_out.values()) > 10
        assert len(left_out) < 10


@pytest.mark.parametrize("name", HAS_PAST_TRADES)
async def test_trades_that_the_stream_left_out_are_asked_for(name: str) -> None:
    market = FakeMarket()
    async with FakeExchange(name, market) as exchange, followed(exchange, name) as (_, (watching,)):
        await watching.until(2)
        exchange.faults.lose = 7
        await watching.until(6)
        assert exchange.faults.lose == 0
        check(watching, market)


@pytest.mark.parametrize("fault", ["is_silent", "repeats"])
@pytest.mark.parametrize("name", DIALECTS)
async def test_a_connection_that_says_nothing_new_is_given_up(name: str, fault: str) -> None:
    market = FakeMarket()
    async with FakeExchange(name, market) as exchange, followed(exchange, name) as (_, (watching,)):
        await watching.until(2)
        before = exchange.handshakes
        setattr(exchange.faults, fault, True)
        async with asyncio.timeout(SECONDS):
            while exchange.handshakes == before:  # noqa: ASYNC110  # the exchange has no event for it
                await asyncio.sleep(0.01)
        setattr(exchange.faults, fault, False)
        await watching.until(6)
        check(watching, market, known_counts=name != "bybit")


@pytest.mark.parametrize("name", [name for name in DIALECTS if EXCHANGES[name].ping])
async def test_a_connection_on_which_only_pings_are_answered_is_given_up(name: str) -> None:
    market = FakeMarket()
    adapter = generous(name)
    assert adapter.ping is not None
    adapter.ping = adapter.ping[0], IMPATIENT.quiet / 20
    async with FakeExchange(name, market) as exchange, followed(exchange, name, adapter=adapter) as (_, (watching,)):
        await watching.until(2)
        exchange.faults.is_silent = True
        before = exchange.handshakes
        await until(lambda: exchange.handshakes > before)
        exchange.faults.is_silent = False
        await watching.until(6)
        check(watching, market, known_counts=name != "bybit")


@pytest.mark.parametrize("name", DIALECTS)
async def test_an_exchange_that_was_gone_is_followed_again(name: str) -> None:
    market = FakeMarket()
    async with FakeExchange(name, market) as exchange, followed(exchange, name) as (_, (watching,)):
        await watching.until(2)
        await exchange.stop()
        await asyncio.sleep(0.1)
        await exchange.start()
        await watching.until(6)
        check(watching, market, known_counts=name != "bybit")


@pytest.mark.parametrize("name", DIALECTS)
async def test_two_assets_may_be_of_one_market(name: str) -> None:
    market = FakeMarket(("BTC",))
    symbols = {"SAME": f"BTC/{EXCHANGES[name].quote}"}
    async with (
        FakeExchange(name, market) as exchange,
        followed(exchange, name, "BTC", "SAME", symbols=symbols) as (_, watching),
    ):
        for each in watching:
            await each.until(3)
            check(each, market, known_counts=name != "bybit")
        exchange.cut()
        for each in watching:
            await each.until(len(each.minutes) + 3)
            check(each, market, known_counts=name != "bybit")


@pytest.mark.parametrize("name", DIALECTS)
async def test_an_unknown_symbol_is_said_and_others_are_followed(name: str) -> None:
    market = FakeMarket(("BTC",))
    async with FakeExchange(name, market) as exchange, followed(exchange, name, "NOPE", "BTC") as (_, (nope, watching)):
        await watching.until(3)
        said = await nope.until_trouble("no market")
        assert "NOPE" in said
        check(watching, market)


async def test_a_block_by_country_is_said_and_not_hammered() -> None:
    market = FakeMarket()
    async with FakeExchange("binance", market) as exchange:
        exchange.faults.status = 451
        async with followed(exchange, "binance") as (_, (watching,)):
            said = await watching.until_trouble("country")
            assert "--exchange-url" in said
            await asyncio.sleep(0.2)
            assert exchange.handshakes == 0
            exchange.faults.status = 0
            await watching.until(2)


@pytest.mark.parametrize("where", ["https://www.example.test/blocked", "http://[::1", "ws://127.0.0.1:99999/"])
async def test_a_stream_that_is_sent_elsewhere_is_said_and_followed_again_once_it_is_not(where: str) -> None:
    market = FakeMarket()
    async with FakeExchange("bybit", market) as exchange, followed(exchange, "bybit") as (_, (watching,)):
        await watching.until(2)
        exchange.faults.headers = {"Location": where}
        exchange.faults.status = 302
        exchange.cut()
        assert "--exchange-url" in await watching.until_trouble("sends elsewhere")
        exchange.faults.status = 0
        await watching.until(6)
        check(watching, market, known_counts=False)


@pytest.mark.parametrize("name", DIALECTS)
async def test_a_time_that_is_far_ahead_closes_no_minute(name: str) -> None:
    market = FakeMarket()
    far, dialect = BEGIN + 180 * MINUTE_MS, DIALECTS[name]()
    trade = NumberedTrade("1", 10**9, 1, Trade(far, 100.0, 1.0, True))
    async with FakeExchange(name, market) as exchange:
        exchange.faults.garbage = [
            json.dumps(message) for message in [*dialect.traded("BTC", [trade], far), *dialect.beat(far)]
        ]
        async with followed(exchange, name) as (feed, (watching,)):
            await watching.until(4)
            exchange.cut()
            await watching.until(8)
            check(watching, market, known_counts=name != "bybit")
            assert feed.streams[0].counts.left_out.total() > 0


async def test_others_get_their_turn_however_much_an_exchange_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)
    turns = 0

    class Flood:
        """A connection on which everything is there already."""

        async def send(self, message: str) -> None: ...

        async def __aiter__(self) -> AsyncIterator[str]:
            for number in range(2_000):
                yield json.dumps({"topic": f"what{number}"})

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counts = Counts()
    instrument = Instrument("BTCUSDT", "BTCUSDT", "BTC", "USDT", 0.1)
    line = Line(EXCHANGES["bybit"], "ws://x", [instrument], Group([], lambda: None), counts, IMPATIENT)
    counting = asyncio.create_task(count())
    async with asyncio.timeout(SECONDS):
        await line._read(Flood())  # type: ignore[arg-type]  # what it is read from
    counting.cancel()
    assert turns > 1_000
    assert counts.left_out.total() == 2_000
    assert len(counts.left_out) <= 101


def test_many_messages_that_are_each_a_little_ahead_are_not_far_ahead_together() -> None:
    latest = Latest(pace=1.0)
    latest.ask(BEGIN, asked=100.0)
    came, time, taken = 100.0, BEGIN, 0
    for _ in range(200):
        came, time = came + 0.005, time + 115_000
        if time <= latest.limit(came):
            taken += 1
            is_to_ask = latest.hear(time, came)
    assert taken == 1
    assert is_to_ask
    assert latest.limit(came) < BEGIN + 1_000 + LEAP_MS + 1_000


def test_a_clock_that_runs_as_it_should_is_never_ahead_whatever_was_held_up() -> None:
    latest, rng = Latest(pace=1.0), random.Random(3)  # noqa: S311
    latest.ask(BEGIN, asked=0.0)
    for second in range(0, 200_000, 7):
        late = rng.choice([0, 0, 0, 20, 100])
        time = BEGIN + int((second - late) * 1_000.3)
        assert time <= latest.limit(second)
        assert not latest.hear(time, second)


@pytest.mark.parametrize("name", ["kraken", "coinbase"])
async def test_what_the_numbers_of_trades_join_is_not_asked_for(name: str) -> None:
    bases = tuple(f"A{number}" for number in range(5))
    market = FakeMarket(bases, ahead=600)
    async with (
        FakeExchange(name, market) as exchange,
        followed(exchange, name, *bases, patience=replace(IMPATIENT, quiet=5.0, first=5.0)) as (feed, watching),
    ):
        for each in watching:
            await each.until(2)
        exchange.requests.clear()
        exchange.cut()
        await until(lambda: feed.streams[0].counts.breaks == 1)
        for each in watching:
            await each.until(len(each.minutes) + 3)
        assert [path for path in exchange.requests if path.endswith(("Trades", "ticker"))] == []
        for each, base in zip(watching, bases, strict=True):
            check(each, market, base)
            assert {minute.source for minute in each.minutes} == {"streamed"}


async def test_answers_to_pings_alone_show_no_stream_and_close_no_minute() -> None:
    """Kraken sends heartbeats by itself; once they stop, nothing comes any more, whatever it answers."""
    instruments = [Instrument("BTC/USD", "BTC/USD", "BTC", "USD", 0.1)]
    hearing = Hearing(EXCHANGES["kraken"], instruments, Group([], lambda: None), Counts(), IMPATIENT)

    def pong(seconds: int) -> str:
        return json.dumps({"method": "pong", "time_out": iso(BEGIN + seconds * 1_000), "req_id": 1})

    assert await hearing.is_news('{"channel": "heartbeat"}')
    for seconds in (5, 10, 70):
        assert not await hearing.is_news(pong(seconds))
        assert not hearing.is_heard_beyond(BEGIN + 6_000)
    assert await hearing.is_news('{"channel": "heartbeat"}')
    assert not await hearing.is_news(pong(75))
    assert hearing.is_heard_beyond(BEGIN + 6_000)


async def test_what_was_not_read_yet_is_no_silence() -> None:
    instruments = [Instrument(f"{base}USDT", f"{base}USDT", base, "USDT", 0.1) for base in ("BTC", "ETH")]
    hearing = Hearing(EXCHANGES["bybit"], instruments, Group([], lambda: None), Counts(), IMPATIENT)
    candle = FakeMarket().minutes("BTC", BEGIN, BEGIN + 1)[0]
    for base in ("BTC", "ETH"):
        hearing._without_data.discard(f"{base}USDT")
        await hearing.is_news(json.dumps(DIALECTS["bybit"]().candle(base, candle, BEGIN, is_closed=False)[0]))
    hearing._newest -= 60.0  # nothing is read for a minute
    hearing._came = {symbol: came - 60.0 for symbol, came in hearing._came.items()}
    assert hearing.silent() == []
    later = candle._replace(volume=candle.volume + 1.0)
    await hearing.is_news(json.dumps(DIALECTS["bybit"]().candle("BTC", later, BEGIN, is_closed=False)[0]))
    assert hearing.silent() == ["ETHUSDT"]


async def test_a_day_that_has_more_minutes_than_the_exchange_gives_is_whole_all_the_same() -> None:
    """Kraken has 720 rows of each interval."""
    hours = 20
    begin = BEGIN - BEGIN % Timeframe.D1.milliseconds + hours * 60 * MINUTE_MS
    market = FakeMarket(past=5 * 24 * 60 + hours * 60, ahead=60, begin=begin)
    async with (
        FakeExchange("kraken", market) as exchange,
        followed(exchange, "kraken", timeframe=Timeframe.D1, bars=4, patience=QUIETLY) as (_, (watching,)),
    ):
        await watching.wait(lambda: len(watching.histories) == 1)
    minutes = watching.history.history.minutes
    midnight = begin - hours * 60 * MINUTE_MS
    (whole,) = market.candles("BTC", 24 * 60, midnight, midnight + 1)
    assert int(minutes.open_time[0]) == midnight
    assert len(minutes) >= hours * 60 - 2
    assert minutes.volume.sum() == pytest.approx(whole.volume, rel=1e-2)  # the newest minute is open
    assert (minutes.open[0], minutes.high.max(), minutes.low.min()) == (whole.open, whole.high, whole.low)


async def test_a_market_that_nobody_traded_for_more_than_a_day_is_followed() -> None:
    """At Coinbase no candle tells that these minutes are over."""
    market = FakeMarket(past=4_000, ahead=60)
    quiet = BEGIN - 1_700 * MINUTE_MS
    market.leave_out("BTC", quiet, BEGIN + 60 * MINUTE_MS)
    async with (
        FakeExchange("coinbase", market) as exchange,
        followed(exchange, "coinbase", timeframe=Timeframe.M15, bars=200, patience=QUIETLY) as (_, (watching,)),
    ):
        await watching.until(3)
        assert len(watching.histories) == 1
        assert {each.candle.volume for each in watching.minutes} == {0.0}


async def test_a_long_pause_without_trades_costs_no_history_where_the_exchange_lists_none() -> None:
    market = FakeMarket(past=400, ahead=60)
    market.leave_out("BTC", BEGIN - 200 * MINUTE_MS, BEGIN - 100 * MINUTE_MS)
    async with (
        FakeExchange("coinbase", market) as exchange,
        followed(exchange, "coinbase", bars=300, patience=QUIETLY) as (_, (watching,)),
    ):
        await watching.until(1)
        bars = watching.history.history.bars
    assert bars is not None
    assert len(bars) >= 295
