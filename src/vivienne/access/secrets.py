"""Secrets of tokens: opaque random texts, of which only digests are stored."""

from __future__ import annotations

import hashlib
import re
import secrets

PREFIX = "viv_"
"""The first characters of every token, so that secret scanners find a leaked one."""
SECRET = re.compile(PREFIX + "[A-Za-z0-9_-]{43}")
"""A token: the prefix and 32 random bytes."""
_HIDDEN = PREFIX + "***"


def new_secret() -> str:
    """A random secret of 256 bits."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """The stored form of a secret. A secret has 256 random bits, so a slower hash is not needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def without_secrets(text: str) -> str:
    """A text as it may be written down: tokens in it are hidden."""
    return SECRET.sub(_HIDDEN, text) if PREFIX in text else text
