"""Shares of the assets among agents.

Rendezvous hashing (D. G. Thaler and C. V. Ravishankar, "Using name-based mappings to increase hit rates", 1998): every
agent scores every asset by a hash of both names, and the highest score has it. Each knows the whole without asking
anybody, and when the number of agents moves from n to n + 1, about one asset in n + 1 moves, always to the new one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Self

from vivienne.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_AGENTS = 256
"""Agents that may share the assets: who decides an asset is asked of each."""
_SHARD = re.compile(r"([0-9]{1,4})/([0-9]{1,4})")


@dataclass(frozen=True, slots=True)
class Shard:
    """One agent of several.

    Attributes:
        number: from 1.
        count: of all agents.
    """

    number: int
    count: int

    @classmethod
    def read(cls, text: str) -> Self:
        """From ``1/2``: the first of two.

        Raises:
            SettingsError: it is not valid.
        """
        found = _SHARD.fullmatch(text)
        shard = cls(int(found[1]), int(found[2])) if found else None
        if shard is None or not 1 <= shard.number <= shard.count:
            raise SettingsError(f"--shard must be one of several, as in 1/2 for the first of two, not {text!r}")
        if shard.count > MOST_AGENTS:
            raise SettingsError(f"--shard: at most {MOST_AGENTS} agents share the assets, not {shard.count}")
        return shard

    def after(self, asset: str | None) -> int:
        """How many agents come before this one in what one of them does about an asset, or about all of them for None.

        The first is that which decides the asset.
        """
        return (self.number - (1 if asset is None else self.owner(asset))) % self.count

    def share(self, assets: Iterable[str]) -> tuple[str, ...]:
        """The assets this agent decides, in the order given."""
        return tuple(asset for asset in assets if self.owner(asset) == self.number)

    def owner(self, asset: str) -> int:
        """The number of the agent that decides an asset."""
        return max(range(1, self.count + 1), key=lambda number: (_score(asset, number), number))

    def __str__(self) -> str:
        """As it is given."""
        return f"{self.number}/{self.count}"


def _score(asset: str, number: int) -> int:
    return int.from_bytes(blake2b(f"{asset}/{number}".encode(), digest_size=8).digest())
