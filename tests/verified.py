"""Records to verify, and what `vivienne verify` says of them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from making import MIDNIGHT
from recorded_live import asset_of, decided, recorded, recorder, walk
from vivienne.changes.requests import ChangeRequest, SwitchRequest, Update
from vivienne.changes.service import ConfigService
from vivienne.commands.main import main
from vivienne.market.types import MINUTE_MS, Bars
from vivienne.record.place import beside
from vivienne.record.verifying.running import Verification
from vivienne.store.opening import open_store
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from vivienne.market.types import Candle
    from vivienne.record.reader import RecordReader
    from vivienne.store.address import PostgresUrl

HISTORY, BETWEEN = 450, 40
FIRST = iso(MIDNIGHT + HISTORY * MINUTE_MS)


def verification_of(record: RecordReader) -> Verification:
    """The verification of all that is recorded."""
    found = Verification(record)
    for series in record.all_series():
        for _ in found.steps(series):
            pass
    found.look_at_rows()
    return found


def change(**settings: float) -> ChangeRequest:
    return ChangeRequest(Update({"settings": settings}, partial=True), channel="test")


async def record_with_changes_and_restarts(
    db: Path | PostgresUrl, minutes: Callable[[int, int], list[Candle]] = walk
) -> int:
    """Three changes, a pause, and two restarts on the way. The number of decisions."""
    service = ConfigService(open_store(db, "as it is"), ["BTC", "ETH"])
    decisions, begin = 0, HISTORY
    changes = [change(state_threshold_loaded=20), change(position_size_loaded=3), change(state_threshold_aim=30)]
    for start, changed in enumerate(changes):
        made = []
        for name in ("BTC", "ETH"):
            asset = asset_of(service, name)
            # A later start has less history: what was recorded before is not.
            asset.load(Bars.from_candles(minutes(100 * start, begin - 100 * start)), source="filled")
            made += decided(asset, minutes(begin, BETWEEN))
            if name == "ETH":
                await service.change(changed)
            made += decided(asset, minutes(begin + BETWEEN, BETWEEN))
        if start == 1:
            await service.switch(SwitchRequest(switch="pause", channel="test"))
        begin += 2 * BETWEEN
        decisions += len(made)
        await recorded(recorder(beside(db), started_at=MIDNIGHT + start), made)
    await service.close()
    return decisions


def verified(db: Path | str, *flags: str) -> tuple[int, dict[str, Any]]:
    result = run(db, "--json", *flags)
    document: dict[str, Any] = json.loads(result.stdout)
    return result.exit_code, document


def run(db: Path | str, *flags: str) -> Result:
    return CliRunner().invoke(main, ["verify", "--db", str(db), *flags])


def spoil(db: Path, statement: str, row: int | None = None) -> None:
    """Alter a record; `row` is the number of a bar of the first series, for the parameter of the statement."""
    given = () if row is None else (MIDNIGHT + row * MINUTE_MS,)
    with closing(sqlite3.connect(db.with_name("v-record.db"))) as record, record:
        assert record.execute(statement, given).rowcount > 0
