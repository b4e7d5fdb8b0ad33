"""deploy/prometheus and deploy/grafana: they ask for what a running server has, and for nothing else."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, get_args

import pytest

from deployed import DEPLOY, ROOT, load
from measured import Measured, measured
from vivienne.errors import ChangeRefused
from vivienne.metrics.families import FAMILIES
from vivienne.outbox.delivering import COUNTED
from vivienne.server.readiness import ReadyStatus
from vivienne.wire.state import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from running import RunningServer

RULES: list[dict[str, Any]] = [
    rule for group in load(DEPLOY / "prometheus" / "alerts.yaml")["groups"] for rule in group["rules"]
]
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "vivienne.json").read_text())
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
ALERTS = {rule["alert"]: rule["expr"] for rule in RULES}
SHOWN = {f"{panel['title']} {target['refId']}": target["expr"] for panel in PANELS for target in panel["targets"]}
QUERIES = {**ALERTS, **SHOWN, "annotation": DASHBOARD["annotations"]["list"][0]["expr"]}

OF_PROMETHEUS = {"job", "instance", "le"}
"""Labels that no metric of ours needs to have."""
OF_EXCHANGES = {name for name in FAMILIES if name.startswith("vivienne_exchange_")}
"""A server that follows an exchange has these; tests/server/test_exchange_served.py looks for them."""
VALUES = {
    "status": {*get_args(Status), *get_args(ReadyStatus), *COUNTED},
    "result": {"accepted", "repeated", *(refused.code for refused in ChangeRefused.__subclasses__())},
    "stage": {"in_force", "published"},
    "stream": {"state", "logs", "alerts", "redis"},
    "recorded_by": {"this_version", "other_versions"},
    "kind": {"filled", "incomplete", "mismatched", "late", "unconfirmed", "dropped", "failed", "overflowed"},
}
VARIABLES = {"$" + variable["name"] for variable in DASHBOARD["templating"]["list"]}


def names(query: str) -> list[str]:
    """Every metric a query names."""
    return re.findall(r"\b(?:vivienne|process)_[a-z_]+", re.sub(r'"[^"]*"', "", query))


def family(name: str) -> str:
    """The metric that a series belongs to."""
    base = re.sub(r"_(bucket|count|sum)$", "", name)
    return base if base in FAMILIES and FAMILIES[base].kind == "histogram" else name


def conditions(query: str) -> Iterator[tuple[str, str, str]]:
    """What a query asks of labels: metric, label, value."""
    for name, braces in re.findall(r"(vivienne_[a-z_]+)\{([^}]*)\}", query):
        for label, value in re.findall(r'(\w+)=~?"([^"]*)"', braces):
            for each in value.split("|"):
                yield family(name), label, each


@pytest.fixture(scope="module")
def found(running: RunningServer) -> Measured:
    return measured(running)


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_a_query_names_what_a_running_server_exports(found: Measured, query: str) -> None:
    assert [name for name in names(query) if family(name) not in found.names] == []
    assert names(query) or query.startswith("up{")


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_a_query_asks_for_labels_and_values_there_are(query: str) -> None:
    for name, label, value in conditions(query):
        assert label in {*FAMILIES[name].labels, "job", "instance"}, name
        assert value in VALUES.get(label, set()) | VARIABLES, name
    known = {label for name in names(query) if family(name) in FAMILIES for label in FAMILIES[family(name)].labels}
    grouped = {label.strip() for labels in re.findall(r"\b(?:by|on) \(([^)]*)\)", query) for label in labels.split(",")}
    assert grouped - known - OF_PROMETHEUS == set()


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_what_only_rises_is_asked_for_its_rate(query: str) -> None:
    for name in names(query):
        rises = name.endswith(("_total", "_bucket"))
        asked = re.search(rf"(rate|increase)\({name}(\{{[^}}]*\}})?\[", query) is not None
        assert rises == asked, name


class TestAlerts:
    def test_each_says_what_is_the_matter_and_what_to_do(self) -> None:
        for rule in RULES:
            assert rule["labels"]["severity"] in {"critical", "warning"}, rule["alert"]
            assert set(rule["annotations"]) == {"summary", "description"}, rule["alert"]
        assert len(ALERTS) == len(RULES)

    def test_each_names_labels_only_that_its_query_leaves(self) -> None:
        for rule in RULES:
            named = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
            left = {label for name in names(rule["expr"]) for label in FAMILIES[family(name)].labels} | {
                "job",
                "instance",
            }
            for aggregate in re.findall(r"\b(?:max|sum) by \(([^)]*)\)", rule["expr"]):
                left &= {label.strip() for label in aggregate.split(",")}
            assert named <= left, rule["alert"]

    def test_a_counter_that_is_waited_for_is_there_from_the_start(self, found: Measured) -> None:
        """Prometheus sees no increase in a value that was not there before."""
        waited = {name for rule in RULES for name in names(rule["expr"]) if name.endswith("_total")}
        assert waited
        for name in waited - OF_EXCHANGES:
            assert found.labels(name), name

    def test_no_healthy_server_has_what_they_wait_for(self, found: Measured) -> None:
        assert found.labels("vivienne_store_up")
        assert found.value("vivienne_store_up") == 1.0
        ready = [found.value("vivienne_ready", status=status) for status in get_args(ReadyStatus)]
        assert ready == [1.0, 0.0, 0.0]
        for asset in ("BTC", "ETH", "SOL"):
            assert found.value("vivienne_asset_status", asset=asset, status="stale") == 0.0
            assert found.count("vivienne_feed_age_seconds", asset=asset) < found.count(
                "vivienne_feed_age_limit_seconds", asset=asset
            )
            assert found.count("vivienne_decision_failures_total", asset=asset) == 0.0

    def test_prometheus_takes_them(self) -> None:
        promtool = shutil.which("promtool")
        if promtool is None:
            pytest.skip("promtool is not on this machine")
        checked = subprocess.run(
            [promtool, "check", "config", "--syntax-only", "prometheus.yaml"],
            cwd=DEPLOY / "prometheus", capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert checked.returncode == 0, checked.stdout + checked.stderr

    def test_the_configuration_of_prometheus_reads_them(self) -> None:
        config = load(DEPLOY / "prometheus" / "prometheus.yaml")

        assert ["alerts.yaml"] == config["rule_files"]
        assert ["vivienne"] == [job["job_name"] for job in config["scrape_configs"]]
        assert 'up{job="vivienne"} == 0' in ALERTS.values()

    def test_the_document_has_each(self) -> None:
        text = (ROOT / "docs" / "operation.md").read_text()
        assert [name for name in (*ALERTS, *FAMILIES) if f"`{name}`" not in text] == []


class TestDashboard:
    def test_it_shows_everything_that_is_measured(self) -> None:
        shown = {family(name) for query in SHOWN.values() for name in names(query)}
        assert set(FAMILIES) - shown == set()

    def test_each_panel_has_a_place_of_its_own(self) -> None:
        taken: set[tuple[int, int]] = set()
        for panel in DASHBOARD["panels"]:
            at = panel["gridPos"]
            cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
            assert not cells & taken, panel["title"]
            assert at["x"] + at["w"] <= 24, panel["title"]
            taken |= cells
        numbers = [panel["id"] for panel in DASHBOARD["panels"]]
        assert sorted(set(numbers)) == sorted(numbers)

    def test_it_works_with_whatever_prometheus_is_chosen(self) -> None:
        uids = {panel["datasource"]["uid"] for panel in PANELS}
        uids |= {target["datasource"]["uid"] for panel in PANELS for target in panel["targets"]}
        assert uids == {"${datasource}"}

    def test_variables_that_are_used_are_there(self) -> None:
        used = {name for query in SHOWN.values() for name in re.findall(r"\$\w+", query)}
        assert used - {"$__rate_interval"} <= VARIABLES
