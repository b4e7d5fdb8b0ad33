"""Bytes that a dashboard with three assets receives in a day."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from fanout.rows import Row
from targets.counting_client import CountingClient, read_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanout.candidates import Vivienne

_ASSETS = ("BTC", "ETH", "SOL")
_SETTLE_SECONDS = 2.0
"""Until a client has the states that come once."""
_PARTS = 4
_DAY_SECONDS, _GIGABYTE = 86_400, 1e9


@dataclass(frozen=True)
class _Form:
    """What a client asks for.

    Attributes:
        most: gigabytes a day that are wanted.
    """

    name: str
    takes_changes: bool
    takes_compressed: bool
    most: float | None = None


_FORMS = (
    _Form("changes and compression", takes_changes=True, takes_compressed=True, most=0.4),
    _Form("changes", takes_changes=True, takes_compressed=False),
    _Form("compression", takes_changes=False, takes_compressed=True),
    _Form("neither", takes_changes=False, takes_compressed=False),
)


def measure_day(programs: list[Vivienne], seconds: float) -> Iterator[Row]:
    """A client of each form at each program, all at once: bytes do not depend on what else the machine does.

    Args:
        programs: to measure.
        seconds: over which bytes are counted, in four parts. The simulated market closes a bar every fifteen seconds,
            and a part should have as many of them as another one.
    """
    with ExitStack() as opened:
        servers = {each.name: opened.enter_context(each.moving(_ASSETS)) for each in programs}
        clients = {
            (name, form): opened.enter_context(
                CountingClient(server.port, takes_changes=form.takes_changes, takes_compressed=form.takes_compressed)
            )
            for name, server in servers.items()
            for form in _FORMS
        }
        read_for(_SETTLE_SECONDS, clients.values())
        counts = [[each.received for each in clients.values()]]
        for _ in range(_PARTS):
            read_for(seconds / _PARTS, clients.values())
            counts.append([each.received for each in clients.values()])
    counted = dict(zip(clients, zip(*counts, strict=True), strict=True))
    a_day = _DAY_SECONDS / seconds / _GIGABYTE
    for form in _FORMS:
        received = {name: counted[name, form] for name in servers}
        yield Row(
            f"dashboard, 3 assets, a day, with {form.name}",
            "GB",
            {
                name: [(end - begin) * _PARTS * a_day for begin, end in pairwise(each)]
                for name, each in received.items()
            },
            digits=2,
            most=form.most,
            whole={name: (each[-1] - each[0]) * a_day for name, each in received.items()},
            besides={name: text for name in servers if (text := _refused(form, clients[name, form]))},
        )


def _refused(form: _Form, client: CountingClient) -> str:
    """What a client asked for and did not get."""
    refused = []
    if form.takes_changes and not client.gets_changes:
        refused.append("whole states")
    if form.takes_compressed and not client.gets_compressed:
        refused.append("not compressed")
    return ", ".join(refused)
