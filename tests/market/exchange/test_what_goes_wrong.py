"""What goes wrong at exchanges: bars stay those of the exchange, or it is said why there are none."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from exchange_watching import CLOCK_CLOSES, IMPATIENT, QUIETLY, SECONDS, check, followed, generous, is_like, until
from fake_exchange import DIALECTS, NOTICE, FakeExchange, FakeMarket
from vivienne.market.feeds.base import HistoryRead
from vivienne.market.types import MINUTE_MS

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

    from exchange_watching import Watching
    from vivienne.market.types import Candle

HOUR_MS = 60 * MINUTE_MS


def no_trouble(watching: Watching) -> bool:
    """Whether it is not said that there is no data."""
    return not [each for each in watching.troubles if each is not None]


@pytest.mark.parametrize("name", DIALECTS)
async def test_a_connection_is_replaced_before_the_exchange_ends_it(name: str) -> None:
    adapter = generous(name)
    adapter.limits = adapter.limits._replace(connection_seconds=0.3)
    market = FakeMarket(ahead=600)
    async with (
        FakeExchange(name, market) as exchange,
        followed(exchange, name, adapter=adapter, patience=QUIETLY) as (feed, (watching,)),
    ):
        await until(lambda: exchange.handshakes >= 3)
        await watching.until(len(watching.minutes) + 2)
        check(watching, market)
        assert {each.source for each in watching.minutes} == {"streamed"}
        assert no_trouble(watching)
        first = exchange.open.index(1)
        assert (min(exchange.open[first:]), max(exchange.open)) == (1, 2)
        assert feed.streams[0].counts.breaks == 0


class _EndsWithTheNext(FakeExchange):
    """Breaks a connection off while its successor is opened."""

    def _answered(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.headers.get("Upgrade") and self.handshakes == 1:
            self.cut()
        return super()._answered(connection, request)


async def test_a_connection_that_breaks_off_while_the_next_one_is_opened_leaves_no_gap() -> None:
    adapter = generous("bybit")
    adapter.limits = adapter.limits._replace(connection_seconds=0.3)
    market = FakeMarket(ahead=600)
    async with (
        _EndsWithTheNext("bybit", market) as exchange,
        followed(exchange, "bybit", adapter=adapter, patience=QUIETLY) as (_, (watching,)),
    ):
        await until(lambda: exchange.handshakes >= 2)
        await watching.until(len(watching.minutes) + 3)
        check(watching, market)
        assert {each.source for each in watching.minutes} == {"streamed"}


SHUTDOWN = '{"e": "serverShutdown", "E": 1760000400000}'
"""Binance announces the end of a connection."""


@pytest.mark.parametrize(
    ("name", "announcement"),
    [
        ("okx", NOTICE),
        *((name, SHUTDOWN) for name in ("binance", "binance-futures")),
        ("binance", f'{{"stream": "x", "data": {SHUTDOWN}}}'),
    ],
)
async def test_an_announced_end_is_not_waited_for(name: str, announcement: str) -> None:
    market = FakeMarket()
    async with (
        FakeExchange(name, market) as exchange,
        followed(exchange, name, patience=QUIETLY) as (feed, (watching,)),
    ):
        await watching.until(2)
        await exchange.tell(announcement)
        await until(lambda: exchange.handshakes == 2 and exchange.open[-1] == 1)
        await watching.until(5)
        check(watching, market)
        counts = feed.streams[0].counts
        assert (counts.breaks, no_trouble(watching), counts.left_out.total()) == (0, True, 0)


@pytest.mark.parametrize("status", [503, 403])
async def test_tries_that_fail_are_no_breaks_and_a_refusal_is_said_once(
    caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.INFO, "vivienne.market.feeds.exchange.group")
    async with (
        FakeExchange("bybit", FakeMarket()) as exchange,
        followed(exchange, "bybit", patience=replace(IMPATIENT, slow=0.1)) as (feed, (watching,)),
    ):
        await watching.until(1)
        exchange.faults.stream_status = status
        exchange.cut()
        tries = exchange.asked
        await until(lambda: exchange.asked >= tries + 5)
        exchange.faults.stream_status = 0
        await watching.until(len(watching.minutes) + 2)
        counts = feed.streams[0].counts
        assert (counts.connects, counts.breaks) == (2, 1)
    levels = {record.levelname for record in caplog.records if str(status) in record.getMessage()}
    assert levels == {"INFO" if status == 503 else "WARNING"}


@pytest.mark.parametrize("name", DIALECTS)
async def test_a_subscription_without_data_is_not_ready_and_others_are(name: str) -> None:
    market = FakeMarket(("BTC", "ETH"), ahead=600)
    async with FakeExchange(name, market) as exchange, followed(exchange, name, "BTC", "ETH") as (_, (btc, eth)):
        exchange.faults.mute = {"ETH"}
        assert "sends nothing" in await eth.until_trouble("sends nothing")
        await btc.until(4)
        assert eth.minutes == []
        exchange.faults.mute = set()
        await eth.until(4)
        check(btc, market, known_counts=name != "bybit")
        check(eth, market, "ETH", known_counts=name != "bybit")
        await eth.wait(lambda: eth.troubles[-1] is None)


@pytest.mark.parametrize(
    ("name", "fault"), [*((name, "repeating") for name in DIALECTS), ("binance", "mute"), ("coinbase", "mute")]
)
async def test_an_asset_that_says_nothing_new_is_subscribed_anew_and_others_are_not_touched(
    name: str, fault: str
) -> None:
    market = FakeMarket(("BTC", "ETH"), ahead=900)
    patience = replace(IMPATIENT, quiet=1.0, slow=10 * SECONDS)
    async with (
        FakeExchange(name, market) as exchange,
        followed(exchange, name, "BTC", "ETH", patience=patience) as (feed, (btc, eth)),
    ):
        await eth.until(2)
        await btc.until(2)
        setattr(exchange.faults, fault, {"ETH"})
        await eth.until_trouble("lacks trades of ETH" if name in CLOCK_CLOSES else "sends nothing")
        await until(lambda: exchange.handshakes >= 2)
        setattr(exchange.faults, fault, set())
        await eth.wait(lambda: eth.troubles[-1] is None)
        await eth.until(len(eth.minutes) + 2)
        if name not in CLOCK_CLOSES:  # where nothing but REST tells that trades are missing, they are corrections
            check(eth, market, "ETH", known_counts=name != "bybit")
        await btc.until(len(btc.minutes) + 2)
        check(btc, market)
        assert {each.source for each in btc.minutes} == {"streamed"}
        assert no_trouble(btc)
        assert feed.streams[0].counts.breaks == 0


async def test_a_future_in_which_nobody_trades_is_quiet_and_not_mute() -> None:
    """Its stream has no candle of a minute without trades."""
    market = FakeMarket(("BTC", "ETH"), ahead=900)
    market.leave_out("ETH", market.now(), market.now() + 900 * MINUTE_MS)
    async with (
        FakeExchange("binance", market) as exchange,
        followed(exchange, "binance-futures", "BTC", "ETH", patience=QUIETLY) as (feed, (btc, eth)),
    ):
        await eth.until(12)
        check(eth, market, "ETH")
        assert {each.candle.volume for each in eth.minutes} == {0.0}
        await btc.until(12)
        check(btc, market)
        assert feed.streams[0].counts.breaks == 0
        assert no_trouble(btc)
        assert no_trouble(eth)


async def test_a_future_that_is_traded_while_its_stream_says_nothing_of_it_is_subscribed_anew() -> None:
    market = FakeMarket(("BTC", "ETH"), ahead=900)
    patience = replace(IMPATIENT, quiet=1.0, slow=10 * SECONDS)
    async with (
        FakeExchange("binance", market) as exchange,
        followed(exchange, "binance-futures", "BTC", "ETH", patience=patience) as (_, (btc, eth)),
    ):
        await eth.until(2)
        exchange.faults.mute = {"ETH"}  # its mark price goes on
        await eth.until_trouble("says nothing of ETHUSDT")
        await until(lambda: exchange.handshakes >= 2)
        exchange.faults.mute = set()
        await eth.wait(lambda: eth.troubles[-1] is None)
        await eth.until(len(eth.minutes) + 2)
        check(eth, market, "ETH")
        await btc.until(len(btc.minutes) + 2)
        check(btc, market)
        assert no_trouble(btc)


@pytest.mark.parametrize("hours", [-1, 1])
@pytest.mark.parametrize("name", DIALECTS)
async def test_a_clock_that_is_an_hour_wrong_changes_nothing(name: str, hours: int) -> None:
    now = int(time.time() * 1_000)
    market = FakeMarket(begin=now - now % HOUR_MS + hours * HOUR_MS)
    async with FakeExchange(name, market) as exchange, followed(exchange, name, patience=QUIETLY) as (_, (watching,)):
        await watching.until(8)  # every seventh has no trades
        check(watching, market, known_counts=name != "bybit")
        assert any(each.candle.volume == 0 for each in watching.minutes)
        assert no_trouble(watching)


@pytest.mark.parametrize("name", DIALECTS)
async def test_minutes_that_cannot_be_had_are_not_decided_on_until_the_history_tells_them(name: str) -> None:
    market = FakeMarket(ahead=600)
    patience = replace(IMPATIENT, retry=0.002)
    async with FakeExchange(name, market) as exchange, followed(exchange, name, patience=patience) as (_, (watching,)):
        await watching.until(2)
        exchange.faults.rest_status = 500
        exchange.faults.lose = 7  # else the numbers of trades tell that none is missing
        exchange.cut()
        said = await watching.until_trouble("its history is read again")
        assert f"{generous(name).title} answers 500" in said, "it was refused, and did not say that it has none"
        for each in watching.minutes:
            (whole,) = market.minutes("BTC", each.candle.open_time, each.candle.open_time + MINUTE_MS)
            is_whole = is_like(each, whole, known_counts=name not in ("bybit", "okx"))
            assert is_whole or each.source == "incomplete", "no minute that lacks trades counts as one that does not"
        exchange.faults.rest_status = 0
        await watching.wait(lambda: len([each for each in watching.events if isinstance(each, HistoryRead)]) == 2)
        watching.events = watching.events[
            next(n for n, each in enumerate(watching.events) if each is watching.histories[-1]) :
        ]
        await watching.until(3)
        check(watching, market, known_counts=name != "bybit")
        await watching.wait(lambda: watching.troubles[-1] is None)


@pytest.mark.parametrize("name", DIALECTS)
async def test_closed_minutes_are_compared_with_those_of_rest(name: str, caplog: pytest.LogCaptureFixture) -> None:
    market = FakeMarket()
    async with (
        FakeExchange(name, market) as exchange,
        followed(exchange, name, patience=QUIETLY) as (feed, (watching,)),
    ):
        await watching.until(5)
        assert feed.followings["BTC"].made.mismatches == 0
        market.wrong = 5.0
        with caplog.at_level(logging.WARNING):
            await watching.wait(lambda: len(watching.corrections) >= 3)
        for each in watching.corrections:
            assert each.candle.volume == pytest.approx(each.was.volume + 5)
        assert feed.followings["BTC"].made.mismatches == len(watching.corrections)
        (said,) = [each.getMessage() for each in caplog.records if "differs" in each.getMessage()]
        first = watching.corrections[0]
        assert f"volume {first.was.volume:.12g} by the stream, {first.candle.volume:.12g} by the exchange" in said


@pytest.mark.parametrize("state", ["halted", "delisted"])
@pytest.mark.parametrize("name", DIALECTS)
async def test_a_market_that_is_closed_while_it_is_followed_says_so_and_others_go_on(name: str, state: str) -> None:
    market = FakeMarket(("BTC", "ETH"), ahead=600)
    async with (
        FakeExchange(name, market) as exchange,
        followed(exchange, name, "BTC", "ETH", patience=QUIETLY) as (_, (btc, eth)),
    ):
        await eth.until(1)
        market.states["ETH"] = state
        assert f"is {state}" in await eth.until_trouble(state)
        market.states.clear()
        await eth.wait(lambda: eth.troubles[-1] is None)
        await btc.until(3)
        assert no_trouble(btc)
        check(btc, market)
        check(eth, market, "ETH")


@pytest.mark.parametrize("name", ["bybit", "okx", "kraken"])
async def test_maintenance_is_said_with_its_end_and_ends_by_itself(name: str) -> None:
    market = FakeMarket(ahead=600)
    until_when = " until 2025-10-09T09:30:00" if name != "kraken" else ""
    market.maintenance_until = 1_760_002_200_000
    async with FakeExchange(name, market) as exchange, followed(exchange, name, patience=QUIETLY) as (_, (watching,)):
        said = await watching.until_trouble("is in maintenance")
        assert f"is in maintenance{until_when}" in said
        market.maintenance_until = None
        await watching.wait(lambda: watching.troubles[-1] is None)
        await watching.until(2)
        market.maintenance_until = 1_760_002_200_000
        await watching.wait(lambda: len([each for each in watching.troubles if each and "maintenance" in each]) == 2)
        market.maintenance_until = None
        await watching.wait(lambda: watching.troubles[-1] is None)
        check(watching, market)


@pytest.mark.parametrize("name", ["binance", "kraken"])
async def test_a_market_without_history_keeps_no_other_waiting(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    market = FakeMarket(("BTC", "ETH"), ahead=600)
    candles = FakeMarket.candles

    def some(market: FakeMarket, base: str, length: int, begin: int, end: int) -> list[Candle]:
        return [] if base == "ETH" else candles(market, base, length, begin, end)

    monkeypatch.setattr(FakeMarket, "candles", some)
    patience = replace(IMPATIENT, quiet=5.0, first=0.2)
    async with (
        FakeExchange(name, market) as exchange,
        followed(exchange, name, "BTC", "ETH", patience=patience) as (feed, (btc, eth)),
    ):
        await btc.until(2)
        assert "has no history" in await eth.until_trouble("has no history")
        monkeypatch.setattr(FakeMarket, "candles", candles)
        await eth.until(2)
        assert len(feed.streams) == 2
        check(btc, market)
        check(eth, market, "ETH")


async def test_a_halt_that_is_longer_than_a_gap_that_is_filled_is_said_until_a_bar_has_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was said to have no history at all."""
    market = FakeMarket(ahead=600, past=300)
    candles, begin = FakeMarket.candles, market.now()
    halted = range(begin - 90 * MINUTE_MS, begin - begin % MINUTE_MS)

    def some(market: FakeMarket, base: str, length: int, begin: int, end: int) -> list[Candle]:
        found = candles(market, base, length, begin, end)
        return [each for each in found if each.open_time not in halted]

    monkeypatch.setattr(FakeMarket, "candles", some)
    async with (
        FakeExchange("binance", market) as exchange,
        followed(exchange, "binance", bars=200) as (_, (watching,)),
    ):
        assert "BTCUSDT since 20" in await watching.until_trouble("longer than a gap that is filled")
        await watching.wait(lambda: watching.troubles[-1] is None)
        await watching.until(2)


