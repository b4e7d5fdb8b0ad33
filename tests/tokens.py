"""Tokens for tests, made as a user makes them, and every endpoint there is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

from starlette.routing import Mount, Route

from running import run_program
from vivienne.access.access import Access
from vivienne.access.limits import Limits
from vivienne.changes.service import ConfigService
from vivienne.server.factory import web_application
from vivienne.server.policy import endpoints
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    from starlette.routing import BaseRoute


def make_token(db: Path | str, name: str, role: str) -> str:
    """`vivienne token create`; gives the secret."""
    made = run_program("token", "create", name, "--role", role, "--db", str(db))
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def bearer(token: str) -> dict[str, str]:
    """The header that shows a token."""
    return {"Authorization": f"Bearer {token}"}


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem document."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    return answer.status_code, answer.json()["code"]


async def _routes() -> list[BaseRoute]:
    nothing = cast("Any", None)
    access = Access(nothing, Limits(), demanded=True)
    with TemporaryDirectory() as folder:
        service = ConfigService(SqliteRevisionStore(Path(folder) / "v.db"), ["BTC"])
        app = web_application(service, nothing, nothing, nothing, nothing, access=access)
        await service.close()
    return app.routes


def _beside_endpoints() -> Iterator[tuple[str, str]]:
    """Documents and files, which need no role, and what is not there."""
    for route in _ROUTES:
        if isinstance(route, Mount):
            yield "GET", f"{route.path}/x"
        elif type(route) is Route:
            yield from ((method, route.path) for method in route.methods or ())
    yield "GET", "/nothing"


_ROUTES = asyncio.run(_routes())
ENDPOINTS = sorted(endpoints(_ROUTES))
"""Method and path of every endpoint the web application has, as it is put together."""
EVERYTHING = sorted({*ENDPOINTS, *_beside_endpoints()})
"""The same, with everything else it answers to."""
NAMED = {
    "asset": "BTC",
    "config_id": "none",
    "alert_id": "none",
    "delivery_id": "none",
    "name": "nobody",
    "path": "x",
    "time": "0",
    "version": "0",
}
"""What stands in those addresses for the names in braces; all but the asset are unknown."""
