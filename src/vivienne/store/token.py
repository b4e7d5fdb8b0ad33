"""The record of a token. It has a digest of the secret, not the secret: a stolen database gives no access."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from vivienne.errors import InvalidConfiguration, Problem
from vivienne.times import now, written
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
        revoked_at: the same; None if it was not revoked.
        expires_at: the same; None if it does not expire.
        earlier_digest: of the secret that the newest rotation replaced.
        earlier_until: the moment until which that secret is valid too.
        rotations: their number. Tokens of before they were counted have 1 if they have an earlier secret.
    """

    name: str
    digest: str
    role: Role
    created_at: str
    revoked_at: str | None = None
    expires_at: str | None = None
    earlier_digest: str | None = None
    earlier_until: str | None = None
    rotations: int = 0

    def is_valid(self, when: str) -> bool:
        """Tell whether it is accepted at a moment."""
        return self.revoked_at is None and (self.expires_at is None or when < self.expires_at)

    def by_digest(self, when: str) -> dict[str, Token]:
        """The token by the digests of the secrets that are accepted at a moment: two while a rotation is under way."""
        if not self.is_valid(when):
            return {}
        found = {self.digest: self}
        if self.earlier_digest is not None and self.earlier_until is not None and when < self.earlier_until:
            until = min(self.earlier_until, self.expires_at or self.earlier_until)
            found[self.earlier_digest] = replace(self, digest=self.earlier_digest, expires_at=until)
        return found

    def ending(self) -> str:
        """The reason it is not accepted any more, as the rest of a sentence."""
        return "was revoked" if self.expires_at is None or written(now()) < self.expires_at else "has expired"

    def entry(self) -> TokenEntry:
        """The token as it is shown: without its digest."""
        return {
            "name": self.name,
            "role": self.role,
            "created_at": self.created_at,
            "revoked_at": self.revoked_at,
            "expires_at": self.expires_at,
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


def check_expiry(moment: object) -> str | None:
    """The moment a token expires, or None if it does not.

    Raises:
        InvalidConfiguration: it is not a time with its zone, or is past.
    """
    if moment is None:
        return None
    try:
        found = datetime.fromisoformat(moment) if isinstance(moment, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or found <= now():
        needed = "expires_at must be a time to come with its zone, as in 2027-01-31T08:00Z, or null"
        raise InvalidConfiguration(Problem("expires_at", needed))
    return written(found.astimezone(UTC))
