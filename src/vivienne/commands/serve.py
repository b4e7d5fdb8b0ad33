"""The command `vivienne serve`."""

from __future__ import annotations

import logging
from dataclasses import fields
from typing import Any, get_args, get_origin, get_type_hints

import click
import uvloop

from vivienne import __version__
from vivienne.access.secrets import without_secrets
from vivienne.redis.address import without_password
from vivienne.settings.boot import BootSettings, environment_name


def _options(command: Any) -> Any:
    """Every boot setting as an option, with its environment variable."""
    hints = get_type_hints(BootSettings)
    for setting in reversed(fields(BootSettings)):
        hint = hints[setting.name]
        multiple = get_origin(hint) is tuple
        choices = get_args(hint) if get_origin(hint) is not tuple and get_args(hint) else None
        command = click.option(
            "--" + setting.name.replace("_", "-"),
            setting.name,
            is_flag=hint is bool,
            type=click.Choice(choices) if choices else None if multiple else hint,
            multiple=multiple,
            default=setting.default,
            show_default=setting.default not in ("", (), False),
            envvar=environment_name(setting.name),
            show_envvar=True,
            metavar=setting.metadata["metavar"],
            help=setting.metadata["help"],
        )(command)
    return command


@click.command()
@_options
@click.pass_context
def serve(context: click.Context, /, **values: Any) -> None:
    """Decide, and serve REST and WebSockets."""
    from vivienne.roles.serving import serve as run  # noqa: PLC0415  # wrong flags are refused before all is loaded
    from vivienne.stream.logs import LogStream  # noqa: PLC0415  # the same

    settings = BootSettings(**values)
    boot = settings.checked()
    logs = LogStream()
    _start_logging(boot.log_level, logs)
    _print_settings(context, settings, str(boot.db), ",".join(boot.assets))
    uvloop.run(run(boot, logs))


class _OnScreen(logging.Formatter):
    """A record as text, without tokens."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


def _start_logging(level: str, logs: logging.Handler) -> None:
    console = logging.StreamHandler()
    console.setFormatter(_OnScreen("%(asctime)s %(levelname)-8s %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=level.upper(), handlers=[console, logs])
    # What is below says nothing a user needs, except when something is wrong.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # It warns of every request that is none: whoever sends such could fill the log with them.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.WARNING)


_SOURCES = {"COMMANDLINE": "flag", "ENVIRONMENT": "environment"}


def _print_settings(context: click.Context, settings: BootSettings, db: str, assets: str) -> None:
    """The effective values, and where each comes from."""
    shown = {setting.name: getattr(settings, setting.name) for setting in fields(settings)}
    shown |= {"db": db, "assets": assets, "data": " ".join(shown["data"]) or "-"}
    for setting in fields(settings):
        if setting.metadata.get("secret"):
            shown[setting.name] = without_password(shown[setting.name])
    shown |= {name: shown[name] or "-" for name in ("origins", "proxies", "redis", "shard", "market_begin")}
    click.echo(f"Vivienne {__version__}", err=True)
    for name, value in shown.items():
        source = context.get_parameter_source(name)
        where = _SOURCES.get(source.name if source else "", "default")
        click.echo(f"  {name.replace('_', '-'):<28} {value!s:<40} ({where}; {environment_name(name)})", err=True)