IMPOSSIBLE = {
    "binance": '{"stream": "x", "data": {"e": "aggTrade", "E": %(now)d, "s": "BTCUSDT", "a": %(id)d, "p": "%(price)s", '
    '"q": "%(amount)s", "f": 1, "l": 1, "T": %(time)d, "m": true}}',
    "bybit": '{"topic": "publicTrade.BTCUSDT", "ts": %(now)d, "data": [{"T": %(time)d, "s": "BTCUSDT", "S": "Buy", '
    '"v": "%(amount)s", "p": "%(price)s", "i": "%(id)d"}]}',
    "okx": '{"arg": {"channel": "trades-all", "instId": "BTC-USDT"}, "data": [{"instId": "BTC-USDT", '
    '"tradeId": "%(id)d", "px": "%(price)s", "sz": "%(amount)s", "side": "buy", "ts": "%(time)d"}]}',
    "kraken": '{"channel": "trade", "type": "update", "data": [{"symbol": "BTC/USD", "side": "buy", '
    '"price": %(price)s, "qty": %(amount)s, "ord_type": "limit", "trade_id": %(id)d, "timestamp": "%(iso)s"}]}',
    "coinbase": '{"channel": "market_trades", "timestamp": "%(iso)s", "sequence_num": 1, "events": [{"type": "update", '
    '"trades": [{"trade_id": "%(id)d", "product_id": "BTC-USD", "price": "%(price)s", "size": "%(amount)s", '
    '"side": "BUY", "time": "%(iso)s"}]}]}',
}  # fmt: skip


