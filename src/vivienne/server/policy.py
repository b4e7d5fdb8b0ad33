"""The role each endpoint needs. One that is not in this table needs the highest, so that none is open by mistake."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.requests import HTTPConnection  # noqa: TC002  # FastAPI reads the annotation

from vivienne.errors import NotAllowed, NotKnown, TooManyRequests
from vivienne.rates import Quota
from vivienne.server.alerting import PREFIX as ALERTS
from vivienne.server.configuration import PREFIX
from vivienne.server.http import caller_of
from vivienne.server.pushing import PREFIX as PUSH_PREFIX
from vivienne.server.websocket_addresses import ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping

    from starlette.routing import BaseRoute

    from vivienne.access.access import Access
    from vivienne.access.caller import Caller
    from vivienne.wire.token_entry import Role

_log = logging.getLogger(__name__)

WEBSOCKET = "WEBSOCKET"
READING = ("GET", "HEAD")
"""Methods of requests that only read."""
_ASSETS = "/phoenix/assets"

NEEDED: dict[tuple[str, str], Role | None] = {
    # Health, for load balancers. Without a token /ready leaves out the details.
    ("GET", "/health"): None,
    ("GET", "/ready"): None,
    # The page and the documents of the endpoints: no data.
    ("GET", "/"): None,
    ("HEAD", "/"): None,
    ("GET", "/docs"): None,
    ("GET", "/docs/oauth2-redirect"): None,
    ("GET", "/openapi.json"): None,
    ("HEAD", "/openapi.json"): None,
    ("GET", "/asyncapi.json"): None,
    # Says that a WebSocket is needed, and nothing else.
    **{(method, address): None for method in ("GET", "HEAD", "POST") for address in ADDRESSES},
    # Reading.
    **{(WEBSOCKET, address): "viewer" for address in ADDRESSES},
    ("GET", f"{PREFIX}/active"): "viewer",
    ("GET", f"{PREFIX}/all"): "viewer",
    ("GET", f"{PREFIX}/history"): "viewer",
    ("GET", f"{PREFIX}/schema"): "viewer",
    ("GET", f"{PREFIX}/pause"): "viewer",
    ("POST", f"{PREFIX}/validate"): "viewer",
    ("GET", _ASSETS): "viewer",
    ("GET", _ASSETS + "/{asset}/bars"): "viewer",
    ("GET", _ASSETS + "/{asset}/bars/{time}"): "viewer",
    ("POST", _ASSETS + "/{asset}/preview"): "viewer",
    ("GET", "/phoenix/decisions"): "viewer",
    ("GET", _ASSETS + "/{asset}/decisions"): "viewer",
    ("GET", _ASSETS + "/{asset}/decisions/{time}"): "viewer",
    ("GET", _ASSETS + "/{asset}/versions"): "viewer",
    ("GET", _ASSETS + "/{asset}/versions/{version}"): "viewer",
    ("GET", "/phoenix/versions/{version}"): "viewer",
    ("GET", "/phoenix/account"): "viewer",
    ("GET", "/phoenix/setups"): "viewer",
    ("GET", "/phoenix/filters"): "viewer",
    ("GET", ALERTS): "viewer",
    ("GET", ALERTS + "/{alert_id}"): "viewer",
    ("GET", f"{ALERTS}/deliveries"): "viewer",
    ("GET", f"{ALERTS}/events"): "viewer",
    ("POST", f"{ALERTS}/preview"): "viewer",
    ("GET", "/auth/caller"): "viewer",
    ("POST", "/auth/ticket"): "viewer",
    ("GET", "/metrics"): "viewer",
    # Changing. Messages on /ws/state are checked one by one.
    ("POST", f"{PREFIX}/update"): "tuner",
    ("POST", f"{PREFIX}/partial-update"): "tuner",
    ("POST", f"{PREFIX}/reset"): "tuner",
    ("POST", f"{PREFIX}/several"): "tuner",
    ("POST", PREFIX + "/{config_id}/activate"): "tuner",
    ("POST", PREFIX + "/{config_id}/undo"): "tuner",
    ("POST", f"{PREFIX}/pause"): "tuner",
    ("POST", f"{PREFIX}/resume"): "tuner",
    ("POST", ALERTS): "tuner",
    ("POST", ALERTS + "/{alert_id}"): "tuner",
    ("POST", ALERTS + "/{alert_id}/test"): "tuner",
    ("POST", ALERTS + "/deliveries/{delivery_id}/resend"): "tuner",
    ("DELETE", ALERTS): "tuner",
    ("DELETE", ALERTS + "/{alert_id}"): "tuner",
    # Market data.
    ("POST", f"{PUSH_PREFIX}/candles"): "feeder",
    ("POST", f"{PUSH_PREFIX}/trades"): "feeder",
    # Deleting, and tokens.
    ("DELETE", PREFIX + "/{config_id}"): "admin",
    ("GET", "/auth/tokens"): "admin",
    ("POST", "/auth/tokens"): "admin",
    ("DELETE", "/auth/tokens/{name}"): "admin",
}
"""By method and path; None for everybody, without a token too."""
CHANGES = frozenset(
    {
        ("POST", f"{PREFIX}/update"),
        ("POST", f"{PREFIX}/partial-update"),
        ("POST", f"{PREFIX}/reset"),
        ("POST", f"{PREFIX}/several"),
        ("POST", PREFIX + "/{config_id}/activate"),
        ("POST", PREFIX + "/{config_id}/undo"),
        ("POST", f"{PREFIX}/resume"),
        ("DELETE", PREFIX + "/{config_id}"),
        ("POST", ALERTS),
        ("POST", ALERTS + "/{alert_id}"),
        # They send to others.
        ("POST", ALERTS + "/{alert_id}/test"),
        ("POST", ALERTS + "/deliveries/{delivery_id}/resend"),
        ("DELETE", ALERTS),
        ("DELETE", ALERTS + "/{alert_id}"),
    }
)
"""Endpoints whose use counts as a change of the caller."""
PAUSE = ("POST", f"{PREFIX}/pause")


def _to(*roles: Role | None) -> re.Pattern[str]:
    """What the paths of all POST endpoints of some roles end with, and no other path of an endpoint."""
    paths = [
        re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
        for (method, path), role in NEEDED.items()
        if method == "POST" and role in roles
    ]
    return re.compile(f"(?:{'|'.join(paths)})/?$")


_ASKS, _READS = _to(None, "viewer", "feeder"), _to("viewer")
"""Addresses to which a POST changes nothing in the configuration, and nothing at all."""


def only_reads(scope: Mapping[str, Any]) -> bool:
    """Tell whether a request changes nothing, by its method and address."""
    method = scope.get("method")
    return method in READING or (method == "POST" and _READS.search(scope.get("path", "")) is not None)


def is_pause(scope: Mapping[str, Any], root: str | None = None) -> bool:
    """Tell whether a request is one to pause.

    Args:
        scope: of the request, whose path may have the one before it under which everything is served, or not.
        root: that path; None if it is not known.
    """
    method, path = PAUSE
    asked: str = scope.get("path", "")
    is_there = asked.endswith(path) if root is None else asked in (path, root + path)
    return is_there and scope.get("method") == method


def is_change(scope: Mapping[str, Any]) -> bool:
    """Tell whether a request is one that may change something, by its method and address."""
    method = scope.get("method")
    return method == "DELETE" or (method == "POST" and _ASKS.search(scope.get("path", "")) is None)


def admission(access: Access) -> Callable[[HTTPConnection], Coroutine[Any, Any, None]]:
    """The dependency of every endpoint that refuses callers without the role it needs."""
    refusals = Quota(_log, logging.WARNING)

    async def admit(connection: HTTPConnection) -> None:
        caller = caller_of(connection)
        route = connection.scope.get("route")
        endpoint = (connection.scope.get("method", WEBSOCKET), getattr(route, "path_format", ""))
        needed = NEEDED.get(endpoint, "admin")
        if needed is None:
            return
        if caller.role is None:
            raise NotKnown(caller.problem)
        if not caller.is_valid():  # it may have waited for its caller's share of time
            raise NotKnown(f"The token {caller.token} was revoked or has expired")
        try:
            _check(access, caller, needed, endpoint)
        except (NotAllowed, TooManyRequests) as error:
            refusals.log("%s %s by %s was refused: %s", *endpoint, caller, error)
            raise

    return admit


def _check(access: Access, caller: Caller, needed: Role, endpoint: tuple[str, str]) -> None:
    """Check the role of a caller, and count a change.

    Raises:
        NotAllowed: the role is not sufficient.
        TooManyRequests: the limit of changes is reached.
    """
    if not caller.may(needed):
        raise NotAllowed(f"The token {caller.token!r} has the role {caller.role}; this needs the role {needed}")
    if endpoint in CHANGES:
        access.count_change(caller)


def endpoints(routes: list[BaseRoute]) -> Iterator[tuple[str, str]]:
    """Method and path of every endpoint of an application, without files."""
    for route in routes:
        if isinstance(route, APIRoute):
            for method in route.methods or ():
                yield method, route.path_format
        elif isinstance(route, APIWebSocketRoute):
            yield WEBSOCKET, route.path_format
