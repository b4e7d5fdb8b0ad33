"""The endpoints of a part of the server, until an application has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from fastapi.datastructures import DefaultPlaceholder
from fastapi.routing import APIRoute
from starlette.routing import compile_path, get_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from fastapi import FastAPI


class _BuiltWhenUsed(APIRoute):
    """An endpoint that is built for its first request, or for the OpenAPI document.

    To build one, FastAPI reads its signature and makes a validator for each parameter. For all endpoints together that
    is half of what a server computes until it listens, and most of them are never called.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        name: str | None = None,
        methods: Collection[str] | None = None,
        **how: Any,
    ) -> None:
        # A router needs these to find the endpoint of a request.
        self.path = path
        self.endpoint = endpoint
        self.name = get_name(endpoint) if name is None else name
        self.methods = {method.upper() for method in methods or ("GET",)}
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self._how = {**how, "name": self.name, "methods": [*self.methods]}

    def __getattr__(self, attribute: str) -> Any:
        """Build it: everything that is not set above is set then."""
        how = self.__dict__.pop("_how", None)
        if how is None:
            raise AttributeError(attribute)
        super().__init__(self.path, self.endpoint, **how)
        return getattr(self, attribute)


class Routes(APIRouter):
    """Endpoints of a part of the server, which are built once, when an application needs them.

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
        """Make them endpoints of an application, with its dependencies."""
        for path, endpoint, how in self._http:
            app.router.add_api_route(path, endpoint, route_class_override=_BuiltWhenUsed, **how)
        for path, endpoint, how in self._websockets:
            app.router.add_api_websocket_route(path, endpoint, **how)
