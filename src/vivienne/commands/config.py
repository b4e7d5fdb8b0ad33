"""The command `vivienne config`: exports whole configurations into a file, and imports them."""

from __future__ import annotations

import asyncio
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vivienne.changes.requests import Replacement
from vivienne.channels.envelope import open_envelope
from vivienne.commands.database import existing, is_missing, opened, service_over
from vivienne.commands.failure import exit_code
from vivienne.commands.files import STANDARD, read_file, write_file
from vivienne.commands.options import author_option, database_option, json_option, system_user
from vivienne.commands.yaml.layers import read_layers
from vivienne.commands.yaml.updating import update
from vivienne.commands.yaml.writing import header, scalar, tree, write
from vivienne.config.layers import GLOBAL
from vivienne.errors import ImportRefused, InvalidConfiguration, SettingsError, StoreUnusable, VivienneError
from vivienne.settings.parsing import database

if TYPE_CHECKING:
    from vivienne.store.address import PostgresUrl
    from vivienne.wire.answers import LayerChange, Replaced, ValueChange


@click.group()
def config() -> None:
    """Move whole configurations between databases and files."""


@config.command("export")
@click.argument("file", default="-", type=click.Path(dir_okay=False, allow_dash=True))
@database_option
def export_command(file: str, db: str) -> None:
    """Write all layers into FILE, as YAML; without FILE, or with -, to standard output.

    An existing FILE is updated: its comments and its order stay.
    """
    text = export_configuration(database(db), file)
    if file == STANDARD:
        click.echo(text.encode(), nl=False)


@config.command("import")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@database_option
@click.option(
    "--dry-run", "is_dry_run", is_flag=True, help="Report what would change, or what is wrong; change nothing."
)
@click.option(
    "--replace-all", is_flag=True, help="Empty the layers that are not in FILE; without it they stay as they are."
)
@click.option("--reason", metavar="TEXT", help="Reason, for the history.")
@author_option
@json_option
def import_command(db: str, as_json: bool, **order: Any) -> None:
    """Set all layers as in FILE, which `export` has written; - is standard input.

    The import is one change: all of it is checked together, and all of it comes into force, or nothing. Exit code 0:
    imported, or nothing to change; 1: refused; 2: FILE or a flag is not valid.
    """
    try:
        answer = asyncio.run(import_configuration(database(db), ImportOrder(**order)))
    except VivienneError as error:
        if not as_json:
            raise
        click.echo(json.dumps(_refusal(error)))
        raise SystemExit(exit_code(error)) from error
    click.echo(json.dumps(answer) if as_json else "\n".join(report(answer)))


def _refusal(error: VivienneError) -> dict[str, Any]:
    """The refusal of an import as a document, for programs."""
    findings = error.findings if isinstance(error, ImportRefused) else ()
    return {
        "status": "refused" if findings else "failed",
        "message": str(error),
        "errors": [asdict(finding) for finding in findings],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOrder:
    """An import of a file.

    Attributes:
        replace_all: empty the layers that are not in the file.
        is_dry_run: only report what would change.
        author: for the history; None for the system user.
    """

    file: str
    replace_all: bool = False
    is_dry_run: bool = False
    reason: str | None = None
    author: str | None = None


def export_configuration(db: Path | PostgresUrl, file: str) -> str:
    """All layers of a database, as the text of a YAML file.

    An existing file is updated: its comments and its order stay.

    Args:
        db: to read.
        file: to write; `STANDARD` writes none.

    Raises:
        StoreUnusable: the database cannot be opened, or is damaged.
        StoreUnavailable: it cannot be read.
        SettingsError: the database does not exist.
        FileUnreadable: the file is not a configuration, or cannot be written.
    """
    with opened(existing(db), "to read") as store:
        problems: list[str] = []
        store.check_pages(problems.append)
        if problems:
            raise StoreUnusable(f"The database {db} is damaged and was not exported: {'; '.join(problems)}")
        heads = store.heads()
    newest = max(heads, key=lambda head: head.version, default=None)
    first_line = header(newest.version, newest.created_at) if newest else header(0, None)
    whole = tree({head.layer: head.shown_document for head in heads})
    if file == STANDARD:
        return write(whole, first_line)
    path = Path(file)
    text = update(read_file(file), file, whole, first_line) if path.exists() else write(whole, first_line)
    write_file(path, text)
    return text


async def import_configuration(db: Path | PostgresUrl, order: ImportOrder) -> Replaced:
    """Set the layers of a database as in a YAML file, all of them or none.

    All layers of the file and of the database must be valid, of assets that no process decides too.

    Raises:
        StoreUnusable: the database cannot be opened.
        FileUnreadable: the file cannot be read.
        ImportRefused: the configuration is not valid.
        NotStored: the database did not store it.
    """
    found = read_layers(read_file(order.file), order.file)
    asked = Replacement(found.documents, order.replace_all, alerts=found.alerts, **_signed(order))
    is_new = is_missing(db)
    try:
        if order.is_dry_run or is_new or found.findings:  # with findings, to report other errors too
            answer = await _try(db, asked, is_new=is_new)
        if found.findings:
            raise ImportRefused(order.file, found.findings)
        if not order.is_dry_run:
            async with service_over(db) as service:
                answer = await service.replace(asked)
    except InvalidConfiguration as refused:
        raise ImportRefused(order.file, [*found.findings, *found.located(refused.problems)]) from refused
    return answer


def report(answer: Replaced) -> list[str]:
    """Report of an import, in lines for people."""
    lines = []
    for layer in answer["layers"]:
        lines += [_title(layer), *(f"  {_change(change)}" for change in layer["changed"])]
    return [*lines, *(f"Warning: {warning['message']}" for warning in answer["warnings"]), answer["message"]]


def _title(layer: LayerChange) -> str:
    version = layer.get("version")
    name = f"alert {layer['alert_id']}" if "alert_id" in layer else layer["asset_symbol"] or GLOBAL
    return name + (f" (version {version})" if version else "")


def _change(change: ValueChange) -> str:
    old, new = (_shown(change, side) for side in ("old", "new"))
    return f"{change['path']}: {old} -> {new}"


def _shown(change: Any, side: str) -> str:
    return scalar(change[side]) if side in change else "inherited"


def _signed(order: ImportOrder) -> dict[str, Any]:
    """Author and reason, checked as in every channel."""
    given = {"author": order.author or system_user(), "reason": order.reason}
    try:
        envelope = open_envelope({name: text for name, text in given.items() if text is not None})
    except InvalidConfiguration as refused:
        raise SettingsError("; ".join(f"--{problem.message}" for problem in refused.problems)) from refused
    return {"author": envelope.author, "reason": envelope.reason}


async def _try(db: Path | PostgresUrl, asked: Replacement, *, is_new: bool) -> Replaced:
    """The outcome of a replacement that is not made. A missing file is not created: an empty one stands in for it."""
    with tempfile.TemporaryDirectory() as folder:
        async with service_over(Path(folder) / "empty.db" if is_new else db) as service:
            return await service.try_replacement(asked)
