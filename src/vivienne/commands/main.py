"""The `vivienne` command: a group that loads each command from its own file."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from vivienne.commands.failure import Failure
from vivienne.errors import VivienneError

_FILES = {
    "backup": "backup",
    "check": "backup",
    "config": "config",
    "pause": "pause",
    "restore": "backup",
    "resume": "pause",
    "schema": "schema",
    "serve": "serve",
    "token": "token",
}
"""By command, the module of this package that has it, under the same name."""


class _Commands(click.Group):
    """A group that loads a command when it is used, so that a pause does not import the libraries of the server."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(_FILES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # the same
        if cmd_name not in _FILES:
            return None
        command: click.Command = getattr(import_module(f"vivienne.commands.{_FILES[cmd_name]}"), cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error raised on purpose becomes one line and an exit code."""
        try:
            return super().invoke(ctx)
        except VivienneError as error:
            raise Failure(error) from error


def _print_version(context: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if is_asked and not context.resilient_parsing:
        from vivienne.version import build_version  # noqa: PLC0415  # it takes git to tell, in a checkout

        click.echo(f"vivienne {build_version()}")
        context.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
def main() -> None:
    """Trading signals that can be retuned while they run."""
