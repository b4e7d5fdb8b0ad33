"""`/metrics`: what a Prometheus that asks a running server learns."""

from __future__ import annotations

import signal
import sqlite3
import time
from typing import TYPE_CHECKING

import pytest

from making import minutes, write_minutes
from measured import Measured, measured
from redis_running import eventually
from running import START_SECONDS, RunningServer
from vivienne.changes.service import ConfigService
from vivienne.metrics.families import FAMILIES
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.version import build_version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis_running import RunningRedis
    from ways_in import Channel

CHANGES = "vivienne_changes_total"


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that several tests look at and change, so that they count what is added."""
    with RunningServer("--assets", "BTC,ETH,SOL", db=tmp_path_factory.mktemp("metrics") / "v.db") as server:
        yield server


class Added:
    """What is counted more often than when this was made."""

    def __init__(self, server: RunningServer) -> None:
        self._server = server
        self._before = measured(server)

    def changes(self) -> dict[tuple[str, str], float]:
        """The changes by channel and result."""
        found = measured(self._server).samples
        return {
            (dict(labels)["channel"], dict(labels)["result"]): value - self._before.samples.get((name, labels), 0.0)
            for (name, labels), value in found.items()
            if name == CHANGES and value != self._before.samples.get((name, labels), 0.0)
        }


class TestWhatIsThere:
    def test_every_family_is_there_with_its_kind_and_meaning(self, used: RunningServer) -> None:
        found = measured(used)

        assert set(FAMILIES) <= found.names
        for name, family in FAMILIES.items():
            shown = found.families[name.removesuffix("_total")]
            assert (family.kind, family.meaning) == (shown.type, shown.documentation)

    def test_names_are_as_prometheus_wants_them(self) -> None:
        for name, family in FAMILIES.items():
            assert name.startswith("vivienne_")
            assert name.endswith("_total") == (family.kind == "counter")
            assert family.kind != "histogram" or name.endswith("_seconds")
            assert list(family.buckets) == sorted(set(family.buckets))

    def test_it_is_text_that_no_cache_and_no_newer_format_is_needed_for(self, used: RunningServer) -> None:
        plain = used.get("/metrics")
        modern = used.http.get(f"{used.url}/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})

        assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert modern.headers["content-type"].startswith("application/openmetrics-text")
        assert modern.text.endswith("# EOF\n")

    def test_labels_are_those_of_the_table_and_few(self, used: RunningServer) -> None:
        found = measured(used)

        for family in found.families.values():
            known = FAMILIES.get(family.name) or FAMILIES.get(f"{family.name}_total")
            for sample in family.samples if known else ():
                assert set(sample.labels) - {"le"} == set(known.labels if known else ())
        assert len(found.samples) < 400

    def test_what_runs_is_named(self, used: RunningServer) -> None:
        [labels] = measured(used).labels("vivienne_build_info")
        assert {("version", build_version()), ("role", "all")} <= labels


class TestAssets:
    def test_a_live_asset_is_young_and_decided(self, used: RunningServer) -> None:
        found = measured(used)

        for asset in ("BTC", "ETH", "SOL"):
            assert found.value("vivienne_asset_status", asset=asset, status="live") == 1.0
            assert found.value("vivienne_asset_status", asset=asset, status="stale") == 0.0
            age = found.value("vivienne_feed_age_seconds", asset=asset)
            limit = found.value("vivienne_feed_age_limit_seconds", asset=asset)
            assert age is not None
            assert limit is not None
            assert age < limit
            assert abs(time.time() - found.count("vivienne_last_decision_timestamp_seconds", asset=asset)) < 60
        assert found.count("vivienne_bar_duration_seconds") == 15.0
        assert found.count("vivienne_evaluation_duration_seconds_count") >= 3


def decisions(found: Measured) -> float:
    return sum(value for (name, _), value in found.samples.items() if name == "vivienne_decisions_total")


class TestChanges:
    def test_they_are_counted_by_channel_and_result(self, running: RunningServer, channel: Channel) -> None:
        def count(result: str) -> float:
            return measured(running).count(CHANGES, channel=channel.recorded_as, result=result)

        before = [count(result) for result in ("accepted", "invalid_configuration")]

        channel.send(channel.frame('{"bang_threshold": 81}'))
        channel.send(channel.frame('{"bang_threshold": 900}'))

        assert [number + 1 for number in before] == [count("accepted"), count("invalid_configuration")]

    def test_what_cannot_be_read_is_counted_too(self, used: RunningServer) -> None:
        added = Added(used)

        used.post_text("partial-update", '{"bang_threshold": ')
        with used.client() as client:
            client.ask({"type": "config_update", "config": {"bang_threshold": 81}, "colour": "red"})
            client.ask({"type": "control", "strategy": "another", "params": {"bang_threshold": 81}})

        assert added.changes() == {
            ("rest", "malformed"): 1.0,
            ("websocket", "malformed"): 1.0,
            ("control", "unknown_target"): 1.0,
        }

    def test_a_repeated_one_is_no_second_change(self, used: RunningServer) -> None:
        added = Added(used)

        for _ in range(3):
            made = used.post("partial-update", {"bang_threshold": 81, "request_id": "once"}).raise_for_status().json()

        assert added.changes() == {("rest", "accepted"): 1.0, ("rest", "repeated"): 2.0}
        assert measured(used).value("vivienne_config_version") == made["version"]

    def test_looking_and_trying_out_are_none(self, used: RunningServer) -> None:
        added = Added(used)

        used.get("/phoenix/config/vivienne/comprehensive/active", asset_symbol="DOGE")
        used.post("validate", {"bang_threshold": 900})
        used.post("partial-update", {"bang_threshold": 900})

        assert added.changes() == {("rest", "invalid_configuration"): 1.0}

    def test_a_pause_is_one(self, used: RunningServer) -> None:
        added = Added(used)

        used.post("pause", {"asset_symbol": "BTC"}).raise_for_status()
        found = measured(used)
        used.post("resume", {"asset_symbol": "BTC"}).raise_for_status()

        assert added.changes() == {("rest", "accepted"): 2.0}
        assert found.value("vivienne_asset_status", asset="BTC", status="paused") == 1.0
        assert found.value("vivienne_asset_status", asset="BTC", status="live") == 0.0

    def test_they_are_there_before_the_first_and_their_way_to_the_clients_is_timed(self, server: RunningServer) -> None:
        found = measured(server)
        for channel in ("rest", "websocket", "control"):
            assert found.value(CHANGES, channel=channel, result="not_stored") == 0.0
        assert found.value("vivienne_decision_failures_total", asset="BTC") == 0.0

        server.post("partial-update", {"bang_threshold": 81}).raise_for_status()
        server.post("partial-update", {"bang_threshold": 82, "asset_symbol": "BTC"}).raise_for_status()

        name = "vivienne_change_propagation_seconds"
        eventually(lambda: measured(server).count(f"{name}_count", stage="published") == 4.0)
        found = measured(server)
        assert found.value(f"{name}_count", stage="in_force") == 2.0
        assert 0 < found.count(f"{name}_sum", stage="in_force") < found.count(f"{name}_sum", stage="published")
        assert found.value("vivienne_store_call_duration_seconds_count", operation="append") == 2.0


class TestStreams:
    def test_clients_come_and_go(self, used: RunningServer) -> None:
        def clients(stream: str) -> float | None:
            return measured(used).value("vivienne_stream_clients", stream=stream)

        eventually(lambda: (clients("state"), clients("logs")) == (0.0, 0.0))
        with used.client() as first, used.client(), used.log_client() as log:
            first.receive()
            log.receive()
            assert (clients("state"), clients("logs")) == (2.0, 1.0)
        eventually(lambda: (clients("state"), clients("logs")) == (0.0, 0.0))
        assert measured(used).count("vivienne_stream_sent_total", stream="state") >= 3

    def test_decisions_are_counted_and_what_a_slow_client_misses(self, tmp_path: Path) -> None:
        flags = ("--assets", "BTC", "--timeframe", "1m", "--speed", "3000")
        with RunningServer(*flags, db=tmp_path / "v.db") as busy, busy.slow_client():
            before = decisions(measured(busy))
            eventually(lambda: decisions(measured(busy)) >= before + 5)
            eventually(lambda: measured(busy).count("vivienne_stream_conflated_total", stream="state") > 0, 20.0)


class TestTrouble:
    def test_a_feed_that_broke_off_shows_and_gets_older(self, tmp_path: Path) -> None:
        files = [
            write_minutes(tmp_path / f"{asset}.csv", minutes(400, seed=seed))
            for seed, asset in enumerate(("BTC", "ETH"))
        ]
        lines = files[0].read_text().splitlines()
        lines[300] = lines[300].replace(",", ",oops", 1)
        files[0].write_text("\n".join(lines) + "\n")
        flags = ["--feed", "replay", "--speed", "max", "--timeframe", "1m"]
        data = [
            text for asset, file in zip(("BTC", "ETH"), files, strict=True) for text in ("--data", f"{asset}={file}")
        ]

        with RunningServer(*flags, *data, db=tmp_path / "v.db") as server:
            eventually(lambda: measured(server).value("vivienne_asset_status", asset="BTC", status="stale") == 1.0)
            before = measured(server).count("vivienne_feed_age_seconds", asset="BTC")
            eventually(lambda: measured(server).count("vivienne_feed_age_seconds", asset="BTC") > before)
            found = measured(server)

        assert found.value("vivienne_asset_status", asset="BTC", status="live") == 0.0
        assert found.value("vivienne_asset_status", asset="ETH", status="stale") == 0.0

    def test_a_store_that_does_not_answer_shows_and_holds_nobody_up(self, used: RunningServer) -> None:
        assert measured(used).value("vivienne_store_up") == 1.0
        added = Added(used)
        with sqlite3.connect(used.db) as other:
            other.execute("BEGIN EXCLUSIVE")
            used.post("partial-update", {"bang_threshold": 81})

            found = measured(used)
            other.rollback()

        assert found.value("vivienne_store_up") == 0.0
        assert added.changes() == {("rest", "not_stored"): 1.0}
        eventually(lambda: measured(used).value("vivienne_store_up") == 1.0)

    def test_redis_that_is_gone_shows(self, running: RunningServer, redis: RunningRedis) -> None:
        eventually(lambda: measured(running).value("vivienne_redis_up") == 1.0)
        redis.kill()
        eventually(lambda: measured(running).value("vivienne_redis_up") == 0.0)
        redis.start()
        eventually(lambda: measured(running).value("vivienne_redis_up") == 1.0)

    def test_a_loop_that_was_held_up_shows(self, used: RunningServer) -> None:
        def over_a_quarter() -> float:
            name = "vivienne_event_loop_lag_seconds"
            found = measured(used)
            return found.count(f"{name}_count") - found.count(f"{name}_bucket", le="0.25")

        before = over_a_quarter()
        used.process.send_signal(signal.SIGSTOP)
        time.sleep(1.0)
        used.process.send_signal(signal.SIGCONT)
        eventually(lambda: over_a_quarter() > before)


async def test_two_services_in_one_process_do_not_share_what_they_count(tmp_path: Path) -> None:
    services = [ConfigService(SqliteRevisionStore(tmp_path / f"{name}.db"), ["BTC"]) for name in "ab"]
    services[0].metrics.decided("BTC", "idle", 0.001)

    counts = [
        service.metrics.registry.get_sample_value("vivienne_decisions_total", {"asset": "BTC", "level": "idle"})
        for service in services
    ]
    for service in services:
        await service.close()
    assert counts == [1.0, None]


@pytest.mark.parametrize("path", ["/metrics"])
def test_pages_of_other_origins_cannot_read_it(used: RunningServer, path: str) -> None:
    answer = used.http.get(used.url + path, headers={"Origin": "https://elsewhere.example"}, timeout=START_SECONDS)
    assert answer.status_code == 403
