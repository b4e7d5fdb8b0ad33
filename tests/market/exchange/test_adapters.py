"""What exchanges send is read as they mean it, and what they do not send is refused in words."""

from __future__ import annotations

import gzip
import json
import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from vivienne.market.checks import check_candle
from vivienne.market.feeds.exchange.adapter import (
    CandleSeen,
    Heard,
    Instrument,
    LeftOut,
    NumberedTrade,
    Outage,
    Refused,
    Traded,
    UnknownMessage,
)
from vivienne.market.feeds.exchange.known import EXCHANGES
from vivienne.market.feeds.exchange.minutes import MinuteBuilder
from vivienne.market.types import MINUTE_MS, Candle, Trade

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vivienne.market.feeds.exchange.adapter import StreamEvent

MINUTE = 1_700_000_040_000


def instrument(symbol: str, **more: Any) -> Instrument:
    return Instrument(
        **{"symbol": symbol, "stream_symbol": symbol, "base": "BTC", "quote": "USDT", "tick_size": 0.1, **more}
    )


def events(exchange: str, message: Any, *symbols: str) -> list[StreamEvent]:
    return EXCHANGES[exchange].events(message, {symbol: instrument(symbol) for symbol in symbols})


def sample(exchanges: Path, name: str) -> Any:
    path = exchanges / name
    return json.loads(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())


def messages(path: Path) -> Iterator[dict[str, Any]]:
    """The messages of a recording: the time and a colon before each, and lines that are none."""
    with gzip.open(path, "rt") as file:
        for line in file:
            _, _, message = line.partition(": ")
            if message.startswith("{") and "<-" not in line:
                yield json.loads(message)


class TestBinance:
    def test_a_candle_has_all_columns_and_says_that_it_is_closed(self) -> None:
        row = {
            "t": MINUTE, "o": "1", "c": "2", "h": "3", "l": "0.5", "v": "10", "n": 7, "x": True, "q": "15", "V": "4",
        }  # fmt: skip
        message = {"stream": "btcusdt@kline_1m", "data": {"e": "kline", "E": MINUTE + 5, "s": "BTCUSDT", "k": row}}
        candle = Candle(MINUTE, 1, 3, 0.5, 2, 10, 15, 7, 4)
        assert events("binance", message) == [
            CandleSeen("BTCUSDT", candle, is_closed=True),
            Heard(MINUTE + 5, symbol="BTCUSDT"),
        ]

    def test_a_trade_is_read(self) -> None:
        data = {
            "e": "aggTrade", "E": MINUTE + 5, "a": 9, "s": "BTCUSDT", "p": "2.5", "q": "3", "f": 100, "l": 104,
            "T": MINUTE + 4, "m": True,
        }  # fmt: skip
        trade = NumberedTrade("9", 9, 1, Trade(MINUTE + 4, 2.5, 3.0, True, 5))
        assert events("binance-futures", data) == [Traded("BTCUSDT", (trade,)), Heard(MINUTE + 5, symbol="BTCUSDT")]

    def test_samples_are_read(self, exchanges: Path) -> None:
        closed, opened, trade = (
            events("binance-futures", sample(exchanges, f"binance/futures_ws_{name}.json"))
            for name in ("kline_closed", "kline_open", "agg_trade")
        )
        assert [each.is_closed for each in closed + opened if isinstance(each, CandleSeen)] == [True, False]
        assert [len(each.trades) for each in trade if isinstance(each, Traded)] == [1]
        rows = [*EXCHANGES["binance"].history(instrument("X"), 1, sample(exchanges, "binance/rest_klines.json"))]
        assert rows[0].candle.trade_count == 308
        found = EXCHANGES["binance"].instruments(sample(exchanges, "binance/rest_exchange_info.json"))
        assert [(each.base, each.quote, each.state) for each in found] == [("ETH", "BTC", "trading")]

    def test_perpetual_futures_of_every_kind_are_markets_and_those_with_an_end_are_not(self) -> None:
        kinds = ("PERPETUAL", "TRADIFI_PERPETUAL", "PERPETUAL_DELIVERING", "CURRENT_QUARTER", "")
        listed = [
            {"symbol": f"{kind}X", "contractType": kind, "baseAsset": "X", "quoteAsset": "USDT", "status": "TRADING",
             "filters": [{"filterType": "PRICE_FILTER", "tickSize": "0.1"}]} for kind in kinds
        ]  # fmt: skip
        found = EXCHANGES["binance-futures"].instruments({"symbols": listed})
        assert [(each.symbol, each.state) for each in found] == [
            ("PERPETUALX", "trading"), ("TRADIFI_PERPETUALX", "trading"), ("PERPETUAL_DELIVERINGX", "delisted"),
        ]  # fmt: skip

    def test_recordings_are_read(self, marketdata: Path) -> None:
        closed, trades = [], 0
        for path in sorted((marketdata / "ws").glob("cryptofeed_BINANCE*.gz")):
            for message in messages(path):
                if any(kind in message.get("stream", "") for kind in ("@kline_1m", "@aggTrade")):
                    found = events("binance", message)
                    closed += [each.candle for each in found if isinstance(each, CandleSeen) and each.is_closed]
                    trades += sum(isinstance(each, Traded) for each in found)
        assert len(closed) == 9
        assert trades > 100
        for candle in closed:
            check_candle(candle)


