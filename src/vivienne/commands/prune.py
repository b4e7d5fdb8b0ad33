"""The command `vivienne prune`."""

from __future__ import annotations

import json

import click

from vivienne.changes.pruning import BATCH
from vivienne.commands.database import existing, opened
from vivienne.commands.options import database_option, json_option
from vivienne.settings.parsing import database, period
from vivienne.times import now, written


@click.command()
@click.option(
    "--keep", metavar="TIME", default="30d", show_default=True, help="How long answers are kept, as in 12h or 90d."
)
@database_option
@json_option
def prune(keep: str, db: str, as_json: bool) -> None:
    """Remove the answers to old requests from a database; the history stays.

    A server may have the database open. It removes answers itself, by its --keep-answers.
    """
    before = written(now() - period("--keep", keep))
    count = 0
    with opened(existing(database(db)), "beside") as store:
        while pruned := store.prune_answers(before, BATCH):
            count += pruned
    click.echo(json.dumps({"answers": count, "before": before}) if as_json else f"Removed {count} answers")
