"""The command `vivienne inspect`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vivienne.commands.failure import exit_code
from vivienne.commands.options import json_option
from vivienne.errors import MarketDataError
from vivienne.logs.records import many_lines
from vivienne.market.files import AssetFiles
from vivienne.market.timeframe import Timeframe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vivienne.market.files.report import Report

_MOST_ROWS = 5
"""Wrong rows that are printed; a JSON document has more."""


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
@click.pass_context
def inspect(context: click.Context, files: tuple[Path, ...], as_json: bool) -> None:
    """Say what data files are taken for, and what of them is left out.

    Each file is read whole and by itself, as `vivienne serve --feed replay` reads it with --on-bad-row skip.
    Exit code 0: all files can be read; 2: one cannot.
    """
    failure: MarketDataError | None = None
    documents: list[dict[str, Any]] = []
    for path in files:
        try:
            reports = AssetFiles([path], skip=True).reports
        except MarketDataError as error:
            failure = error
            documents.append({"file": str(path), "member": error.member, "line": error.line, "error": error.reason})
            if not as_json:
                click.echo(many_lines(f"Error: {error}"), err=True)
        else:
            documents += [report.document() | {"timeframes": _timeframes(report.minutes)} for report in reports]
            if not as_json:
                click.echo(many_lines("\n".join(line for report in reports for line in _lines(report))))
    if as_json:
        click.echo(json.dumps(documents))
    if failure is not None:
        context.exit(exit_code(failure))


def _lines(report: Report) -> Iterator[str]:
    """A report for people."""
    yield f"{report.name}: {report.summary}"
    yield from (f"  {note}" for note in (report.span, *report.notes) if note)
    yield from (f"  {report.unit} {line}: {reason}" for line, reason in report.bad_rows[:_MOST_ROWS])
    if report.minutes is not None and report.minutes > 1:
        yield f"  for --timeframe {', '.join(_timeframes(report.minutes)) or 'none: give shorter candles'}"


def _timeframes(minutes: float | None) -> list[str]:
    """The timeframes that candles of this length make up."""
    return [each.value for each in Timeframe if each.minutes % (minutes or 1) == 0]
