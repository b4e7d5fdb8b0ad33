"""Checks the proxies of the environment, through which an exchange is reached."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from vivienne.errors import SettingsError

_USED = ("http", "https", "all", "ws", "wss", "socks")
"""Kinds of proxies that the clients for REST and WebSockets look for."""


def check_proxies() -> None:
    """Check that the proxies are of a kind that is supported.

    Raises:
        SettingsError: one is not. It does not repeat the address, which may have a password in it.
    """
    for kind, address in getproxies().items():
        if kind in _USED and address and not _is_supported(address):
            raise SettingsError(
                f"{kind.upper()}_PROXY must begin with http:// or https:// and have a host, a password beside a user, "
                "and nothing after the port, as in http://proxy.example:3128; SOCKS is not supported"
            )


def proxy_of(url: str) -> str | None:
    """Host and port of the proxy through which an address is reached; None without one.

    A user and a password are left out.
    """
    parts = urlsplit(url)
    if proxy_bypass(parts.netloc):
        return None
    proxies = getproxies()
    kinds = ("wss", "https", "all") if parts.scheme in ("https", "wss") else ("ws", "http", "all")
    address = next((proxies[kind] for kind in kinds if proxies.get(kind)), "")
    return urlsplit(address).netloc.rpartition("@")[2] or None


def _is_supported(address: str) -> bool:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    has_where = parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0
    has_more = parts.path not in ("", "/") or bool(parts.query or parts.fragment)
    return has_where and not has_more and (parts.username is None) == (parts.password is None)
