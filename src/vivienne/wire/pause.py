"""A pause on the wire."""

from __future__ import annotations

from typing_extensions import TypedDict


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
