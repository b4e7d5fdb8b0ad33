"""The endpoints of a part of the server, until an application has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from fastapi.datastructures import DefaultPlaceholder

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI


class Routes(APIRouter):
    """Endpoints that are built when they are added to an application.

    `include_router` builds those of an `APIRouter` again, which takes a sixth of the time to the first answer.
    """

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self._http: list[tuple[str, Callable[..., Any], dict[str, Any]]] = []
        self._websockets: list[tuple[str, Callable[..., Any], dict[str, Any]]] = []

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **how: Any) -> None:
        """Note an endpoint; its decorators do so, too."""
        how["tags"] = [*self.tags, *(how.get("tags") or [])]
        if isinstance(how.get("response_class", self.default_response_class), DefaultPlaceholder):
            how["response_class"] = self.default_response_class
        self._http.append((self.prefix + path, endpoint, how))

    def add_api_websocket_route(
        self, path: str, endpoint: Callable[..., Any], name: str | None = None, **how: Any
    ) -> None:
        """Note a WebSocket; its decorator does so, too."""
        self._websockets.append((self.prefix + path, endpoint, {"name": name, **how}))

    def add_to(self, app: FastAPI) -> None:
        """Build them as endpoints of an application, with its dependencies."""
        for path, endpoint, how in self._http:
            app.router.add_api_route(path, endpoint, **how)
        for path, endpoint, how in self._websockets:
            app.router.add_api_websocket_route(path, endpoint, **how)
