"""Addresses of databases and servers, as they may be shown: in the log, in errors, and in a support bundle."""

from __future__ import annotations

import re

HIDDEN = "(hidden)"
"""An address of which nothing can be shown."""
_HOST = r"(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?"
_NAMES = r"(?:/[\w.%~+-]*)*"
_PATHS = {
    "postgresql": r"(?:/[\w.%~+-]*)?",
    "postgres": r"(?:/[\w.%~+-]*)?",
    "redis": r"/?[0-9]{0,5}",
    "rediss": r"/?[0-9]{0,5}",
    "unix": _NAMES,
    "http": _NAMES,
    "https": _NAMES,
}
_FORMS = [
    re.compile(
        rf"(?P<scheme>{scheme})://(?P<who>[^@/?#\s]*@)?(?P<where>(?:{_HOST}(?:,{_HOST})*)?{path})(?:\?[^@#\s]*)?",
        re.IGNORECASE | re.ASCII,
    )
    for scheme, path in _PATHS.items()
]


def shown_address(text: str) -> str:
    """The scheme, hosts, ports and path of an address; *** for a user and a password, and no options.

    Anything that is not an address to the letter is hidden as a whole: a password may be anywhere in it.
    """
    if not text:
        return text
    found = next((found for form in _FORMS if (found := form.fullmatch(text))), None)
    if found is None:
        return HIDDEN
    return f"{found['scheme'].lower()}://{'***@' if found['who'] else ''}{found['where']}"


def url_host(host: str) -> str:
    """A host as it is written in an address: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host
