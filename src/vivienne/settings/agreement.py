"""Rules between boot settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vivienne.errors import SettingsError
from vivienne.store.address import PostgresUrl

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

OF_AGENTS = ("data", "max_position_size")
"""Settings that only those who decide have; a gateway ignores them in the environment."""
_USUAL_ASSETS = ("BTC", "ETH", "SOL")


def check_agreement(given: Mapping[str, Any]) -> None:
    """Check that settings agree with each other.

    Args:
        given: all of them as they were given, by name.

    Raises:
        SettingsError: two do not agree.
    """
    if given["feed"] == "replay" and not given["data"] and given["role"] != "gateway":
        raise SettingsError("--feed replay needs --data ASSET=PATH, at least once")
    if given["feed"] != "replay" and given["data"]:
        raise SettingsError(f"--data goes with --feed replay; --feed {given['feed']} reads no files")
    _check_exchange(given)
    if given["feed"] == "simulated" and given["speed"] == "max":
        raise SettingsError("--speed max goes with --feed replay; the simulated market has no end to run to")
    if given["shard"] and given["role"] != "agent":
        raise SettingsError("--shard goes with --role agent; no other role decides a share")
    if given["role"] != "all":
        _check_shared(given)
    if given["role"] == "gateway":
        _check_gateway(given)
    if given["role"] == "agent" and given["feed"] in ("simulated", "replay") and not given["market_begin"]:
        raise SettingsError(
            "--role agent needs --market-begin, the same for all agents, as in --market-begin 2026-01-31T08:00Z: "
            "then all agents, and one that replaces another, agree on the time in the market"
        )


def check_record(record: Path | str, db: Path | PostgresUrl) -> None:
    """Check that the record has a file of its own.

    Raises:
        SettingsError: it is that of the configuration.
    """
    if record and record == db:
        raise SettingsError("--record must be another file than --db; leave it out to have it beside that")


def _check_exchange(given: Mapping[str, Any]) -> None:
    if given["feed"] != "exchange":
        for name in ("exchange", "quote", "symbol", "exchange_url"):
            if given[name]:
                raise SettingsError(f"--{name.replace('_', '-')} goes with --feed exchange")
    elif not given["exchange"]:
        raise SettingsError("--feed exchange needs --exchange NAME, as in --exchange binance")
    if given["feed"] in ("exchange", "push"):
        _check_real(given)


def _check_real(given: Mapping[str, Any]) -> None:
    """A real market has its own pace and time."""
    if given["speed"] != "60":
        raise SettingsError("--speed goes with --feed simulated or replay; a real market has its own pace")
    if given["market_begin"]:
        raise SettingsError("--market-begin goes with --feed simulated or replay; a real market has its own time")


def _check_shared(given: Mapping[str, Any]) -> None:
    role = given["role"]
    if not given["redis"]:
        raise SettingsError(f"--role {role} needs --redis, over which the processes talk to each other")
    if PostgresUrl.read(given["db"]) is None:
        raise SettingsError(f"--role {role} needs --db postgresql://user@host/name: a SQLite file is for one process")


def _check_gateway(given: Mapping[str, Any]) -> None:
    if given["data"]:
        raise SettingsError("--data goes with --role agent; a gateway reads no market data, it needs --assets")
    if given["max_position_size"] != "100":
        raise SettingsError("--max-position-size goes with --role agent; a gateway decides nothing")


def agreed_assets(assets: tuple[str, ...], files: Collection[str]) -> tuple[str, ...]:
    """The assets to decide: those named, else those with files, else the usual ones.

    Raises:
        SettingsError: those named are not those with files.
    """
    if files and assets and set(assets) != set(files):
        raise SettingsError(f"--assets {','.join(assets)} and --data for {','.join(files)} differ; leave --assets out")
    return assets or tuple(files) or _USUAL_ASSETS


def check_symbols(symbols: Collection[str], assets: Collection[str]) -> None:
    """Check that each name at the exchange is that of an asset to decide.

    Args:
        symbols: assets that have one.
        assets: those to decide.

    Raises:
        SettingsError: one is not among them; its market would not be followed.
    """
    for asset in symbols:
        if asset not in assets:
            raise SettingsError(f"--symbol {asset}=...: {asset} is not among --assets {','.join(assets)}")
