"""The endpoint that changes several assets as one change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import Request  # noqa: TC002  # FastAPI reads the annotation

from vivienne.channels.envelope import open_envelope, refuse_unknown
from vivienne.errors import Malformed
from vivienne.server.documents import CHANGE_PROBLEMS, SeveralBody, body_of, documented
from vivienne.server.http import (
    CHANNEL,
    Answer,
    IdempotencyKey,
    IfMatch,
    caller_of,
    check_query,
    etag,
    read_body,
    with_headers,
)
from vivienne.wire.answers import Replaced

if TYPE_CHECKING:
    from vivienne.changes.requests import SeveralRequest
    from vivienne.changes.service import ConfigService
    from vivienne.server.routes import Routes

_ORIGIN = ("request_id", "author", "reason", "expected_version")
_BODY = body_of(
    SeveralBody,
    {"assets": ["BTC", "ETH"], "config": {"settings": {"state_threshold_bang": 85}}, "reason": "fewer, better entries"},
)


def add_several(routes: Routes, service: ConfigService) -> None:
    """Add the endpoint."""

    @routes.post("/several", **documented(Replaced, *CHANGE_PROBLEMS, body=_BODY, has_etag=True))
    async def several(request: Request, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None) -> Answer:
        """Change several assets as one change: all of them, or none.

        `config` is laid over what each of them sets. With `copy_from` each sets afterwards what that asset sets, and
        nothing else. With `validate_only` nothing is changed.
        """
        with service.counts.refusals(CHANNEL):
            check_query(request)
            body = await read_body(request)
            asked = _asked(request, body, if_match, idempotency_key)
        if body.get("validate_only"):
            return Answer(await service.try_several(asked))
        outcome = await service.change_several(asked)
        return Answer(outcome, headers={"ETag": etag(outcome["version"])})


def _asked(request: Request, body: dict[str, Any], if_match: str | None, key: str | None) -> SeveralRequest:
    """The request in a body.

    Raises:
        ChangeRefused: it is not one.
    """
    refuse_unknown(body, ("assets", "config", "copy_from", "validate_only", *_ORIGIN))
    fields = {name: body[name] for name in _ORIGIN if name in body}
    envelope = open_envelope(with_headers(request, fields, if_match, key))
    assets, document, source = body.get("assets"), body.get("config"), body.get("copy_from")
    if not (isinstance(assets, list) and assets and all(isinstance(asset, str) for asset in assets)):
        raise Malformed('Say which assets: "assets": ["BTC", "ETH"]', path="assets")
    if not isinstance(body.get("validate_only", False), bool):
        raise Malformed("validate_only must be true or false", path="validate_only")
    if (document is None) == (source is None):
        raise Malformed('Say what they set: either "config": {...}, or "copy_from": "SOL"', path="config")
    if not isinstance(document, dict | None):
        raise Malformed("config must be an object of values", path="config")
    if not isinstance(source, str | None):
        raise Malformed("copy_from must be the name of an asset", path="copy_from")
    return envelope.several(tuple(assets), document, source, channel=CHANNEL, caller=caller_of(request))
