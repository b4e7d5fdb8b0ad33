"""Metrics of the running program, for Prometheus.

One `Metrics` for each service, with a registry of its own. Decisions, changes and calls of the store are counted by
`prometheus_client`. Messages are counted as plain numbers (`Traffic`), because tens of thousands go out in a second;
those numbers and the state of other parts are read when Prometheus asks. `FAMILIES` has every metric with its meaning;
the table in docs/operation.md is made of it.
"""

from __future__ import annotations

import asyncio
import platform
from collections import deque
from dataclasses import dataclass
from time import monotonic, time
from typing import TYPE_CHECKING, NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from vivienne.metrics.families import FAMILIES
from vivienne.version import build_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from prometheus_client.core import Metric

# Without it every counter has a second series, the time since when it counts.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no annotation there

LAG_SECONDS = 0.25
"""Time between two measurements of the lag of the event loop."""
MOST_AWAITED = 256
"""Changes per asset whose propagation to clients is measured at the same time."""


class Sample(NamedTuple):
    """One value of a family, with the values of its labels."""

    family: str
    labels: tuple[str, ...]
    value: float


@dataclass(slots=True)
class Traffic:
    """Messages on one stream.

    Attributes:
        clients: connected now.
        sent: messages handed to a connection.
        conflated: states that a newer one of the same asset replaced before they could be sent.
        dropped: messages not sent, because the client was too slow or had left.
    """

    clients: int = 0
    sent: int = 0
    conflated: int = 0
    dropped: int = 0


class Metrics(Collector):
    """The metrics of one service.

    Args:
        role: of the process.
    """

    def __init__(self, role: str = "all") -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self._counters = {
            name: Counter(name, family.meaning, family.labels, registry=self.registry)
            for name, family in FAMILIES.items()
            if family.kind == "counter" and family.is_kept
        }
        self._histograms = {
            name: Histogram(name, family.meaning, family.labels, registry=self.registry, buckets=family.buckets)
            for name, family in FAMILIES.items()
            if family.kind == "histogram"
        }
        self._last_decision = _kept_gauge("vivienne_last_decision_timestamp_seconds", self.registry)
        self._sources: list[Callable[[], Iterable[Sample]]] = []
        self.awaited: dict[str, deque[tuple[int, float]]] = {}
        """By asset, the changes without a published state yet: version, and the time of the request."""
        self._decisions = self._counters["vivienne_decisions_total"]
        self._evaluation = self.histogram("vivienne_evaluation_duration_seconds")
        self._in_force = self.histogram("vivienne_change_propagation_seconds", "in_force")
        self._published = self.histogram("vivienne_change_propagation_seconds", "published")
        self._streams: dict[str, Traffic] = {}
        self.gauge("vivienne_build_info", lambda: 1.0, build_version(), platform.python_version(), role)
        self.registry.register(self)
        ProcessCollector(registry=self.registry)

    # Counted when it happens

    def decided(self, asset: str, level: str, seconds: float) -> None:
        """Count a decision, and the seconds it took."""
        self._decisions.labels(asset, level).inc()
        self._last_decision.labels(asset).set(time())
        self._evaluation.observe(seconds)

    def count(self, family: str, *labels: str) -> None:
        """Count one event."""
        self._counters[family].labels(*labels).inc()

    def expect(self, family: str, *labels: str) -> None:
        """Show a counter from zero on: Prometheus sees no increase in a series that did not exist before."""
        self._counters[family].labels(*labels)

    def histogram(self, family: str, *labels: str) -> Histogram:
        """The histogram of a family with these labels."""
        found = self._histograms[family]
        return found.labels(*labels) if labels else found

    def traffic(self, stream: str) -> Traffic:
        """The counts of a stream: ``state``, ``logs`` or ``redis``."""
        return self._streams.setdefault(stream, Traffic())

    def in_force(self, assets: Iterable[str], version: int, asked_at: float) -> Iterator[None]:
        """Note that a change is in force that was requested here at this `monotonic` time, an asset at a time."""
        self._in_force.observe(monotonic() - asked_at)
        for asset in assets:
            self.awaited.setdefault(asset, deque(maxlen=MOST_AWAITED)).append((version, asked_at))
            yield

    def published(self, asset: str, version: int) -> None:
        """Note that a state decided with this version goes to all clients."""
        awaited = self.awaited.get(asset)
        while awaited and awaited[0][0] <= version:
            _, asked_at = awaited.popleft()
            self._published.observe(monotonic() - asked_at)
        if not awaited:
            self.awaited.pop(asset, None)

    # Read when Prometheus asks

    def gauge(self, family: str, value: Callable[[], float], *labels: str) -> None:
        """Read this value when Prometheus asks."""
        self.source(lambda: [Sample(family, labels, value())])

    def source(self, samples: Callable[[], Iterable[Sample]]) -> None:
        """Read these samples when Prometheus asks."""
        self._sources.append(samples)

    async def watch_loop(self) -> None:
        """Measure the lag of the event loop, until cancelled."""
        lag = self.histogram("vivienne_event_loop_lag_seconds")
        while True:
            begin = monotonic()
            await asyncio.sleep(LAG_SECONDS)
            lag.observe(max(0.0, monotonic() - begin - LAG_SECONDS))

    def collect(self) -> Iterator[Metric]:
        """See `prometheus_client.registry.Collector`."""
        found: dict[str, CounterMetricFamily | GaugeMetricFamily] = {
            name: (CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily)(
                name, family.meaning, labels=family.labels
            )
            for name, family in FAMILIES.items()
            if not family.is_kept
        }
        for family, labels, value in self._samples():
            found[family].add_metric(labels, value)
        yield from found.values()

    def _samples(self) -> Iterator[Sample]:
        for stream, traffic in self._streams.items():
            yield Sample("vivienne_stream_clients", (stream,), traffic.clients)
            yield Sample("vivienne_stream_sent_total", (stream,), traffic.sent)
            yield Sample("vivienne_stream_conflated_total", (stream,), traffic.conflated)
            yield Sample("vivienne_stream_dropped_total", (stream,), traffic.dropped)
        for source in self._sources:
            yield from source()


def _kept_gauge(name: str, registry: CollectorRegistry) -> Gauge:
    family = FAMILIES[name]
    return Gauge(name, family.meaning, family.labels, registry=registry)
