"""The Redis reference tells the truth: its commands are run, and what is heard is compared with its examples."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter

from comparing import differences
from redis_running import ANSWER_SECONDS, CONFIG, RESULTS, RunningRedis, wait_for_redis
from running import RunningServer
from vivienne.wire.messages import ConfigChanged

if TYPE_CHECKING:
    from collections.abc import Iterator

REFERENCE = (Path(__file__).parent.parent.parent / "docs" / "redis.md").read_text()
_EXAMPLE = re.compile(r"<!-- (run|heard)(?: ([^>]*?))? -->\n+```(?:json|sh)\n(.*?)```", re.DOTALL)


@pytest.fixture
def redis() -> Iterator[RunningRedis]:
    with RunningRedis() as running:
        yield running


def run(command: str, redis: RunningRedis) -> str:
    """What a command of the reference prints, with the Redis of this test."""
    assert command.startswith("redis-cli ")
    here = command.replace("redis-cli", f"redis-cli -p {redis.port}", 1)
    done = subprocess.run(
        ["bash", "-c", here], capture_output=True, text=True, timeout=ANSWER_SECONDS, check=True
    )  # fmt: skip
    return done.stdout.strip()


def test_the_commands_do_what_the_reference_says(tmp_path: Path, redis: RunningRedis) -> None:
    examples = _EXAMPLE.findall(REFERENCE)
    printed: list[str] = []
    found: list[str] = []
    flags = ("--assets", "BTC,ETH", "--redis", redis.url)
    with RunningServer(*flags, db=tmp_path / "v.db") as server:
        wait_for_redis(server)
        with redis.listener(RESULTS) as results, redis.listener(CONFIG) as changes:
            changed: dict[str, Any] = {}
            for role, channel, content in examples:
                if role == "run":
                    printed.append(run(content, redis))
                elif channel == RESULTS:
                    found += differences(json.loads(content), results.hear())
                else:
                    # The last of the changes above it.
                    while changed.get("version") != 2:
                        changed = changes.hear()
                    found += differences(json.loads(content), changed)
                    TypeAdapter(ConfigChanged).validate_python(changed, strict=True)
    assert [] == found
    heard_by, error_heard_by, number, groups, state, user = printed
    assert ("1", "1") == (heard_by, error_heard_by)
    assert re.fullmatch(r"\d+-0", number)
    assert "vivienne" in groups.split("\n")
    assert "asset_data" == json.loads(state)["type"]
    assert "OK" == user


def test_the_user_in_the_reference_may_do_enough(tmp_path: Path, redis: RunningRedis) -> None:
    command = next(content for role, _, content in _EXAMPLE.findall(REFERENCE) if role == "run" and "ACL" in content)
    run(command, redis)
    environment = {"VIVIENNE_REDIS": f"redis://vivienne:a-password@127.0.0.1:{redis.port}"}
    with RunningServer("--assets", "BTC", db=tmp_path / "v.db", environment=environment) as server:
        wait_for_redis(server)
        with redis.listener(RESULTS) as results, server.client() as client:
            redis.add({"type": "config_update", "config": {"bang_threshold": 81}})
            assert "success" == results.hear()["status"]
            redis.send({"type": "config_update", "config": {"bang_threshold": 82}})
            assert "success" == results.hear()["status"]
            control = {"type": "control", "strategy": "general_parameters", "params": {"bang_threshold": 83}}
            assert "success" == client.ask(control)["status"]
        assert 83 == redis.state("BTC")["config"]["settings"]["state_threshold_bang"]
        assert "Lost the connection to Redis" not in server.log
