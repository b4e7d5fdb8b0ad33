"""Pausing and resuming from the command line: at a running server, or in a database that none has open."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from vivienne.access.caller import Caller
from vivienne.changes.service import ConfigService
from vivienne.channels.envelope import open_envelope
from vivienne.config.layers import GLOBAL
from vivienne.errors import InvalidConfiguration, NotSwitched, SettingsError
from vivienne.market.types import ASSET_NAME
from vivienne.store.opening import open_store

if TYPE_CHECKING:
    from vivienne.store.address import PostgresUrl
    from vivienne.wire.answers import Switched

ANSWER_SECONDS = 15.0
"""How long a server may take."""
TOKEN_VARIABLE = "VIVIENNE_TOKEN"  # noqa: S105  # the name of a variable
"""In the environment: arguments of a command can be read by others on the machine."""
CHANNEL = "cli"
PATH = "/phoenix/config/vivienne/comprehensive/"

Kind = Literal["pause", "resume"]


def switch_at_server(url: str, kind: Kind, fields: dict[str, str]) -> Switched:
    """Ask a running server.

    Args:
        url: where it is.
        kind: what for.
        fields: `asset_symbol`, `author`, `reason`, as far as they are given.

    Raises:
        SettingsError: the address is none.
        NotSwitched: it cannot be reached, or refuses.
    """
    if not url.startswith(("http://", "https://")):
        raise SettingsError(f"--url must begin with http:// or https://, as in http://localhost:8000, not {url!r}")
    body = json.dumps(fields).encode()
    headers = {"Content-Type": "application/json"}
    if token := os.environ.get(TOKEN_VARIABLE):
        headers["Authorization"] = f"Bearer {token}"
    asked = urllib.request.Request(url.rstrip("/") + PATH + kind, body, headers)  # noqa: S310  # looked at above
    # Not by way of a proxy: what stops must not depend on one.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(asked, timeout=ANSWER_SECONDS) as response:
            answer = json.loads(response.read())
    except urllib.error.HTTPError as error:
        raise NotSwitched(f"{url} refused it: {_detail(error)}") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise NotSwitched(f"{url} cannot be reached, or is no Vivienne: {reason}") from error
    if not isinstance(answer, dict) or "paused" not in answer:
        raise NotSwitched(f"{url} answers, but not as Vivienne does")
    return answer  # type: ignore[return-value]  # it has what is looked at


async def switch_in_database(db: Path | PostgresUrl, kind: Kind, fields: dict[str, str]) -> Switched:
    """Write it into a database; processes that share it follow, and whoever opens it begins with it.

    Raises:
        StoreUnusable: the database cannot be opened, for example because a server has it open.
        SettingsError: there is no database, or the asset or a text is none.
        NotSwitched: the database did not take it.
    """
    if _is_missing(db):
        raise SettingsError(f"There is no database {db}; name another one with --db, or a running server with --url")
    try:
        envelope = open_envelope(fields)
    except InvalidConfiguration as refused:
        raise SettingsError("; ".join(problem.message for problem in refused.problems)) from refused
    if envelope.asset is not None and not ASSET_NAME.fullmatch(envelope.asset):
        raise SettingsError(f"--asset: {envelope.asset!r} is no name of an asset; letters and digits are, as in BTC")
    store = open_store(db)
    heads = {head.layer for head in store.heads()} - {GLOBAL}
    service = ConfigService(store, sorted(heads | ({envelope.asset} if envelope.asset else set())))
    try:
        answer = await service.switch(envelope.switch(kind, channel=CHANNEL, caller=Caller()))
    finally:
        await service.close()
    if answer["status"] != "success":
        raise NotSwitched(f"The database {db} did not take it: {answer['message']}")
    return answer


def _is_missing(db: Path | PostgresUrl) -> bool:
    return isinstance(db, Path) and not db.exists()


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        document: Any = json.loads(error.read())
        return str(document["detail"])
    except (OSError, ValueError, KeyError, TypeError):
        return f"{error.code} {error.reason}"
