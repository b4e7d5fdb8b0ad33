"""Answers to pushed candles and trades."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from vivienne.wire.problem import ProblemEntry


class PushedPosition(TypedDict):
    """How far an asset is.

    `deciding` is false while history is pushed. `closed_until` is the end of the newest closed minute: a feeder that
    begins again pushes from there on. It is null while history is pushed, and then history is needed.
    """

    deciding: bool
    closed_until: str | None


class Pushed(TypedDict):
    """What became of the rows of a push.

    `accepted` rows count. `doubled` ones were known. `late` ones differ from minutes that were closed before, and
    change nothing; `late_rows` names the first of them. `refused` ones are wrong; `errors` names the first of them. The
    status is `refused` if there are any, and `success` otherwise. `assets` has every asset of the push.
    """

    status: Literal["success", "refused"]
    accepted: int
    doubled: int
    late: int
    refused: int
    late_rows: list[ProblemEntry]
    errors: list[ProblemEntry]
    assets: dict[str, PushedPosition]
