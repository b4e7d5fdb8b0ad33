"""A process that was killed leaves one gap, and one that is alive leaves none, whatever its clock says."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from making import MIDNIGHT
from recorded_live import asset_of, decided, reading, recorder, walk
from vivienne.record import recorder as recording
from vivienne.record import sessions
from vivienne.store.address import PostgresUrl
from vivienne.times import now

if TYPE_CHECKING:
    from pathlib import Path

    from vivienne.changes.service import ConfigService
    from vivienne.record.reader import Gap, Session
    from vivienne.record.recorder import Recorder


class Machines:
    """Processes on machines whose clocks differ. Time passes when a test says so."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.ahead = 0.0

    def pass_with(self, seconds: float, alive: dict[Recorder, float]) -> None:
        """Let time pass, and each of these write what it has.

        Args:
            seconds: how long.
            alive: by process, the seconds by which its clock is ahead.
        """
        until = self.passed + seconds
        while self.passed < until:
            self.passed += 11
            for each, self.ahead in alive.items():
                each.write_all()


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> Machines:
    all_of_them, begin = Machines(), now()
    monkeypatch.setattr(
        recording, "now", lambda: begin + timedelta(seconds=all_of_them.passed + all_of_them.ahead)
    )  # fmt: skip
    for module in (recording, sessions):
        monkeypatch.setattr(module, "monotonic", lambda: 1_000 + all_of_them.passed)
    return all_of_them


@pytest.fixture
def shared(database: str) -> PostgresUrl:
    url = PostgresUrl.read(database)
    assert url is not None
    return url


def found(where: Path | PostgresUrl) -> tuple[list[Gap], list[Session]]:
    with reading(where) as record:
        [run] = record.runs()
        return record.gaps(run.id, 0, 10**15), record.sessions(run.id)


async def test_a_killed_process_leaves_a_gap(
    service: ConfigService, where: Path | PostgresUrl, machines: Machines
) -> None:
    """In a database of several it may only be slow, and is taken for dead after a minute."""
    killed, other = recorder(where), recorder(where, started_at=MIDNIGHT + 1)
    for each in decided(asset_of(service), walk(0, 5)):
        killed.take(each)
    killed.write_all()  # and nothing after it
    killed.let_go()

    machines.pass_with(200, {other: 0})

    gaps, known = found(where)
    assert [session.ended_cleanly for session in known] == [False, None]
    [gap] = gaps
    assert (gap.reason, gap.decisions) == ("killed", None)
    other.let_go()


@pytest.mark.parametrize("ahead", [-300, 300])
def test_clocks_that_differ_make_no_gap_and_a_kill_makes_one(
    shared: PostgresUrl, machines: Machines, ahead: float
) -> None:
    one, two = recorder(shared), recorder(shared, name="two", started_at=MIDNIGHT + 1)

    machines.pass_with(200, {one: ahead, two: 0})
    assert found(shared)[0] == []

    machines.pass_with(200, {two: 0})
    gaps, known = found(shared)
    assert [(gap.reason, gap.to_time - gap.from_time >= 60_000) for gap in gaps] == [("killed", True)]
    assert [session.ended_cleanly for session in known] == [False, None]

    machines.pass_with(200, {one: ahead, two: 0})  # it only stood still
    gaps, known = found(shared)
    assert len(gaps) == 1
    assert [session.ended_cleanly for session in known] == [None, None]
    one.let_go()
    two.let_go()


def test_of_two_that_could_not_write_for_long_the_first_one_back_takes_the_other_for_alive(
    shared: PostgresUrl, machines: Machines
) -> None:
    one, two = recorder(shared), recorder(shared, name="two", started_at=MIDNIGHT + 1)
    machines.pass_with(30, {one: 0, two: 0})
    machines.passed += 600

    machines.pass_with(30, {one: 0})
    machines.pass_with(60, {one: 0, two: 0})

    assert found(shared)[0] == []
    one.let_go()
    two.let_go()


def test_a_long_look_for_old_rows_is_no_silence(
    shared: PostgresUrl, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = recorder(shared), recorder(shared, name="two", started_at=MIDNIGHT + 1)
    machines.pass_with(11, {one: 0, two: 0})

    def steps(_: object) -> object:
        for _each in range(10):
            machines.pass_with(11, {two: 0})
            yield 1

    monkeypatch.setattr("vivienne.record.recorder.Pruning.steps", steps)
    machines.passed += 61
    two.write_all()
    one.write_all()
    one._prune()

    assert found(shared)[0] == []
    one.let_go()
    two.let_go()
