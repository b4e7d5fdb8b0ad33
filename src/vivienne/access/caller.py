"""Who asks for something, and what that one may do."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from vivienne.wire.token_entry import ROLES, Role


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever asks.

    Attributes:
        address: where from, if known.
        token: the name of the token that came with it, None where none did and none was needed.
        role: what the caller may do; None for nothing.
        problem: why it may do nothing, for a person.
    """

    address: str | None = None
    token: str | None = None
    role: Role | None = "admin"
    problem: str | None = None

    def may(self, needed: Role) -> bool:
        """Whether the caller has a role, or one that includes it."""
        return self.role is not None and ROLES.index(self.role) >= ROLES.index(needed)

    @property
    def key(self) -> str:
        """Tells callers apart, where what they do is counted: by token, otherwise by address."""
        return f"token {self.token}" if self.token is not None else f"address {counted_as(self.address)}"


def counted_as(address: str | None) -> str:
    """Whom an address belongs to, where callers are counted: in IPv6, whoever has one has all of its /64."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((int(found) >> 64 << 64, 64)))
