"""Tokens and their roles on the wire."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

Role = Literal["viewer", "feeder", "tuner", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "feeder", "tuner", "admin")
"""All roles: read states, logs and history; the same, and push market data; read, and change the configuration;
everything."""
INCLUDED: dict[Role, tuple[Role, ...]] = {
    "viewer": ("viewer",),
    "feeder": ("viewer", "feeder"),
    "tuner": ("viewer", "tuner"),
    "admin": ROLES,
}
"""The roles that each role includes: who pushes market data does not change the configuration, and the reverse."""


class TokenEntry(TypedDict):
    """A token, without its secret. After `expires_at` it is refused; null means never."""

    name: str
    role: Role
    created_at: str
    revoked_at: str | None
    expires_at: str | None
