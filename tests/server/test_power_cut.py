"""kill -9 at any moment: what was acknowledged is there afterwards."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
from websockets.exceptions import ConnectionClosed

from running import RunningServer

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 20
MOST_CHANGES = 5_000


@dataclass
class Sender:
    """Changes one value, over and over, and keeps what was acknowledged.

    Attributes:
        sent: every value that was sent, in order; each is sent once.
        acknowledged: version, config_id and value, in order.
    """

    sent: list[float] = field(default_factory=list)
    acknowledged: list[tuple[int, str, float]] = field(default_factory=list)

    def over_rest(self, server: RunningServer) -> None:
        try:
            for _ in range(MOST_CHANGES):
                answer = server.post("partial-update", self._next()).json()
                self._keep(answer)
        except httpx.TransportError:
            return

    def over_websocket(self, server: RunningServer) -> None:
        try:
            with server.client() as client:
                client.ask({"type": "subscribe", "assets": ["BTC"]})
                for _ in range(MOST_CHANGES):
                    self._keep(client.ask({"type": "config_update", "config": self._next()}))
        except (ConnectionClosed, OSError):
            return

    def _next(self) -> dict[str, float]:
        value = (len(self.sent) + 1) / 1000
        self.sent.append(value)
        return {"position_size_bang": value}

    def _keep(self, answer: dict[str, Any]) -> None:
        assert answer["status"] == "success"
        self.acknowledged.append((answer["version"], answer["config_id"], self.sent[-1]))


def check(server: RunningServer, sender: Sender) -> None:
    history = server.history()
    versions = [item["version"] for item in history]
    assert versions == list(range(len(history), 0, -1))
    stored = {item["version"]: item for item in history}
    for version, config_id, value in sender.acknowledged:
        assert stored[version]["config_id"] == config_id
        assert stored[version]["config"]["settings"]["position_size_bang"] == value
    active = server.active()
    value = active["config"]["settings"]["position_size_bang"]
    if sender.acknowledged:
        # The last acknowledged one, or the one that was on its way.
        assert value in sender.sent[sender.sent.index(sender.acknowledged[-1][2]) :]
        assert active["version"] in {sender.acknowledged[-1][0], versions[0]}
    assert active["version"] == versions[0]
    assert active["config_id"] == history[0]["config_id"]
    assert value == history[0]["config"]["settings"]["position_size_bang"]


def test_no_acknowledged_change_is_lost_over_twenty_kills(tmp_path: Path) -> None:
    moments = random.Random(20)  # noqa: S311  # spreads moments, guards no secret
    sender = Sender()
    with RunningServer("--assets", "BTC", "--timeframe", "1m", "--window", "600", db=tmp_path / "v.db") as server:
        for kill in range(KILLS):
            before = len(sender.acknowledged)
            work = sender.over_rest if kill % 2 else sender.over_websocket
            sending = threading.Thread(target=work, args=(server,), daemon=True)
            sending.start()
            deadline = time.monotonic() + 10
            while len(sender.acknowledged) < before + 3 and time.monotonic() < deadline:
                time.sleep(0.001)
            time.sleep(moments.uniform(0, 0.1))
            server.kill()
            sending.join(timeout=15)
            assert not sending.is_alive()
            assert len(sender.acknowledged) >= before + 3

            server.start()
            check(server, sender)
