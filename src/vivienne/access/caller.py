"""Callers and their roles."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from vivienne.errors import Forbidden
from vivienne.wire.token_entry import INCLUDED, Role

if TYPE_CHECKING:
    from collections.abc import Callable

ENTRY = "an entry of the control stream"
"""The way of messages that are known by the number of their entry."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a request.

    Attributes:
        address: where from, if known.
        token: the name of its token; None without one.
        role: what the caller may do; None for nothing.
        problem: the reason it may do nothing, for a person.
        via: the way it came, where that tells nothing about who it is.
        is_valid: tells if its token is still valid.
        digest: of the secret it came with, which may be an earlier one of its token.
        requester: whose its request_ids are, if that is more than `key` tells.
        names_itself: without a token, the author it names counts as its name. False where anybody may name anybody.
    """

    address: str | None = None
    token: str | None = None
    role: Role | None = "admin"
    problem: str | None = None
    names_itself: bool = True
    via: str | None = None
    requester: str | None = None
    is_valid: Callable[[], bool] = field(default=lambda: True, compare=False)
    digest: str | None = field(default=None, compare=False, repr=False)

    def may(self, needed: Role) -> bool:
        """Tell whether the caller has a role, or one that includes it."""
        return self.role is not None and needed in INCLUDED[self.role]

    def __str__(self) -> str:
        """The caller in a few words, for the log."""
        return f"{self.token or 'somebody without a token'} at {self.address or 'an unknown address'}"

    @property
    def key(self) -> str:
        """The identity under which the caller is counted: its token, otherwise its address."""
        if self.via is not None:
            return self.via
        return f"token {self.token}" if self.token is not None else f"address {counted_as(self.address)}"

    def check(self) -> None:
        """Check, right before a change is made, that the caller may still ask for it.

        Raises:
            Forbidden: its token was revoked, or has expired, since it asked.
        """
        if not self.is_valid():
            raise no_longer_valid(self)


def no_longer_valid(caller: Caller | None) -> Forbidden:
    """The error for a caller whose token was revoked, or has expired, since it asked."""
    name = None if caller is None else caller.token
    return Forbidden(f"The token {name!r} was revoked or has expired; nothing was changed")


@lru_cache(maxsize=4096)  # it is asked for several times for each request
def counted_as(address: str | None) -> str:
    """The name under which an address is counted: in IPv6 its /64, because a host has all addresses of it."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((int(found) >> 64 << 64, 64)))
