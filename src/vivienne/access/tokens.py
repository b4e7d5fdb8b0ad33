"""Tokens: opaque secrets with a name and a role. Only their digests are stored, so that a database lets nobody in."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass

from typing_extensions import TypedDict

from vivienne.access.caller import ROLES, Role
from vivienne.errors import InvalidConfiguration, Problem

PREFIX = "viv_"
"""What every token begins with, so that one that got out is found by those who look for such."""
SECRET = re.compile(PREFIX + "[A-Za-z0-9_-]{43}")
"""A token: the prefix and 32 random bytes."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_HIDDEN = PREFIX + "***"


class TokenEntry(TypedDict):
    """A token, without its secret."""

    name: str
    role: Role
    created_at: str
    revoked_at: str | None


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token.

    Attributes:
        name: of whoever has it; it is the author of changes, so no other token ever gets it.
        digest: SHA-256 of the secret, in hexadecimal digits.
        created_at: when, ISO 8601 UTC.
        revoked_at: the same; None while it is good.
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


def new_secret() -> str:
    """A secret nobody can guess."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored of a secret. It has 256 random bits, so nothing slower is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def check_name(name: object) -> str:
    """A name as a token may have it.

    Raises:
        InvalidConfiguration: it is none.
    """
    if isinstance(name, str) and NAME.fullmatch(name):
        return name
    needed = "name must be 1 to 64 letters, digits or . _ @ + -, beginning with a letter or digit, as in ann or desk-2"
    raise InvalidConfiguration(Problem("name", needed))


def check_role(role: object) -> Role:
    """A role there is.

    Raises:
        InvalidConfiguration: it is none.
    """
    for known in ROLES:
        if role == known:
            return known
    raise InvalidConfiguration(Problem("role", f"role must be one of {', '.join(ROLES)}"))


def without_secrets(text: str) -> str:
    """A text as it may be written down: tokens in it are hidden."""
    return SECRET.sub(_HIDDEN, text) if PREFIX in text else text
