"""A small executor that trades on paper: it follows the targets of Vivienne, and prints the orders that it would place.

    python examples/executor.py --simulated              # follows the state stream
    python examples/executor.py --simulated --webhook    # receives alerts of a rule instead

What it does and why is in docs/execution.md. To trade, put your exchange in the place of `paper.Account`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import connect

from paper import EVERYTHING, Account
from receiver import Received, key_from, line_of, receive, say, secret_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

AGENT = "VivienneAgent"
SILENT_SECONDS = 30.0
"""Without a message for so long, a connection is dead, or an asset is gone: Vivienne repeats each state every 10 s."""
LONGEST_WAIT = 30.0
"""Seconds between two attempts to connect."""
HOLD_SECONDS = 60.0
"""So long a position is held while nothing reliable is known of its asset."""
CLOCKS_APART = 60.0
"""Seconds. So far the clocks of two agents may be apart."""
TARGET_EVENTS = ("level", "entry", "exit", "size", "side", "held", "confidence")
"""Alerts of closed bars: they have the target that the bar made. Others have that of the bar before them."""


@dataclass
class Executor:
    """Decides what to do with states and alerts.

    Attributes:
        account: places the orders.
        simulated: True to follow markets that are not real.
        tell: is called with each line for people.
        clock: seconds since the epoch.
        saved: file that the account is kept in; None for none.
    """

    account: Account
    simulated: bool = False
    tell: Callable[[str], None] = say
    clock: Callable[[], float] = time.time
    saved: Path | None = None
    _unknown_since: dict[str, float] = field(default_factory=dict)
    _heard: dict[str, float] = field(default_factory=dict)
    """By asset, when its last state came."""
    _said: set[str] = field(default_factory=set)

    def state(self, message: Mapping[str, Any]) -> None:
        """Follow a state of the stream.

        Every state has the whole target, so nothing is lost with states that were missed.
        """
        asset, data = message["asset"], message["agents"][AGENT]["data"]
        self._heard[asset] = self.clock()
        self._look_for_missing()
        if not self._may_trade(asset, data["feed"] in ("simulated", "replay")):
            return
        status, price = data["status"], data["price"] or self.account.prices.get(asset)
        if status == "live":
            self._unknown_since.pop(asset, None)
            self._follow(asset, signed(data["side"], data["position_size"]), price, data["clarity_level"])
        elif status == "paused":
            self._follow(asset, 0.0, price, "paused")
        elif status in ("stale", "warming_up"):
            since = self._unknown_since.setdefault(asset, self.clock())
            if self.clock() - since >= HOLD_SECONDS:
                self._follow(asset, 0.0, price, f"{status} for {HOLD_SECONDS:g} s: {data['status_reason']}")
        elif status == "ended":  # a replay is over, and nothing follows
            self._heard[asset] = math.inf

    def silent(self) -> None:
        """Note that nothing is heard of any asset: after a while no target is known any more."""
        self._hold(self.account.targets)

    def _look_for_missing(self) -> None:
        """Note that nothing is heard of some assets, though others go on: the server does not have them any more."""
        now = self.clock()
        missing = (each for each in self.account.targets if now - self._heard.setdefault(each, now) >= SILENT_SECONDS)
        self._hold(missing)

    def _hold(self, assets: Iterable[str]) -> None:
        for asset in list(assets):
            if self.clock() - self._unknown_since.setdefault(asset, self.clock()) >= HOLD_SECONDS:
                why = f"nothing heard for {HOLD_SECONDS:g} s"
                self._follow(asset, 0.0, self.account.prices.get(asset), why)

    def alert(self, event: Mapping[str, Any]) -> None:
        """Follow an alert of a rule.

        An alert may come late, twice, or after a newer one. None of this may move a position.
        """
        if self.clock() > seconds(event["expires_at"]):
            self.tell(f"Expired, not acted on: {line_of(event)}")
        elif event["type"] == "pause" and event["details"]["action"] == "paused":
            for asset in list(self.account.targets) if event["asset"] is None else [event["asset"]]:
                self._alert(event, asset, 0.0, event["price"] or self.account.prices.get(asset))
            self._note_pause(event)
        elif event["type"] in TARGET_EVENTS:
            target = signed(event["side"], event["position_size"])
            self._alert(event, event["asset"], target, event["price"])
        else:
            self.tell(f"Nothing to do: {line_of(event)}")

    def _alert(self, event: Mapping[str, Any], asset: str, target: float, price: float | None) -> None:
        if not self._may_trade(asset, event["market"] != "real"):
            return
        if self._is_overtaken(event, asset):
            self.tell(f"Older than what was acted on: {line_of(event)}")
            return
        self.account.acted_on[asset] = seconds(event["time"]), event["config_version"]
        self._follow(asset, target, price, f"{event['type']} {event['id']}")
        self._save()

    def _is_overtaken(self, event: Mapping[str, Any], asset: str) -> bool:
        account, never = self.account, (0.0, 0)
        # What was decided before a pause of all assets may concern one that was never held.
        known = (
            account.acted_on.get(asset, never),
            account.paused.get(asset, never),
            account.paused.get(EVERYTHING, never),
        )
        return any(is_older(event, *each) for each in known)

    def _note_pause(self, event: Mapping[str, Any]) -> None:
        """Note a pause also for assets that are not held: what was decided before it may still come."""
        asset, noted = event["asset"] or EVERYTHING, (seconds(event["time"]), event["config_version"])
        paused, version = self.account.paused.get(asset, (0.0, 0))
        if noted[1] > version or noted[0] > paused:
            self.account.paused[asset] = noted
        self._save()

    def _save(self) -> None:
        if self.saved is not None:
            self.account.save(self.saved)

    def _may_trade(self, asset: str, is_made_up: bool) -> bool:
        if not is_made_up or self.simulated:
            return True
        if asset not in self._said:
            self._said.add(asset)
            self.tell(f"{asset} is of a simulated or replayed market and is not traded; --simulated trades it")
        return False

    def _follow(self, asset: str, target: float, price: float | None, why: str) -> None:
        if not price:  # not known yet
            return
        before = self.account.targets.get(asset, 0.0)
        order = self.account.follow(asset, target, price)
        if order is not None:
            equity = f"{self.account.equity:,.2f}"
            self.tell(f"PAPER {order} ({named(before)} -> {named(target)}; {why}); equity {equity}")
            self._save()


def is_older(event: Mapping[str, Any], time_before: float, version_before: int) -> bool:
    """True if an alert was decided before something else, by their times and the versions of their configurations.

    Each may have the clock of another agent, so the version says more while the times are near each other. Versions
    begin anew with another store, so it does not say more for ever. A pause counts if either is later: one too many
    does no harm.
    """
    decided = seconds(event["time"])
    version: int = event["config_version"]
    if event["type"] == "pause":
        return version <= version_before and decided < time_before
    if version != version_before and abs(decided - time_before) < CLOCKS_APART:
        return version < version_before
    return decided < time_before


def signed(side: str, size: float) -> float:
    """A target as one number: percent of equity, negative if it is short."""
    return size if side == "long" else -size if side == "short" else 0.0


def named(target: float) -> str:
    """A target in words."""
    return "flat" if target == 0 else f"{'long' if target > 0 else 'short'} {abs(target):g} %"


def seconds(text: str) -> float:
    """A time of Vivienne as seconds since the epoch."""
    return datetime.fromisoformat(text).timestamp()


def messages(url: str, assets: list[str], token: str | None) -> Iterator[dict[str, Any]]:
    """The messages of a stream until it breaks off; all assets if none is named.

    Raises:
        OSError: it cannot be reached, or says nothing any more.
        WebSocketException: it breaks off, or refuses.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else None
    with connect(url, additional_headers=headers) as stream:
        if assets:
            stream.send(json.dumps({"type": "subscribe", "assets": assets}))
        while True:
            yield json.loads(stream.recv(timeout=SILENT_SECONDS))


