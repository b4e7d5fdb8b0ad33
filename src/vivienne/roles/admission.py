"""Access to a process: on this machine free unless set otherwise, from other machines with a token."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from vivienne.access.access import Access
from vivienne.errors import SettingsError

if TYPE_CHECKING:
    from vivienne.access.book import TokenBook
    from vivienne.settings.boot import Boot

_log = logging.getLogger(__name__)


def access_for(boot: Boot, book: TokenBook, *, is_local: bool) -> Access:
    """Access by the boot settings.

    Args:
        boot: the settings.
        book: the tokens that exist.
        is_local: only this machine reaches the port.

    Raises:
        SettingsError: a token is needed, and there is none.
    """
    is_reachable = not is_local or bool(boot.proxies)
    demanded = boot.require_token or (is_reachable and not boot.anyone)
    if demanded and not book and boot.role != "agent":  # an agent serves only its health and metrics
        why = "--require-token was given" if boot.require_token else "Other machines could reach it"
        raise SettingsError(
            f"{why}, and there is no token. Make one:  vivienne token create NAME --role admin --db {boot.db}  "
            "or, where everybody who reaches the port may change what is traded on, start with "
            "--allow-anyone-on-this-network"
        )
    if is_reachable and not demanded:
        _log.warning(
            "Anybody who reaches the port can change the configuration: --allow-anyone-on-this-network was given"
        )
    return Access(book, boot.limits, demanded=demanded)
