"""The command `vivienne doctor`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import click

from vivienne.commands.diagnosis import Diagnosis, Level, diagnose, look_at_machine
from vivienne.commands.exchange import Place, exchange_url_option, meant, quote_option, symbol_option
from vivienne.commands.http import LOCAL_SERVER
from vivienne.commands.options import database_option, json_option
from vivienne.errors import unwritable
from vivienne.logs.records import many_lines
from vivienne.settings.parsing import database
from vivienne.store.private import replacing


@click.command()
@database_option
@click.option("--url", metavar="URL", default=LOCAL_SERVER, show_default=True, help="Address of the server.")
@click.option(
    "--bundle",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write all that was found into FILE, a zip archive to send to somebody. It has no token and no password, but "
    "the configuration and the names of assets.",
)
@click.option(
    "--exchange", metavar="NAME", default="", help="Look at the way to this exchange and at its data instead; no keys."
)
@click.option("--asset", metavar="BTC", default="", help="With --exchange: the asset to look at.  [default: BTC]")
@symbol_option
@quote_option
@exchange_url_option
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(1, 3_600),
    default=240.0,
    show_default=True,
    help="With --exchange: longest time for all of it.",
)
@json_option
def doctor(db: str, url: str, bundle: Path | None, as_json: bool, exchange: str, **given: Any) -> None:
    """Look for what may be wrong: settings, database, server. It changes nothing.

    Run it as the user and with the environment of the server. With --exchange it looks at an exchange: its name, its
    certificate, its clock, the market, the history, the stream, and one closed minute, which it compares with REST.
    That takes up to two minutes. Exit code 0: no problem was found; 1: there is one.
    """
    is_shown = bool(exchange) and sys.stderr.isatty() and not as_json
    found = Diagnosis(told=None if as_json else _print_over if is_shown else _print)
    if exchange:
        _look_at_exchange(found, exchange, given, is_shown=is_shown)
    else:
        diagnose(found, database(db), url, os.environ)
    if bundle is not None:
        _write(found, bundle)
    if as_json:
        click.echo(json.dumps([{"level": level, "text": text} for level, text in found.findings]))
    elif bundle is not None:
        click.echo(f"All of it is in {bundle}; read it before you send it")
    if any(level == "problem" for level, _ in found.findings):
        raise SystemExit(1)


def _print(level: Level, text: str) -> None:
    click.echo(many_lines(f"{level:<8} {text}"))


def _print_over(level: Level, text: str) -> None:
    """Print a finding in the place of what was waited for."""
    _show_waiting("")
    _print(level, text)


def _look_at_exchange(found: Diagnosis, exchange: str, given: dict[str, Any], *, is_shown: bool) -> None:
    from vivienne.commands.exchange_diagnosis import Wanted, diagnose_exchange  # noqa: PLC0415  # it takes a while

    place = Place.of(exchange, given["exchange_url"])
    asset, symbol = meant(given["asset"] or ("" if given["symbol"] else "BTC"), given["symbol"])
    wanted = Wanted(
        asset=asset,
        symbol=symbol,
        quote=given["quote"].strip().upper() or place.adapter.quote,
        seconds=given["timeout"],
        waiting=_show_waiting if is_shown else None,
    )
    look_at_machine(found)
    asyncio.run(diagnose_exchange(found, place, wanted))


def _show_waiting(text: str) -> None:
    """One line on the screen, in the place of the one before; the next line overwrites it."""
    click.echo(f"\r{text:<70}\r", err=True, nl=False)


def _write(found: Diagnosis, bundle: Path) -> None:
    """Write a bundle, for its owner alone.

    Raises:
        FileUnreadable: it cannot be written.
        NotNow: the disk is full.
    """
    report = "".join(f"{level:<8} {text}\n" for level, text in found.findings)
    try:
        with replacing(bundle) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in {"report.txt": report, **found.files}.items():
                archive.writestr(name, text)
    except OSError as error:
        raise unwritable(bundle, error) from error
