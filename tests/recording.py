"""Records to order: real decisions on made-up bars, written as a process would have recorded them."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from making import configured
from vivienne.agent.evaluate import anchor, evaluate
from vivienne.config.documents import merged
from vivienne.config.tunables import DEFAULTS
from vivienne.live.entries import readings
from vivienne.market.types import MINUTE_MS
from vivienne.record.database import open_record
from vivienne.record.rows import RecordedBar, RecordedDecision, written_bar, written_blocks
from vivienne.record.tables import bars as bars_table
from vivienne.record.tables import blocks, configurations, runs, series, sessions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from vivienne.agent.schema import Configuration
    from vivienne.market.types import Bars
    from vivienne.wire.state import Status

RUN = "push"
MINUTES = 15
BAR = MINUTES * MINUTE_MS


class Ordered(NamedTuple):
    """A configuration from one row on.

    Attributes:
        version: its version.
        document: what it sets.
        status: status of the asset at its decisions.
    """

    version: int
    document: dict[str, Any]
    status: Status = "live"


DEFAULT = {0: Ordered(1, {})}


def decided(bars: Bars, row: int, config: Configuration) -> RecordedDecision:
    """The decision on a row, as a process makes it that has all rows before."""
    number = int(bars.open_time[row]) // BAR
    start = max(0, row - (number - anchor(number)))
    evaluation = evaluate(bars[start : row + 1], config, MINUTES)
    return RecordedDecision(
        decision=evaluation.decision(),
        config_version=0,
        configuration_id=0,
        status="live",
        is_paused=False,
        used=row + 1 - start,
        cap=100.0,
        readings=readings(evaluation)[0],
        atr=evaluation.now.atr.item(-1),
    )


class Recording:
    """A new record in a file, of one run and one session.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._database = open_record(path, "to write")
        self._series = 0
        self._configurations: dict[bytes, int] = {}
        self._blocks: dict[str, int] = {}
        with self._database.transaction() as connection:
            connection.execute(runs.insert(), {"id": 1, "key": RUN, "feed": "push", "begun_at": 0, "is_real": True})
            session = {"run_id": 1, "process": "test", "program_version": "1.2.3", "require_full_history": False}
            connection.execute(sessions.insert(), {"id": 1, "started_at": 0, "alive_at": 0, **session})

    def add(self, asset: str, bars: Bars, first: int, orders: Mapping[int, Ordered] = DEFAULT) -> None:
        """Add an asset: its bars, and decisions on those from the row `first` on.

        Args:
            asset: its name.
            bars: follow each other.
            first: row of the first decision.
            orders: by the row from which on it is in force, the configuration.
        """
        self._series += 1
        of = {"run_id": 1, "asset": asset, "timeframe": "15m", "market": "", "segment": 0}
        rows = [self._row(bars, row, orders if row >= first else {}) for row in range(len(bars))]
        with self._database.transaction() as connection:
            connection.execute(series.insert(), {"id": self._series, "begins_at": bars.open_time.item(first), **of})
            for document, number in self._configurations.items():
                found = {"id": number, "digest": str(number), "document": zlib.compress(document)}
                connection.execute(self._database.insert(configurations).on_conflict_do_nothing(), found)
            for text, number in self._blocks.items():
                connection.execute(self._database.insert(blocks).on_conflict_do_nothing(), {"id": number, "text": text})
            connection.execute(bars_table.insert(), rows)

    def close(self) -> None:
        """Close it."""
        self._database.close()

    def _row(self, bars: Bars, row: int, orders: Mapping[int, Ordered]) -> dict[str, Any]:
        if not orders:
            return written_bar(RecordedBar(bars.candle(row), None, 1, None), self._series, None)
        order = orders[max(each for each in orders if each <= row)]
        document = orjson.dumps(merged(DEFAULTS, order.document))
        number = self._configurations.setdefault(document, len(self._configurations) + 1)
        made = decided(bars, row, configured(order.document))._replace(
            config_version=order.version,
            configuration_id=number,
            status=order.status,
            is_paused=order.status == "paused",
        )
        text = written_blocks(made.decision.blocks)
        blocks_id = self._blocks.setdefault(text, len(self._blocks) + 1)
        return written_bar(RecordedBar(bars.candle(row), "pushed", 1, made), self._series, blocks_id)
