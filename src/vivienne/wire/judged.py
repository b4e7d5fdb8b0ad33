"""Versions that decided an asset, on the wire."""

from __future__ import annotations

from typing_extensions import TypedDict


class VersionSpan(TypedDict):
    """The bars that one version decided: open times of the first and the last, and their number."""

    version: int
    begins: str
    ends: str
    bars: int


class VersionPage(TypedDict):
    """Versions that decided an asset, newest first. `next` is the `before` of the older page; null after the last."""

    asset: str
    timeframe: str
    versions: list[VersionSpan]
    next: int | None
