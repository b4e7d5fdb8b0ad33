"""The command `vivienne serve`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import click
import uvloop

from vivienne.addresses import shown_address
from vivienne.commands.failure import exit_code
from vivienne.commands.leaving import Leaving
from vivienne.commands.options import option_of
from vivienne.errors import VivienneError
from vivienne.settings.agreement import OF_AGENTS
from vivienne.settings.boot import SETTINGS, Boot
from vivienne.version import build_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vivienne.logs.console import Console

_log = logging.getLogger(__name__)


def _options(command: Any) -> Any:
    """Every boot setting as an option, with its environment variable."""
    for each in reversed(SETTINGS.values()):
        command = option_of(each)(command)
    return command


@click.command()
@_options
@click.pass_context
def serve(context: click.Context, /, **_values: Any) -> None:
    """Decide assets, and serve REST, WebSockets and the dashboard."""
    from vivienne.logs.setup import start_logging  # noqa: PLC0415  # wrong flags are refused before all is loaded
    from vivienne.roles.serving import serve as run  # noqa: PLC0415  # the same
    from vivienne.stream.logs import LogStream  # noqa: PLC0415  # the same

    _leave_to_agents(context)
    boot = Boot.read(**context.params)
    logs = LogStream()
    console = start_logging(boot.log_level, boot.log_format, logs)
    _print_settings(context, boot, console)
    leaving = Leaving(console.flush)
    try:
        uvloop.run(leaving.after(run(boot, logs, console)))
    except VivienneError as error:
        if boot.log_format == "text":
            raise
        _log.critical("%s", error)
        context.exit(exit_code(error))
    finally:
        leaving.left()
        console.flush()  # before the error that ends the program


def _leave_to_agents(context: click.Context) -> None:
    """Ignore what the environment says to agents, in a gateway: one file may be for all processes of a machine.

    A flag is not ignored, because somebody gave it to this process. Without `--assets` nothing is, since the assets
    would have followed from it.
    """
    given = context.params
    if given["role"] != "gateway" or not given["assets"]:
        return
    for name in OF_AGENTS:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "ENVIRONMENT":
            given[name] = SETTINGS[name].default


_SOURCES = {"COMMANDLINE": "flag", "ENVIRONMENT": "environment"}


def _print_settings(context: click.Context, boot: Boot, console: Console) -> None:
    """Print the effective values, and the source of each. A log for programs has no other lines."""
    if boot.log_format == "json":
        settings = ", ".join(f"--{flag} {shown}" for flag, shown, _, _ in _effective(context, boot))
        _log.info("Vivienne %s starts with %s", build_version(), settings)
        return
    console.say(f"Vivienne {build_version()}")
    for flag, shown, where, variable in _effective(context, boot):
        console.say(f"  {flag:<28} {shown:<40} ({where}; {variable})")


def _effective(context: click.Context, boot: Boot) -> Iterator[tuple[str, str, str, str]]:
    """By setting: its name, value and source, and its environment variable."""
    effective = {"db": str(boot.db), "assets": ",".join(boot.assets), "data": " ".join(context.params["data"])}
    for name, each in SETTINGS.items():
        value = effective.get(name, context.params[name])
        shown = "-" if value == "" else shown_address(value) if each.is_secret else str(value)
        source = context.get_parameter_source(name)
        where = _SOURCES.get(source.name if source else "", "default")
        if where == "environment" and name in OF_AGENTS and boot.role == "gateway":
            where = "of agents"
        yield each.flag.removeprefix("--"), shown, where, each.variable
