"""A pause as it goes out on the wire."""

from __future__ import annotations

from typing_extensions import TypedDict


class PauseEntry(TypedDict):
    """A pause in force. `config_id` identifies it, also before it is stored.

    `asset_symbol` is null for a pause of all assets. `version` is null, and `stored` false, until it is on disk.
    `author` is the name of the caller's token, `claimed_author` what that caller said instead; without a token,
    `author` is what the caller said.
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
