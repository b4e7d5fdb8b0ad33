"""The commands `vivienne backup`, `restore` and `check`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vivienne.commands.database import existing, opened
from vivienne.commands.options import database_option, json_option
from vivienne.config.layers import asset_of
from vivienne.errors import FileUnreadable, unwritable
from vivienne.settings.parsing import database
from vivienne.store import backup as backups
from vivienne.store.checking import check as check_store

if TYPE_CHECKING:
    from vivienne.store.checking import Checked
    from vivienne.store.copying import Copied

_file = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.command()
@_file
@database_option
@json_option
def backup(file: Path, db: str, as_json: bool) -> None:
    """Write a backup of the whole database into FILE, a new SQLite file for its owner alone.

    Servers may have the database open, and wait for nothing. It works for PostgreSQL too.
    """
    try:
        with opened(existing(database(db)), "to read") as source:
            copied = backups.back_up(source, file)
    except OSError as error:
        raise unwritable(file, error) from error
    _show(copied, as_json=as_json, text=f"Backed up {_words(copied)} to {file}", file=str(file))


@click.command()
@_file
@database_option
@click.option("--replace", "replaces", is_flag=True, help="Replace an existing file; it is kept under another name.")
@json_option
def restore(file: Path, db: str, replaces: bool, as_json: bool) -> None:
    """Put the backup FILE in the place of a database that no server uses; a PostgreSQL database must be empty.

    A backup of an earlier version is migrated. FILE itself is not altered. Pauses in force in a file that is replaced
    stay in force, and secrets of tokens that are refused there stay refused.
    """
    try:
        restored = backups.restore(file, database(db), replaces=replaces)
    except OSError as error:
        if error.filename != str(file):
            raise unwritable(error.filename or db, error) from error
        raise FileUnreadable(str(file), f"it cannot be used: {error.strerror}") from error
    copied, kept = restored.copied, restored.kept
    paused = [asset_of(pause.layer) or "all" for pause in restored.pauses]
    again = [asset_of(pause.layer) or "all" for pause in restored.repeated]
    text = f"Restored {_words(copied)}{_before(kept)}"
    if paused:
        text += f"\nStill paused, as before: {', '.join(paused)}"
    if again:
        text += f"\nPaused, as in the backup: {', '.join(again)}"
    as_before, newest_only = restored.tokens
    if as_before:
        text += f"\nTokens that are as in the database before, not as in the backup: {', '.join(as_before)}"
    if newest_only:
        text += f"\nTokens of which only the newest secret in the backup is accepted: {', '.join(newest_only)}"
    if restored.dropped:
        text += f"\nMessages of alerts that waited in the backup, and are dropped: {restored.dropped}"
    more: dict[str, str | list[str] | int | None] = {"kept": str(kept) if kept else None, "paused": paused}
    more |= {"paused_in_backup": again, "messages_dropped": restored.dropped}
    more |= {"tokens_kept": as_before, "tokens_newest_only": newest_only}
    _show(copied, as_json=as_json, text=text, **more)
    if restored.trouble is not None:
        click.echo(
            f"Warning: {restored.trouble}; before you start a server, pause again and revoke tokens again, if need be",
            err=True,
        )


def _before(kept: Path | None) -> str:
    if kept is None:
        return ""
    if kept.exists():
        return f"; the database before it is {kept}"
    return f"; the journal of a database that is gone was there, and is now {kept}-journal"


@click.command()
@database_option
@json_option
def check(db: str, as_json: bool) -> None:
    """Check that everything in a database can be read and belongs together. A server may have it open.

    Exit code 0: nothing is wrong; 1: something is, and is listed.
    """
    with opened(existing(database(db)), "to read") as store:
        found = check_store(store)
    if as_json:
        click.echo(json.dumps(asdict(found)))
    else:
        for note in found.notes:
            click.echo(f"Note: {note}")
        for problem in found.problems:
            click.echo(f"Problem: {problem}", err=True)
        click.echo(f"Read {_words(found)}")
    if found.problems:
        raise SystemExit(1)


def _words(copied: Copied | Checked) -> str:
    alerts = f" and {copied.alerts} alerts" if copied.alerts else ""
    return f"{copied.revisions} revisions up to version {copied.version} and {copied.tokens} tokens{alerts}"


def _show(copied: Copied, *, as_json: bool, text: str, **more: str | list[str] | int | None) -> None:
    click.echo(json.dumps({**asdict(copied), **more}) if as_json else text)