def follow_stream(executor: Executor, url: str, assets: list[str], token: str | None) -> None:
    """Follow a stream for ever. After a break, the first states have the present targets, so nothing is made up for."""
    attempts = 0
    while True:
        try:
            for message in messages(url, assets, token):
                attempts = 0
                if message["type"] == "asset_data":
                    executor.state(message)
                elif message["type"] == "error":
                    executor.tell(f"Vivienne: {message['message']}")
        except (OSError, WebSocketException) as error:
            if isinstance(error, InvalidStatus) and error.response.status_code in (401, 403):
                raise SystemExit("Vivienne refuses the token; set VIVIENNE_TOKEN to one with the role viewer") from None
            # Twice as long each time, and not all at once.
            wait = min(LONGEST_WAIT, 0.5 * 2 ** min(attempts, 10)) * random.uniform(0.5, 1)  # noqa: S311  # no secret
            attempts += 1
            executor.tell(f"No stream ({str(error) or 'it broke off'}); next attempt in {wait:.1f} s")
            executor.silent()
            time.sleep(wait)


def parsed() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description="Follow the targets of Vivienne on paper.")
    parser.add_argument("--url", default="ws://localhost:8000/ws/state", help="the state stream")
    parser.add_argument("--assets", default="", help="such as BTC,ETH (default: all)")
    parser.add_argument("--equity", type=float, default=10_000, help="cash to begin with (default: 10000)")
    parser.add_argument("--account", type=Path, help="file that keeps the account from one start to the next")
    parser.add_argument("--simulated", action="store_true", help="trade simulated and replayed markets too")
    parser.add_argument("--webhook", action="store_true", help="receive alerts of a rule, not the stream")
    parser.add_argument("--port", type=int, default=9000, help="port for --webhook (default: 9000)")
    secret_options(parser)
    return parser.parse_args()


def main() -> None:
    """Trade on paper until Ctrl-C."""
    given = parsed()
    account = Account(cash=given.equity)
    if given.account is not None and given.account.exists():
        try:
            account = Account.load(given.account)
        except (OSError, ValueError) as error:
            raise SystemExit(f"--account {given.account}: {error}") from None
    executor = Executor(account, simulated=given.simulated, saved=given.account)
    try:
        if given.webhook:
            receive(given.port, Received(key_from(given.secret), executor.alert))
        else:
            assets = [each.strip().upper() for each in given.assets.split(",") if each.strip()]
            follow_stream(executor, given.url, assets, os.environ.get("VIVIENNE_TOKEN"))
    except KeyboardInterrupt:
        say(f"Ended; equity {account.equity:,.2f}")


if __name__ == "__main__":
    main()
