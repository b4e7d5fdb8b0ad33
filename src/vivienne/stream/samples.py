"""Metrics of the assets, from their latest states."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, get_args

from vivienne.metrics.registry import Sample
from vivienne.wire.messages import AGENT
from vivienne.wire.state import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vivienne.stream.frame import Frame


def state_samples(frames: Iterable[Frame]) -> Iterator[Sample]:
    """Status, data age and age limit of each asset."""
    for frame in frames:
        asset, data = frame.message["asset"], frame.message["agents"][AGENT]["data"]
        for status in get_args(Status):
            yield Sample("vivienne_asset_status", (asset, status), float(data["status"] == status))
        if (age := data.get("data_age")) is not None:
            yield Sample("vivienne_feed_age_seconds", (asset,), age + monotonic() - frame.made)
        if (limit := data.get("data_age_limit")) is not None:
            yield Sample("vivienne_feed_age_limit_seconds", (asset,), limit)
