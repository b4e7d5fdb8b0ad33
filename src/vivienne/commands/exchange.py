"""What the commands that ask an exchange share: their options, and its refusals as errors of a command."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from vivienne.commands.options import option_of
from vivienne.errors import ExchangeError, SettingsError
from vivienne.market.feeds.exchange.known import EXCHANGES
from vivienne.market.feeds.exchange.rest import Refused
from vivienne.settings.boot import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vivienne.market.feeds.exchange.adapter import Adapter

exchange_option = option_of(SETTINGS["exchange"], f"Exchange to ask, without keys: {', '.join(EXCHANGES)}.")
exchange_url_option = option_of(SETTINGS["exchange_url"])
quote_option = option_of(SETTINGS["quote"])
asset_option = click.option("--asset", metavar="BTC", default="", help="Asset, as `serve` takes it for --assets.")
symbol_option = click.option(
    "--symbol", metavar="XBT/USD", default="", help="Name of the market at the exchange, in place of asset and quote."
)


@dataclass(frozen=True, slots=True)
class Place:
    """An exchange, and where it is asked.

    Attributes:
        url: scheme and host in place of its own; None for those.
    """

    adapter: Adapter
    url: str | None

    @classmethod
    def of(cls, exchange: str, exchange_url: str) -> Place:
        """The exchange that options name.

        Raises:
            SettingsError: there is none of this name, or the address is not valid.
        """
        name = SETTINGS["exchange"].read(exchange)
        if not name:
            raise SettingsError(f"--exchange NAME is missing; choose from {', '.join(EXCHANGES)}")
        return cls(EXCHANGES[name], SETTINGS["exchange_url"].read(exchange_url))


@contextmanager
def refusals_as_errors() -> Iterator[None]:
    """Turn a refusal of an exchange into an error of a command."""
    try:
        yield
    except Refused as refused:
        advice = refused.advice
        raise ExchangeError(advice.reason, is_temporary=advice.then != "give_up") from refused


def meant(asset: str, symbol: str) -> tuple[str, str | None]:
    """The asset and its name at the exchange, which one of the options gives.

    Args:
        asset: such as ``BTC``; may be empty.
        symbol: such as ``XBT/USD``, or as `serve` takes it, ``BTC=XBT/USD``; may be empty.

    Raises:
        SettingsError: both are empty.
    """
    named, equals, rest = symbol.partition("=")
    name = (rest if equals else symbol).strip()
    found = asset.strip().upper() or (named if equals else name).strip().upper()
    if not found:
        raise SettingsError("--asset NAME is missing, as in --asset BTC; --symbol names a market by its own name")
    return found, name or None
