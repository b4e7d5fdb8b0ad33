"""Verifies the record of a process once a day, in a thread of its own that leaves most of the time to others."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from contextlib import suppress
from threading import Event, Thread
from time import monotonic, time
from typing import TYPE_CHECKING

from vivienne.errors import RecordUnavailable
from vivienne.metrics.registry import Sample
from vivienne.record.database import open_record
from vivienne.record.reader import RecordReader
from vivienne.record.verifying.running import Verification
from vivienne.record.verifying.words import said

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from vivienne.metrics.registry import Metrics
    from vivienne.record.reading.scope import Scope
    from vivienne.store.address import PostgresUrl

_log = logging.getLogger(__name__)

FIRST_SECONDS = 600.0
"""Time after the start at which the record is verified first."""
DAY_SECONDS = 86_400.0
_SHARE = 0.1
"""Largest share of one core that a verification uses."""
_MOST_LOGGED = 5
_END_SECONDS = 5.0
"""Longest time that a stop waits for a step."""


class DailyVerification:
    """Verifies what a process recorded; what it finds is a metric, and differences are logged.

    Args:
        where: the record.
        scope: what of it is meant.
        assets: of this process.
        program_version: of this process. Another one may decide in another way, which no longer can be mended.
        metrics: show what was found.
        rest: for how many times the duration of a step others have the time after it.

    Attributes:
        newest: what the newest verification found; None before the first one.
    """

    def __init__(
        self,
        where: Path | PostgresUrl,
        scope: Scope,
        assets: Collection[str],
        program_version: str,
        metrics: Metrics,
        *,
        rest: float = 1 / _SHARE - 1,
    ) -> None:
        self._where = where
        self._scope = scope
        self._assets = frozenset(assets)
        self._program_version = program_version
        self._rest = rest
        self._is_to_end = Event()
        self._ended_at = 0.0
        self.newest: Verification | None = None
        metrics.source(self._samples)

    async def run(self) -> None:
        """Verify once a day until cancelled."""
        await asyncio.sleep(FIRST_SECONDS)
        while True:
            await self.verify()
            await asyncio.sleep(DAY_SECONDS)

    async def verify(self) -> None:
        """Verify all that was recorded until now. A record that cannot be read is verified another day."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def work() -> None:
            try:
                self._verify()
            except RecordUnavailable as error:
                _log.warning("The record was not verified: %s", error)
            except Exception:  # noqa: BLE001  # a defect; decisions and the record go on without it
                _log.exception("The verification of the record failed")
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(ended.set)

        self._is_to_end.clear()
        # Not one that the end of the program waits for: a disk that hangs would hold it up for ever.
        Thread(target=work, name="record-verification", daemon=True).start()
        try:
            await ended.wait()
        finally:
            self._is_to_end.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(_END_SECONDS):
                    await ended.wait()

    def _verify(self) -> None:
        reader = RecordReader(open_record(self._where, "to read"))
        try:
            found = Verification(reader)
            for series in self._scope.series(reader):
                begin = monotonic()
                for _ in found.steps(series) if series.asset in self._assets else ():
                    if self._is_to_end.wait((monotonic() - begin) * self._rest):
                        return
                    begin = monotonic()
            found.look_at_rows()
        finally:
            reader.close()
        self.newest, self._ended_at = found, time()
        self._say(found)

    def _say(self, found: Verification) -> None:
        missing = found.missing.total()
        different = found.different.total()
        if found.damaged:
            _log.error(
                "%d bars, decisions and other rows of the record were altered or removed since they were recorded; "
                "`vivienne verify` lists them",
                found.damaged,
            )
        if not different:
            _log.info("%d recorded decisions were verified, %d are missing", found.decisions, missing)
            return
        for each in found.listed[:_MOST_LOGGED]:
            _log.error("%s", said(each))
        _log.error(
            "%d recorded decisions are different (%d were decided anew); `vivienne verify` lists them",
            different, found.decisions,
        )  # fmt: skip

    def _samples(self) -> Iterator[Sample]:
        found = self.newest
        yield Sample("vivienne_record_verified_decisions", (), 0 if found is None else found.decisions)
        different = Counter[str]() if found is None else found.different
        mine = different[self._program_version]
        yield Sample("vivienne_record_different_decisions", ("this_version",), mine)
        yield Sample("vivienne_record_different_decisions", ("other_versions",), different.total() - mine)
        yield Sample("vivienne_record_missing_decisions", (), 0 if found is None else found.missing.total())
        yield Sample("vivienne_record_damaged_rows", (), 0 if found is None else found.damaged)
        yield Sample("vivienne_record_verified_timestamp_seconds", (), self._ended_at)
