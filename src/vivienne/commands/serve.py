"""The command `vivienne serve`."""

from __future__ import annotations

import logging
from typing import Any

import click
import uvloop

from vivienne.access.secrets import without_secrets
from vivienne.commands.options import option_of
from vivienne.redis.address import without_password
from vivienne.settings.boot import SETTINGS, Boot
from vivienne.version import build_version


def _options(command: Any) -> Any:
    """Every boot setting as an option, with its environment variable."""
    for each in reversed(SETTINGS.values()):
        command = option_of(each)(command)
    return command


@click.command()
@_options
@click.pass_context
def serve(context: click.Context, /, **values: Any) -> None:
    """Decide assets, and serve REST, WebSockets and the dashboard."""
    from vivienne.roles.serving import serve as run  # noqa: PLC0415  # wrong flags are refused before all is loaded
    from vivienne.stream.logs import LogStream  # noqa: PLC0415  # the same

    boot = Boot.read(**values)
    logs = LogStream()
    _start_logging(boot.log_level, logs)
    _print_settings(context, boot)
    uvloop.run(run(boot, logs))


class _OnScreen(logging.Formatter):
    """A record as text, without tokens."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


def _start_logging(level: str, logs: logging.Handler) -> None:
    console = logging.StreamHandler()
    console.setFormatter(_OnScreen("%(asctime)s %(levelname)-8s %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=level.upper(), handlers=[console, logs])
    # Libraries log nothing a user needs, except errors.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # It warns of every invalid request: a client could fill the log with them.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.WARNING)


_SOURCES = {"COMMANDLINE": "flag", "ENVIRONMENT": "environment"}


def _print_settings(context: click.Context, boot: Boot) -> None:
    """Print the effective values, and the source of each."""
    effective = {"db": str(boot.db), "assets": ",".join(boot.assets), "data": " ".join(context.params["data"])}
    click.echo(f"Vivienne {build_version()}", err=True)
    for name, each in SETTINGS.items():
        value = effective.get(name, context.params[name])
        shown = "-" if value == "" else without_password(value) if each.is_secret else str(value)
        source = context.get_parameter_source(name)
        where = _SOURCES.get(source.name if source else "", "default")
        click.echo(f"  {each.flag.removeprefix('--'):<28} {shown:<40} ({where}; {each.variable})", err=True)
