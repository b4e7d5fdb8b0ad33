"""The command line: commands only, no logic."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import asdict, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click
import uvloop

from vivienne import __version__
from vivienne.access.secrets import without_secrets
from vivienne.errors import FileUnreadable, ImportRefused, SettingsError, VivienneError
from vivienne.redis.address import without_password
from vivienne.settings.boot import BootSettings, database, environment_name
from vivienne.wire.token_entry import ROLES, Role


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


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Trading signals that can be retuned while they run."""


@main.command()
@_options
@click.pass_context
def serve(context: click.Context, /, **values: Any) -> None:
    """Decide, and serve REST and WebSockets."""
    from vivienne.roles.serving import serve as run  # noqa: PLC0415  # --help and wrong flags answer without loading it all
    from vivienne.stream.logs import LogStream  # noqa: PLC0415  # the same

    settings = BootSettings(**values)
    try:
        boot = settings.checked()
        logs = LogStream()
        _start_logging(boot.log_level, logs)
        _print_settings(context, settings, str(boot.db), ",".join(boot.assets))
        uvloop.run(run(boot, logs))
    except VivienneError as error:
        raise _Failure(error) from error


@main.group("config")
def configuration() -> None:
    """Move whole configurations between databases and files."""


def _database_option(command: Any) -> Any:
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


@configuration.command("export")
@click.argument("file", default="-", type=click.Path(dir_okay=False, allow_dash=True))
@_database_option
def export_command(file: str, db: str) -> None:
    """Write what every layer sets into FILE, as YAML; without FILE, or with -, to standard output.

    A FILE that is there already is brought up to date: its comments and its order stay.
    """
    from vivienne.commands.config import STANDARD, export_configuration  # noqa: PLC0415  # see `serve`

    try:
        text = export_configuration(database(db), file)
    except VivienneError as error:
        raise _Failure(error) from error
    if file == STANDARD:
        click.echo(text.encode(), nl=False)


@configuration.command("import")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@_database_option
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Only say what would change, or what is wrong.")
@click.option("--replace-all", is_flag=True, help="Empty the layers that are not in FILE; else they are left alone.")
@click.option("--reason", metavar="TEXT", help="Why, for the history.")
@click.option("--author", metavar="TEXT", help="By whom, for the history.  [default: the user of the system]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def import_command(db: str, as_json: bool, **order: Any) -> None:
    """Let the layers set what FILE says, which `export` has written; - is standard input.

    It is one change: all of it is checked together, and all of it is in force afterwards, or nothing. Exit code 0:
    done, or nothing to do; 1: refused; 2: FILE or a flag cannot be read.
    """
    from vivienne.commands.config import ImportOrder, import_configuration, report  # noqa: PLC0415  # see `serve`

    try:
        answer = asyncio.run(import_configuration(database(db), ImportOrder(**order)))
    except VivienneError as error:
        failure = _Failure(error)
        if not as_json:
            raise failure from error
        click.echo(json.dumps(_refusal(error), ensure_ascii=False))
        raise SystemExit(failure.exit_code) from error
    click.echo(json.dumps(answer, ensure_ascii=False) if as_json else "\n".join(report(answer)))


def _refusal(error: VivienneError) -> dict[str, Any]:
    """What was wrong, for programs."""
    findings = error.findings if isinstance(error, ImportRefused) else ()
    return {
        "status": "refused" if findings else "failed",
        "message": str(error),
        "errors": [asdict(finding) for finding in findings],
    }


@main.group("token")
def token() -> None:
    """Say who gets in, where tokens are needed. A running Vivienne heeds it within seconds."""


def _json_option(command: Any) -> Any:
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


@token.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What it is for: looking, changing, everything.")
@_database_option
@_json_option
def create_token(name: str, role: Role, db: str, as_json: bool) -> None:
    """Make a token for NAME, and print it: it is shown this once. NAME is the author of what is changed with it."""
    from vivienne.commands.token import create  # noqa: PLC0415  # see `serve`

    try:
        made, secret = create(database(db), name, role)
    except VivienneError as error:
        raise _Failure(error) from error
    if as_json:
        click.echo(json.dumps({**made, "token": secret}))
        return
    click.echo(f"Token {made['name']} ({made['role']}); nobody can show it again:", err=True)
    click.echo(secret)


@token.command("list")
@_database_option
@_json_option
def list_tokens(db: str, as_json: bool) -> None:
    """Print every token that ever was, without the secrets."""
    from vivienne.commands.token import listed  # noqa: PLC0415  # see `serve`

    try:
        found = listed(database(db))
    except VivienneError as error:
        raise _Failure(error) from error
    if as_json:
        click.echo(json.dumps({"tokens": found}))
        return
    for each in found:
        state = f"revoked {each['revoked_at']}" if each["revoked_at"] else "good"
        click.echo(f"{each['name']:<24} {each['role']:<8} made {each['created_at']}  {state}")


@token.command("revoke")
@click.argument("name")
@_database_option
@_json_option
def revoke_token(name: str, db: str, as_json: bool) -> None:
    """Make the token of NAME good for nothing; connections opened with it are closed within seconds."""
    from vivienne.commands.token import revoke  # noqa: PLC0415  # see `serve`

    try:
        revoked = revoke(database(db), name)
    except VivienneError as error:
        raise _Failure(error) from error
    click.echo(json.dumps(revoked) if as_json else f"Token {name} is revoked")


def _switch_options(command: Any) -> Any:
    """Where, whom, by whom and why."""
    setting = next(setting for setting in fields(BootSettings) if setting.name == "db")
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
        click.option("--author", metavar="TEXT", help="By whom, for the history.  [default: the user of the system]"),
        click.option("--reason", metavar="TEXT", help="Why, for the history and the state."),
        click.option("--asset", metavar="BTC", help="Only this one.  [default: all]"),
        click.option("--db", metavar=setting.metadata["metavar"], help="In this database, which no server has open."),
        click.option("--url", metavar="URL", help="At this server.  [default: http://localhost:8000]"),
    ):
        command = option(command)
    return command


