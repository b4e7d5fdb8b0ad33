"""What the commands that ask an exchange share: their options, and its refusals as errors of a command."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
