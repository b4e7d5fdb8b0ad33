"""Why there is no data of an instrument, by what has the trouble. The most telling reason counts, not the oldest."""

from __future__ import annotations

from typing import Literal, get_args

TroubleKind = Literal["refusal", "block", "outage", "market", "subscription", "stream", "minutes", "answer"]
"""What has a trouble, the most telling first: the connection that is refused, the answers that are refused, the whole
exchange, the market, the subscription, the connection that broke off, minutes that cannot be had, the last answer.
"""
_BLOCKING: frozenset[TroubleKind] = frozenset({"refusal", "block", "outage", "market", "subscription"})


class Troubles:
    """The troubles of an instrument at this moment."""

    def __init__(self) -> None:
        self._reasons: dict[TroubleKind, str] = {}

    def say(self, kind: TroubleKind, reason: str | None) -> bool:
        """Say why there is no data, as far as a part knows; None once it is good.

        Returns:
            True if another reason counts than before.
        """
        before = self.reason
        self._reasons.pop(kind, None)
        if reason is not None:
            self._reasons[kind] = reason
        return self.reason != before

    def of(self, kind: TroubleKind) -> str | None:
        """The reason of one kind."""
        return self._reasons.get(kind)

    @property
    def reason(self) -> str | None:
        """Why there is no data to rely on; None while there is."""
        return next((self._reasons[kind] for kind in get_args(TroubleKind) if kind in self._reasons), None)

    @property
    def is_blocked(self) -> bool:
        """Whether the exchange refuses everything, or this market."""
        return not _BLOCKING.isdisjoint(self._reasons)
