"""A pause on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from vivienne.wire.numbers import HIGHEST


def _is_time(text: str) -> str:
    """The text, if there is such a day and such a time on it."""
    datetime.fromisoformat(text)
    return text


class PauseEntry(TypedDict):
    """A pause in force. `config_id` identifies it, also before it is stored.

    `asset_symbol` is null for a pause of all assets. `version` is null and `stored` is false until it is on disk.
    `author` is the name of the caller's token; `claimed_author` is the author named in the request, if different.
    Without a token, `author` is the author named in the request.
    """

    config_id: str
    version: int | None
    stored: bool
    asset_symbol: str | None
    created_at: str
    author: str
    claimed_author: str | None
    channel: str
    reason: str | None


class KnownPauseEntry(TypedDict):
    """A pause as somebody knows it. The other fields of a pause may be there too."""

    config_id: str
    created_at: str


class PauseClaim(TypedDict):
    """A pause as one process announces it to others over Redis. `version` is null until it is stored."""

    config_id: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,64}$")]
    asset_symbol: Annotated[str, Field(max_length=40)] | None
    version: Annotated[int, Field(ge=1, le=HIGHEST)] | None
    created_at: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"), AfterValidator(_is_time)]
