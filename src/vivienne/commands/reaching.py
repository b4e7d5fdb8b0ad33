"""The way to the hosts of an exchange: proxy, name, connection and certificate."""

from __future__ import annotations

import asyncio
import socket
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from vivienne.addresses import shown_address
from vivienne.market.feeds.exchange.regions import stream_of
from vivienne.market.feeds.exchange.rest import TIMEOUT_SECONDS, unreachable
from vivienne.market.feeds.exchange.trust import trusted

if TYPE_CHECKING:
    from vivienne.commands.diagnosis import Diagnosis
    from vivienne.commands.exchange import Place

_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_MOST_ADDRESSES = 3


class Host(NamedTuple):
    """A host, its port, and whether it is reached by TLS."""

    name: str
    port: int
    is_secure: bool

    @classmethod
    def of(cls, url: str) -> Host:
        """That of an address."""
        parts = urlsplit(url)
        return cls(parts.hostname or "", parts.port or _PORTS[parts.scheme], parts.scheme in ("https", "wss"))


def hosts_of(place: Place) -> list[Host]:
    """The hosts of an exchange, each once."""
    adapter, url = place.adapter, place.url
    return list(dict.fromkeys((Host.of(url or adapter.rest), Host.of(stream_of(adapter, url)))))


async def reach(found: Diagnosis, place: Place) -> bool:
    """Look at the way to every host of an exchange; False where one cannot be reached."""
    return all([await _reach(found, place.adapter.title, host) for host in hosts_of(place)])


async def _reach(found: Diagnosis, title: str, host: Host) -> bool:
    proxy = getproxies().get("https" if host.is_secure else "http")
    if proxy and not proxy_bypass(host.name):
        found.add("ok", f"Proxy: {host.name} is reached through {shown_address(proxy)}, which looks its name up")
        return True
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await _look_up(found, host)
            await _connect(found, host)
    except (OSError, TimeoutError) as error:
        found.add(
            "problem", f"{host.name}:{host.port}: {unreachable(title, error, f'https://{host.name}:{host.port}')}"
        )
        return False
    return True


async def _look_up(found: Diagnosis, host: Host) -> None:
    began = monotonic()
    answers = await asyncio.get_running_loop().getaddrinfo(host.name, host.port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
    more = f" and {len(addresses) - _MOST_ADDRESSES} more" if len(addresses) > _MOST_ADDRESSES else ""
    shown = ", ".join(addresses[:_MOST_ADDRESSES])
    found.add("ok", f"DNS: {host.name} is {shown}{more} ({_ms(began)} ms)")


async def _connect(found: Diagnosis, host: Host) -> None:
    began = monotonic()
    context = trusted() if host.is_secure else None
    _, writer = await asyncio.open_connection(host.name, host.port, ssl=context)
    try:
        if not host.is_secure:
            found.add("ok", f"Connection: {host.name}:{host.port}, without TLS ({_ms(began)} ms)")
            return
        version, certificate = writer.get_extra_info("ssl_object").version(), writer.get_extra_info("peercert")
        until = certificate.get("notAfter", "an unknown time")
        found.add("ok", f"TLS: {host.name}:{host.port}, {version}, certificate valid until {until} ({_ms(began)} ms)")
    finally:
        writer.transport.abort()


def _ms(began: float) -> int:
    return round(1_000 * (monotonic() - began))
