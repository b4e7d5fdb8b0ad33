"""Work that is begun again after it failed, with growing random waits between."""

from __future__ import annotations

import asyncio
import logging
from time import monotonic
from typing import TYPE_CHECKING

from vivienne.errors import MarketDataError
from vivienne.market.feeds.exchange.patience import LONGEST_WAIT_SECONDS, full_jitter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_log = logging.getLogger(__name__)
FIRST_WAIT_SECONDS = 1.0
"""Bound of the wait before the work is begun again; it doubles with each failure, up to a minute."""


class EndedUnexpectedly(Exception):
    """The work ended, and should not have."""


async def kept_up(title: str, work: Callable[[], Awaitable[None]], failed: Callable[[str], bool]) -> None:
    """Do some work until it ends in order.

    Args:
        title: what it is, for the log.
        work: the work; it is begun again by another call.
        failed: is told why it failed, and says whether it is begun again.
    """
    tries = 0
    while True:
        begun = monotonic()
        try:
            await work()
        except MarketDataError as error:
            reason = f"the feed failed: {error}"
        except EndedUnexpectedly:
            reason = "the feed ended unexpectedly"
        except Exception as error:  # noqa: BLE001  # nothing else reports the failure of a feed
            _log.exception("%s failed", title)
            reason = f"the feed failed: {_cause(error)!r}"
        else:
            return
        if not failed(reason):
            return
        if monotonic() - begun > LONGEST_WAIT_SECONDS:
            tries = 0
        await asyncio.sleep(full_jitter(tries, FIRST_WAIT_SECONDS))
        tries += 1


def _cause(error: Exception) -> Exception:
    """The first error of a group of tasks, as it happened in its task."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
