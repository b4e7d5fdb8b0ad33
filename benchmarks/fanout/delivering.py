"""Deliveries a second to many clients, from servers that send all the time."""

from __future__ import annotations

import json
import statistics
import time
from contextlib import ExitStack
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from websockets.sync.client import connect

from fanout.candidates import REFERENCE, libraries
from fanout.rows import Row
from turns import in_turns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fanout.candidates import Candidate, Running, Vivienne
    from fanout.crowd import Counted, Crowd
    from fanout.scene import Scene

ONE, SEVERAL = ("BTC",), ("BTC", "ETH", "SOL", "XRP", "ADA")
_BEGIN_SECONDS, _END_SECONDS = 0.2, 0.1
"""Until a server that was told to begin or to end does so at full speed, or not at all."""
PATCHES = json.dumps({"type": "subscribe", "assets": ["*"], "updates": "changes"})
_LEAST_ONE, _LEAST_SEVERAL, _MOST_BYTES = 0.75, 1.5, 400.0


def measure_one(scene: Scene, *, with_libraries: bool = True) -> Iterator[Row]:
    """States of one asset, one after the other."""
    candidates = [*scene.candidates, *(libraries(scene.payload) if with_libraries else [])]
    yield _deliveries("states of one asset", scene, _Told(scene, candidates, ONE), _LEAST_ONE)


def measure_several(scene: Scene) -> Iterator[Row]:
    """States of several assets at once; the reference sends one after the other."""
    name = f"states of {len(SEVERAL)} assets at once"
    yield _deliveries(name, scene, _Told(scene, scene.candidates, SEVERAL), _LEAST_SEVERAL)


def measure_patches(scene: Scene) -> Iterator[Row]:
    """The same to clients that take changes of states, by the programs that have them; a reference sends a change."""
    changes = {each: change for each in scene.programs if (change := _change_of(each)) is not None}
    if not changes:
        return
    sent = scene.payload.with_name("change.json")
    sent.write_text(next(iter(changes.values())))
    small = replace(scene.reference, name=f"{REFERENCE}, a change", payload=sent)
    candidates: list[Candidate] = [scene.reference, small, *changes]
    told = _Told(scene, candidates, ONE, {each.name: PATCHES for each in candidates})
    yield _deliveries("changed states of one asset", scene, told, _LEAST_ONE)


def measure_sizes(scene: Scene) -> Iterator[Row]:
    """Bytes of a moved price to clients that ask for changes: a program that does not know them sends whole states."""
    knowing = {each.name: PATCHES for each in scene.programs if _change_of(each) is not None}
    told = _Told(scene, scene.programs, ONE, knowing)
    sizes = {name: [each.size for each in turns] for name, turns in told.counted.items()}
    besides = {each.name: "a whole state" for each in scene.programs if each.name not in knowing}
    yield Row("size of a changed state", "bytes", sizes, most=_MOST_BYTES, besides=besides)


class _Told:
    """What clients of each candidate were told, turn by turn.

    Args:
        scene: with the sizes.
        candidates: that are measured.
        assets: whose prices move.
        subscriptions: what clients send first, by candidate; nothing where there is none.

    Attributes:
        counted: by candidate, what came in each turn.
        used: processor time of the server in it.
    """

    def __init__(
        self,
        scene: Scene,
        candidates: Sequence[Candidate],
        assets: tuple[str, ...],
        subscriptions: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.counted: dict[str, list[Counted]] = {each.name: [] for each in candidates}
        self.used: dict[str, list[float]] = {each.name: [] for each in candidates}
        with ExitStack() as opened:
            running: dict[str, tuple[Running, Crowd]] = {}
            for each in candidates:
                server = opened.enter_context(each.saturated(assets))
                crowd = scene.crowd(each, server, scene.sizes.clients, subscriptions.get(each.name, ""))
                running[each.name] = server, opened.enter_context(crowd)
            for name in in_turns(list(running), scene.sizes.rounds):
                self._turn(name, *running[name], scene.sizes.seconds)

    def _turn(self, name: str, server: Running, crowd: Crowd, seconds: float) -> None:
        server.begin()
        time.sleep(_BEGIN_SECONDS)
        used = server.processor_seconds()
        self.counted[name].append(crowd.count(seconds))
        self.used[name].append(server.processor_seconds() - used)
        server.end()
        time.sleep(_END_SECONDS)


def _deliveries(what: str, scene: Scene, told: _Told, least: float) -> Row:
    rates, by_clock = dict[str, list[float]](), dict[str, str]()
    for name, turns in told.counted.items():
        rates[name] = [each.deliveries / used for each, used in zip(turns, told.used[name], strict=True)]
        clock = statistics.median(each.deliveries / each.seconds for each in turns)
        by_clock[name] = f"{clock:,.0f} by the clock"
    return Row(f"{what} to {scene.sizes.clients:,} clients", "/s", rates, least=least, besides=by_clock)


def _change_of(program: Vivienne) -> str | None:
    """A message in which a price has changed; None if a program does not know clients that take changes."""
    with program.saturated(ONE) as running, connect(f"ws://127.0.0.1:{running.port}/ws/state") as client:
        client.send(PATCHES)
        while (kind := json.loads(client.recv())["type"]) != "subscribe_response":
            if kind == "error":
                return None
        running.begin()
        while json.loads(text := str(client.recv()))["type"] != "asset_changed":
            pass
        return text
