"""Access to a process: on this machine free unless set otherwise, from other machines with a token."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from vivienne.access.access import Access
from vivienne.errors import SettingsError
from vivienne.server.origins import LOCAL_HOSTS
from vivienne.server.proxies import UnnamedProxies

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from vivienne.access.book import TokenBook
    from vivienne.settings.boot import Boot

_log = logging.getLogger(__name__)

_MOST_NAMED = 3
"""Expired tokens that a refusal names, the last ones."""


def access_for(boot: Boot, book: TokenBook, *, is_local: bool) -> Access:
    """Access by the boot settings.

    Args:
        boot: the settings.
        book: the tokens that exist.
        is_local: only this machine reaches the port. A proxy, or an origin of another host, says that others do.

    Raises:
        SettingsError: a token is needed, and there is none, or all have expired.
    """
    foreign = [origin for origin in boot.origins if urlsplit(origin).hostname not in LOCAL_HOSTS]
    is_reachable = not is_local or bool(boot.proxies) or bool(foreign)
    demanded = boot.require_token or (is_reachable and not boot.anyone)
    if demanded and not book and boot.role != "agent":  # an agent serves only its health and metrics
        why = "Other machines could reach it"
        if boot.require_token:
            why = "--require-token was given"
        elif is_local and not boot.proxies:
            why += f", as {foreign[0]} in --origins is not this machine"
        raise SettingsError(
            f"{why}, and {_missing(book, boot)}  or, where everybody who reaches the port may change what is traded "
            "on, start with --allow-anyone-on-this-network"
        )
    if is_reachable and not demanded:
        _log.warning(
            "Anybody who reaches the port can change the configuration: --allow-anyone-on-this-network was given"
        )
    return Access(book, boot.limits, demanded=demanded)


def _missing(book: TokenBook, boot: Boot) -> str:
    """What is missing where no token is valid, and the command that mends it."""
    expired = book.expired()
    if not expired:
        return f"there is no token. Make one:  vivienne token create NAME --role admin --db {boot.db}"
    named = ", ".join(f"{each.name} ({each.role}) at {each.expires_at}" for each in expired[-_MOST_NAMED:])
    return (
        f"every token has expired: {named}. Renew one:  vivienne token rotate {expired[-1].name} --expires 90d "
        f"--db {boot.db}"
    )


def behind_named_proxies(app: ASGIApp, boot: Boot, access: Access) -> ASGIApp:
    """The application, to which nobody comes unnoticed through a proxy that the settings do not name."""
    if boot.proxies or (boot.anyone and not access.demanded):
        return app
    return UnnamedProxies(app, refuse=not access.demanded)
