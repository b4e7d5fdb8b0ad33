"""Metrics of the running program, for Prometheus.

One `Metrics` for each service, with a registry of its own. Everything is counted as plain numbers, by the thread of the
event loop only; `prometheus_client` has the histograms. These and the state of other parts are read when Prometheus
asks. A process with thousands of assets has tens of thousands of samples, so they are read in parts, and others have
the event loop between two of them. `FAMILIES` has every metric with its meaning; the table in docs/operation.md is made
of it.
"""

from __future__ import annotations

import asyncio
import platform
from collections import Counter, deque
from dataclasses import dataclass, field
from time import monotonic, time
from typing import TYPE_CHECKING, NamedTuple

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from vivienne.metrics.families import FAMILIES
from vivienne.version import build_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# Without it every counter has a second series, the time since when it counts.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no annotation there

LAG_SECONDS = 0.25
"""Time between two measurements of the lag of the event loop."""
MOST_AWAITED = 256
"""Changes per asset whose propagation to clients is measured at the same time."""
MOST_IN_A_PART = 100
"""Samples in a part of a family, and samples that are read before others have a turn."""
_DECISIONS = "vivienne_decisions_total"
_LAST_DECISION = "vivienne_last_decision_timestamp_seconds"


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


@dataclass(slots=True)
class _Decided:
    """The decisions of an asset: their number by level, and the time of the last one."""

    levels: Counter[str] = field(default_factory=Counter)
    last: float = 0.0


class Metrics(Collector):
    """The metrics of one service.

    Args:
        role: of the process.
    """

    def __init__(self, role: str = "all") -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self._counts: dict[str, dict[tuple[str, ...], int]] = {
            name: {} for name, family in FAMILIES.items() if family.kind == "counter" and family.is_kept
        }
        self._decided: dict[str, _Decided] = {}
        self._histograms = {
            name: Histogram(name, family.meaning, family.labels, registry=None, buckets=family.buckets)
            for name, family in FAMILIES.items()
            if family.kind == "histogram"
        }
        self._sources: list[Callable[[], Iterable[Sample]]] = []
        self._long_sources: list[Callable[[], Iterable[Sample | None]]] = []
        self.awaited: dict[str, deque[tuple[int, float]]] = {}
        """By asset, the changes without a published state yet: version, and the time of the request."""
        self._evaluation = self.histogram("vivienne_evaluation_duration_seconds")
        self._in_force = self.histogram("vivienne_change_propagation_seconds", "in_force")
        self._published = self.histogram("vivienne_change_propagation_seconds", "published")
        self._streams: dict[str, Traffic] = {}
        self.gauge("vivienne_build_info", lambda: 1.0, build_version(), platform.python_version(), role)
        self._process = ProcessCollector(registry=None)
        self.registry.register(self)

    # Counted when it happens

    def decided(self, asset: str, level: str, seconds: float) -> None:
        """Count a decision, and the seconds it took."""
        decided = self._decided.get(asset)
        if decided is None:
            decided = self._decided[asset] = _Decided()
        decided.levels[level] += 1
        decided.last = time()
        self._evaluation.observe(seconds)

    def count(self, family: str, *labels: str) -> None:
        """Count one event."""
        self.expect(family, *labels)
        self._counts[family][labels] += 1

    def expect(self, family: str, *labels: str) -> None:
        """Show a counter from zero on: Prometheus sees no increase in a series that did not exist before."""
        counts = self._counts[family]
        if labels not in counts:
            if len(labels) != len(FAMILIES[family].labels):
                raise ValueError(f"{family} has the labels {FAMILIES[family].labels}, not {len(labels)} of them")
            counts[labels] = 0

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
        """Read these samples when Prometheus asks, all at once: they are few."""
        self._sources.append(samples)

    def long_source(self, samples: Callable[[], Iterable[Sample | None]]) -> None:
        """Read these samples when Prometheus asks; others may have a turn after each of them.

        Names may come and go between two samples, so the source copies them first. Values that belong together, such as
        those of an asset, are read before the first of them is given. None stands for work without a sample.
        """
        self._long_sources.append(samples)

    async def watch_loop(self) -> None:
        """Measure the lag of the event loop, until cancelled."""
        lag = self.histogram("vivienne_event_loop_lag_seconds")
        while True:
            begin = monotonic()
            await asyncio.sleep(LAG_SECONDS)
            lag.observe(max(0.0, monotonic() - begin - LAG_SECONDS))

    def collect(self) -> Iterator[Metric]:
        """See `prometheus_client.registry.Collector`; the parts of each family together."""
        found: dict[str, Metric] = {}
        for part in self.parts():
            if part is not None:
                whole = found.setdefault(part.name, part)
                if whole is not part:
                    whole.samples.extend(part.samples)
        yield from found.values()

    def parts(self) -> Iterator[Metric | None]:
        """All families in parts of at most `MOST_IN_A_PART` samples, a little work at a time.

        Each family of `FAMILIES` comes without samples first, for their order and for those that have none. None
        stands for work whose samples come later.
        """
        yield from map(_family, FAMILIES)
        for collector in (*self._histograms.values(), self._process):
            for metric in collector.collect():
                yield from _in_parts(metric)
        begun: dict[str, Metric] = {}
        for number, sample in enumerate(self._samples(), 1):
            if sample is not None:
                part = begun.get(sample.family)
                if part is None:
                    part = begun[sample.family] = _family(sample.family)
                labels = dict(zip(FAMILIES[sample.family].labels, sample.labels, strict=True))
                part.add_sample(sample.family, labels, sample.value)
                if len(part.samples) == MOST_IN_A_PART:
                    yield begun.pop(sample.family)
            if sample is None or number % MOST_IN_A_PART == 0:
                yield None
        yield from begun.values()

    def _samples(self) -> Iterator[Sample | None]:
        for source in (self._traffic, *self._sources):
            yield from list(source())
            yield None
        for family, counts in self._counts.items():
            for labels in list(counts):
                yield Sample(family, labels, counts[labels])
        for asset in list(self._decided):
            decided = self._decided[asset]
            last = Sample(_LAST_DECISION, (asset,), decided.last)
            yield from [last, *(Sample(_DECISIONS, (asset, level), count) for level, count in decided.levels.items())]
        for long_source in self._long_sources:
            yield from long_source()

    def _traffic(self) -> Iterator[Sample]:
        for stream, traffic in self._streams.items():
            yield Sample("vivienne_stream_clients", (stream,), traffic.clients)
            yield Sample("vivienne_stream_sent_total", (stream,), traffic.sent)
            yield Sample("vivienne_stream_conflated_total", (stream,), traffic.conflated)
            yield Sample("vivienne_stream_dropped_total", (stream,), traffic.dropped)


def _family(name: str) -> Metric:
    """A family without samples."""
    family = FAMILIES[name]
    return Metric(name.removesuffix("_total"), family.meaning, family.kind)


def _in_parts(metric: Metric) -> Iterator[Metric]:
    for begin in range(0, len(metric.samples), MOST_IN_A_PART):
        part = Metric(metric.name, metric.documentation, metric.type, metric.unit)
        part.samples = metric.samples[begin : begin + MOST_IN_A_PART]
        yield part
