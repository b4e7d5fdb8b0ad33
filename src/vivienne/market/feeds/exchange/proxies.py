"""Checks the proxies of the environment, through which an exchange is reached."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies

from vivienne.errors import SettingsError


def check_proxies() -> None:
    """Check that the proxies are of a kind that is supported.

    Raises:
        SettingsError: one is not. It does not repeat the address, which may have a password in it.
    """
    for kind, address in getproxies().items():
        if kind in ("http", "https", "all") and address and not _is_supported(address):
            raise SettingsError(
                f"{kind.upper()}_PROXY must begin with http:// or https:// and have a host, as in "
                "http://proxy.example:3128; SOCKS is not supported"
            )


def _is_supported(address: str) -> bool:
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