@main.command()
@_switch_options
def pause(**order: Any) -> None:
    """Stop every asset, or one: idle, with size 0, until it is resumed.

    Where the server needs a token, it is taken from VIVIENNE_TOKEN; it needs the role tuner.

    Exit code 0: paused; 1: refused or out of reach; 2: a flag is wrong.
    """
    _switch("pause", **order)


@main.command()
@_switch_options
def resume(**order: Any) -> None:
    """End the pause of all assets, or that of one."""
    _switch("resume", **order)


def _switch(
    kind: Literal["pause", "resume"], *, url: str | None, db: str | None, as_json: bool, **given: str | None
) -> None:
    from vivienne.commands.config import user_of_system  # noqa: PLC0415  # the same
    from vivienne.commands.pause import switch_at_server, switch_in_database  # noqa: PLC0415  # see `serve`

    named = {"asset_symbol": given["asset"], "author": given["author"] or user_of_system(), "reason": given["reason"]}
    texts = {name: text for name, text in named.items() if text is not None}
    try:
        if url is not None and db is not None:
            raise SettingsError("--url and --db do not go together: a server has its database open itself")
        if db is not None:
            answer = asyncio.run(switch_in_database(database(db), kind, texts))
        else:
            answer = switch_at_server(url or "http://localhost:8000", kind, texts)
    except VivienneError as error:
        raise _Failure(error) from error
    still = f" (paused now: {', '.join(answer['paused'])})" if answer["paused"] else ""
    click.echo(json.dumps(answer, ensure_ascii=False) if as_json else answer["message"] + still)


@main.command()
def schema() -> None:
    """Print the JSON Schema of a configuration."""
    from vivienne.config.tunables import json_schema  # noqa: PLC0415  # only this command needs it

    click.echo(json.dumps(json_schema(), indent=2))


class _Failure(click.ClickException):
    """An error on the screen: exit code 2 for a wrong setting or file, 1 for anything else."""

    def __init__(self, error: VivienneError) -> None:
        super().__init__(str(error))
        self.exit_code = 2 if isinstance(error, (SettingsError, FileUnreadable)) else 1  # type: ignore[misc]  # click's way to set it


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
