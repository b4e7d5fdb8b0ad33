"""Hosts of the streams of exchanges in regions, where they have other names than those of REST."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vivienne.market.feeds.exchange.adapter import Adapter

_STREAMS = {
    "https://api.binance.us": "wss://stream.binance.us:9443",
    "https://data-api.binance.vision": "wss://data-stream.binance.vision",
    **dict.fromkeys(
        (f"https://api{host}.binance.com" for host in ("1", "2", "3", "4", "-gcp")), "wss://stream.binance.com:9443"
    ),
    "https://eea.okx.com": "wss://wseea.okx.com:8443",
    "https://my.okx.com": "wss://wseea.okx.com:8443",
    "https://us.okx.com": "wss://wsus.okx.com:8443",
    "https://app.okx.com": "wss://wsus.okx.com:8443",
    "https://api.bytick.com": "wss://stream.bytick.com",
    "https://api.bybit.eu": "wss://stream.bybit.eu",
    "https://api.bybit.nl": "wss://stream.bybit.nl",
    "https://api.bybit.kz": "wss://stream.bybit.kz",
    "https://api.bybit-tr.com": "wss://stream.bybit-tr.com",
    "https://api.bybitgeorgia.ge": "wss://stream.bybitgeorgia.ge",
}
"""As the exchanges document them."""


def stream_of(adapter: Adapter, url: str | None) -> str:
    """The host of the stream that belongs to a host of REST; where none is known, it has the same name.

    Args:
        adapter: of the exchange.
        url: scheme and host of REST; None for the exchange's own. The scheme ws goes with http, wss with https.
    """
    if url is None or url == adapter.rest:
        return adapter.stream
    return _STREAMS.get(url) or url.replace("http", "ws", 1)
