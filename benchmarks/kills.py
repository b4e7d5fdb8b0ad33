"""The agent killed (SIGKILL) fifty times while changes come in by the control stream: is each made exactly once?"""

from __future__ import annotations

import json
import random
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measuring import Figure, Serving, serving, spread
from redis_running import RunningRedis

if TYPE_CHECKING:
    from collections.abc import Callable

_KILLS = 50
_STREAM = "vivienne:control:stream"
_PAUSE_SECONDS = 0.05
_WAIT_SECONDS = 300.0
_FLAGS = ("--assets", "BTC", "--timeframe", "1m", "--window", "1500")
_HISTORY = "/phoenix/config/vivienne/comprehensive/history"


def measure() -> list[Figure]:
    """Count what was lost and what was made twice; measure how soon it goes on."""
    moments = random.Random(5)  # noqa: S311  # spreads moments, guards no secret
    pauses: list[float] = []
    with RunningRedis() as redis, tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        flags = (*_FLAGS, "--redis", redis.url, "--db", f"{folder}/kills.db")
        adding = _Adding(redis)
        killed = time.monotonic()
        for kill in range(_KILLS + 1):
            with serving(*flags) as running:
                first = _newest(running)
                _wait(lambda: _newest(running) > first)  # noqa: B023  # called in this round only
                pauses.append(time.monotonic() - killed)
                if kill == _KILLS:
                    adding.stop()
                    _wait(lambda: not _unfinished(redis))
                    made = _made(running)
                    break
                time.sleep(moments.uniform(0, 0.3))
                running.process.kill()
                running.process.wait()
                killed = time.monotonic()
    twice = [value for value, count in Counter(made).items() if count > 1]
    lost = set(adding.added) - set(made)
    return [
        Figure(
            f"changes by the stream over {_KILLS} kills",
            f"{len(adding.added):,} sent, {len(lost)} lost, {len(twice)} twice",
            "0 and 0",
            not lost and not twice,
        ),
        Figure(
            "in the order in which they were sent", "yes" if made == adding.added else "no", "yes", made == adding.added
        ),
        Figure("kill to the first change by the next process", spread(pauses[1:], "s")),
    ]


class _Adding:
    """Adds entries from a thread of its own, each with a value of its own."""

    def __init__(self, redis: RunningRedis) -> None:
        self.added: list[float] = []
        self._redis = redis
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(timeout=_WAIT_SECONDS)

    def _run(self) -> None:
        while not self._stopped.wait(_PAUSE_SECONDS):
            value = (len(self.added) + 1) / 1000
            message = {"type": "config_update", "config": {"position_size_bang": value}}
            self._redis.client.xadd(_STREAM, {"message": json.dumps(message)})
            self.added.append(value)


def _page(running: Serving, query: str) -> dict[str, Any]:
    url = f"http://127.0.0.1:{running.port}{_HISTORY}?{query}"
    with urllib.request.urlopen(url, timeout=_WAIT_SECONDS) as answer:  # of this machine
        page: dict[str, Any] = json.load(answer)
        return page


def _newest(running: Serving) -> int:
    history: list[dict[str, Any]] = _page(running, "limit=1")["history"]
    return int(history[0]["version"]) if history else 0


def _made(running: Serving) -> list[float]:
    """The values of all changes, in order."""
    found: list[float] = []
    query = "limit=1000"
    while True:
        page = _page(running, query)
        found += [entry["config"]["settings"]["position_size_bang"] for entry in page["history"]]
        if page["next"] is None:
            return found[::-1]
        query = f"limit=1000&before={page['next']}"


def _unfinished(redis: RunningRedis) -> bool:
    group = redis.client.xinfo_groups(_STREAM)[0]
    return bool(group["pending"] or group["lag"])


def _wait(check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while not check():
        if time.monotonic() > deadline:
            raise RuntimeError("it does not go on")
        time.sleep(0.005)
