"""Where a PostgreSQL database is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Self

from vivienne.errors import SettingsError

_SCHEMES = ("postgresql:", "postgres:")
_FORM = re.compile(
    r"postgres(?:ql)?://(?:(?P<user>[^:@/?#\s]*)(?::[^@/?#\s]*)?@)?(?P<hosts>[^@/?#\s]*)(?:/(?P<name>[^@/?#\s]*))?(?:\?[^#\s]*)?"
)


@dataclass(frozen=True, slots=True)
class PostgresUrl:
    """A connection URI as PostgreSQL's own programs take it. As a text it shows neither password nor options.

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
            SettingsError: it begins like one and goes wrong.
        """
        if not text.startswith(_SCHEMES):
            return None
        found = _FORM.fullmatch(text)
        if found is None:  # the text is not repeated: there may be a password in it
            raise SettingsError(
                "--db is not a valid PostgreSQL address, e.g. postgresql://user@host:5432/name. In a password, write "
                "@ : / ? # and blanks as %40 %3A %2F %3F %23 %20"
            )
        user = f"{found['user']}@" if found["user"] else ""
        return cls(text, f"postgresql://{user}{found['hosts']}/{found['name'] or ''}")

    def __str__(self) -> str:
        return self.shown
