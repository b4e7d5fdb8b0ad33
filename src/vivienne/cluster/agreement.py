"""Agents that were started with other settings than the rest. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.cluster.shards import Shard
from vivienne.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from vivienne.cluster.heartbeats import Heartbeat
    from vivienne.slices import Pieces

MOST_TOLD = 10
"""Agents that are named at most."""
_MOST_OTHERS = 16
"""Agents that publish nothing and are looked at."""


class Agreement:
    """Compares what agents were started with.

    Args:
        assets: of this process.
    """

    def __init__(self, assets: Sequence[str]) -> None:
        self._assets = assets
        self._count = 0
        self._shares: dict[int, set[str]] = {}
        """By number the share of each of `_count` agents: it takes long, and is the same as long as that is."""

    def disagreements(self, agents: Iterable[Heartbeat], publishing: Collection[str] = ()) -> Pieces[dict[str, str]]:
        """By agent, what it was started with and others were not.

        Args:
            agents: the last heartbeats of those that are alive.
            publishing: names of those that publish states. The first of them is what all agents are compared with. Of
                the others `_MOST_OTHERS` are looked at, because any program with access to the channel can invent
                agents.
        """
        found: dict[str, str] = {}
        known = sorted(agents, key=lambda each: (each["agent"] not in publishing, each["agent"]))
        for beat in known[: len(publishing) + _MOST_OTHERS]:
            if len(found) == MOST_TOLD:
                break
            # Only those that count as others do are asked for their share.
            if reasons := _settings(beat, known[0]) or (yield from self._compare(beat)):
                found[f"{beat['shard']} ({beat['agent']})"] = "; ".join(reasons)
            yield
        return found

    def _compare(self, beat: Heartbeat) -> Pieces[list[str]]:
        try:
            shard = Shard.read(beat["shard"])
        except SettingsError:
            return [f"its shard {beat['shard']!r} is not valid"]
        expected = yield from self._share(shard)
        if set(beat["assets"]) == expected:
            return []
        would = [asset for asset in self._assets if asset in expected]
        decides, should = (", ".join(each) or "nothing" for each in (beat["assets"], would))
        return [
            f"it decides {decides}, and with the assets of this process it would be {should}: start all with the same"
        ]

    def _share(self, shard: Shard) -> Pieces[set[str]]:
        if self._count != shard.count:
            shares: dict[int, set[str]] = {number: set() for number in range(1, shard.count + 1)}
            for asset in self._assets:
                shares[shard.owner(asset)].add(asset)
                yield
            self._count, self._shares = shard.count, shares
        return self._shares[shard.number]


def _settings(beat: Heartbeat, first: Heartbeat) -> list[str]:
    found = []
    for name, flag in (("timeframe", "--timeframe"), ("feed", "--feed")):
        own, other = str(beat.get(name)), str(first.get(name))
        if own != other:
            found.append(
                f"its {name} is {own}, that of the agent {first['shard']} is {other}: start all with one {flag}"
            )
    own_settings, others = beat.get("settings", {}), first.get("settings", {})
    found += [
        f"it has {flag} {_short(own_settings[flag])}, and the agent {first['shard']} {_short(others[flag])}: start all "
        "with the same"
        for flag in sorted(own_settings.keys() & others.keys())
        if own_settings[flag] != others[flag]
    ]
    count, other_count = beat["shard"].rpartition("/")[2], first["shard"].rpartition("/")[2]
    if count != other_count:
        found.append(f"it is one of {count} agents, and the agent {first['shard']} one of {other_count}")
    return found


def _short(value: str) -> str:
    return repr(value[:50]) if value else "not set"
