"""The text for Prometheus: written a little at a time, and to the last byte as the library writes it at once."""

from __future__ import annotations

import re
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast, get_args

import pytest
from prometheus_client import CollectorRegistry, Gauge, Histogram, Info, Summary
from prometheus_client.exposition import choose_encoder
from prometheus_client.parser import text_string_to_metric_families

from vivienne.cluster.agents import Agents
from vivienne.market.feeds.pushed.feed import PushedFeed
from vivienne.market.timeframe import Timeframe
from vivienne.metrics import registry as module
from vivienne.metrics.exposition import exposition
from vivienne.metrics.families import FAMILIES
from vivienne.metrics.registry import MOST_IN_A_PART, Metrics, Sample
from vivienne.slices import whole
from vivienne.stream.hub import Hub
from vivienne.stream.samples import state_samples
from vivienne.stream.state import StateBoard
from vivienne.wire.messages import AGENT
from vivienne.wire.state import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric
    from prometheus_client.registry import Collector

    from vivienne.stream.frame import Frame

MANY = 450
"""Assets whose samples are several parts of a family."""
FORMATS = (
    "",
    "text/plain;version=1.0.0;escaping=allow-utf-8",
    "application/openmetrics-text",
    "application/openmetrics-text;version=1.0.0;escaping=dots",
)


def frame(status: str = "live") -> Frame:
    data = {"status": status, "data_age": None, "data_age_limit": 60.0}
    return cast("Frame", SimpleNamespace(made=0.0, message={"agents": {AGENT: {"data": data}}}))


class Market:
    """The states of many assets, as a board has them."""

    def __init__(self, assets: int = MANY) -> None:
        self.frames = {f"A{number}": frame() for number in range(assets)}
        self.metrics = Metrics()
        self.metrics.long_source(lambda: state_samples(self.frames, self.frames.get))
        for asset in self.frames:
            self.decide(asset)
            self.metrics.expect("vivienne_feed_restarts_total", asset)

    def decide(self, asset: str) -> None:
        for level in ("idle", "bang"):
            self.metrics.decided(asset, level, 0.001)


def lines(text: bytes) -> list[bytes]:
    """Those of a text; the figures of the process change from one look to the next."""
    return [line for line in text.splitlines(keepends=True) if not line.startswith(b"process_")]


@pytest.mark.parametrize("accept", FORMATS)
def test_it_is_what_the_library_writes_at_once(accept: str) -> None:
    market = Market()
    market.metrics.gauge("vivienne_build_info", lambda: 1.0, 'a "quoted"\nname \\ ', "ü", "röle")
    encode, _ = choose_encoder(accept)
    text = whole(exposition(market.metrics.parts(), encode))
    assert lines(text) == lines(encode(market.metrics.registry))
    assert len(re.findall(rb"# TYPE vivienne_+asset_+status gauge\n", text)) == 1
    assert text.count(b"# EOF\n") == ("openmetrics" in accept)
    assert len(re.findall(rb"\nvivienne_+asset_+status{", text)) == MANY * len(get_args(Status))


@pytest.mark.parametrize("accept", FORMATS)
def test_families_of_other_kinds_and_with_units_are_written_as_well(accept: str) -> None:
    registry = CollectorRegistry()
    Info("it", "What it is.", registry=registry).info({"version": "1"})
    Gauge("speed", "How fast\nit \\ is.", unit="metres", registry=registry).set(float("nan"))
    took = Histogram("took", "Time.", ["what"], registry=registry)
    summed = Summary("summed", "", ["what"], registry=registry)
    for number in range(MANY):
        took.labels(f"w{number}").observe(number, {"trace": "7"})
        summed.labels(f"w{number}").observe(number)
    encode, _ = choose_encoder(accept)
    families = [*registry.collect()]
    parts = [part for family in families for part in (module._in_parts(family) if family.samples else [family])]
    assert len(parts) > 3 * len(families)
    assert whole(exposition(parts, encode)) == encode(registry)


def test_no_piece_has_more_than_some_samples() -> None:
    market, encoded, read, most_read = Market(), list[int](), 0, 0

    def encode(collector: Collector) -> bytes:
        encoded.append(sum(len(family.samples) for family in collector.collect()))
        return b""

    def counted() -> Iterator[Sample | None]:
        nonlocal read
        for sample in state_samples(market.frames, market.frames.get):
            read += 1
            yield sample

    market.metrics._long_sources[:] = [counted]
    for _ in exposition(market.metrics.parts(), encode):
        most_read, read = max(most_read, read), 0
    assert max(encoded) == MOST_IN_A_PART
    assert sum(encoded) > 10 * MANY
    assert 0 < most_read <= MOST_IN_A_PART