class TestKraken:
    def test_minutes_made_from_trades_equal_its_candles(self, exchanges: Path) -> None:
        kraken, pair = EXCHANGES["kraken"], instrument("XBTUSDT")
        trades = [*kraken.trades(pair, sample(exchanges, "kraken/http_trades.json.gz"))]
        own = {
            row.candle.open_time: row.candle
            for row in kraken.history(pair, 1, sample(exchanges, "kraken/http_ohlc.json.gz"))
        }
        first = trades[0].trade.time // MINUTE_MS * MINUTE_MS + MINUTE_MS
        last = trades[-1].trade.time // MINUTE_MS * MINUTE_MS
        close = next(each.trade.price for each in reversed(trades) if each.trade.time < first)
        builder = MinuteBuilder(first, close)
        builder.add(reversed(trades))
        made = [candle for candle in builder.made() if candle.open_time in own]
        while builder.is_behind:
            made += [candle for candle in builder.made() if candle.open_time in own]
        assert len(made) > 400
        assert made[-1].open_time <= last
        for candle in made:
            expected = own[candle.open_time]
            assert (candle.open, candle.high, candle.low, candle.close, candle.trade_count) == (
                expected.open, expected.high, expected.low, expected.close, expected.trade_count,
            )  # fmt: skip
            assert candle.volume == pytest.approx(expected.volume, rel=1e-12, abs=1e-12)
            # Its VWAP has one digit after the point.
            assert candle.quote_volume == pytest.approx(expected.quote_volume, rel=1e-6)

    def test_samples_are_read(self, exchanges: Path) -> None:
        traded, heard = events("kraken", sample(exchanges, "kraken/ws_trade_update.json"))
        assert isinstance(heard, Heard)
        assert isinstance(traded, Traded)
        assert [(each.number, each.trade.buyer_is_maker) for each in traded.trades] == [
            (10218208, False), (10218209, True),
        ]  # fmt: skip
        assert traded.trades[0].trade.time == 1_696_613_755_440
        (candle,) = events("kraken", sample(exchanges, "kraken/ws_ohlc_update.json"))
        assert isinstance(candle, CandleSeen)
        assert (candle.symbol, candle.is_closed, candle.candle.trade_count) == ("BTC/USD", None, 12)
        assert events("kraken", sample(exchanges, "kraken/ws_pong.json")) == [Heard(1_695_632_700_123, is_answer=True)]
        assert events("kraken", sample(exchanges, "kraken/ws_subscribe_response.json")) == [Heard(1_695_632_671_742)]
        (found,) = EXCHANGES["kraken"].instruments(sample(exchanges, "kraken/http_asset_pairs.json"))
        assert (found.base, found.quote, found.symbol, found.stream_symbol) == ("BTC", "USDT", "XBTUSDT", "BTC/USDT")

    def test_maintenance_is_announced(self) -> None:
        message = {"channel": "status", "type": "update", "data": [{"system": "maintenance", "version": "2.0.0"}]}
        assert events("kraken", message) == [Outage("Kraken is in maintenance")]

    def test_a_refused_subscription_names_its_symbol(self) -> None:
        message = {"method": "subscribe", "success": False, "error": "Currency pair not supported", "symbol": "X/Y"}
        assert events("kraken", message) == [Refused("X/Y", "'Currency pair not supported'")]

    def test_the_open_candle_is_not_taken_for_a_closed_one(self) -> None:
        rows = [[MINUTE // 1000 + 60 * n, "1", "2", "1", "1.5", "1.4", "3", 2] for n in range(3)]
        answer = {"error": [], "result": {"XXBTZUSD": rows, "last": 1}}
        found = EXCHANGES["kraken"].history(instrument("XBTUSD"), 1, answer)
        assert [row.is_closed for row in found] == [True, True, False]


class TestBybit:
    def test_samples_are_read(self, exchanges: Path) -> None:
        traded, heard = events("bybit-linear", sample(exchanges, "bybit/ws_public_trade.json"))
        assert heard == Heard(1_709_891_679_005, symbol="BTCUSDT")
        assert isinstance(traded, Traded)
        assert traded.trades[0].trade == Trade(1_709_891_679_000, 27451.0, 0.01, False)
        assert events("bybit", sample(exchanges, "bybit/ws_subscription_ack.json")) == []
        (refused,) = events("bybit", sample(exchanges, "bybit/ws_subscription_failure.json"))
        assert isinstance(refused, Refused)
        assert "invalid.topic" in refused.reason
        (row,) = EXCHANGES["bybit"].history(
            instrument("BTCUSDT"), 1, sample(exchanges, "bybit/http_get_klines_linear.json")
        )
        assert row.candle.close == 27455
        assert math.isnan(row.candle.trade_count)
        assert math.isnan(row.candle.taker_buy_volume)
        found, *_ = EXCHANGES["bybit-linear"].instruments(sample(exchanges, "bybit/http_get_instruments_linear.json"))
        assert (found.tick_size, found.state) == (0.5, "trading")
        assert len(EXCHANGES["bybit"].instruments(sample(exchanges, "bybit/http_get_instruments_spot.json"))) > 1
        asked = EXCHANGES["bybit-linear"].trades(
            instrument("BTCUSDT"), sample(exchanges, "bybit/http_get_trades_recent.json")
        )
        assert [each.trade.quantity for each in asked] == [0.005]

    def test_candles_of_five_minutes_are_no_minutes(self, exchanges: Path) -> None:
        with pytest.raises(UnknownMessage, match="interval is '5'"):
            events("bybit", sample(exchanges, "bybit/ws_kline.json"))


class TestOkx:
    def test_samples_are_read(self, exchanges: Path) -> None:
        traded, heard = events("okx", sample(exchanges, "okx/ws_trades.json"), "BTC-USD")
        assert heard == Heard(1_630_048_897_897, symbol="BTC-USD")
        assert isinstance(traded, Traded)
        assert (traded.trades[0].number, traded.trades[0].combined) == (130639474, 3)
        swap = instrument("BTC-USDT-SWAP", contract_size=0.01)
        rows = [*EXCHANGES["okx-swap"].history(swap, 1, sample(exchanges, "okx/http_get_candlesticks_full.json"))]
        assert [row.candle.volume for row in rows] == [71.6404, 10.4037]
        assert [row.is_closed for row in rows] == [True, True]
        trades = EXCHANGES["okx"].trades(instrument("BTC-USDT"), sample(exchanges, "okx/http_get_trades.json"))
        assert [each.number for each in trades] == [734864332, 734864333]

    def test_amounts_of_swaps_are_contracts(self, exchanges: Path) -> None:
        swap, *_ = EXCHANGES["okx-swap"].instruments(sample(exchanges, "okx/http_get_instruments_swap.json"))
        assert (swap.contract_size, swap.is_inverse) == (100.0, True)
        assert swap.quantity(5, 50_000.0) == 0.01
        linear = instrument("BTC-USDT-SWAP", contract_size=0.01)
        message = {
            "arg": {"channel": "trades-all", "instId": "BTC-USDT-SWAP"},
            "data": [
                {"instId": "BTC-USDT-SWAP", "tradeId": "7", "px": "50000", "sz": "3", "side": "sell", "ts": str(MINUTE)}
            ],
        }
        traded = EXCHANGES["okx-swap"].events(message, {"BTC-USDT-SWAP": linear})[0]
        assert isinstance(traded, Traded)
        assert traded.trades[0].trade == Trade(MINUTE, 50_000.0, 0.03, True)

    def test_a_recording_is_read(self, exchanges: Path) -> None:
        found = 0
        for message in messages(exchanges / "okx" / "cryptofeed_OKX.ws.1.0.gz"):
            about = message.get("arg", {})
            if about.get("channel") == "trades":
                found += sum(isinstance(each, Traded) for each in events("okx", message, about["instId"]))
        assert found == 74


class TestCoinbase:
    def test_samples_are_read(self, exchanges: Path) -> None:
        traded, heard = events("coinbase", sample(exchanges, "coinbase/ws_market_trades.json"), "BTC-USD")
        assert heard == Heard(1_775_572_202_789, 5)
        assert isinstance(traded, Traded)
        assert [each.number for each in traded.trades] == [995098700, 995098701]
        # The side is that of the maker.
        assert [each.trade.buyer_is_maker for each in traded.trades] == [True, False]
        assert events("coinbase", sample(exchanges, "coinbase/ws_subscriptions.json")) == [Heard(1_775_572_200_000, 0)]
        rows = EXCHANGES["coinbase"].history(instrument("BTC-USD"), 60, sample(exchanges, "coinbase/http_candles.json"))
        assert [row.candle.open_time for row in rows] == [1_712_188_800_000, 1_712_192_400_000]
        assert all(math.isnan(row.candle.trade_count) for row in rows)

    def test_a_market_in_usdc_is_streamed_under_its_other_name(self) -> None:
        usd = {
            "product_id": "BTC-USD", "base_currency_id": "BTC", "quote_currency_id": "USD", "price_increment": "0.01",
            "alias": "", "alias_to": ["BTC-USDC"],
        }  # fmt: skip
        usdc = usd | {"product_id": "BTC-USDC", "quote_currency_id": "USDC", "alias": "BTC-USD", "alias_to": []}
        coinbase = EXCHANGES["coinbase"]
        found = coinbase.instruments({"products": [usd, usdc]})
        assert [each.stream_symbol for each in found] == ["BTC-USD", "BTC-USD"]
        assert [each.symbol for each in found] == ["BTC-USD", "BTC-USDC"]
        assert json.loads(coinbase.subscriptions(found)[-1])["product_ids"] == ["BTC-USD"]

    def test_a_trade_that_cannot_be_read_takes_no_other_and_no_number_of_a_message_with_it(self) -> None:
        """All markets of the connection caught up, because a number of its messages was missing."""
        good = {
            "trade_id": "1", "product_id": "A", "price": "1", "size": "1", "side": "UNKNOWN_ORDER_SIDE",
            "time": "2026-04-07T14:30:02.789012Z",
        }  # fmt: skip
        message = {
            "channel": "market_trades", "timestamp": "2026-04-07T14:30:02.789012345Z", "sequence_num": 7,
            "events": [{"type": "update", "trades": [good, good | {"product_id": "B", "price": "dear"}]}],
        }  # fmt: skip
        with pytest.raises(UnknownMessage, match="product_id is 'A', which was not asked for"):
            events("coinbase", message, "C")
        traded, left_out, heard = events("coinbase", message, "A", "B")
        assert isinstance(traded, Traded)
        assert [(each.number, each.trade.buyer_is_maker) for each in traded.trades] == [(1, None)]
        assert isinstance(left_out, LeftOut)
        assert "price" in left_out.reason
        assert heard == Heard(1_775_572_202_789, 7)

    def test_newest_first_within_a_message_is_put_in_order(self) -> None:
        trades = [
            {"trade_id": str(n), "product_id": "A", "price": "1", "size": "1", "side": "BUY",
             "time": "2026-04-07T14:30:02.789012Z"} for n in (3, 2, 1)
        ]  # fmt: skip
        message = {
            "channel": "market_trades", "timestamp": "2026-04-07T14:30:02.789012345Z", "sequence_num": 1,
            "events": [{"type": "update", "trades": trades}],
        }  # fmt: skip
        traded = events("coinbase", message, "A")[0]
        assert isinstance(traded, Traded)
        assert [each.number for each in traded.trades] == [1, 2, 3]


@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize(
    "message",
    [
        None, 1, "text", [], {}, {"data": None}, {"topic": 5}, {"arg": {}}, {"channel": None}, {"e": "kline"},
        {"channel": "trade", "type": "update", "data": [{"symbol": "A"}]},
        {"topic": "publicTrade.A", "ts": 1, "data": [{"p": "NaN"}]},
        {"e": "aggTrade", "E": 1, "a": 1, "s": "A", "p": "NaN", "q": "1", "f": 1, "l": 1, "T": 1, "m": True},
        {"e": "kline", "E": 1, "s": "A", "k": {"t": 1, "x": "yes"}},
        {"arg": {"channel": "trades", "instId": "A"}, "data": [[]]},
        {"channel": "market_trades", "timestamp": "2026", "sequence_num": "x", "events": 5},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_not_known_is_refused_in_words(exchange: str, message: Any) -> None:
    with suppress(UnknownMessage):
        found = events(exchange, message, "A")
        assert not any(isinstance(each, (Traded, CandleSeen)) for each in found)


@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize(
    ("status", "then", "concerns"),
    [
        (429, "wait", "host"), (418, "wait", "host"), (451, "give_up", "host"), (403, "give_up", "host"),
        (503, "retry", "host"), (408, "retry", "host"), (425, "retry", "host"),
        (404, "give_up", "instrument"), (400, "give_up", "instrument"),
        (302, "give_up", "host"),
    ],
)  # fmt: skip
def test_refusals_say_what_to_do(exchange: str, status: int, then: str, concerns: str) -> None:
    advice = EXCHANGES[exchange].advice(status, None, None)
    assert advice is not None
    assert (advice.then, advice.concerns) == (then, concerns)
    assert (advice.seconds > 0) == (then == "wait")


@pytest.mark.parametrize(
    ("exchange", "body"),
    [
        ("bybit", {"retCode": 403, "retMsg": "unheard of"}), ("okx", {"code": "1", "msg": "unheard of"}),
        ("kraken", {"error": ["EService:Unheard of"]}), ("binance", {"code": -1008, "msg": "unheard of"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("status", "retry_after", "then", "seconds"),
    [(429, 120.0, "wait", 120.0), (503, 120.0, "wait", 120.0), (403, None, "give_up", 0.0), (200, None, "retry", 0.0)],
)
def test_an_error_that_is_not_known_hides_no_status(
    exchange: str, body: Any, status: int, retry_after: float | None, then: str, seconds: float
) -> None:
    """A program that goes on asking is shut out for longer."""
    advice = EXCHANGES[exchange].advice(status, retry_after, body)
    assert advice is not None
    assert (advice.then, advice.seconds, advice.concerns) == (then, seconds, "host")
    said = "-1008" if exchange == "binance" else "nheard of"
    assert then == "give_up" or said in advice.reason  # what to do comes first


@pytest.mark.parametrize("said", ["EService:Throttled: 1796055264", "EService: Throttled: 1796055264"])
def test_kraken_that_throttles_is_left_alone_for_a_while(said: str) -> None:
    """Each request extends the time, and with status 200 it was asked again each second."""
    advice = EXCHANGES["kraken"].advice(200, None, {"error": [said]})
    assert advice is not None
    assert (advice.then, advice.concerns) == ("wait", "host")
    assert advice.seconds >= 60


@pytest.mark.parametrize(
    ("exchange", "status", "body", "seconds"),
    [("coinbase", 429, None, 5.0), ("bybit", 200, {"retCode": 10018, "retMsg": "Exceeded the IP Rate Limit."}, 600.0)],
)
def test_a_limit_without_a_time_is_waited_for_as_long_as_the_exchange_documents(
    exchange: str, status: int, body: Any, seconds: float
) -> None:
    advice = EXCHANGES[exchange].advice(status, None, body)
    assert advice is not None
    assert (advice.then, advice.seconds) == ("wait", seconds)


def test_who_asked_bybit_too_often_waits_as_long_as_it_says() -> None:
    advice = EXCHANGES["bybit"].advice(403, None, {"retCode": 403, "retMsg": "access too frequent"})
    assert advice is not None
    assert (advice.then, advice.seconds) == ("wait", 600.0)


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_wait_the_exchange_asks_for_is_kept(exchange: str) -> None:
    advice = EXCHANGES[exchange].advice(429, 17.0, None)
    assert advice is not None
    assert advice.seconds == 17.0


@pytest.mark.parametrize(
    ("exchange", "body", "then"),
    [
        ("binance", {"code": -1121, "msg": "Invalid symbol."}, "give_up"),
        ("binance", {"code": -1003, "msg": "Way too many requests"}, "wait"),
        ("binance", {"code": -1001, "msg": "Internal error; unable to process your request."}, "retry"),
        ("bybit", {"retCode": 10006, "retMsg": "Too many visits!"}, "wait"),
        ("bybit", {"retCode": 10001, "retMsg": "Not supported symbols"}, "give_up"),
        ("bybit", {"retCode": 0, "result": {}}, None),
        ("okx", {"code": "50011", "msg": "Rate limit reached."}, "wait"),
        ("okx", {"code": "51001", "msg": "Instrument ID does not exist"}, "give_up"),
        ("okx", {"code": "50001", "msg": "Service temporarily unavailable"}, "retry"),
        ("okx", {"code": "0", "data": []}, None),
        ("kraken", {"error": ["EQuery:Unknown asset pair"]}, "give_up"),
        ("kraken", {"error": ["EAPI:Rate limit exceeded"]}, "wait"),
        ("kraken", {"error": ["EService:Unavailable"]}, "retry"),
        ("kraken", {"error": [], "result": {}}, None),
        ("coinbase", {"error": "NOT_FOUND", "message": "valid product is required"}, "give_up"),
    ],
)
def test_errors_within_a_good_status_are_seen(exchange: str, body: Any, then: str | None) -> None:
    advice = EXCHANGES[exchange].advice(200, None, body)
    assert (None if advice is None else advice.then) == then


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_subscription_names_every_instrument(exchange: str) -> None:
    adapter = EXCHANGES[exchange]
    asked = [instrument(f"S{number}USDT") for number in range(120)]
    written = (adapter.stream_path(asked) + " ".join(adapter.subscriptions(asked))).lower()
    assert all(each.stream_symbol.lower() in written for each in asked)


def test_pages_of_instruments_follow_each_other(exchanges: Path) -> None:
    bybit = EXCHANGES["bybit-linear"]
    answer = sample(exchanges, "bybit/http_get_instruments_linear.json")
    assert bybit.more_instruments(answer) is None
    answer["result"]["nextPageCursor"] = "first%3DBTC"
    request = bybit.more_instruments(answer)
    assert request is not None
    assert request.query == {**bybit.instruments_request().query, "cursor": "first=BTC"}


@pytest.mark.parametrize(
    ("name", "path", "keys"),
    [
        ("okx", "okx/http_get_instruments_spot.json", ("data",)),
        ("bybit", "bybit/http_get_instruments_spot.json", ("result", "list")),
    ],
)
def test_a_market_that_cannot_be_read_does_not_hide_the_others(
    exchanges: Path, name: str, path: str, keys: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    answer = sample(exchanges, path)
    listed = answer
    for key in keys:
        listed = listed[key]
    whole = EXCHANGES[name].instruments(answer)
    listed.append(dict.fromkeys(listed[0], ""))
    assert EXCHANGES[name].instruments(answer) == whole
    assert f"1 of {len(whole) + 1} markets cannot be read and are left out" in caplog.text
    del listed[:-1]
    with pytest.raises(UnknownMessage):
        EXCHANGES[name].instruments(answer)
