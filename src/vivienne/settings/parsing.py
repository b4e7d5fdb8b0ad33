"""Parsers of boot settings."""

from __future__ import annotations

import ipaddress
import os
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from vivienne.errors import SettingsError
from vivienne.market.feeds.exchange.known import EXCHANGES
from vivienne.market.types import ASSET_NAME, VALID_NAME
from vivienne.outbox.addresses import AllowedHosts
from vivienne.store.address import PostgresUrl

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?")
_CHANNEL = re.compile(r"[!-~]{1,100}")
_ROOT_PATH = re.compile(r"(/[A-Za-z0-9_-]+)+")
_OWN_PATHS = frozenset(
    (
        "phoenix",
        "ws",
        "static",
        "docs",
        "auth",
        "assets",
        "configuration",
        "charts",
        "history",
        "logs",
        "health",
        "ready",
        "metrics",
    )
)
_PERIOD = re.compile(r"([0-9]{1,5})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_FASTEST = 1e6
"""Market seconds per second; --speed max is for more."""


def database(text: str) -> Path | PostgresUrl:
    """The database that --db names.

    Raises:
        SettingsError: it begins like a PostgreSQL address and is not valid, or it is a link to itself.
    """
    return PostgresUrl.read(text) or _target(_path("--db", text) if text else data_folder() / "vivienne.db", "--db")


def record(text: str) -> Path | Literal["", "off"]:
    """The file of the record; empty for the place beside the configuration.

    Raises:
        SettingsError: it is a PostgreSQL address, or a link to itself.
    """
    if text.startswith(("postgresql:", "postgres:")):
        raise SettingsError(
            "--record is a file or off; with a PostgreSQL --db the record is in that database by default"
        )
    if text == "off":
        return "off"
    return _target(_path("--record", text), "--record") if text else ""


def alert_key(text: str) -> Path | None:
    """The file with the keys of secrets of alert rules; None for the usual place."""
    return _path("--alert-key", text) if text else None


def alert_hosts(text: str) -> AllowedHosts:
    """Hosts that alerts may be sent to though they are not public.

    Raises:
        SettingsError: one is not a host.
    """
    try:
        return AllowedHosts.read(text)
    except ValueError as error:
        raise SettingsError(
            f"--alert-hosts: {str(error)!r} is not a host, an address or a network; give them without a port, as in "
            "127.0.0.1,bot.internal,10.0.0.0/8"
        ) from None


def _target(path: Path, flag: str) -> Path:
    """The file a path leads to: whoever names it by another link must find the same lock and journal beside it."""
    try:
        return path.resolve() if path.is_symlink() else path
    except (OSError, RuntimeError):
        raise SettingsError(f"{flag} {path}: the link leads in a circle; name the file itself") from None


def data_folder() -> Path:
    """The user's data folder, by the XDG base directory specification.

    Raises:
        SettingsError: the user has none, like one in a container that has no name.
    """
    base = os.environ.get("XDG_DATA_HOME", "")
    if Path(base).is_absolute():
        return Path(base) / "vivienne"
    try:
        return Path.home() / ".local" / "share" / "vivienne"
    except RuntimeError:
        raise SettingsError(
            "The user of this process has no home folder for the database; name a file with --db, or a folder in "
            "XDG_DATA_HOME"
        ) from None


def _path(flag: str, text: str) -> Path:
    """A path, in which ~ is the home folder."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise SettingsError(f"{flag} {text!r}: the home folder is not known; give the path without ~") from None


def assets(text: str, flag: str = "--assets") -> tuple[str, ...]:
    """Asset names, in upper case and each once.

    Args:
        text: the names, separated by commas.
        flag: where they were given.

    Raises:
        SettingsError: one is not valid.
    """
    names = [name.strip().upper() for name in text.split(",") if name.strip()]
    for name in names:
        if not ASSET_NAME.fullmatch(name):
            raise SettingsError(f"{flag}: {name!r} is not a valid asset name; {VALID_NAME}")
    return tuple(dict.fromkeys(names))


def moment(text: str) -> float | None:
    """Seconds since the epoch; None for an empty text."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise SettingsError(f"--market-begin must be a time with its zone, as in 2026-01-31T08:00Z, not {text!r}")
    return found.timestamp()


def period(flag: str, text: str) -> timedelta:
    """A length of time, such as 30m, 12h or 90d."""
    found = _PERIOD.fullmatch(text)
    if found is None:
        raise SettingsError(f"{flag} must be a number of minutes, hours or days, as in 30m, 12h or 90d, not {text!r}")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def files(data: tuple[str, ...]) -> dict[str, list[Path]]:
    """The files of each asset, in the order given."""
    found: dict[str, list[Path]] = {}
    for item in data:
        asset, equals, path = item.partition("=")
        names = assets(asset, "--data")
        if not equals or len(names) != 1 or not path:
            raise SettingsError(f"--data {item!r} must be ASSET=PATH, as in BTC=candles.csv.gz")
        found.setdefault(names[0], []).append(_path("--data", path))
    return found


def exchange(text: str) -> str:
    """The name of an exchange; empty for none."""
    name = text.strip().lower()
    if name and name not in EXCHANGES:
        raise SettingsError(f"--exchange: {text!r} is not known; choose from {', '.join(EXCHANGES)}")
    return name


def symbols(data: tuple[str, ...]) -> dict[str, str]:
    """Names at the exchange, by asset."""
    found: dict[str, str] = {}
    for item in data:
        asset, equals, symbol = item.partition("=")
        names = assets(asset, "--symbol")
        if not equals or len(names) != 1 or not symbol.strip():
            raise SettingsError(f"--symbol {item!r} must be ASSET=SYMBOL, as in BTC=XBT/USD")
        if names[0] in found:
            raise SettingsError(f"--symbol names {names[0]} twice, {found[names[0]]} and {symbol.strip()}; give one")
        found[names[0]] = symbol.strip()
    return found


def exchange_url(text: str) -> str | None:
    """Scheme and host, in lower case; None for an empty text."""
    address = text.strip().rstrip("/").lower()
    if address and not _ORIGIN.fullmatch(address):
        # With a user and a password in it, it is not repeated.
        said = "the address" if "@" in text else repr(text)
        raise SettingsError(f"--exchange-url: {said} must be a scheme and a host alone, as in https://api.binance.us")
    return address or None


def origins(text: str) -> tuple[str, ...]:
    """Origins of pages, in lower case and without a slash at the end."""
    found = tuple(origin.strip().rstrip("/").lower() for origin in text.split(",") if origin.strip())
    for origin in found:
        if not _ORIGIN.fullmatch(origin):
            raise SettingsError(
                f"--origins: {origin!r} is not a valid origin; give a scheme and a host, as in https://desk.example"
            )
    return found


def root_path(text: str) -> str:
    """A path without a slash at the end; empty for none."""
    path = text.rstrip("/")
    if path and not _ROOT_PATH.fullmatch(path):
        raise SettingsError(f"--root-path: {text!r} is not a path of letters, digits, - and _, as in /vivienne")
    if path.split("/")[1:2] and path.split("/")[1] in _OWN_PATHS:
        raise SettingsError(
            f"--root-path: {text!r} begins like addresses of Vivienne itself; use another, as in /vivienne"
        )
    return path


def proxies(text: str) -> tuple[str, ...]:
    """Networks of reverse proxies."""
    found = []
    for proxy in (part.strip() for part in text.split(",") if part.strip()):
        try:
            found.append(str(ipaddress.ip_network(proxy)))
        except ValueError:
            raise SettingsError(
                f"--proxies: {proxy!r} is not an address or a network, such as 127.0.0.1 or 10.0.0.0/8"
            ) from None
    return tuple(found)


def channel(text: str) -> str:
    """The name of a channel in Redis."""
    if not _CHANNEL.fullmatch(text):
        raise SettingsError(
            f"--redis-control: {text!r} is not a valid channel name; use 1 to 100 printable characters without spaces"
        )
    return text


def speed(text: str) -> float | None:
    """Market seconds per second; None for as fast as possible."""
    if text == "max":
        return None
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found <= _FASTEST:
        raise SettingsError(f"--speed must be a number above 0 (at most 1,000,000) or max, not {text!r}")
    return found
