"""The command `vivienne alerts`: rules and deliveries of a running server; rules also of a database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import quote, urlencode

import click

from vivienne.changes.alerts.in_force import AlertRules
from vivienne.commands.database import existing, opened
from vivienne.commands.failure import REFUSED
from vivienne.commands.http import LOCAL_SERVER, ask, failures_of, read_json
from vivienne.commands.options import json_option
from vivienne.errors import SettingsError
from vivienne.logs.records import one_line
from vivienne.settings.boot import SETTINGS
from vivienne.settings.parsing import database
from vivienne.wire.alert import DeliveryStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

PATH = "/phoenix/alerts"
_TEST_SECONDS = 30.0
"""A test takes up to 12 s; it may have to wait for others."""
_LONGEST_CELL = 60
_STATUSES: tuple[DeliveryStatus, ...] = get_args(DeliveryStatus)

_url_option = click.option("--url", metavar="URL", help=f"Address of the server.  [default: {LOCAL_SERVER}]")


@click.group()
def alerts() -> None:
    """Look at alert rules and their deliveries, and try them out.

    If the server needs a token, set VIVIENNE_TOKEN to one; to list needs the role viewer, to send the role tuner.

    Exit code 0: done; 1: a test failed; 2: a flag is wrong, or the server refused; 75: it cannot be reached.
    """


@alerts.command("list")
@_url_option
@click.option("--db", metavar=SETTINGS["db"].metavar, help="Database to read, if no server runs.")
@json_option
def list_rules(url: str | None, db: str | None, as_json: bool) -> None:
    """Print all rules, without their secrets."""
    if url is not None and db is not None:
        raise SettingsError("--url and --db do not go together: a server has its database open itself")
    rules = _from_database(db) if db is not None else _get(url, PATH, "alerts")["alerts"]
    if as_json:
        click.echo(json.dumps({"alerts": rules}))
        return
    rows = [
        (
            rule.get("alert_id"),
            "on" if rule.get("enabled") else "off",
            rule.get("name"),
            rule.get("event"),
            rule.get("assets"),
            [channel.get("type") for channel in _list(rule.get("channels")) if isinstance(channel, dict)],
            rule.get("last_fired_at"),
            rule.get("problem"),
        )
        for rule in rules
    ]
    _print(("RULE", "", "NAME", "EVENT", "ASSETS", "CHANNELS", "LAST FIRED", "PROBLEM"), rows, "There are no rules")


@alerts.command("test")
@click.argument("alert_id")
@click.option("--asset", metavar="BTC", help="Asset to send an alert of.  [default: the first that the rule is for]")
@click.option("--channel", metavar="ID", help="Only to this channel, such as c1.  [default: to all]")
@_url_option
@json_option
def test_rule(alert_id: str, asset: str | None, channel: str | None, url: str | None, as_json: bool) -> None:
    """Send a test to the channels of a rule: of type `test`, with the state of the asset as it is now.

    ALERT_ID is that of `vivienne alerts list`. A rule that is off can be tested too.
    """
    asked = {name: value for name, value in (("asset", asset), ("channel", channel)) if value is not None}
    answer = _post(url, f"{PATH}/{_quoted(alert_id)}/test", "results", asked, _TEST_SECONDS)
    results = answer["results"]
    if as_json:
        click.echo(json.dumps(answer))
    else:
        rows = [
            (
                each.get("channel"),
                each.get("type"),
                each.get("status"),
                each.get("status_code"),
                _milliseconds(each.get("latency_ms")),
                each.get("answer"),
            )
            for each in results
        ]
        _print(("CHANNEL", "TYPE", "STATUS", "CODE", "TOOK", "ANSWER"), rows, "Nothing was sent")
    if any(each.get("status") != "delivered" for each in results):
        click.get_current_context().exit(REFUSED)


@alerts.command("deliveries")
@click.option("--alert", "alert_id", metavar="ID", help="Only of this rule.")
@click.option("--status", type=click.Choice(_STATUSES), help="Only with this status.")
@click.option("--asset", metavar="BTC", help="Only of this asset.")
@click.option(
    "--limit", type=click.IntRange(1, 500), default=20, show_default=True, help="Largest number; the newest come first."
)
@_url_option
@json_option
def list_deliveries(url: str | None, as_json: bool, **given: str | int | None) -> None:
    """Print deliveries, newest first."""
    query = urlencode({name: value for name, value in given.items() if value is not None})
    answer = _get(url, f"{PATH}/deliveries?{query}", "deliveries")
    if as_json:
        click.echo(json.dumps(answer))
        return
    rows = [
        (
            each.get("created_at"),
            each.get("status"),
            each.get("status_code"),
            _milliseconds(each.get("latency_ms")),
            each.get("attempts"),
            each.get("alert_name"),
            f"{each.get('channel')} {each.get('target') or each.get('channel_type')}",
            each.get("delivery_id"),
            each.get("text"),
            each.get("answer") if each.get("status") != "delivered" else None,
        )
        for each in answer["deliveries"]
    ]
    head = ("CREATED", "STATUS", "CODE", "TOOK", "ATTEMPTS", "RULE", "CHANNEL", "DELIVERY", "TEXT", "ANSWER")
    _print(head, rows, "No delivery meets this")


@alerts.command("resend")
@click.argument("delivery_id")
@_url_option
@json_option
def resend(delivery_id: str, url: str | None, as_json: bool) -> None:
    """Send a delivery once more, with the same id. DELIVERY_ID is that of `vivienne alerts deliveries`."""
    answer = _post(url, f"{PATH}/deliveries/{_quoted(delivery_id)}/resend", None, {})
    said = answer.get("message") or f"Sending {delivery_id} again; `vivienne alerts deliveries` says what comes of it"
    click.echo(json.dumps(answer) if as_json else one_line(str(said)))


def _from_database(db: str) -> list[Any]:
    """The rules in a database, as a server lists them."""
    with opened(existing(database(db)), "to read") as store:
        rules = AlertRules.load(store.heads(), store.alerts_begun())
    return [rule.entry() for rule in rules.rules()]


def _get(url: str | None, path: str, field: str) -> dict[str, Any]:
    address = url or LOCAL_SERVER
    with failures_of(address):
        return _checked(address, read_json(ask(address, path)), field)


def _post(url: str | None, path: str, field: str | None, body: dict[str, str], seconds: float = 15.0) -> dict[str, Any]:
    address = url or LOCAL_SERVER
    with failures_of(address):
        return _checked(address, read_json(ask(address, path, json.dumps(body).encode(), seconds)), field)


def _checked(url: str, answer: Any, field: str | None) -> dict[str, Any]:
    """The answer, if it has a list of objects under a name."""
    rows = answer.get(field, []) if isinstance(answer, dict) else None
    if (
        not isinstance(rows, list)
        or not all(isinstance(each, dict) for each in rows)
        or (field and field not in answer)
    ):
        raise SettingsError(f"{url} is not a Vivienne server, or one without alerts")
    found: dict[str, Any] = answer
    return found


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _milliseconds(value: object) -> str | None:
    return f"{value:,.0f} ms" if isinstance(value, (int, float)) else None


def _print(head: Sequence[str], rows: Sequence[Sequence[object]], nothing: str) -> None:
    """Print a table without its empty columns; the last one is not cut."""
    if not rows:
        click.echo(nothing)
        return
    cells = [[_cell(value) for value in row] for row in rows]
    shown = [place for place in range(len(head)) if any(row[place] for row in cells)]
    lines = [[head[place] for place in shown], *([row[place] for place in shown] for row in cells)]
    last = len(shown) - 1
    widths = [max(len(_cut(line[place])) for line in lines) for place in range(last)]
    for line in lines:
        padded = [_cut(line[place]).ljust(width) for place, width in enumerate(widths)]
        click.echo("  ".join([*padded, line[last]]).rstrip())


def _cell(value: object) -> str:
    """A value on the screen. Receivers and other people wrote a part of it, so what is unprintable is escaped."""
    if value is None:
        return ""
    return one_line(", ".join(map(str, value)) if isinstance(value, list) else str(value))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 3] + "..."
