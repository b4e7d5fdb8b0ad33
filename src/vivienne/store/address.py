"""Where a PostgreSQL database is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Self

from vivienne.addresses import shown_address
from vivienne.errors import SettingsError

_SCHEMES = ("postgresql:", "postgres:")
_PATH = re.compile(r"/(?!/)|\.{1,2}/|~")
_FORM = re.compile(r"postgres(?:ql)?://(?:[^:@/?#\s]*(?::[^@/?#\s]*)?@)?[^@/?#\s]*(?:/[^@/?#\s]*)?(?:\?[^#\s]*)?")


@dataclass(frozen=True, slots=True)
class PostgresUrl:
    """A connection URI as PostgreSQL's own programs take it. As a text it shows no user, password or options.

    Attributes:
        uri: the whole, password and all.
        shown: what may be shown of it.
    """

    uri: str = field(repr=False)
    shown: str

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The address a text is, or None when it is none of PostgreSQL's.

        Raises:
            SettingsError: it begins like one and goes wrong, or looks like an address of another kind. The text does
                not repeat it, because there may be a password in it.
        """
        if not text.startswith(_SCHEMES):
            if not _is_path(text):
                raise SettingsError(
                    "--db is neither a path nor a PostgreSQL address, e.g. postgresql://user@host:5432/name, in lower "
                    "case; a path with @, = or :// in it must begin with / or ./"
                )
            return None
        found = _FORM.fullmatch(text)
        if found is None:
            raise SettingsError(
                "--db is not a valid PostgreSQL address, e.g. postgresql://user@host:5432/name. In a password, write "
                "@ : / ? # and blanks as %40 %3A %2F %3F %23 %20"
            )
        return cls(text, shown_address(text))

    def __str__(self) -> str:
        return self.shown


def _is_path(text: str) -> bool:
    return _PATH.match(text) is not None or not any(mark in text for mark in ("@", "=", "://"))
