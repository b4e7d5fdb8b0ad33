"""The command `vivienne schema`."""

from __future__ import annotations

import json

import click

from vivienne.config.tunables import json_schema


@click.command()
def schema() -> None:
    """Print the JSON Schema of a configuration."""
    click.echo(json.dumps(json_schema(), indent=2))
