"""Tokens and their roles on the wire."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

Role = Literal["viewer", "tuner", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "tuner", "admin")
"""All roles. Each includes the ones before it: read states, logs and history; change the configuration; everything."""


class TokenEntry(TypedDict):
    """A token, without its secret. After `expires_at` it is refused; null means never."""

    name: str
    role: Role
    created_at: str
    revoked_at: str | None
    expires_at: str | None
