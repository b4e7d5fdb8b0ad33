"""The record of a token. It has a digest of the secret, not the secret: a stolen database gives no access."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vivienne.errors import InvalidConfiguration, Problem
from vivienne.wire.token_entry import ROLES

if TYPE_CHECKING:
    from vivienne.wire.token_entry import Role, TokenEntry

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")


@dataclass(frozen=True, slots=True)
class Token:
    """A stored token.

    Attributes:
        name: of its bearer; it is the author of changes, so no other token ever gets it.
        digest: SHA-256 of the secret, in hexadecimal digits.
        created_at: when, ISO 8601 UTC.
        revoked_at: the same; None while it is valid.
    """

    name: str
    digest: str
    role: Role
    created_at: str
    revoked_at: str | None = None

    def entry(self) -> TokenEntry:
        """The token as it is shown: without its digest."""
        return {
            "name": self.name,
            "role": self.role,
            "created_at": self.created_at,
            "revoked_at": self.revoked_at,
        }


def check_name(name: object) -> str:
    """A valid name of a token.

    Raises:
        InvalidConfiguration: it is not one.
    """
    if isinstance(name, str) and NAME.fullmatch(name):
        return name
    needed = "name must be 1 to 64 letters, digits or . _ @ + -, beginning with a letter or digit, as in ann or desk-2"
    raise InvalidConfiguration(Problem("name", needed))


def check_role(role: object) -> Role:
    """A valid role.

    Raises:
        InvalidConfiguration: it is not one.
    """
    for known in ROLES:
        if role == known:
            return known
    raise InvalidConfiguration(Problem("role", f"role must be one of {', '.join(ROLES)}"))
