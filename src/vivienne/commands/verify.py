"""The command `vivienne verify`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from vivienne.commands.database import is_missing, opened
from vivienne.commands.options import database_option, json_option
from vivienne.commands.record import opened_record, record_option
from vivienne.commands.times import moment
from vivienne.errors import SettingsError
from vivienne.logs.records import many_lines
from vivienne.record.verifying.configurations import compare_configurations
from vivienne.record.verifying.running import Verification
from vivienne.record.verifying.words import said, said_missing
from vivienne.settings.parsing import database

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vivienne.record.reader import RecordReader, Series

_MOST_SHOWN = 20
_FOREVER = 2**53 - 1


@click.command()
@click.option("--asset", "assets", metavar="NAME", multiple=True, help="Only this asset; may be given several times.")
@click.option("--from", "begin", metavar="TIME", help="Only bars from this time on, such as 2026-01-01; UTC.")
@database_option
@record_option
@json_option
def verify(assets: tuple[str, ...], begin: str | None, db: str, record: str, *, as_json: bool) -> None:
    """Decide every recorded bar anew, and compare with what was recorded, to the last bit.

    Each bar is decided from the recorded bars, with the configuration that was in force. The configurations are
    compared with those of the database, and all recorded rows with their checksums. A server may use the record at the
    same time. Exit code 0: everything is equal; 1: something differs, was altered or is missing; 2: there is no such
    record, or it cannot be read.
    """
    first = 0 if begin is None else moment("--from", begin)
    with opened_record(db, record) as reader:
        found = reader.all_series()
        series = [each for each in found if not assets or each.asset in {name.upper() for name in assets}]
        if assets and not series:
            known = ", ".join(sorted({each.asset for each in found})) or "none"
            raise SettingsError(f"The record has no decisions on {', '.join(assets)}; recorded are {known}")
        verification = _verified(reader, series, first)
        document = _document(reader, verification, series, db)
    click.echo(json.dumps(document) if as_json else many_lines("\n".join(_lines(document))))
    if verification.different or verification.damaged or document["configurations"]["different"]:
        raise SystemExit(1)


def _verified(reader: RecordReader, series: Sequence[Series], first: int) -> Verification:
    verification = Verification(reader, first)
    length = verification.length(series)
    with click.progressbar(length=length, label="Deciding", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        for each in series:
            for count in verification.steps(each):
                bar.update(count)
    verification.look_at_rows()
    return verification


def _document(reader: RecordReader, verification: Verification, series: Sequence[Series], db: str) -> dict[str, Any]:
    where, versions = database(db), verification.configurations
    compared: Any = {"compared": 0, "different": [], "unknown": len(versions)}
    if not is_missing(where):
        with opened(where, "to read") as store:
            compared = compare_configurations(store, reader, versions)
    ids = {segment.id for each in series for segment in each.segments} | {None}
    gaps = [gap for run in {each.run_id for each in series} for gap in reader.gaps(run, 0, _FOREVER)]
    return {
        **verification.outcome(),
        "configurations": compared,
        "gaps": sum(gap.series_id in ids and gap.reason != "feed" for gap in gaps),
    }


def _lines(document: dict[str, Any]) -> Iterator[str]:
    """The same for people."""
    yield from _listed(document)
    for reason, count in document["missing_reasons"].items():
        yield f"{count:,} missing: {reason}"
    if document["altered"]:
        yield f"{document['altered']:,} bars are not as they were recorded"
    if document["unsealed"]:
        yield f"{document['unsealed']:,} bars have no checksum: an earlier version recorded them"
    if document["gaps"]:
        gaps = "a gap" if document["gaps"] == 1 else f"{document['gaps']:,} gaps"
        yield f"The record has {gaps} in which decisions were not recorded"
    for program, count in document["different_by_program"].items():
        yield f"{count:,} decisions that version {program} recorded are different"
    different = document["different"]
    yield f"{document['decisions']:,} decisions were decided anew: " + (
        f"{different:,} are different" if different else "all of them are equal, to the last bit"
    )


def _listed(document: dict[str, Any]) -> Iterator[str]:
    """Single differences, and where something is missing."""
    for each in document["differences"][:_MOST_SHOWN]:
        yield said(each)
    if len(document["differences"]) > _MOST_SHOWN:
        yield f"  and more; --json prints the first {len(document['differences'])}"
    for each in document["configurations"]["different"][:_MOST_SHOWN]:
        yield f"{each['asset']}: the recorded configuration of version {each['version']} is not that of the database"
    for each in document["missing_at"][:_MOST_SHOWN]:
        yield said_missing(each)
    for each in document["altered_rows"][:_MOST_SHOWN]:
        change = "removed" if each["is_removed"] else "altered after it was recorded"
        yield f"Row {each['id']} of {each['table']} was {change}"
