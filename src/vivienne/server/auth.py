"""The caller, tickets for WebSockets, and tokens: `/auth/...`."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, NotRequired

from fastapi import Path, Request
from pydantic import Field, with_config
from typing_extensions import TypedDict

from vivienne.access.tickets import TICKET_SECONDS
from vivienne.channels.envelope import refuse_unknown
from vivienne.errors import NotAllowed, NotKnown
from vivienne.server.documents import body_of, documented
from vivienne.server.http import Answer, caller_of, read_body
from vivienne.server.routes import Routes
from vivienne.server.schemas import NOTHING_ELSE
from vivienne.store.token import NAME, check_expiry, check_name, check_role
from vivienne.wire.token_entry import Role, TokenEntry

if TYPE_CHECKING:
    from vivienne.access.access import Access

Name = Annotated[str, Path(max_length=64, description="Name of the token.")]


class WhoAsks(TypedDict):
    """The caller and its role; `token` is null if the request had none, which is fine while none is needed."""

    token: str | None
    role: Role


class Ticket(TypedDict):
    """A ticket, which opens one WebSocket within so many seconds, at any process on the same database."""

    ticket: str
    expires_in: int


class NewToken(TokenEntry):
    """A new token; its secret is shown only in this answer."""

    token: str


class TokenList(TypedDict):
    """Every token, revoked ones too, in the order of creation."""

    tokens: list[TokenEntry]


@with_config(NOTHING_ELSE)
class TokenBody(TypedDict):
    """A token to create."""

    name: Annotated[str, Field(pattern=f"^{NAME.pattern}$")]
    role: Role
    expires_at: NotRequired[Annotated[str | None, Field(json_schema_extra={"format": "date-time"})]]


_NEW_TOKEN = body_of(TokenBody, {"name": "ann", "role": "tuner"})
_NEW_TOKEN_PROBLEMS = (400, 408, 409, 413, 415, 422, 503)


def auth_routes(access: Access) -> Routes:
    """The endpoints.

    Args:
        access: identifies callers, has tokens and tickets.
    """
    routes = Routes(prefix="/auth", tags=["access"], default_response_class=Answer)

    @routes.get("/caller", **documented(WhoAsks))
    async def caller(request: Request) -> Answer:
        """The caller, and its role."""
        found = caller_of(request)
        return Answer({"token": found.token, "role": found.role})

    @routes.post("/ticket", **documented(Ticket, 429))
    async def ticket(request: Request) -> Answer:
        """Issue a ticket that opens one WebSocket in place of the token."""
        # Of the secret that was sent: an earlier one of a token that is rotated opens nothing for longer than itself.
        token = access.book.by_digest(caller_of(request).digest or "")
        if token is None:
            raise NotKnown("A ticket stands for a token, and the request has none; open WebSockets without a ticket")
        return Answer({"ticket": await access.book.tickets.issue(token.digest), "expires_in": TICKET_SECONDS})

    @routes.get("/tokens", **documented(TokenList, 503))
    async def tokens(request: Request) -> Answer:
        """Every token, revoked ones too, without the secrets."""
        _need_token(request)
        return Answer({"tokens": [token.entry() for token in await access.book.all()]})

    @routes.post("/tokens", **documented(NewToken, *_NEW_TOKEN_PROBLEMS, status=HTTPStatus.CREATED, body=_NEW_TOKEN))
    async def new_token(request: Request) -> Answer:
        """Create a token. Its secret is only in this answer."""
        _need_token(request)
        body = await read_body(request)
        refuse_unknown(body, ("name", "role", "expires_at"))
        name, role = check_name(body.get("name")), check_role(body.get("role"))
        asking, expires_at = caller_of(request), check_expiry(body.get("expires_at"))
        asking.check()
        token, secret = await access.book.create(name, role, expires_at, asking)
        return Answer({**token.entry(), "token": secret}, HTTPStatus.CREATED)

    @routes.delete("/tokens/{name}", **documented(TokenEntry, 404, 422, 503))
    async def revoke(request: Request, name: Name) -> Answer:
        """Revoke a token: it is refused from now on, and connections opened with it are closed."""
        _need_token(request)
        asking = caller_of(request)
        asking.check()
        return Answer((await access.book.revoke(name, asking)).entry())

    return routes


def _need_token(request: Request) -> None:
    """Refuse callers without a token: where none is needed now, they could make one for a time when one is needed."""
    if caller_of(request).token is None:
        raise NotAllowed(
            "Managing tokens over the network needs a token with the role admin; without one, run on the database "
            "machine: vivienne token create NAME --role ROLE"
        )
