"""What all parts of the benchmark need: the programs, the candidates and the sizes."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from websockets.sync.client import connect

from fanout.candidates import REFERENCE, Bare, Candidate, Vivienne
from fanout.compiled import Compiled, compile_all
from fanout.crowd import Crowd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fanout.candidates import Running


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        rounds: in which each candidate has its turn.
        clients: that are connected.
        idle: clients whose memory is measured.
        seconds: of a turn in which deliveries are counted.
        changes: made in a turn.
    """

    rounds: int
    clients: int
    idle: int
    seconds: float
    changes: int


@dataclass(frozen=True)
class Scene:
    """Everything is ready.

    Attributes:
        compiled: the programs in C.
        payload: a file with a real state.
        reference: the server in C.
        programs: the program of today, and that of another checkout.
        sizes: how much is measured.
    """

    compiled: Compiled
    payload: Path
    reference: Bare
    programs: list[Vivienne]
    sizes: Sizes

    @property
    def candidates(self) -> list[Candidate]:
        """The reference and the programs."""
        return [self.reference, *self.programs]

    def crowd(self, candidate: Candidate, running: Running, clients: int, subscription: str = "") -> Crowd:
        """Clients of a candidate that runs."""
        return Crowd(
            self.compiled.client, running.port, clients, subscription=subscription, waits=candidate.sends_first
        )


@contextmanager
def set_up(folder: Path, sizes: Sizes, programs: list[Vivienne]) -> Iterator[Scene]:
    """Compile, and fetch a state.

    Args:
        folder: for files.
        sizes: how much is measured.
        programs: the program of today, and that of another checkout.
    """
    compiled, payload = compile_all(folder), folder / "state.json"
    with programs[0].saturated(("BTC",)) as running, connect(f"ws://127.0.0.1:{running.port}/ws/state") as client:
        payload.write_text(str(client.recv()))
    yield Scene(compiled, payload, Bare(REFERENCE, (str(compiled.reference),), payload), programs, sizes)
