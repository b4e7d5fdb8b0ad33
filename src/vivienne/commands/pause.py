"""The commands `vivienne pause` and `resume`: at a running server, or in a database that no server has open."""

from __future__ import annotations

import asyncio
import json
import urllib.error
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPException
from time import time
from typing import TYPE_CHECKING, Any, Literal

import click

from vivienne.access.caller import Caller
from vivienne.changes.asked import Asked, asked_at
from vivienne.channels.envelope import open_envelope
from vivienne.commands.database import existing, opened, service_over
from vivienne.commands.http import LOCAL_SERVER, ask, detail_of, no_answer, read_json
from vivienne.commands.main import BEGAN_AT
from vivienne.commands.options import author_option, json_option, system_user
from vivienne.commands.record import opened_record
from vivienne.config.flat import nearest
from vivienne.config.layers import asset_of
from vivienne.errors import (
    InvalidConfiguration,
    NotSwitched,
    RecordUnavailable,
    SettingsError,
    StoreUnavailable,
    StoreUnusable,
)
from vivienne.logs.records import many_lines
from vivienne.market.types import ASSET_NAME, VALID_NAME
from vivienne.settings.boot import SETTINGS
from vivienne.settings.parsing import database

if TYPE_CHECKING:
    from pathlib import Path

    from vivienne.store.address import PostgresUrl
    from vivienne.wire.answers import Switched

CHANNEL = "cli"
PATH = "/phoenix/config/vivienne/comprehensive/"

Kind = Literal["pause", "resume"]
_NAMES = {"pause": "pause", "resume": "resumption"}
_DONE = ("success", "not_stored_yet")
_REDIRECTS = range(300, 400)


def _switch_options(command: Any) -> Any:
    """Options of both commands."""
    for option in (
        json_option,
        author_option,
        click.option("--reason", metavar="TEXT", help="Reason, for the history and the state."),
        click.option("--asset", metavar="BTC", help="Asset to pause or resume.  [default: all]"),
        click.option("--db", metavar=SETTINGS["db"].metavar, help="Database to write to, if no server has it open."),
        click.option("--url", metavar="URL", help=f"Address of the server.  [default: {LOCAL_SERVER}]"),
    ):
        command = option(command)
    return command


@click.command()
@_switch_options
def pause(**order: Any) -> None:
    """Pause all assets, or one: idle, with size 0, until it is resumed.

    If the server needs a token, set VIVIENNE_TOKEN to one with the role tuner.

    Exit code 0: paused, and the server says so; 1: refused, or the server cannot be reached; 2: a flag is wrong; 75:
    with --db, the database is in use or does not answer.
    Redirects are not followed: give the address of the server itself.
    """
    _switch("pause", **order)


@click.command()
@_switch_options
def resume(**order: Any) -> None:
    """End the pause of all assets, or that of one."""
    _switch("resume", **order)


def _switch(
    kind: Literal["pause", "resume"], *, url: str | None, db: str | None, as_json: bool, **given: str | None
) -> None:
    named = {"asset_symbol": given["asset"], "author": given["author"] or system_user(), "reason": given["reason"]}
    # What a terminal in another encoding gave must not keep anybody from pausing.
    texts = {name: text.encode(errors="replace").decode() for name, text in named.items() if text is not None}
    if url is not None and db is not None:
        raise SettingsError("--url and --db do not go together: a server has its database open itself")
    if db is not None:
        answer = asyncio.run(switch_in_database(database(db), kind, texts, _began_at()))
        if kind == "pause" and given["asset"] is not None:
            _warn_if_unknown(db, answer["assets"][0])
    else:
        answer = switch_at_server(url or LOCAL_SERVER, kind, texts, _began_at())
    still = f" (paused now: {', '.join(answer['paused'])})" if answer["paused"] else ""
    click.echo(json.dumps(answer) if as_json else many_lines(answer["message"] + still))


def _warn_if_unknown(db: str, asset: str) -> None:
    """Say where an asset may be misspelt: a database does not tell which assets a process will decide.

    The pause is made: nothing that goes wrong here concerns it.
    """
    with suppress(StoreUnusable, StoreUnavailable), opened(database(db), "as it is") as store:
        others = {found for head in store.heads() if (found := asset_of(head.layer)) not in (None, asset)}
        with suppress(SettingsError, RecordUnavailable), opened_record(db, "") as reader:
            others |= {series.asset for run in reader.runs() for series in reader.series(run.id)}
        has_more = len(store.outlines(layers=[asset], limit=2, before=None)) > 1
        if others and not has_more and asset not in others:
            click.echo(
                f"Warning: {asset} has no change and no decision in this database, where the nearest name is "
                f"{nearest(asset, sorted(others))}; the pause counts if a process decides it",
                err=True,
            )


def _began_at() -> float:
    """When the command was given, in seconds since 1970: a pause that came since is not ended by it."""
    return float(click.get_current_context().meta[BEGAN_AT])


