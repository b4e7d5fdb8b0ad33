"""Which of all that was recorded is meant."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vivienne.errors import SettingsError
from vivienne.market.timeframe import Timeframe

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

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

    def series(self, reader: RecordReader, assets: Collection[str] = ()) -> list[Series]:
        """The series of the run, at most one of each asset, by their names; only of some assets if any are given."""
        run = self.run(reader)
        found = [] if run is None else reader.series(run.id)
        return [
            each
            for each in found
            if each.timeframe == self.timeframe
            and each.market == self.markets.get(each.asset, "")
            and (not assets or each.asset in assets)
        ]

    def one(self, reader: RecordReader, asset: str) -> Series | None:
        """The series of an asset; None while nothing of it was recorded."""
        return next(iter(self.series(reader, (asset,))), None)


def newest_scope(reader: RecordReader, timeframe: str | None) -> Scope:
    """The newest run of a record.

    Args:
        reader: of the record.
        timeframe: of the bars; None if the run has one only.

    Raises:
        SettingsError: the run has several timeframes, or not this one.
    """
    runs = reader.runs()
    if not runs:
        return Scope("", timeframe or "")
    found = reader.series(runs[-1].id)
    known = sorted({each.timeframe for each in found}, key=lambda name: Timeframe(name).minutes)
    if timeframe is None and len(known) > 1:
        raise SettingsError(f"The record has bars of {', '.join(known)}; name one with --timeframe")
    chosen = timeframe or (known[0] if known else "")
    if known and chosen not in known:
        raise SettingsError(f"The newest run in the record has no bars of {chosen}, but of {', '.join(known)}")
    # The symbol of an asset that was recorded last.
    markets = {each.asset: each.market for each in sorted(found, key=lambda each: each.segments[-1].id)}
    return Scope(runs[-1].key, chosen, markets)
