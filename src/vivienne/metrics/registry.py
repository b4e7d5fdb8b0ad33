"""What is measured while the program runs, for Prometheus.

One `Metrics` for each service, without anything global. Counting is a number in a dictionary, so that it costs next to
nothing where it happens; everything else is done when somebody asks. All of it belongs to the thread of the event loop.
`FAMILIES` has every metric with its meaning; the table in docs/operation.md is made of it.
"""

from __future__ import annotations

import asyncio
import platform
from bisect import bisect_left
from collections import defaultdict, deque
from dataclasses import dataclass
from math import inf
from time import monotonic, time
from typing import TYPE_CHECKING, NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from vivienne import __version__
from vivienne.metrics.families import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from prometheus_client.core import Metric

LAG_SECONDS = 0.25
"""Between two looks at how late the event loop is."""
MOST_AWAITED = 256
"""Changes per asset whose way to the clients is measured at a time."""


class Sample(NamedTuple):
    """One value of a family, by the values of its labels."""

    family: str
    labels: tuple[str, ...]
    value: float


class Histogram:
    """Counts of values up to each bound.

    Args:
        bounds: upper bounds, rising.
    """

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def buckets(self) -> list[tuple[str, float]]:
        """How many values were at most each bound."""
        names = map(floatToGoString, (*self._bounds, inf))
        count, found = 0, []
        for name, one in zip(names, self._counts, strict=True):
            count += one
            found.append((name, float(count)))
        return found


@dataclass(slots=True)
class Traffic:
    """What goes out on one stream.

    Attributes:
        clients: who is connected.
        sent: messages that were handed to a connection.
        conflated: states that a newer one of the same asset replaced before they could be sent.
        dropped: messages a client was too slow for, or was gone before.
    """

    clients: int = 0
    sent: int = 0
    conflated: int = 0
    dropped: int = 0


class Metrics(Collector):
    """Everything that is measured in one service.

    Args:
        role: of the process.
    """

    def __init__(self, role: str = "all") -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self._counts: dict[str, defaultdict[tuple[str, ...], float]] = {
            name: defaultdict(float) for name, family in FAMILIES.items() if family.is_kept
        }
        self._histograms: dict[str, dict[tuple[str, ...], Histogram]] = {
            name: {} for name, family in FAMILIES.items() if family.kind == "histogram"
        }
        self._sources: list[Callable[[], Iterable[Sample]]] = []
        self.awaited: dict[str, deque[tuple[int, float]]] = {}
        """By asset, the changes of which no state has gone out yet: version, and when each was asked for."""
        self._decisions = self._counts["vivienne_decisions_total"]
        self._last_decision = self._counts["vivienne_last_decision_timestamp_seconds"]
        self._evaluation = self.histogram("vivienne_evaluation_duration_seconds")
        self._in_force = self.histogram("vivienne_change_propagation_seconds", "in_force")
        self._published = self.histogram("vivienne_change_propagation_seconds", "published")
        self._streams: dict[str, Traffic] = {}
        self.gauge("vivienne_build_info", lambda: 1.0, __version__, platform.python_version(), role)
        self.registry.register(self)
        ProcessCollector(registry=self.registry)

    # What is told when it happens

    def decided(self, asset: str, level: str, seconds: float) -> None:
        """An asset was decided; so long it took."""
        self._decisions[asset, level] += 1
        self._last_decision[(asset,)] = time()
        self._evaluation.observe(seconds)

    def count(self, family: str, *labels: str) -> None:
        """One more."""
        self._counts[family][labels] += 1

    def expect(self, family: str, *labels: str) -> None:
        """Count from zero on: Prometheus sees no increase in a value that was not there before."""
        self._counts[family].setdefault(labels, 0.0)

    def histogram(self, family: str, *labels: str) -> Histogram:
        """The values of a family with these labels."""
        known = self._histograms[family]
        if labels not in known:
            known[labels] = Histogram(FAMILIES[family].buckets)
        return known[labels]

    def traffic(self, stream: str) -> Traffic:
        """What goes out on a stream: ``state``, ``logs`` or ``redis``."""
        return self._streams.setdefault(stream, Traffic())

    def in_force(self, assets: Iterable[str], version: int, asked_at: float) -> None:
        """A change that was asked for here, at this `monotonic` moment, is in force."""
        self._in_force.observe(monotonic() - asked_at)
        for asset in assets:
            self.awaited.setdefault(asset, deque(maxlen=MOST_AWAITED)).append((version, asked_at))

    def published(self, asset: str, version: int) -> None:
        """A state that was decided with this version goes to everyone who watches."""
        awaited = self.awaited.get(asset)
        while awaited and awaited[0][0] <= version:
            _, asked_at = awaited.popleft()
            self._published.observe(monotonic() - asked_at)
        if not awaited:
            self.awaited.pop(asset, None)

    # What is looked up when somebody asks

    def gauge(self, family: str, value: Callable[[], float], *labels: str) -> None:
        """Look this up."""
        self.source(lambda: [Sample(family, labels, value())])

    def source(self, samples: Callable[[], Iterable[Sample]]) -> None:
        """Look all of these up."""
        self._sources.append(samples)

    async def watch_loop(self) -> None:
        """Measure how late the event loop is, until cancelled."""
        lag = self.histogram("vivienne_event_loop_lag_seconds")
        while True:
            begin = monotonic()
            await asyncio.sleep(LAG_SECONDS)
            lag.observe(max(0.0, monotonic() - begin - LAG_SECONDS))

    def collect(self) -> Iterator[Metric]:
        """See `prometheus_client.registry.Collector`."""
        found: dict[str, list[Sample]] = {name: [] for name in FAMILIES}
        for sample in self._samples():
            found[sample.family].append(sample)
        for name, family in FAMILIES.items():
            if family.kind == "histogram":
                yield self._histogram_family(name)
            elif family.kind == "counter":
                counter = CounterMetricFamily(name, family.meaning, labels=family.labels)
                for _, labels, value in found[name]:
                    counter.add_metric(labels, value)
                yield counter
            else:
                gauge = GaugeMetricFamily(name, family.meaning, labels=family.labels)
                for _, labels, value in found[name]:
                    gauge.add_metric(labels, value)
                yield gauge

    def _samples(self) -> Iterator[Sample]:
        for name, counts in self._counts.items():
            yield from (Sample(name, labels, value) for labels, value in counts.items())
        for stream, traffic in self._streams.items():
            yield Sample("vivienne_stream_clients", (stream,), traffic.clients)
            yield Sample("vivienne_stream_sent_total", (stream,), traffic.sent)
            yield Sample("vivienne_stream_conflated_total", (stream,), traffic.conflated)
            yield Sample("vivienne_stream_dropped_total", (stream,), traffic.dropped)
        for source in self._sources:
            yield from source()

    def _histogram_family(self, name: str) -> Metric:
        family = FAMILIES[name]
        made = HistogramMetricFamily(name, family.meaning, labels=family.labels)
        for labels, histogram in self._histograms[name].items():
            made.add_metric(labels, histogram.buckets(), histogram.total)
        return made