def test_others_have_a_turn_after_each_piece_of_work_and_each_source() -> None:
    metrics = Metrics()
    done: list[str] = []

    def counting() -> Iterator[Sample | None]:
        for asset in "abc":
            done.append(asset)
            yield None
        yield Sample("vivienne_agents", (), 3)

    def reading(name: str) -> Iterator[Sample]:
        done.append(name)
        yield from ()

    metrics.long_source(counting)
    for name in "xyz":
        metrics.source(partial(reading, name))
    seen = {len(done) for _ in metrics.parts()}
    assert seen == {*range(7)}
    assert metrics.registry.get_sample_value("vivienne_agents") == 3


def test_assets_may_come_and_go_and_change_between_the_pieces() -> None:
    market = Market()
    encode, _ = choose_encoder("")
    text = b""

    def change() -> None:
        came, gone = f"B{len(market.frames)}", next(iter(market.frames))
        for asset in market.frames:
            market.frames[asset] = frame("stale" if len(text) % 2 else "paused")
        market.frames[came] = market.frames.pop(gone)
        market.decide(came)
        market.metrics.expect("vivienne_feed_restarts_total", came)
        market.metrics.traffic(came)

    work, pieces = exposition(market.metrics.parts(), encode), 0
    while not text:
        pieces += 1
        try:
            next(work)
        except StopIteration as done:
            text = done.value
        else:
            change()
    assert pieces > 50
    statuses: dict[str, list[float]] = {}
    for family in text_string_to_metric_families(text.decode()):
        if family.name == "vivienne_asset_status":
            for sample in family.samples:
                statuses.setdefault(sample.labels["asset"], []).append(sample.value)
    assert len(statuses) > MANY // 3
    for values in statuses.values():
        assert (len(values), sum(values)) == (len(get_args(Status)), 1.0), "the values of an asset go together"


def test_numbers_of_pushed_rows_of_an_asset_go_together() -> None:
    feed = PushedFeed(("BTC", "ETH"), timeframe=Timeframe("1m"), bars=100)
    found: list[float] = []
    for _, (asset, result), number in feed.counts():
        found += [number] if asset == "BTC" else []
        feed._counts["BTC", result] += 1
    assert found == [0.0] * len(found)


def test_agents_may_vanish_between_the_pieces() -> None:
    assets = ("BTC", "ETH", "SOL")
    publishers: dict[str, str] = dict.fromkeys(assets, "a")
    agents = Agents(assets, publishers.get, lambda: 0.0)
    agents._heard["a"] = 0.0
    agents._beats["a"] = cast("Any", {"agent": "a"})
    found: dict[str, float] = {}
    for number, sample in enumerate(agents.samples()):
        if sample is not None:
            found[sample.family] = sample.value
        if number == 1:
            publishers.clear()
            agents._remove("a")
    assert found == {"vivienne_agents": 1, "vivienne_assets_without_agent": 2}


def test_a_board_shows_the_assets_that_it_has() -> None:
    hub = Hub()
    board = StateBoard(hub)
    value = hub.metrics.registry.get_sample_value
    assert value("vivienne_asset_status", {"asset": "BTC", "status": "live"}) is None
    board._frames["BTC"] = frame()
    assert value("vivienne_asset_status", {"asset": "BTC", "status": "live"}) == 1.0


class TestCounting:
    def test_a_family_that_is_counted_with_labels_shows_from_zero_on_once_it_is_expected(self) -> None:
        metrics, name = Metrics(), "vivienne_feed_restarts_total"
        value = metrics.registry.get_sample_value
        assert value(name, {"asset": "BTC"}) is None
        metrics.expect(name, "BTC")
        assert value(name, {"asset": "BTC"}) == 0.0
        metrics.count(name, "BTC")
        metrics.expect(name, "BTC")
        metrics.count(name, "ETH")
        assert [value(name, {"asset": asset}) for asset in ("BTC", "ETH")] == [1.0, 1.0]

    def test_labels_that_a_family_has_not_are_refused_before_they_spoil_the_text(self) -> None:
        metrics = Metrics()
        for labels in ((), ("BTC", "live")):
            with pytest.raises(ValueError, match="has the labels"):
                metrics.count("vivienne_feed_restarts_total", *labels)
        assert whole(exposition(metrics.parts(), choose_encoder("")[0]))

    def test_every_family_without_labels_that_is_counted_shows_from_the_start(self) -> None:
        found: dict[str, Metric] = {family.name: family for family in Metrics().collect()}
        for name, family in FAMILIES.items():
            if family.is_kept and not family.labels:
                assert found[name.removesuffix("_total")].samples, name

    def test_decisions_are_counted_by_asset_and_level(self) -> None:
        metrics = Metrics()
        for level in ("idle", "idle", "bang"):
            metrics.decided("BTC", level, 0.001)
        value = metrics.registry.get_sample_value
        levels = [value("vivienne_decisions_total", {"asset": "BTC", "level": level}) for level in ("idle", "bang")]
        assert levels == [2.0, 1.0]
        assert value("vivienne_evaluation_duration_seconds_count") == 3.0
        assert (value("vivienne_last_decision_timestamp_seconds", {"asset": "BTC"}) or 0.0) > 1e9
