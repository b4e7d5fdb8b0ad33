"""A gateway answers from the records of its agents as one process does from its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import orjson
import pytest

from making import random_bars
from record_client import client
from recording import RUN, Ordered, Recording
from vivienne.cluster.agents import Agents
from vivienne.cluster.answering import Answering
from vivienne.cluster.questions import Question, read_question
from vivienne.cluster.remote_record import RemoteRecord
from vivienne.errors import AgentUnavailable
from vivienne.record.reading.scope import Scope
from vivienne.record.reading.thread import ReadingThread
from vivienne.record.reading.view import NO_RECORD, LocalRecord, RecordView

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

    from vivienne.cluster.questions import Asking

ORDERS = {0: Ordered(4, {"settings": {"state_threshold_loaded": 5}})}
BARS = {"BTC": random_bars(3, 360), "ETH": random_bars(4, 360), "SOL": random_bars(5, 360)}


class Asked:
    """Hands questions to agents of this process, as bytes; one that is not there does not answer."""

    def __init__(self, **agents: RecordView) -> None:
        self.agents = {name: Answering(name, cast("Any", None), record=record) for name, record in agents.items()}

    async def ask(self, agent: str, question: Question, whose: str = "") -> Any:
        del whose
        if agent not in self.agents:
            raise AgentUnavailable(f"The agent {agent} does not respond")
        read = read_question(orjson.dumps({**question, "id": "1", "answer_to": "vivienne:gateway:1"}))
        assert read is not None
        answer = orjson.loads(orjson.dumps(await self.agents[agent]._outcome(read)))
        assert "failed" not in answer
        return answer["content"]


def remote(asked: Asked) -> RemoteRecord:
    """The view of a gateway: one agent has BTC and SOL, the other one ETH."""
    agents = Agents(["BTC", "ETH", "SOL"], {"BTC": "one", "ETH": "two", "SOL": "one"}.get, clock=lambda: 0.0)
    for agent in ("one", "two"):
        agents.take(
            {"agent": agent, "shard": agent, "assets": [], "feed": "push", "timeframe": "15m", "troubles": {}}
        )  # fmt: skip
    return RemoteRecord(("BTC", "ETH", "SOL"), "15m", agents, cast("Asking", asked))


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("records") / "record.db"
    recording = Recording(path)
    for asset, bars in BARS.items():
        recording.add(asset, bars, 310 if asset == "BTC" else 330, ORDERS)
    recording.close()
    return path


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, record: Path) -> Iterator[tuple[TestClient, TestClient]]:
    """A process with the whole record, and a gateway whose agents share it, as they share a database."""
    scope = Scope(RUN, "15m")
    agents = Asked(one=LocalRecord(ReadingThread(record), scope), two=LocalRecord(ReadingThread(record), scope))
    folders = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("gateway")
    with (
        client(folders[0], LocalRecord(ReadingThread(record), scope)) as local,
        client(folders[1], remote(agents)) as gateway,
    ):
        yield local, gateway


@pytest.mark.parametrize(
    "where",
    [
        "assets/BTC/decisions?limit=5",
        "assets/ETH/decisions?held=true&limit=3",
        "decisions?limit=7",
        "decisions?limit=1000&level=idle&level=loaded",
        "decisions?asset=SOL&asset=ETH&blocked_by=volatility&limit=4",
        "assets/BTC/decisions/2025-01-04T10:00:00Z",
        "assets/BTC/decisions/2031-01-04T10:00:00Z",
        "assets/BTC/decisions?format=csv",
    ],
)
def test_the_answer_is_that_of_one_process(both: tuple[TestClient, TestClient], where: str) -> None:
    local, gateway = (each.get(where) for each in both)
    assert local.status_code == gateway.status_code
    if local.status_code == 200:
        assert local.text == gateway.text
    else:
        assert local.json() | {"trace_id": ""} == gateway.json() | {"trace_id": ""}


def test_pages_and_exports_of_several_agents_are_those_of_one_process(
    both: tuple[TestClient, TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vivienne.record.reading.selecting.PIECE", 10)
    monkeypatch.setattr("vivienne.record.reading.selecting.MOST_SEARCHED", 40)
    monkeypatch.setattr("vivienne.record.reading.selecting._FIRST_SPAN", 16)
    found: list[list[Any]] = []
    for each in both:
        page = each.get("decisions?limit=7").json()
        rows = page["decisions"]
        while page["next"] is not None:
            page = each.get("decisions", params={"limit": 7, "before": page["next"]}).json()
            rows += page["decisions"]
        found.append(rows)
    assert len(found[0]) > 50
    assert found[0] == found[1]
    one, other = (each.get("decisions?format=ndjson").text for each in both)
    assert one == other
    assert len(one.splitlines()) == len(found[0])


def test_an_agent_that_does_not_answer_is_said(record: Path, tmp_path: Path) -> None:
    agents = Asked(one=LocalRecord(ReadingThread(record), Scope(RUN, "15m")))
    with client(tmp_path, remote(agents)) as gateway:
        page = gateway.get("decisions").json()
        assert page["unanswered"] == ["ETH"]
        assert {row["asset"] for row in page["decisions"]} == {"BTC", "SOL"}
        assert gateway.get("assets/ETH/decisions").json()["code"] == "agent_unavailable"
        assert gateway.get("decisions?format=csv").status_code == 503


def test_what_keeps_an_agent_from_answering_is_said_as_if_it_were_here(tmp_path: Path) -> None:
    missing = LocalRecord(ReadingThread(tmp_path / "none.db"), Scope(RUN, "15m"))
    with client(tmp_path, remote(Asked(one=NO_RECORD, two=missing))) as gateway:
        refused = gateway.get("assets/BTC/decisions")
        assert (refused.status_code, refused.json()["code"]) == (409, "not_recorded")
        broken = gateway.get("assets/ETH/decisions")
        assert (broken.status_code, broken.json()["code"]) == (503, "record_unavailable")
        assert broken.json()["detail"] == "The record of the agent two does not exist"


async def test_older_bars_come_from_the_agent(record: Path) -> None:
    local = LocalRecord(ReadingThread(record), Scope(RUN, "15m"))
    far = remote(Asked(one=local, two=NO_RECORD))
    before = BARS["BTC"].open_time.item(350)
    assert await far.bars("BTC", before, 30) == await local.bars("BTC", before, 30)
