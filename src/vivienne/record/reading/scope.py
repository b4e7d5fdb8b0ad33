"""Which of all that was recorded is meant."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vivienne.record.reader import RecordReader, Run, Series


@dataclass(frozen=True, slots=True)
class Scope:
    """The market of a process.

    Attributes:
        run_key: of the run; see `vivienne.record.reader.Run`.
        timeframe: of the bars.
        markets: by asset, the symbol that the settings give for it.
    """

    run_key: str
    timeframe: str
    markets: Mapping[str, str] = field(default_factory=dict)

    def run(self, reader: RecordReader) -> Run | None:
        """The run; None while nothing of it was recorded."""
        return next((run for run in reader.runs() if run.key == self.run_key), None)

    def series(self, reader: RecordReader) -> list[Series]:
        """The series of the run, at most one of each asset, by their names."""
        run = self.run(reader)
        found = [] if run is None else reader.series(run.id)
        return [
            each
            for each in found
            if each.timeframe == self.timeframe and each.market == self.markets.get(each.asset, "")
        ]
