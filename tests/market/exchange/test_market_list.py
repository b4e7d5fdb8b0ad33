"""Lists of markets are read whole, however long real ones are, and hostile ones a piece at a time, up to a bound."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakSet

import httpx2
import orjson
import pytest

import fake_exchange
from fake_exchange import BEGIN, DIALECTS, FakeMarket
from vivienne import slices
from vivienne.market.feeds.exchange import asking
from vivienne.market.feeds.exchange import rest as exchange_rest
from vivienne.market.feeds.exchange.adapter import Instrument, Request, UnknownMessage
from vivienne.market.feeds.exchange.asking import instruments_of
from vivienne.market.feeds.exchange.budget import Budget
from vivienne.market.feeds.exchange.fields import readable, text
from vivienne.market.feeds.exchange.known import EXCHANGES
from vivienne.market.feeds.exchange.line import Line
from vivienne.market.feeds.exchange.listener import Counts
from vivienne.market.feeds.exchange.patience import Patience
from vivienne.market.feeds.exchange.rest import Refused, Rest
from vivienne.market.feeds.exchange.turns import Turns
from vivienne.market.types import MINUTE_MS

if TYPE_CHECKING:
    from vivienne.market.feeds.exchange.adapter import Adapter

BASES = tuple(f"A{number}" for number in range(300))
ODD = {"text": '"]}\\"{[', "nested": [{"a": ["}", "\\"]}], "é": "]", "empty": [{}, []]}
"""Fields of a market that are not read."""


def answering(adapter: Adapter, *pages: bytes) -> Rest:
    """A REST side that answers so, and with the last page again and again."""
    left = list(pages)

    def answer(_: httpx2.Request) -> httpx2.Response:
        content = gzip.compress(left.pop(0) if len(left) > 1 else left[0], 1)
        return httpx2.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx2.ByteStream(content))

    rest = Rest(adapter, "http://exchange.test", Patience(pace=1e6))
    rest._client = httpx2.AsyncClient(base_url="http://exchange.test", transport=httpx2.MockTransport(answer))
    rest._budget = Budget(1e9)
    return rest


def with_odd_fields(content: Any) -> Any:
    if isinstance(content, dict):
        found = {name: with_odd_fields(each) for name, each in content.items()}
        return {**ODD, **found} if any(isinstance(each, str) for each in found.values()) else found
    return [with_odd_fields(each) for each in content] if isinstance(content, list) else content


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("exchange", DIALECTS)
async def test_all_markets_of_a_list_are_read_whatever_else_is_in_it(
    exchange: str, indent: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake_exchange, "_INSTRUMENTS_A_PAGE", len(BASES))
    adapter, market = EXCHANGES[exchange], FakeMarket(BASES, past=1, ahead=1)
    listed = with_odd_fields(DIALECTS[exchange]().rest(market, adapter.instruments_request().path, {}))
    found = await instruments_of(answering(adapter, json.dumps(listed, indent=indent).encode()), adapter)
    assert found == adapter.instruments(listed)
    assert len(found) == len(BASES)


def of_binance(number: int) -> dict[str, Any]:
    """A market as long as the longest of real ones."""
    filters = [{"filterType": f"F{each}", "a": "0.01", "b": "9000", "c": True} for each in range(10)]
    return {
        "symbol": f"A{number}USDT", "status": "TRADING", "baseAsset": f"A{number}", "quoteAsset": "USDT",
        "orderTypes": ["LIMIT", "MARKET", "STOP_LOSS"],
        "filters": [{"filterType": "PRICE_FILTER", "tickSize": "0.01"}, *filters],
        "permissionSets": [["SPOT", *(f"TRD_GRP_{each:03}" for each in range(250))]],
    }  # fmt: skip


async def test_the_longest_list_there_is_fits_and_others_have_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)
    content = orjson.dumps({"timezone": "UTC", "symbols": [of_binance(number) for number in range(3_500)]})
    assert len(content) > 14_000_000
    adapter = EXCHANGES["binance"]
    reading, turns = asyncio.create_task(instruments_of(answering(adapter, content), adapter)), 0
    while not reading.done():
        await asyncio.sleep(0)
        turns += 1
    assert len(await reading) == 3_500
    assert turns > 400  # pieces of 64 kB are unpacked, looked at and decoded


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"symbols":[' + b'{"":0},' * 300_000 + b"{}]}", "more than 50,000 markets"),
        (b'{"symbols":[' + (b"[" * 1_990 + b"]" * 1_990 + b",") * 300 + b"{}]}", "more than 500,000 parts"),
        (b'{"symbols":[{"a":"' + b"x" * 70_000 + b'"}]}', "a market has more than 64 kB"),
        (b'{"symbols":[' + b"[" * 2_000_000, "a market has more than 64 kB or 2,000 parts"),
        (b"[" + b'{"":0},' * 300_000 + b"{}]", "bytes beside its markets"),
        (b"[" * 2_000_000, "bytes beside its markets"),
        (b'{"symbols":[{"a":1}],"b":[' + b"[]," * 80_000 + b"[]]}", "80,001 objects and lists|80,0"),
        (b'{"symbols":[{"a":1}],"b":[' + b"[]," * 300_000 + b"[]]}", "bytes beside its markets"),
        (b'{"symbols":[{"a":1', "or no end"),
        (b'{"symbols":[' + b"0," * 2_000_000 + b"0]}", "a market has more than 64 kB"),
        (b'{"symbols":[' + b'{"a":1},' * 20_000 + b"{}]}", "symbol is missing"),
        (b'{"symbols":[{"a":}]}', "is missing|could not be read"),
    ],
)
async def test_a_list_of_far_too_much_is_refused_a_piece_at_a_time(
    content: bytes, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange_rest, "_TRIES", 1)
    decoded: list[int] = []
    loads = orjson.loads

    def noted(text: bytes) -> Any:
        decoded.append(len(text))
        return loads(text)

    monkeypatch.setattr(orjson, "loads", noted)
    with pytest.raises(Refused, match=reason):
        await instruments_of(answering(EXCHANGES["binance"], content), EXCHANGES["binance"])
    assert max(decoded, default=0) < 300_000


async def test_all_pages_of_a_list_have_one_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MOST_LISTED_BYTES", 1_000_000)
    bybit = EXCHANGES["bybit"]
    one = {
        "symbol": "AUSDT",
        "baseCoin": "A",
        "quoteCoin": "USDT",
        "status": "Trading",
        "priceFilter": {"tickSize": "1"},
    }
    page = {"result": {"list": [one], "nextPageCursor": "next"}, "other": "x" * 60_000}
    asked = 0

    class Counting:
        turns = Turns()

        async def markets(self, request: Request, most: int) -> Any:
            nonlocal asked
            asked += 1
            return await rest.markets(request, most)

    rest = answering(bybit, orjson.dumps(page))
    with pytest.raises(Refused, match=r"an answer of more than [\d,]+ bytes"):
        await instruments_of(cast("Rest", Counting()), bybit)
    assert asked == 1_000_000 // len(orjson.dumps(page)) + 1


async def test_a_market_that_cannot_be_read_takes_no_other_with_it_wherever_it_is() -> None:
    listed = [*({"symbol": 1} for _ in range(120)), of_binance(1), *({"symbol": 1} for _ in range(120))]
    adapter = EXCHANGES["binance"]
    found = await instruments_of(answering(adapter, orjson.dumps({"symbols": listed})), adapter)
    assert [each.symbol for each in found] == ["A1USDT"]


@pytest.mark.parametrize("content", [b"[" + b"[]," * 300_000 + b"[]]", b"[" + b"0," * 300_000 + b"0]"])
async def test_an_answer_or_a_message_of_very_many_parts_is_not_decoded(
    content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter, counts = EXCHANGES["bybit"], Counts()
    hearing = Line(
        adapter, "ws://x", [Instrument("A", "A", "A", "B", 0.1)], cast("Any", None), counts, Patience()
    ).hearing
    monkeypatch.setattr(orjson, "loads", None)
    with pytest.raises(Refused, match="objects and lists"):
        await answering(adapter, content).get(adapter.time_request(), tries=1)
    assert not await hearing.is_news(content.decode())
    assert any("objects and lists" in reason for reason in counts.left_out)


@pytest.mark.parametrize("exchange", DIALECTS)
async def test_pages_and_messages_of_a_thousand_rows_are_read(exchange: str) -> None:
    class Listening:
        def __getattr__(self, name: str) -> Any:
            return lambda *_: None

    adapter, dialect = EXCHANGES[exchange], DIALECTS[exchange]()
    market = FakeMarket(past=1_002, ahead=1, a_minute=2)
    (instrument,) = adapter.instruments(dialect.rest(market, adapter.instruments_request().path, {}))
    request = adapter.history_request(instrument, 1, BEGIN - adapter.history_rows * MINUTE_MS, BEGIN)
    answer = dialect.rest(market, request.path, {name: str(value) for name, value in request.query.items()})
    body = await answering(adapter, orjson.dumps(answer)).get(request)
    assert len([*adapter.history(instrument, 1, body)]) >= adapter.history_rows - 200
    trades = market.between("BTC", 0, BEGIN)[:1_000]
    for message in dialect.traded("BTC", trades, BEGIN):
        line = Line(adapter, "ws://x", [instrument], cast("Any", Listening()), counts := Counts(), Patience())
        await line.hearing.is_news(json.dumps(message))
        assert not counts.left_out


async def test_of_markets_that_cannot_be_read_no_error_is_kept() -> None:
    kept = WeakSet[UnknownMessage]()

    def wrong(_: Any) -> Instrument:
        try:
            text({}, "symbol")
        except UnknownMessage as error:
            kept.add(error)
            raise
        finally:
            assert len(kept) <= 2
        raise AssertionError

    with pytest.raises(UnknownMessage, match="symbol is missing"):
        readable([1] * 1_000, wrong)
