"""Messages that nobody knows are counted by their kind, whatever is in them."""

from __future__ import annotations

import pytest

from exchange_watching import QUIETLY, followed, until
from fake_exchange import DIALECTS, FakeExchange, FakeMarket

UNKNOWN = {
    "binance": '{"e": "news", "E": %d, "s": "N%d"}',
    "bybit": '{"topic": "news.N%d", "ts": %d, "data": []}',
    "okx": '{"arg": {"channel": "news", "instId": "N%d"}, "data": [{"at": "%d"}]}',
    "kraken": '{"channel": "N%d", "type": "update", "data": [{"at": %d}]}',
    "coinbase": '{"channel": "N%d", "timestamp": "2025-10-09T09:00:00Z", "sequence_num": 0, "events": [%d]}',
}
"""Messages of an unknown kind, with other values each time."""


@pytest.mark.parametrize("name", DIALECTS)
async def test_messages_of_an_unknown_kind_are_one_reason_whatever_is_in_them(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        FakeExchange(name, FakeMarket()) as exchange,
        followed(exchange, name, patience=QUIETLY) as (feed, (watching,)),
    ):
        await watching.until(1)
        missing = ('{"what": %d}', '{"at": "%d"}')
        for number in range(20):
            await exchange.tell(UNKNOWN[name] % (number, number * 1_000))
            for each in missing:
                await exchange.tell(each % number)
        left_out = feed.streams[0].counts.left_out
        await until(lambda: left_out.total() == 60)
        assert len(left_out) == 2
        said = [each.getMessage() for each in caplog.records if "left out" in each.getMessage()]
        assert len(said) == 2
