"""The Redis reference tells the truth: its commands are run, and what is heard is compared with its examples."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter
from redis import Redis
from redis.exceptions import NoPermissionError

from comparing import differences
from redis_running import (
    ANSWER_SECONDS,
    CONFIG,
    CONTROL,
    RESULTS,
    STATE,
    STREAM,
    USER,
    USER_PASSWORD,
    Listener,
    RunningRedis,
    wait_for_redis,
)
from running import RunningServer
from vivienne.redis.market import RESULTS as MARKET_RESULTS
from vivienne.redis.market import STREAM as MARKET
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
    heard_by, error_heard_by, number, groups, pushed, state, *users = printed
    assert ("1", "1") == (heard_by, error_heard_by)
    assert re.fullmatch(r"\d+-0", number)
    assert re.fullmatch(r"\d+-0", pushed)
    assert "vivienne" in groups.split("\n")
    assert "asset_data" == json.loads(state)["type"]
    assert ["OK"] * 5 == users


def test_the_user_in_the_reference_may_do_nothing_else(redis: RunningRedis) -> None:
    """That it may do enough is what every test with a Redis shows, because all of them use it."""
    user: Any = Redis(port=redis.port, username=USER, password=USER_PASSWORD, socket_timeout=ANSWER_SECONDS)
    assert user.ping()
    for command in (
        "CLIENT PAUSE 100", "CLIENT KILL TYPE normal", "CLIENT LIST", "CONFIG GET *", "FLUSHALL", "FLUSHDB", "KEYS *",
        "SHUTDOWN", "MONITOR", "ACL LIST", "PUBSUB CHANNELS", "PUBLISH other x", "SET other x", "PSUBSCRIBE *",
        "XADD vivienne:control:stream * message x", "XGROUP DESTROY vivienne:control:stream vivienne", "SCRIPT FLUSH",
    ):  # fmt: skip
        with pytest.raises(NoPermissionError):
            user.execute_command(*command.split())


def test_the_other_users_in_the_reference_run_no_scripts(redis: RunningRedis) -> None:
    """One without end would stop Redis for everybody."""
    made = [content for role, _, content in _EXAMPLE.findall(REFERENCE) if role == "run" and "ACL SETUSER" in content]
    logins = dict(re.findall(r"ACL SETUSER (\w+) reset on '>([^']+)'", "".join(made)))
    assert {USER, "tuner", "feeder", "reader", "bot"} == logins.keys()
    for command in made:
        assert "OK" == run(command, redis)
    for name in logins.keys() - {USER}:
        user: Any = Redis(port=redis.port, username=name, password=logins[name], socket_timeout=ANSWER_SECONDS)
        assert user.ping()
        for script in ("EVAL return 0", "EVAL_RO return 0", "EVALSHA x 0", "SCRIPT LOAD return", "FCALL x 0"):
            with pytest.raises(NoPermissionError):
                user.execute_command(*script.split())


def test_one_who_may_send_messages_hears_results_and_cannot_forge_them(redis: RunningRedis) -> None:
    command = next(content for role, _, content in _EXAMPLE.findall(REFERENCE) if role == "run" and "tuner" in content)
    assert "OK" == run(command, redis)
    tuner: Any = Redis(port=redis.port, username="tuner", password="another-password", socket_timeout=ANSWER_SECONDS)  # noqa: S106
    with Listener(tuner, (RESULTS,), pattern=False) as results:
        redis.client.publish(RESULTS, '{"a": 1}')
        assert {"a": 1} == results.hear()
        assert 0 == tuner.publish(CONTROL, "{}")
        assert tuner.xadd(STREAM, {"message": "{}"})
        for channel in (RESULTS, "vivienne:agents", STATE + "BTC", CONFIG):
            with pytest.raises(NoPermissionError):
                tuner.publish(channel, "{}")
        with pytest.raises(NoPermissionError):
            tuner.xreadgroup("vivienne", "me", {STREAM: ">"})


def test_one_who_may_push_market_data_changes_nothing_else(redis: RunningRedis) -> None:
    command = next(content for role, _, content in _EXAMPLE.findall(REFERENCE) if role == "run" and "feeder" in content)
    assert "OK" == run(command, redis)
    feeder: Any = Redis(port=redis.port, username="feeder", password="a-fourth-password", socket_timeout=ANSWER_SECONDS)  # noqa: S106
    with Listener(feeder, (MARKET_RESULTS,), pattern=False) as results:
        redis.client.publish(MARKET_RESULTS, '{"a": 1}')
        assert {"a": 1} == results.hear()
    assert feeder.xadd(MARKET, {"message": "{}"})
    for command in (
        f"XADD {STREAM} * message x", f"PUBLISH {CONTROL} x", f"PUBLISH {MARKET_RESULTS} x", f"XRANGE {MARKET} - +",
        f"DEL {MARKET}", f"XACK {MARKET} vivienne 1-0", f"GET {STATE}BTC",
    ):  # fmt: skip
        with pytest.raises(NoPermissionError):
            feeder.execute_command(*command.split())


def test_one_who_may_only_follow_publishes_and_changes_nothing(redis: RunningRedis) -> None:
    command = next(content for role, _, content in _EXAMPLE.findall(REFERENCE) if role == "run" and "reader" in content)
    assert "OK" == run(command, redis)
    reader: Any = Redis(port=redis.port, username="reader", password="a-third-password", socket_timeout=ANSWER_SECONDS)  # noqa: S106
    with Listener(reader, (STATE + "*",)) as states, Listener(reader, (CONFIG,), pattern=False) as changes:
        redis.client.publish(STATE + "BTC", '{"a": 1}')
        redis.client.publish(CONFIG, '{"b": 2}')
        assert ({"a": 1}, {"b": 2}) == (states.hear(), changes.hear())
        assert reader.get(STATE + "BTC") is None
    for command in ("SET vivienne:state:BTC x", f"PUBLISH {CONFIG} x", "SUBSCRIBE vivienne:control", "GET vivienne:x"):
        with pytest.raises(NoPermissionError):
            reader.execute_command(*command.split())
