"""Whatever happens to an import, all of it is stored or nothing; and who watches sees all of it at once."""

from __future__ import annotations

import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from running import RunningServer, config, run_program, without_settings
from sizes import rounds
from vivienne.store.address import PostgresUrl
from vivienne.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

LAYERS = ("global", *(f"A{number}" for number in range(20)))
SECONDS = 30.0
KILLS = rounds(8, 2)

DIES = """
import os
import signal

from sqlalchemy import event
from sqlalchemy.engine import Engine

left = [{moment}]

@event.listens_for(Engine, "after_cursor_execute")
def dying(connection, cursor, statement, *_):
    left[0] -= statement.startswith("INSERT INTO revisions")
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def whole(bang: float) -> str:
    """A file with one threshold for every layer."""
    layers = "".join(f"  {layer}: {{bang_threshold: {bang}}}\n" for layer in LAYERS[1:])
    return f"format: 1\nglobal: {{bang_threshold: {bang}}}\nassets:\n{layers}"


def stored(db: str) -> tuple[int, set[float]]:
    """The newest version, and all thresholds that are set."""
    store = open_store(PostgresUrl.read(db) or Path(db))
    try:
        heads = store.heads()
    finally:
        store.close()
    values = {head.document["settings"]["state_threshold_bang"] for head in heads}
    return max((head.version for head in heads), default=0), values


@pytest.fixture(params=["sqlite", "postgres"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "v.db") if request.param == "sqlite" else str(request.getfixturevalue("database"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "whole.yaml"


@pytest.mark.parametrize("moment", [1, 2, len(LAYERS)])
def test_nothing_is_stored_when_the_process_is_killed_between_two_layers(db: str, file: Path, moment: int) -> None:
    file.write_text(whole(85))
    assert 0 == run_program("config", "import", str(file), "--db", db).returncode
    file.write_text(whole(90))

    killed = run_program("config", "import", str(file), "--db", db, before=DIES.format(moment=moment))

    assert -signal.SIGKILL == killed.returncode, killed.stderr
    assert (len(LAYERS), {85}) == stored(db)
    assert 0 == run_program("config", "import", str(file), "--db", db).returncode
    assert (2 * len(LAYERS), {90}) == stored(db)


@pytest.mark.sized
def test_all_or_nothing_is_stored_when_the_process_is_killed_at_any_moment(db: str, file: Path) -> None:
    moments = random.Random(12)  # noqa: S311  # spreads moments, guards no secret
    command = ("config", "import", str(file), "--db", db)
    forking = RunningServer.forking
    assert forking is not None
    log = file.with_name("log")
    log.touch()
    file.write_text(whole(80))
    began = time.monotonic()
    assert run_program(*command).returncode == 0
    takes = time.monotonic() - began
    before = stored(db)
    for kill in range(KILLS):
        bang = 81 + kill
        file.write_text(whole(bang))
        process = forking.start(command, without_settings(), log)
        time.sleep(takes * moments.uniform(0.1, 1.1))
        process.kill()
        process.wait(SECONDS)
        after = stored(db)
        assert after in (before, (before[0] + len(LAYERS), {bang}))
        before = after


@pytest.fixture
def pair(database: str) -> Iterator[tuple[RunningServer, RunningServer]]:
    """Two servers on one database."""
    first, second = (RunningServer("--assets", "BTC,ETH", db=database) for _ in range(2))
    try:
        with ThreadPoolExecutor(2) as both:
            list(both.map(RunningServer.start, (first, second)))
        yield first, second
    finally:
        for server in (first, second):
            server.__exit__(None, None, None)


def test_running_processes_take_an_import_up_as_one_change(
    pair: tuple[RunningServer, RunningServer], database: str, file: Path
) -> None:
    levels = "aim_threshold: {0}, loaded_threshold: {0}, bang_threshold: {1}"
    with pair[0].client() as first, pair[1].client() as second:
        # One layer after the other, each of these would be refused.
        for imports, (low, high) in enumerate([(20, 30), (70, 80), (10, 15), (90, 95)], 1):
            file.write_text(
                f"format: 1\nglobal: {{{levels.format(low, high)}}}\n"
                f"assets:\n  BTC: {{{levels.format(low + 1, high + 1)}}}\n  SOL: {{rsi_weight: 0.{imports}}}\n"
            )
            done = run_program("config", "import", str(file), "--db", database, "--reason", "all at once")
            assert 0 == done.returncode, done.stderr
            for client in (first, second):
                states = {asset: client.state(asset, version=3 * imports - 2) for asset in ("BTC", "ETH")}
                found = {asset: config(state)["settings"]["state_threshold_bang"] for asset, state in states.items()}
                assert {"BTC": high + 1, "ETH": high} == found
                assert 3 * imports - 1 == states["BTC"]["config_version"]
    for server in pair:
        assert {("import", "all at once")} == {(entry["channel"], entry["reason"]) for entry in server.history()}
        assert [12, 11, 10] == [entry["version"] for entry in server.history()[:3]]
        assert 200 == server.get("/ready").status_code
        assert "does not hold" not in server.log
