"""Metrics of the assets, from their latest states."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, get_args

from vivienne.metrics.registry import Sample
from vivienne.wire.messages import AGENT
from vivienne.wire.state import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from vivienne.stream.frame import Frame


def state_samples(assets: Iterable[str], frame_of: Callable[[str], Frame | None]) -> Iterator[Sample]:
    """Status, data age and age limit of each asset; assets may come and go between the samples.

    Args:
        assets: names of those that have a state.
        frame_of: gives the latest state of an asset, None if it has none any more.
    """
    for asset in list(assets):
        frame = frame_of(asset)
        if frame is None:
            continue
        data = frame.message["agents"][AGENT]["data"]
        for status in get_args(Status):
            yield Sample("vivienne_asset_status", (asset, status), float(data["status"] == status))
        if (age := data.get("data_age")) is not None:
            yield Sample("vivienne_feed_age_seconds", (asset,), age + monotonic() - frame.made)
        if (limit := data.get("data_age_limit")) is not None:
            yield Sample("vivienne_feed_age_limit_seconds", (asset,), limit)
