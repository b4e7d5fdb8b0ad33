"""The command `vivienne decisions`."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar, get_args
from urllib.parse import urlencode

import click

from vivienne.agent.filters import FILTERS
from vivienne.commands.files import STANDARD, written_whole
from vivienne.commands.http import ask, failures_of, fetch, read_json
from vivienne.commands.options import database_option, json_option
from vivienne.commands.record import opened_record, record_option
from vivienne.commands.times import moment
from vivienne.errors import SettingsError, unwritable
from vivienne.logs.records import many_lines
from vivienne.record.reading import answers
from vivienne.record.reading.exporting import ExportFormat, can_write_parquet, write_export
from vivienne.record.reading.query import DecisionQuery
from vivienne.record.reading.scope import newest_scope
from vivienne.times import iso
from vivienne.wire.explanation import Level, Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vivienne.record.reader import RecordReader
    from vivienne.record.reading.scope import Scope
    from vivienne.wire.record import DecisionRow, ExportRow, SignalPage

_Command = TypeVar("_Command", bound="Callable[..., Any]")
_LEVELS: tuple[Level, ...] = get_args(Level)
_SIDES: tuple[Side, ...] = get_args(Side)
_SHOWN = 20
_PATH = "/phoenix/decisions?"


def _several(name: str, text: str, *, choices: Sequence[str], to: str) -> Callable[[_Command], _Command]:
    """An option that may be given several times."""
    return click.option(
        name, to, multiple=True, type=click.Choice(choices), help=f"{text}; may be given several times."
    )


def _file(form: ExportFormat, title: str) -> Callable[[_Command], _Command]:
    kind = click.Path(dir_okay=False, allow_dash=True)
    return click.option(f"--{form}", form, metavar="FILE", type=kind, help=f"Write them into FILE, as {title}.")


@click.command()
@click.option("--asset", "assets", metavar="NAME", multiple=True, help="Only this asset; may be given several times.")
@click.option("--from", "begin", metavar="TIME", help="Only bars from this time on, such as 2026-01-01; UTC.")
@click.option("--to", "end", metavar="TIME", help="Only bars before this time.")
@_several("--level", "Only this clarity level", choices=_LEVELS, to="levels")
@_several("--raw-level", "Only this level of the confidence alone", choices=_LEVELS, to="raw_levels")
@_several("--side", "Only this side", choices=_SIDES, to="sides")
@_several("--blocked-by", "Only what this filter blocks", choices=[each.name for each in FILTERS], to="blocked_by")
@click.option(
    "--held/--not-held", default=None, help="Only entries that a filter held back, or only others that were in effect."
)
@click.option("--config-version", "version", type=click.IntRange(0), help="Only this version of the configuration.")
@click.option("--timeframe", metavar="LENGTH", help="Length of the bars, if the record has several.")
@click.option(
    "--limit", type=click.IntRange(1), help=f"Largest number; the newest {_SHOWN} if they are printed, else all."
)
@_file("csv", "CSV")
@_file("ndjson", "a JSON document for each line")
@_file("parquet", "Parquet")
@click.option("--url", metavar="URL", help="Ask this server, in place of reading the record of --db.")
@database_option
@record_option
@json_option
def decisions(**given: Any) -> None:
    """Print recorded decisions, the newest first, or write them into a file, the oldest first.

    Without --url, the record of a database is read; a server may use it meanwhile. With - as FILE, standard output is
    meant. VIVIENNE_TOKEN is the token for a server. Exit code 0: done; 2: a flag is wrong, or there is no record;
    75: the server cannot be reached.
    """
    query, target = _query(given), _target(given)
    if given["url"] is not None:
        if given["timeframe"] is not None:
            raise SettingsError("--timeframe does not go with --url: a server has one")
        _from_server(given["url"], query, target, as_json=given["as_json"])
        return
    with opened_record(given["db"], given["record"]) as reader:
        scope = newest_scope(reader, given["timeframe"])
        if target is None:
            page = answers.signals(reader, scope, replace(query, limit=query.limit or _SHOWN))
            _print(page, as_json=given["as_json"])
        else:
            _write(target, partial(write_export, target[0], _pieces(reader, scope, query)))


def _query(given: dict[str, Any]) -> DecisionQuery:
    return DecisionQuery(
        assets=tuple(name.upper() for name in given["assets"]),
        begin=None if given["begin"] is None else moment("--from", given["begin"]),
        end=None if given["end"] is None else moment("--to", given["end"]),
        # All of them are named, because without any only entries are listed.
        levels=given["levels"] or (() if given["raw_levels"] else _LEVELS),
        raw_levels=given["raw_levels"],
        sides=given["sides"],
        blocked_by=given["blocked_by"],
        held=given["held"],
        version=given["version"],
        limit=given["limit"],
    )


def _target(given: dict[str, Any]) -> tuple[ExportFormat, str] | None:
    """The format and the file; None to print."""
    forms: tuple[ExportFormat, ...] = ("csv", "ndjson", "parquet")
    named = [(form, given[form]) for form in forms if given[form] is not None]
    if len(named) + given["as_json"] > 1:
        raise SettingsError("Of --csv, --ndjson, --parquet and --json only one can be given")
    if given["parquet"] is not None and given["url"] is None and not can_write_parquet():
        raise SettingsError("to write Parquet, install the library for it: pip install 'vivienne[parquet]'")
    return named[0] if named else None


def _pieces(reader: RecordReader, scope: Scope, query: DecisionQuery) -> Iterator[Sequence[ExportRow]]:
    left, begin = query.limit, query.begin
    while True:
        piece = answers.rows(reader, scope, replace(query, begin=begin))
        rows = piece["rows"] if left is None else piece["rows"][:left]
        left = None if left is None else left - len(rows)
        yield rows
        begin = piece["next"]
        if begin is None or left == 0:
            return


def _from_server(url: str, query: DecisionQuery, target: tuple[ExportFormat, str] | None, *, as_json: bool) -> None:
    if target is None:
        path = _PATH + _encoded(replace(query, limit=query.limit or _SHOWN))
        with failures_of(url):
            page = read_json(ask(url, path))
        try:
            _print(page, as_json=as_json)
        except (TypeError, KeyError, ValueError, AttributeError):
            raise SettingsError(
                f"{url} is not a Vivienne server, or one without a record: its answer is none"
            ) from None
        return
    path = f"{_PATH}{_encoded(query)}&format={target[0]}"

    def export(write: Callable[[bytes], None]) -> None:
        with failures_of(url):
            fetch(url, path, write)

    _write(target, export)


def _encoded(query: DecisionQuery) -> str:
    """The query as parameters of an address."""
    several = {
        "asset": query.assets, "level": query.levels, "raw_level": query.raw_levels, "side": query.sides,
        "blocked_by": query.blocked_by,
    }  # fmt: skip
    once = {
        "from": None if query.begin is None else iso(query.begin),
        "to": None if query.end is None else iso(query.end),
        "held": None if query.held is None else str(query.held).lower(),
        "version": query.version,
        "limit": query.limit,
    }
    pairs = [(name, value) for name, values in several.items() for value in values]
    return urlencode([*pairs, *((name, value) for name, value in once.items() if value is not None)])


def _write(target: tuple[ExportFormat, str], export: Callable[[Callable[[bytes], None]], None]) -> None:
    name = target[1]
    if name == STANDARD:
        export(lambda part: click.echo(part, nl=False))
        return
    with written_whole(Path(name)) as file:
        export(lambda part: _put(file, name, part))


def _put(file: IO[bytes], name: str, part: bytes) -> None:
    try:
        file.write(part)
    except OSError as error:
        raise unwritable(name, error) from error


def _print(page: SignalPage, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(page))
        return
    for row in page["decisions"]:
        click.echo(many_lines(_line(row)))
    if not page["decisions"]:
        click.echo("No decision meets this")
    elif page["next"] is not None:
        last = page["decisions"][-1]["time"]
        click.echo(many_lines(f"There are older ones: --to {last}, or --limit"), err=True)


def _line(row: DecisionRow) -> str:
    level: str = row["clarity_level"]
    if row["held"]:
        level = f"{row['raw_clarity_level']} held by {', '.join(row['blocked_by'])}"
    status = "" if row["status"] == "live" else f", {row['status']}"
    return (
        f"{row['time']} {row['asset']} {row['price']:g}: {level}, {row['side']}, confidence "
        f"{row['signal_confidence']:.1%}, size {row['position_size']:g} %, version {row['config_version']}{status}"
    )
