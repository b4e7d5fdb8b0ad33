"""Addresses that alerts may be sent to: public ones, and those that the operator allows.

Who may make a rule chooses where Vivienne connects to. Without this, a rule could reach what only this machine or its
network can: databases, routers, the metadata of a cloud. Names are resolved once, and the connection goes to an address
that was checked, so a name that resolves to another address the next time gains nothing.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

    Address = IPv4Address | IPv6Address
    Network = IPv4Network | IPv6Network

_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All of IPv6 that is routed on the Internet."""
_NAT64 = IPv6Network("64:ff9b::/96")
"""IPv4 addresses, as machines without IPv4 reach them."""
_MAPPED = IPv6Network("::ffff:0:0/96")
"""IPv4 addresses, as sockets of IPv6 show them."""
_NOT_PUBLIC = tuple(
    ip_network(text)
    for text in (
        "192.0.0.0/24",  # of protocols; the metadata of a cloud too
        "192.88.99.0/24",  # relays of 6to4
        "168.63.129.16/32",  # the platform of Azure, within every machine there
        "2001::/23",  # of protocols; Teredo has an IPv4 address within
        "2002::/16",  # 6to4: likewise
        "3fff::/20",  # of documents
    )
)
"""Networks that count as public elsewhere."""


_ELSEWHERE_4, _ELSEWHERE_6 = IPv4Address("192.0.2.1"), IPv6Address("2001:db8::1")
"""Addresses of documents, which no machine has."""


class NotReachable(Exception):
    """An address that alerts may not be sent to, or that has no meaning; the message is a sentence."""


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the Internet, and of no machine or network of ours."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(inner)
        if address not in _GLOBAL_UNICAST:
            return False
    return (
        address.is_global
        and not (address.is_multicast or address.is_reserved or address.is_unspecified or address.is_link_local)
        and not any(address in network for network in _NOT_PUBLIC if network.version == address.version)
    )


def _is_public(text: str) -> bool:
    try:
        return is_public(ip_address(text))
    except ValueError:
        return False


def is_of_this_machine(address: Address) -> bool:
    """Tell whether a public address is one of this machine: programs there are reached past the firewall.

    The system tells by binding to it, unless it binds to any address (`ip_nonlocal_bind`): then nobody knows.
    """
    elsewhere = _ELSEWHERE_4 if isinstance(address, IPv4Address) else _ELSEWHERE_6
    return _binds(address) and not _binds(elsewhere)


def _binds(address: Address) -> bool:
    family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """Hosts that may be reached though they are not public.

    Attributes:
        names: of hosts, lower case: all addresses of these.
        networks: addresses and networks, whatever the name of the host.
    """

    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a list, separated by commas.

        Raises:
            ValueError: a part is none of them; the message names it.
        """
        names: set[str] = set()
        networks: list[Network] = []
        for part in (each.strip().lower() for each in text.split(",")):
            if not part:
                continue
            try:
                networks.append(_network(part.removeprefix("[").removesuffix("]")))
            except ValueError:
                if not all(c.isalnum() or c in "-._" for c in part) or part.replace(".", "").isdigit():
                    raise ValueError(part) from None
                names.add(_plain(part))
        return cls(frozenset(names), tuple(networks))

    def __str__(self) -> str:
        """As it is read."""
        return ",".join([*sorted(self.names), *(str(network) for network in self.networks)])

    def allow(self, host: str, address: str) -> bool:
        """Tell whether a connection to an address may be made for a host."""
        try:
            found = ip_address(address)
        except ValueError:
            return False
        if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        if _plain(host) in self.names or (is_public(found) and not is_of_this_machine(found)):
            return True
        return any(found in network for network in self.networks if network.version == found.version)

    def allowed(self, host: str, addresses: Iterable[str]) -> list[str]:
        """Those of the addresses of a host that a connection may be made to, in their order.

        Raises:
            NotReachable: there is none.
        """
        given = list(dict.fromkeys(addresses))
        found = [address for address in given if self.allow(host, address)]
        if not found:
            shown = f" ({given[0]})" if given and given[0] != host else ""
            what = "an address of this machine" if given and _is_public(given[0]) else "not a public address"
            raise NotReachable(
                f"{host[:100]}{shown} is {what}, so nothing was sent; --alert-hosts {host[:100]} allows it"
            )
        return found


def resolved(host: str, port: int) -> list[str]:
    """The addresses of a host; blocks while the name is looked up.

    Raises:
        NotReachable: the name is unknown.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotReachable(f"The name {host[:100]!r} cannot be resolved; correct the URL") from None
    return [str(address[0]) for *_, address in found]


def _network(text: str) -> Network:
    """A network; one of IPv4 addresses that are written as those of IPv6 is the network of these."""
    found = ip_network(text, strict=False)
    if isinstance(found, IPv6Network) and found.subnet_of(_MAPPED):
        return IPv4Network((int(found.network_address) & 0xFFFF_FFFF, found.prefixlen - _MAPPED.prefixlen))
    return found


def _plain(host: str) -> str:
    return host.lower().rstrip(".")
