"""Options that several commands have."""

from __future__ import annotations

import getpass
from dataclasses import fields
from typing import Any

import click

from vivienne.settings.boot import BootSettings, environment_name

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
author_option = click.option("--author", metavar="TEXT", help="Author, for the history.  [default: the system user]")


def database_option(command: Any) -> Any:
    """`--db`, as `serve` has it."""
    setting = next(setting for setting in fields(BootSettings) if setting.name == "db")
    return click.option(
        "--db",
        default=setting.default,
        envvar=environment_name("db"),
        show_envvar=True,
        metavar=setting.metadata["metavar"],
        help=setting.metadata["help"],
    )(command)


def system_user() -> str | None:
    """The name of the system user; None where the user has no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return None