def switch_at_server(url: str, kind: Kind, fields: dict[str, str], began_at: float) -> Switched:
    """Ask a running server to pause or resume.

    A resumption names the pause that is in force at its beginning, so it ends no other, however long it is under way.

    Args:
        url: of the server.
        kind: pause or resume.
        fields: `asset_symbol`, `author`, `reason`, if given.
        began_at: when it was asked for, in seconds since 1970.

    Raises:
        SettingsError: the address is not valid.
        NotSwitched: it cannot be reached, refuses, redirects, or does not say that it was done.
    """
    try:
        known = {} if kind == "pause" else {"pause": _pause_in_force(url, fields.get("asset_symbol"))}
        answer = _asked(url, kind, fields | known, began_at)
    except urllib.error.HTTPError as error:
        raise NotSwitched(f"{url} {_refusal(error)}") from error
    except (OSError, ValueError, HTTPException) as error:
        raise NotSwitched(f"{url} cannot be reached, or is not a Vivienne server: {no_answer(error)}") from error
    return _confirmed(answer, url, kind, fields.get("asset_symbol"))


def _asked(url: str, kind: Kind, content: dict[str, Any], began_at: float) -> Any:
    age = {"X-Request-Age": f"{max(0.0, time() - began_at):.3f}"}
    try:
        return read_json(ask(url, PATH + kind, json.dumps(content).encode(), headers=age))
    except urllib.error.HTTPError as error:
        if "pause" not in content or error.code != HTTPStatus.BAD_REQUEST:
            raise  # else it is a server of the version before, which does not know the field, and goes by the age alone
    return _asked(url, kind, {name: value for name, value in content.items() if name != "pause"}, began_at)


def _pause_in_force(url: str, asset: str | None) -> dict[str, Any] | None:
    """The pause of an asset, or of all, as the server tells it; None if there is none.

    Raises:
        OSError: it cannot be reached.
        ValueError: its answer is none.
    """
    answer = read_json(ask(url, PATH + "pause"))
    pauses = answer.get("pauses") if isinstance(answer, dict) else None
    if not isinstance(pauses, list) or not all(isinstance(each, dict) for each in pauses):
        raise ValueError("its answer has no list of pauses")
    own = next((each for each in pauses if each.get("asset_symbol") == _as_told(asset)), None)
    return None if own is None else {name: own.get(name) for name in ("config_id", "created_at")}


def _confirmed(answer: Any, url: str, kind: Kind, asset: str | None) -> Switched:
    """The answer, where it says that the pause or its end is in force for what was asked: an asset, or all of them."""
    if not isinstance(answer, dict) or not _are_texts(answer.get("paused")):
        raise NotSwitched(f"{url} is not a Vivienne server: its answer has no list of pauses")
    addressed, agents = answer.get("assets", []), answer.get("agents", [])
    if not _are_texts(addressed) or not isinstance(agents, list):
        raise NotSwitched(f"{url} is not a Vivienne server: its answer has no list of assets, or of agents")
    is_done = answer.get("status") in _DONE and isinstance(answer.get("message"), str)
    if kind == "pause":
        wanted = _as_told(asset)
        is_asked = answer.get("asset_symbol") == wanted and (wanted is None or addressed == [wanted])
        is_done = is_done and is_asked and bool(addressed) and all(each in answer["paused"] for each in addressed)
    if kind == "pause" and not all(isinstance(agent, dict) and agent.get("confirmed") is True for agent in agents):
        raise NotSwitched(f"{url} paused, and not every agent has confirmed it: {answer.get('message')}")
    if not is_done:
        raise NotSwitched(f"{url} did not confirm the {_NAMES[kind]}; its answer: {json.dumps(answer)[:500]}")
    return answer  # type: ignore[return-value]  # it has the fields that are used


def _as_told(asset: str | None) -> str | None:
    """An asset as a server writes it; None for all."""
    return None if asset is None else asset.strip().upper()


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(each, str) for each in values)


async def switch_in_database(db: Path | PostgresUrl, kind: Kind, fields: dict[str, str], began_at: float) -> Switched:
    """Write a pause or its end into a database; processes that share or open it follow.

    Raises:
        StoreUnusable: the database cannot be opened, for example because a server has it open.
        SettingsError: the database does not exist, or the asset or a text is not valid.
        NotSwitched: the database did not store it.
    """
    existing(db, ", or a running server with --url")
    try:
        envelope = open_envelope(fields)
    except InvalidConfiguration as refused:
        raise SettingsError("; ".join(problem.message for problem in refused.problems)) from refused
    if envelope.asset is not None and not ASSET_NAME.fullmatch(envelope.asset):
        raise SettingsError(f"--asset: {envelope.asset!r} is not a valid asset name; {VALID_NAME}")
    async with service_over(db, *([envelope.asset] if envelope.asset else [])) as service:
        with asked_at(Asked.at(time(), began_at)):
            request = envelope.switch(kind, channel=CHANNEL, caller=Caller())
        answer = await service.switch(request)
    if answer["status"] != "success":
        raise NotSwitched(f"The database {db} did not store it: {answer['message']}")
    return answer


def _refusal(error: urllib.error.HTTPError) -> str:
    """The rest of a sentence that begins with the address."""
    if error.code in _REDIRECTS:
        target = str(error.headers.get("Location"))[:200]
        return (
            f"redirects to {target!r} ({error.code}), which is not followed: nothing was changed. "
            "Give the address of the server itself with --url"
        )
    return f"refused the request: {detail_of(error)}"