@pytest.mark.parametrize("name", DIALECTS)
async def test_what_cannot_be_true_is_left_out_and_logged_once(name: str, caplog: pytest.LogCaptureFixture) -> None:
    market = FakeMarket()
    async with (
        FakeExchange(name, market) as exchange,
        followed(exchange, name, patience=QUIETLY) as (feed, (watching,)),
    ):
        await watching.until(1)
        good = {"id": 10**9, "price": "100.0", "amount": "1.0", "now": market.now(), "time": market.now()}
        good["iso"] = "2025-10-09T09:00:01.000Z"
        later = {
            "time": market.now() + 400 * HOUR_MS,
            "now": market.now() + 400 * HOUR_MS,
            "iso": "2025-11-09T09:00:01Z",
        }
        wrong: list[dict[str, object]] = [{"price": "-1.0"}, {"price": "0"}, {"amount": "-3"}, later, {"price": "1e18"}]
        wrong += [{"amount": "1e308"}, {"amount": "1e18"}]
        texts = [IMPOSSIBLE[name] % (good | each) for each in wrong]
        texts += [(IMPOSSIBLE[name] % (good | {"price": "NaN"})), texts[0][: len(texts[0]) // 2], "[" * 5_000, "\u2028"]
        exchange.faults.garbage = texts
        await watching.until(4)
        exchange.faults.garbage = []
        await watching.until(6)
        check(watching, market)
        assert {each.source for each in watching.minutes} == {"streamed"}
        left_out = feed.streams[0].counts.left_out
        assert len(left_out) >= 5
        assert sum(left_out.values()) > 2 * len(texts)
        said = [each.getMessage() for each in caplog.records if "left out" in each.getMessage()]
        assert len(said) == len(left_out)


async def test_a_message_that_is_too_large_is_counted_and_the_feed_goes_on() -> None:
    market = FakeMarket()
    async with (
        FakeExchange("okx", market) as exchange,
        followed(exchange, "okx", patience=QUIETLY) as (feed, (watching,)),
    ):
        await watching.until(1)
        await exchange.tell(" " * (5 * 1024 * 1024))
        await watching.until(5)
        check(watching, market)
        assert feed.streams[0].counts.left_out["it has more than 524,288 bytes"] == 1


UNTIL_A_TIME = {"Date": "Wed, 21 Oct 2026 12:00:00 GMT", "Retry-After": "Wed, 21 Oct 2026 12:00:01 GMT"}


@pytest.mark.parametrize(("status", "headers"), [(429, {"Retry-After": "1"}), (429, UNTIL_A_TIME), (503, UNTIL_A_TIME)])
async def test_a_limit_is_obeyed_by_every_request_to_the_host(status: int, headers: dict[str, str]) -> None:
    market = FakeMarket(("BTC", "ETH"))
    async with FakeExchange("binance", market) as exchange:
        exchange.faults.status, exchange.faults.headers = status, headers
        async with followed(exchange, "binance", "BTC", "ETH") as (_, (watching, _eth)):
            await until(lambda: exchange.asked == 1)
            begin = asyncio.get_running_loop().time()
            exchange.faults.status = 0
            await watching.until(1)
            assert asyncio.get_running_loop().time() - begin > 0.9
            assert exchange.asked > 1


async def test_a_limit_that_the_stream_meets_is_obeyed_by_answers_too() -> None:
    """The connection and the question for the time are refused together; each says for how long."""
    market = FakeMarket(ahead=600)
    async with (
        FakeExchange("kraken", market) as exchange,
        followed(exchange, "kraken", patience=QUIETLY) as (_, (watching,)),
    ):
        await watching.until(2)
        exchange.faults.status, exchange.faults.headers = 418, {"Retry-After": "2"}
        before = exchange.asked
        exchange.cut()
        await until(lambda: exchange.asked > before)
        begin = asyncio.get_running_loop().time()
        await until(lambda: exchange.asked > before + 2)
        assert asyncio.get_running_loop().time() - begin > 1.5


async def test_a_program_that_was_held_up_for_long_gives_no_connection_up(monkeypatch: pytest.MonkeyPatch) -> None:
    market = FakeMarket(ahead=600)
    async with (
        FakeExchange("bybit", market) as exchange,
        followed(exchange, "bybit", patience=QUIETLY) as (feed, (watching,)),
    ):
        await watching.until(3)
        loop = asyncio.get_running_loop()
        before = loop.time
        monkeypatch.setattr(loop, "time", lambda: before() + 15.0)  # much longer than it waits for something new
        await watching.until(len(watching.minutes) + 3)
        assert feed.streams[0].counts.breaks == 0
        check(watching, market)
