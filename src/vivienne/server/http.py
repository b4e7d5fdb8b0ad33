"""HTTP of the endpoints: answers, callers, bodies, headers and queries."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import orjson
from fastapi import Header, Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import JSONResponse

from vivienne.access.caller import Caller
from vivienne.channels.envelope import LONGEST_TEXT, Envelope, open_envelope, refuse_unknown, split_envelope
from vivienne.channels.json import MOST_NAMES, MOST_VALUES, USUAL, read_object
from vivienne.errors import Malformed, TooLarge, VersionConflict

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from starlette.types import Message

    from vivienne.access.limits import MessageLimits
    from vivienne.changes.requests import ChangeRequest, Intent

CHANNEL = "rest"
BODY_SECONDS = 30.0
"""Longest time for a body to arrive."""
CALLER = "vivienne.caller"
"""Key of the caller in the scope of a request."""
_ETAG = re.compile(r'(?:W/)?"([0-9]{1,18})"')
"""Weak ones too: proxies that compress turn ours into weak ones of the same version."""
# The patterns and lengths are for the document; the code that reads the headers reports errors.
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="ETag of the version the change is based on; any other version in force gives 412.",
        json_schema_extra={"pattern": r'^(\*|(W/)?"[0-9]{1,18}")$'},
    ),
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="The request_id of the body, as a header.",
        json_schema_extra={"minLength": 1, "maxLength": LONGEST_TEXT["request_id"]},
    ),
]


class Answer(JSONResponse):
    """JSON, encoded by orjson, that no cache keeps."""

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """Set the headers."""
        super().init_headers({"Cache-Control": "no-store", **(headers or {})})

    def render(self, content: Any) -> bytes:
        """Encode."""
        return orjson.dumps(content)


class EncodedAnswer(Answer):
    """The same, of what is JSON already."""

    def render(self, content: bytes) -> bytes:
        """Take it as it is."""
        return content


def etag(version: int) -> str:
    """The ETag of a version."""
    return f'"{version}"'


def caller_of(connection: HTTPConnection) -> Caller:
    """The caller, as the gate identified it; without a gate, an anonymous one."""
    found: Caller | None = connection.scope.get(CALLER)
    return found or Caller(connection.client.host if connection.client else None)


async def read_configuration(
    request: Request, if_match: str | None, key: str | None, *known: str
) -> tuple[Envelope, dict[str, Any]]:
    """The envelope and the document of a request with a configuration in its body."""
    check_query(request, "asset_symbol", *known)
    fields, document = split_envelope(await read_body(request))
    return open_envelope(with_headers(request, fields, if_match, key)), document


def change_request(request: Request, envelope: Envelope, intent: Intent) -> ChangeRequest:
    """The request of a change, with its caller and channel."""
    return envelope.change(intent, channel=CHANNEL, caller=caller_of(request))


def check_query(request: Request, *known: str, several: Collection[str] = ()) -> None:
    """Refuse query parameters that are unknown, or given twice and not among the `several`."""
    names = [name for name, _ in request.query_params.multi_items()]
    refuse_unknown(names, (*known, *several))
    twice = next((name for name, count in Counter(names).items() if count > 1 and name not in several), None)
    if twice is not None:
        raise Malformed(f"{twice!r} is given twice in the query; give it once", path=twice)


async def read_body(
    request: Request,
    *,
    may_be_empty: bool = False,
    most_bytes: int | None = None,
    most_names: int = MOST_NAMES,
    most_values: int = MOST_VALUES,
) -> dict[str, Any]:
    """The object in the body of a request.

    Args:
        request: the request.
        may_be_empty: an empty body is an empty object.
        most_bytes: the largest body, if that is less than of any request.
        most_names: see `read_object`.
        most_values: see `read_object`.

    Raises:
        ChangeRefused: it is not a JSON object.
        HTTPException: it is not declared as JSON, or does not arrive.
    """
    limits: MessageLimits = getattr(request.app.state, "message_limits", USUAL)
    raw = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            await _receive(request, raw, min(limits.bytes, most_bytes or limits.bytes))
    except TimeoutError:
        raise HTTPException(408, f"The body did not arrive within {BODY_SECONDS:g} s") from None
    except ClientDisconnect:
        raise HTTPException(400, "The connection ended before the body was complete") from None
    if may_be_empty and not raw:
        return {}
    # Without this check a page of any origin could post here: browsers send text/plain without a preflight.
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "The body is not declared as JSON; send the header Content-Type: application/json")
    return read_object(bytes(raw), limits, most_names=most_names, most_values=most_values)


async def _receive(request: Request, raw: bytearray, most: int) -> None:
    """Put what arrives of a body into `raw`; nothing, if not all of it comes."""
    try:
        # Not by `request.stream`: an error would refer to its last chunk, as to `raw`, until garbage is collected.
        while (message := await request.receive())["type"] == "http.request":
            raw += message.get("body", b"")
            if len(raw) > most or not message.get("more_body"):
                break
        _check_whole(message, len(raw), most)
    except BaseException:
        raw.clear()
        raise


def _check_whole(message: Message, size: int, most: int) -> None:
    if message["type"] != "http.request":
        raise ClientDisconnect
    if size > most:
        raise TooLarge(f"The body exceeds the limit of {most:,} bytes")


def with_headers(request: Request, fields: dict[str, Any], if_match: str | None, key: str | None) -> dict[str, Any]:
    """The envelope fields, completed from the query and the headers."""
    found: dict[str, Any] = {}
    for name in ("asset_symbol", "author", "reason"):
        if name in request.query_params:
            found[name] = request.query_params[name]
    if key is not None:
        found["request_id"] = key
    if if_match is not None and if_match.strip() != "*":
        found["expected_version"] = _version(if_match)
    for name, value in found.items():
        if name in fields and fields[name] != value:
            raise Malformed(
                f"{name} has different values in the body and in the query or headers; give it once", path=name
            )
    return {**found, **fields}


def _version(if_match: str) -> int:
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        raise VersionConflict(
            f'If-Match must be an ETag of `active`, such as "42" with its quotes, not {if_match[:40]}'
        )
    return int(found[1])
