"""examples/executor.py: what it does with states and alerts, and that it connects again."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from websockets.sync.server import ServerConnection
from websockets.sync.server import serve as serve_sockets

import executor as example
from executor import CLOCKS_APART, HOLD_SECONDS, SILENT_SECONDS, Executor, follow_stream
from paper import Account
from signed_alerts import FLAT, LONG, NOW, SHORT, Named, event_of, later, named, pause_of, state

if TYPE_CHECKING:
    from pathlib import Path


class Trading:
    """An executor with a clock of its own."""

    def __init__(self, *, simulated: bool = False, saved: Path | None = None) -> None:
        self.seconds = NOW.timestamp()
        self.told: list[str] = []
        self.executor = Executor(Account(10_000.0), simulated, self.told.append, lambda: self.seconds, saved)

    @property
    def orders(self) -> list[str]:
        return [line.split(" (")[0] for line in self.told if line.startswith("PAPER")]

    @property
    def target(self) -> float:
        return self.executor.account.targets.get("BTC", 0.0)


@pytest.fixture
def rule() -> Named:
    return named("executor")


def test_a_position_follows_the_targets_of_states_and_drift_is_left_alone() -> None:
    trading = Trading()
    for side, size, price in (
        ("long", 20.0, 100.0), ("long", 20.0, 110.0), ("long", 10.0, 110.0), ("short", 5.0, 100.0), ("none", 0.0, 90.0),
    ):  # fmt: skip
        trading.executor.state(state("live", side, size, price))
    assert [line.split()[:2] for line in trading.orders] == [
        ["PAPER", "buy"], ["PAPER", "sell"], ["PAPER", "sell"], ["PAPER", "buy"],
    ]  # fmt: skip
    account = trading.executor.account
    assert account.amounts == {"BTC": 0.0}
    assert account.equity == pytest.approx(account.cash)
    # 20 bought at 100, 10.88 sold at 110, 14.11 sold at 100, 5 bought back at 90; each for 0.1 %.
    assert account.equity == pytest.approx(10_149, abs=30)


def test_a_pause_closes_the_position_at_once_and_a_resumption_opens_it() -> None:
    trading = Trading()
    for status, size in (("live", 20.0), ("paused", 0.0), ("live", 20.0)):
        trading.executor.state(state(status, "long" if size else "none", size, 100.0))
    assert len(trading.orders) == 3
    assert trading.target == 20.0


@pytest.mark.parametrize("status", ["paused", "stale"])
def test_a_position_is_closed_at_the_last_known_price_where_the_state_has_none(status: str) -> None:
    """As after a restart of Vivienne without its data."""
    trading = Trading()
    trading.executor.state(state("live", "long", 20.0, 100.0))
    for seconds in (0.0, HOLD_SECONDS):
        trading.seconds += seconds
        trading.executor.state(state(status, "none", 0.0, None, status_reason="no data"))
    assert trading.target == 0.0


def test_a_position_is_held_for_a_minute_while_nothing_reliable_is_known() -> None:
    trading = Trading()
    trading.executor.state(state("live", "long", 20.0, 100.0))
    trading.executor.state(state("stale", "none", 0.0, 100.0, status_reason="no data for 61 s"))
    trading.seconds += HOLD_SECONDS - 1
    trading.executor.state(state("warming_up", "none", 0.0, 100.0))
    assert trading.target == 20.0
    trading.seconds += 1
    trading.executor.state(state("stale", "none", 0.0, 100.0, status_reason="no data for 121 s"))
    assert trading.target == 0.0
    trading.executor.state(state("live", "long", 20.0, 100.0))
    trading.executor.state(state("stale", "none", 0.0, 100.0))
    assert trading.target == 20.0


def test_a_position_is_closed_when_nothing_was_heard_for_a_minute() -> None:
    """It was held for ever after the server had ended."""
    trading = Trading()
    trading.executor.state(state("live", "long", 20.0, 100.0))
    trading.executor.silent()
    trading.seconds += HOLD_SECONDS - 1
    trading.executor.silent()
    assert trading.target == 20.0
    trading.seconds += 1
    trading.executor.silent()
    assert trading.target == 0.0
    trading.executor.state(state("live", "long", 20.0, 100.0))
    trading.executor.silent()
    assert trading.target == 20.0


def test_a_position_is_closed_when_nothing_more_comes_of_its_asset_though_others_go_on() -> None:
    """As after a restart of the server without it."""
    trading = Trading()
    for asset, status in (("BTC", "live"), ("SOL", "live"), ("SOL", "ended")):
        trading.executor.state({**state(status, "long", 20.0, 100.0), "asset": asset})
    for _ in range(int((SILENT_SECONDS + HOLD_SECONDS) / 10) - 1):
        trading.seconds += 10
        trading.executor.state({**state("live", "long", 20.0, 100.0), "asset": "ETH"})
    assert trading.target == 20.0
    trading.seconds += 10
    trading.executor.state({**state("live", "long", 20.0, 100.0), "asset": "ETH"})
    assert trading.executor.account.targets == {"BTC": 0.0, "SOL": 20.0, "ETH": 20.0}


def test_nothing_is_done_before_there_is_a_price_and_after_a_replay_has_ended() -> None:
    trading = Trading(simulated=True)
    trading.executor.state(state("live", "long", 20.0, None))
    trading.executor.state(state("ended", "long", 20.0, 100.0, feed="replay"))
    assert trading.told == []


@pytest.mark.parametrize("feed", ["simulated", "replay"])
def test_a_market_that_is_not_real_is_refused_unless_it_is_told(feed: str) -> None:
    for simulated in (False, True):
        trading = Trading(simulated=simulated)
        for _ in range(2):
            trading.executor.state(state("live", "long", 20.0, 100.0, feed=feed))
        assert len(trading.told) == 1
        assert len(trading.orders) == simulated


def test_alerts_are_targets_so_one_that_comes_twice_or_was_lost_does_no_harm(rule: Named) -> None:
    entry, turn = event_of(rule, FLAT, LONG), event_of(rule, LONG, SHORT, later(1))
    trading, without = Trading(), Trading()
    for event in (entry, entry, turn):
        trading.executor.alert(event)
    without.executor.alert(turn)
    assert len(trading.orders) == 2
    assert trading.target == without.target == -10.0


def test_an_alert_that_is_late_moves_nothing(rule: Named) -> None:
    entry, turn = event_of(rule, FLAT, LONG), event_of(rule, LONG, SHORT, later(1))
    trading = Trading()
    trading.executor.alert(turn)
    trading.executor.alert(entry)
    trading.seconds += 3_600
    trading.executor.alert(event_of(rule, SHORT, FLAT, later(2)))
    assert trading.target == -10.0
    assert [line.split(":")[0] for line in trading.told[1:]] == [
        "Older than what was acted on", "Expired, not acted on",
    ]  # fmt: skip


def test_an_alert_of_a_pause_closes_the_position_and_others_without_a_target_do_nothing(rule: Named) -> None:
    trading = Trading()
    trading.executor.alert(event_of(rule, FLAT, LONG))
    trading.executor.alert(pause_of(rule, "resumed", LONG))
    assert trading.target == 20.0
    everything: Any = {**pause_of(rule, "paused", LONG, later(1)), "asset": None, "price": None}
    trading.executor.alert(everything)
    assert trading.target == 0.0


def test_a_pause_counts_though_the_clock_that_it_has_is_behind(rule: Named) -> None:
    """Agents may have different clocks. One that is older by its version does not count."""
    trading = Trading()
    trading.executor.alert({**event_of(rule, FLAT, LONG, later(5)), "config_version": 7})
    trading.executor.alert({**pause_of(rule, "paused", LONG), "config_version": 6})
    assert trading.target == 20.0
    trading.executor.alert({**pause_of(rule, "paused", LONG), "config_version": 8})
    assert trading.target == 0.0


def test_what_was_decided_before_a_pause_opens_nothing_after_it(rule: Named) -> None:
    """A message of another agent that is retried, of an asset that was never held, with a clock that is ahead."""
    trading = Trading()
    everything: Any = {**pause_of(rule, "paused", FLAT), "asset": None, "price": None, "config_version": 8}
    trading.executor.alert(everything)
    trading.executor.alert({**event_of(rule, FLAT, LONG, later(-1)), "config_version": 7})
    trading.executor.alert({**event_of(rule, FLAT, LONG, later(1)), "config_version": 7})
    trading.executor.alert({**event_of(rule, FLAT, LONG, later(-1)), "config_version": 8})
    assert trading.orders == []
    trading.executor.alert({**event_of(rule, FLAT, LONG, later(-0.5)), "config_version": 9})
    assert trading.target == 20.0, "it was decided after the resumption, by the clock of another agent"
    trading.executor.alert({**everything, "time": event_of(rule, FLAT, LONG, later(-1))["time"]})
    assert trading.target == 20.0, "the pause had been ended before"
    trading.executor.alert({**everything, "time": event_of(rule, FLAT, LONG, later(1))["time"], "config_version": 4})
    assert trading.target == 0.0, "another store, whose versions are lower"


def test_with_another_store_whose_versions_begin_anew_alerts_count_again_after_a_minute(rule: Named) -> None:
    trading = Trading()
    trading.executor.alert({**pause_of(rule, "paused", FLAT), "config_version": 80})
    trading.executor.alert({**event_of(rule, FLAT, LONG, later(CLOCKS_APART)), "config_version": 7})
    assert trading.target == 20.0


def test_what_was_decided_before_a_pause_opens_nothing_after_a_restart_either(rule: Named, tmp_path: Path) -> None:
    saved = tmp_path / "account.json"
    trading = Trading(saved=saved)
    trading.executor.alert({**event_of(rule, FLAT, LONG, later(-9)), "config_version": 7})
    trading.executor.alert({**pause_of(rule, "paused", LONG), "asset": None, "config_version": 8})
    again = Trading(saved=saved)
    again.executor.account = Account.load(saved)
    again.executor.alert({**event_of(rule, FLAT, LONG, later(1)), "config_version": 7})
    assert again.target == 0.0


def test_an_alert_of_a_simulation_is_refused_unless_it_is_told(rule: Named) -> None:
    trading = Trading()
    trading.executor.alert(event_of(rule, FLAT, LONG, market="simulated"))
    assert trading.orders == []
    assert "--simulated" in trading.told[0]


def test_the_account_is_kept_from_one_start_to_the_next(tmp_path: Path) -> None:
    trading = Trading(saved=tmp_path / "account.json")
    trading.executor.state(state("live", "long", 20.0, 100.0))
    trading.executor.alert(event_of(named("executor"), FLAT, LONG))
    assert Account.load(tmp_path / "account.json") == trading.executor.account
    (tmp_path / "account.json").write_text('{"balance": 1}')
    with pytest.raises(ValueError, match="has no account"):
        Account.load(tmp_path / "account.json")


def test_it_connects_again_after_a_break_and_goes_on_from_the_present_target(monkeypatch: pytest.MonkeyPatch) -> None:
    trading = Trading()
    subscribed: list[Any] = []
    sizes = iter((20.0, 10.0))
    done = threading.Event()

    def serve(connection: ServerConnection) -> None:
        subscribed.append(json.loads(connection.recv()))
        size = next(sizes, None)
        if size is None:
            done.set()
        else:
            connection.send(json.dumps(state("live", "long", size, 100.0)))

    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if done.is_set():
            raise SystemExit

    monkeypatch.setattr(example, "time", SimpleNamespace(sleep=sleep))
    with serve_sockets(serve, "127.0.0.1", 0) as server:
        port = server.socket.getsockname()[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(SystemExit):
            follow_stream(trading.executor, f"ws://127.0.0.1:{port}", ["BTC"], None)
        server.shutdown()
    assert subscribed[:2] == [{"type": "subscribe", "assets": ["BTC"]}] * 2
    assert trading.target == 10.0
    assert all(0.25 <= wait <= 0.5 for wait in waits[:2])  # the attempt before had success
