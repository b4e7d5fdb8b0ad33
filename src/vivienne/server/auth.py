"""Who is asking, tickets for WebSockets, and the tokens there are: `/auth/...`."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Path, Request
from pydantic import Field, with_config
from typing_extensions import TypedDict

from vivienne.access.tickets import TICKET_SECONDS
from vivienne.channels.envelope import refuse_unknown
from vivienne.errors import NotAllowed, NotKnown
from vivienne.server.documents import body_of, documented
from vivienne.server.http import Answer, caller_of, read_body
from vivienne.server.schemas import NOTHING_ELSE
from vivienne.store.token import NAME, check_name, check_role
from vivienne.wire.token_entry import Role, TokenEntry

if TYPE_CHECKING:
    from vivienne.access.access import Access

Name = Annotated[str, Path(max_length=64, description="Name of the token.")]


class WhoAsks(TypedDict):
    """Who asks, and what that one may do; `token` is null where none came, which is fine while none is needed."""

    token: str | None
    role: Role


class Ticket(TypedDict):
    """A ticket: good for opening one WebSocket within so many seconds, at the process that gave it."""

    ticket: str
    expires_in: int


class NewToken(TokenEntry):
    """A token that was made; its secret is shown this once."""

    token: str


class TokenList(TypedDict):
    """Every token that ever was, in the order of their making."""

    tokens: list[TokenEntry]


@with_config(NOTHING_ELSE)
class TokenBody(TypedDict):
    """A token to make."""

    name: Annotated[str, Field(pattern=f"^{NAME.pattern}$")]
    role: Literal["viewer", "tuner", "admin"]


_NEW_TOKEN = body_of(TokenBody, {"name": "ann", "role": "tuner"})
_NEW_TOKEN_PROBLEMS = (400, 408, 409, 413, 415, 422, 503)


def auth_routes(access: Access) -> APIRouter:
    """The endpoints.

    Args:
        access: tells callers apart.
    """
    routes = APIRouter(prefix="/auth", tags=["access"], default_response_class=Answer)

    @routes.get("/caller", **documented(WhoAsks))
    async def caller(request: Request) -> Answer:
        """Who is asking, and what that one may do."""
        found = caller_of(request)
        return Answer({"token": found.token, "role": found.role})

    @routes.post("/ticket", **documented(Ticket, 429))
    async def ticket(request: Request) -> Answer:
        """A ticket in place of the token, to open one WebSocket with."""
        token = access.book.by_name(caller_of(request).token)
        if token is None:
            raise NotKnown("A ticket stands for a token; without one, WebSockets are opened without a ticket")
        return Answer({"ticket": access.tickets.issue(token.digest), "expires_in": TICKET_SECONDS})

    @routes.get("/tokens", **documented(TokenList, 503))
    async def tokens(request: Request) -> Answer:
        """Every token that ever was, without the secrets."""
        _need_token(request)
        return Answer({"tokens": [token.entry() for token in await access.book.all()]})

    @routes.post("/tokens", **documented(NewToken, *_NEW_TOKEN_PROBLEMS, status=HTTPStatus.CREATED, body=_NEW_TOKEN))
    async def new_token(request: Request) -> Answer:
        """Make a token. Its secret is in the answer, and nowhere else."""
        _need_token(request)
        body = await read_body(request)
        refuse_unknown(body, ("name", "role"))
        token, secret = await access.book.create(check_name(body.get("name")), check_role(body.get("role")))
        return Answer({**token.entry(), "token": secret}, HTTPStatus.CREATED)

    @routes.delete("/tokens/{name}", **documented(TokenEntry, 404, 422, 503))
    async def revoke(request: Request, name: Name) -> Answer:
        """Revoke a token: its bearer gets in no more, and connections opened with it are closed."""
        _need_token(request)
        return Answer((await access.book.revoke(name)).entry())

    return routes


def _need_token(request: Request) -> None:
    """Where nobody needs a token, whoever comes along must not be able to make one that is good later, when one is."""
    if caller_of(request).token is None:
        raise NotAllowed(
            "Over the network, tokens are made by those who have one with the role admin; on the machine of the "
            "database: vivienne token create NAME --role ROLE"
        )
