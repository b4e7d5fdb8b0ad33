"""Names of markets have a bound, and proxies of the environment are of a kind that works, or it is said."""

from __future__ import annotations

import pytest

from vivienne.errors import SettingsError
from vivienne.market.feeds.exchange.adapter import UnknownMessage
from vivienne.market.feeds.exchange.known import EXCHANGES
from vivienne.market.feeds.exchange.rest import Rest

LISTED = {
    "status": "online", "base_currency_id": "BTC", "quote_currency_id": "USD", "quote_increment": "0.01",
    "price_increment": "0.01",
}  # fmt: skip


@pytest.mark.parametrize("name", ["BTC" + "-" * 5_000_000, "BTC\x1b[2J", ""])
def test_a_market_whose_name_is_long_or_unprintable_is_left_out(name: str) -> None:
    """Names are in every state, and on terminals."""
    coinbase = EXCHANGES["coinbase"]

    found = coinbase.instruments({"products": [{**LISTED, "product_id": each} for each in ("BTC-USD", name)]})

    assert [each.symbol for each in found] == ["BTC-USD"]
    with pytest.raises(
        UnknownMessage, match=r"is not 1 to 64 printable characters|longer than 100 characters"
    ) as error:
        coinbase.instruments({"products": [{**LISTED, "product_id": name}]})
    assert len(str(error.value)) < 200


@pytest.mark.parametrize(
    "address",
    [
        "socks5://ana:s3cret@host:1080",
        "ftp://ana:s3cret@host",
        "http://ana:s3cret@:x",
        "http://s3cret@host",
        "http://a:s3cret@host/p",
        "host:3128",
    ],
)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "WSS_PROXY"])
async def test_a_proxy_that_is_not_supported_is_said_without_its_password(
    monkeypatch: pytest.MonkeyPatch, variable: str, address: str
) -> None:
    monkeypatch.setenv(variable, address)

    with pytest.raises(SettingsError, match=f"{variable.upper()} must begin with http:// or https://") as error:
        Rest(EXCHANGES["kraken"])
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize("address", ["http://proxy.example:3128", "https://a:b@proxy.example/", ""])
async def test_other_proxies_are_taken(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)

    async with Rest(EXCHANGES["kraken"]):
        pass
