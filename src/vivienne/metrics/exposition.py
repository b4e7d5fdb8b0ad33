"""The text that Prometheus reads, written a part of a family at a time."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vivienne.slices import Pieces


class _Only(Collector):
    """A collector of these families."""

    def __init__(self, *families: Metric) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """See `Collector`."""
        return self._families


def exposition(parts: Iterable[Metric | None], encode: Callable[[Collector], bytes]) -> Pieces[bytes]:
    """Write families as if they were encoded at once: each with its comments once, and the end of the text once.

    Args:
        parts: of the families, as `Metrics.parts` gives them. Those of a family need not follow each other.
        encode: the encoder of a format.
    """
    # The library only encodes whole families. What it writes of one without samples is what a later part has too many.
    end = encode(_Only())
    written: dict[str, list[bytes]] = {}
    for part in parts:
        if part is not None:
            if part.name not in written:
                empty = Metric(part.name, part.documentation, part.type, part.unit)
                written[part.name] = [encode(_Only(empty)).removesuffix(end)]
            if part.samples:
                lines = written[part.name]
                lines.append(encode(_Only(part)).removesuffix(end).removeprefix(lines[0]))
        yield
    return b"".join(chain(*written.values(), (end,)))
