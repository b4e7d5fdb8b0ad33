"""Services of apprise that alerts may not use: they act on the machine that sends, and reach nobody."""

from __future__ import annotations

LOCAL_SERVICES = frozenset(
    {
        "blink1",
        "dbus",
        "file",
        "gio",
        "glib",
        "gnome",
        "kde",
        "macosx",
        "qt",
        "syslog",
        "windows",
    }
)
"""Schemes of their URLs."""


def scheme(url: str) -> str:
    """The scheme of a URL of apprise, lower case; one such as `dbus` may have a part behind a plus or a colon."""
    return url.partition(":")[0].strip().lower()
