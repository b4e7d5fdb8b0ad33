"""The command `vivienne doctor`."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import click

from vivienne.commands.diagnosis import Diagnosis, diagnose
from vivienne.commands.options import database_option, json_option
from vivienne.errors import FileUnreadable
from vivienne.settings.parsing import database
from vivienne.store.private import replacing


@click.command()
@database_option
@click.option("--url", metavar="URL", default="http://localhost:8000", show_default=True, help="Address of the server.")
@click.option(
    "--bundle",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write all that was found into FILE, a zip archive to send to somebody. It has no token and no password, but "
    "the configuration and the names of assets.",
)
@json_option
def doctor(db: str, url: str, bundle: Path | None, as_json: bool) -> None:
    """Look for what may be wrong: settings, database, server. It changes nothing.

    Run it as the user and with the environment of the server. Exit code 0: no problem was found; 1: there is one.
    """
    found = diagnose(database(db), url, os.environ)
    if bundle is not None:
        _write(found, bundle)
    if as_json:
        click.echo(json.dumps([{"level": level, "text": text} for level, text in found.findings], ensure_ascii=False))
    else:
        for level, text in found.findings:
            click.echo(f"{level:<8} {text}")
        if bundle is not None:
            click.echo(f"All of it is in {bundle}; read it before you send it")
    if any(level == "problem" for level, _ in found.findings):
        raise SystemExit(1)


def _write(found: Diagnosis, bundle: Path) -> None:
    """Write a bundle, for its owner alone.

    Raises:
        FileUnreadable: it cannot be written.
    """
    report = "".join(f"{level:<8} {text}\n" for level, text in found.findings)
    try:
        with replacing(bundle) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in {"report.txt": report, **found.files}.items():
                archive.writestr(name, text)
    except OSError as error:
        raise FileUnreadable(str(bundle), f"it cannot be written: {error.strerror}") from error
