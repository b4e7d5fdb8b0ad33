"""What an exchange serves at a moment: whether it is open, and the markets of the assets."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from vivienne.market.feeds.exchange.asking import instruments_of
from vivienne.market.feeds.exchange.choosing import UnknownInstrument, chosen
from vivienne.market.feeds.exchange.rest import Refused, answer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vivienne.market.feeds.exchange.adapter import Adapter, Instrument
    from vivienne.market.feeds.exchange.patience import Patience
    from vivienne.market.feeds.exchange.rest import Rest

_log = logging.getLogger(__name__)


class Serving:
    """Asks an exchange what it serves.

    Args:
        adapter: of the exchange.
        rest: its REST side.
        patience: how long it waits between tries.
        say: takes why nothing is served yet, and whether that is asked for at a slow pace only.

    Attributes:
        told: why the exchange does not serve its markets, as it said last; None where it does.
    """

    def __init__(self, adapter: Adapter, rest: Rest, patience: Patience, say: Callable[[str, bool], None]) -> None:
        self._adapter = adapter
        self._rest = rest
        self._patience = patience
        self._say = say
        self.told: str | None = None

    async def ask_outage(self) -> None:
        """Ask why the exchange does not serve its markets, as far as it says so. No answer says nothing."""
        request = self._adapter.status_request()
        if request is None:
            return
        try:
            found: str | None = answer_of(self._adapter.outage, await self._rest.get(request, tries=1))
        except Refused as refused:
            _log.debug("%s does not say whether it serves its markets: %s", self._adapter.title, refused)
            return
        if found is not None:
            if found != self.told:
                _log.warning("%s", found)
            self._say(found, True)
        self.told = found

    async def instruments(self, *, once: bool) -> list[Instrument] | None:
        """All instruments; asked for until they come, or only once, and None where they do not."""
        tries, told = 0, self.told
        while True:
            try:
                return await instruments_of(self._rest, self._adapter)
            except Refused as refused:
                slow = refused.advice.then == "give_up"
                # An outage that the exchange told of is why.
                reason = refused.advice.reason if slow else self.told or refused.advice.reason
            self._say(reason, slow or reason == self.told)
            if once:
                _log.debug("%s", reason)
                return None
            if reason != told:
                told = reason
                _log.warning("%s", reason)
            await asyncio.sleep(self._patience.slow if slow else self._patience.pause(tries))
            tries += 1


def choices(
    instruments: list[Instrument], assets: tuple[str, ...], symbols: Mapping[str, str], quote: str
) -> dict[str, Instrument | str]:
    """The instrument of every asset, or why there is none.

    Args:
        instruments: of the exchange.
        assets: names of the assets.
        symbols: names at the exchange, of assets that are not simply their name and the quote currency.
        quote: currency that assets are paid in.
    """
    found: dict[str, Instrument | str] = {}
    for asset in assets:
        try:
            found[asset] = chosen(instruments, asset, quote=quote, symbol=symbols.get(asset))
        except UnknownInstrument as error:
            found[asset] = str(error)
    return found
