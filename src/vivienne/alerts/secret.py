"""Secrets of a rule: addresses, tokens and keys that are never shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

MASK = "***"
"""In place of a secret, wherever a rule is shown."""
ENVIRONMENT = "env:"
"""Begins the value of a secret that is an environment variable of the server."""
VARIABLE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]{0,99}")
_SEALED = "sealed"


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret. Exactly one of its forms is set.

    Attributes:
        plain: the secret itself, as it was sent and before it is encrypted.
        env: the environment variable that has it.
        token: the encrypted secret.
        hint: the part that may be shown: the scheme and host of a URL.
    """

    plain: str | None = None
    env: str | None = None
    token: str | None = None
    hint: str = ""

    @classmethod
    def sent(cls, text: str, hint: Callable[[str], str]) -> Self:
        """The secret that somebody sends: the text itself, or the name of a variable after `env:`."""
        if VARIABLE.fullmatch(text):
            return cls(env=text.removeprefix(ENVIRONMENT))
        return cls(plain=text, hint=hint(text))

    @classmethod
    def load(cls, stored: object) -> Self:
        """The secret of a stored document.

        Raises:
            ValueError: it is none.
        """
        if isinstance(stored, str) and VARIABLE.fullmatch(stored):
            return cls(env=stored.removeprefix(ENVIRONMENT))
        if isinstance(stored, dict) and isinstance(stored.get(_SEALED), str):
            return cls(token=stored[_SEALED], hint=str(stored.get("hint", "")))
        raise ValueError("not a stored secret")

    def stored(self) -> Any:
        """The secret as it is stored.

        Raises:
            ValueError: it is not encrypted.
        """
        if self.env is not None:
            return ENVIRONMENT + self.env
        if self.token is None:
            raise ValueError("a secret that is not encrypted is not stored")
        return {_SEALED: self.token, "hint": self.hint}

    def sealed(self, seal: Callable[[str], str]) -> Secret:
        """The same, encrypted by a function if it is not yet."""
        return self if self.plain is None else Secret(token=seal(self.plain), hint=self.hint)

    def shown(self) -> str:
        """The secret as it may be shown: masked, or the name of its variable."""
        return ENVIRONMENT + self.env if self.env is not None else self.hint + MASK

    def __repr__(self) -> str:
        """Never the secret."""
        return f"Secret({self.shown()})"


def no_hint(_text: str) -> str:
    """Nothing of a secret is shown."""
    return ""


def origin_of(text: str) -> str:
    """The part of a URL that may be shown: its scheme, host and port."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{'' if port is None else f':{port}'}/"


def scheme_of(text: str) -> str:
    """The part of the URL of a service that may be shown: its scheme; the rest may be a token."""
    scheme, separator, _ = text.partition("://")
    return f"{scheme.lower()}://" if separator else ""
