"""What refusals by HTTP status mean. They are the same for every exchange, as far as bodies say nothing else."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from vivienne.market.feeds.exchange.adapter import Advice

_USUAL_WAIT_SECONDS = 60.0
_PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY)
"""Refusals that are over the next time: Binance has 408 where it waited too long for a part of its own."""


def by_status(title: str, status: int, retry_after: float | None) -> Advice | None:
    """What to do after an answer with this status; None where it is a good one.

    Args:
        title: of the exchange.
        status: of HTTP.
        retry_after: seconds it asked to wait.
    """
    match status:
        case HTTPStatus.TOO_MANY_REQUESTS:
            found = Advice("wait", f"{title} got too many requests", retry_after or _USUAL_WAIT_SECONDS)
        case 418:  # Binance's way to say that an address went on in spite of 429
            found = Advice("wait", f"{title} shut this address out for a while", retry_after or 2 * _USUAL_WAIT_SECONDS)
        case HTTPStatus.FORBIDDEN | HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS:
            besides = "" if status != HTTPStatus.FORBIDDEN else ", or because it asked too often, which passes"
            found = Advice(
                "give_up",
                f"{title} does not serve this address (HTTP {status}), most often because of its country{besides}; use "
                "a regional host (--exchange-url), a proxy (HTTPS_PROXY), or another exchange",
            )
        case HTTPStatus.NOT_FOUND:
            found = Advice("give_up", f"{title} does not know this market", concerns="instrument")
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _PASSING:
            reason = f"{title} answers {status}"
            found = Advice("retry", reason) if retry_after is None else Advice("wait", reason, retry_after)
        case _ if status >= HTTPStatus.BAD_REQUEST:
            found = Advice("give_up", f"{title} refuses the request (HTTP {status})", concerns="instrument")
        case _ if status >= HTTPStatus.MULTIPLE_CHOICES:
            reason = f"{title} sends elsewhere (HTTP {status}); name the right host with --exchange-url"
            found = Advice("give_up", reason)
        case _:
            return None
    return found


def of_unknown(title: str, said: str, status: int, retry_after: float | None) -> Advice:
    """What to do after an error in a body that is not known: its status may say to wait, or that nothing is served.

    Args:
        title: of the exchange.
        said: the error, as it goes on after the title.
        status: of HTTP.
        retry_after: seconds it asked to wait.
    """
    found = by_status(title, status, retry_after)
    if found is not None and found.concerns == "host" and found.then != "retry":
        return replace(found, reason=f"{found.reason}. It {said}")
    return Advice("retry", f"{title} {said}")
