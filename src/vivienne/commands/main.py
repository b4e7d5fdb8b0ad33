"""The `vivienne` command: a group that loads each command from its own file."""

from __future__ import annotations

import gc
import os
import time as time_module
from importlib import import_module
from pathlib import Path
from time import process_time, time
from typing import Any, NamedTuple

import click

from vivienne.commands.failure import Failure
from vivienne.errors import VivienneError

CLOCK_BOOTTIME: int | None = getattr(time_module, "CLOCK_BOOTTIME", None)
"""Of Linux. `/proc/uptime` would be that of a container."""
_STARTED_AT = 19
"""Place of the time of its start among the fields after the name of a process; in ticks since that of the machine."""
BEGAN_AT = "vivienne.began_at"
"""Name in the `meta` of a context of the time at which the command was given, in seconds since 1970."""


def seconds_since_start() -> float | None:
    """The age of this process, as the system has it; None where it does not tell."""
    if CLOCK_BOOTTIME is None:
        return None
    try:
        _, _, fields = Path("/proc/self/stat").read_text().rpartition(")")
        begin = int(fields.split()[_STARTED_AT]) / os.sysconf("SC_CLK_TCK")
        age = time_module.clock_gettime(CLOCK_BOOTTIME) - begin
    except (OSError, ValueError, IndexError):
        return None
    return age if age > 0.0 else None


class _Command(NamedTuple):
    """A command that is not loaded yet.

    Attributes:
        file: the module of this package that has it, under its name.
        summary: the beginning of its help.
    """

    file: str
    summary: str


_COMMANDS = {
    "alerts": _Command("alerts", "Look at alert rules and their deliveries, and try them out."),
    "backup": _Command(
        "backup", "Write a backup of the whole database into FILE, a new SQLite file for its owner alone."
    ),
    "check": _Command("backup", "Check that everything in a database can be read and belongs together."),
    "config": _Command("config", "Move whole configurations between databases and files."),
    "decisions": _Command(
        "decisions", "Print recorded decisions, the newest first, or write them into a file, the oldest first."
    ),
    "doctor": _Command("doctor", "Look for what may be wrong: settings, database, server."),
    "download": _Command("download", "Download the history of a market of an exchange into FILE, for a replay."),
    "inspect": _Command("inspect", "Say what data files are taken for, and what of them is left out."),
    "markets": _Command("markets", "List the markets of an exchange that can be watched."),
    "pause": _Command("pause", "Pause all assets, or one: idle, with size 0, until it is resumed."),
    "prune": _Command("prune", "Remove the answers to old requests from a database; the history stays."),
    "restore": _Command(
        "backup",
        "Put the backup FILE in the place of a database that no server uses; a PostgreSQL database must be empty.",
    ),
    "resume": _Command("pause", "End the pause of all assets, or that of one."),
    "schema": _Command("schema", "Print the JSON Schema of a configuration."),
    "serve": _Command("serve", "Decide assets, and serve REST, WebSockets and the dashboard."),
    "token": _Command("token", "Manage tokens."),
    "verify": _Command(
        "verify", "Decide every recorded bar anew, and compare with what was recorded, to the last bit."
    ),
}
_GARBAGE_THRESHOLDS = (10_000, 10, 20)
"""New objects before a collection of the youngest generation; collections of it before one of the next; the same for
the oldest, which Python also delays until a quarter of all objects is new.

Nearly every object here is freed by its reference count. With Python's own thresholds, collections take a tenth of the
time in which a server starts, and later one full collection follows the other while clients connect. A full one goes
over every object and blocks the event loop: 0.05 s in a server without clients, 0.3 s with two thousand of them.
"""


class _Commands(click.Group):
    """A group that loads a command when it is used, so that a pause does not import the libraries of the server."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # the same
        if cmd_name not in _COMMANDS:
            return None
        file = import_module(f"vivienne.commands.{_COMMANDS[cmd_name].file}")
        command: click.Command = getattr(file, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # the same
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.summary) for name, each in _COMMANDS.items()])

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Note when the process began: loading a command takes a while, longer on a busy machine."""
        began_at = time() - max(seconds_since_start() or 0.0, process_time())
        context = super().make_context(info_name, args, parent, **extra)
        context.meta[BEGAN_AT] = began_at
        return context

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error raised on purpose becomes one line and an exit code."""
        from vivienne.logs.setup import log_for_commands  # noqa: PLC0415  # `--help` needs none of it

        gc.set_threshold(*_GARBAGE_THRESHOLDS)
        log_for_commands()
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
