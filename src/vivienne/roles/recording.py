"""The record that a process writes, as the boot settings say."""

from __future__ import annotations

import hashlib
import os
import socket
import uuid
from contextlib import closing
from typing import TYPE_CHECKING, Any

import orjson

from vivienne.market.feeds.exchange.known import EXCHANGES
from vivienne.record.reading.older_bars import InForce
from vivienne.record.reading.scope import Scope
from vivienne.record.reading.thread import ReadingThread
from vivienne.record.reading.view import NO_RECORD, LocalRecord
from vivienne.record.recalling import Recalling
from vivienne.record.recorder import Recorder, Recording
from vivienne.record.sessions import Process, RunKey
from vivienne.record.verifying.daily import DailyVerification
from vivienne.record.writing import Markets
from vivienne.roles.market import market_of
from vivienne.times import now
from vivienne.version import build_version

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine

    from vivienne.changes.service import ConfigService
    from vivienne.live.market import Market
    from vivienne.market.feeds.base import Feed
    from vivienne.metrics.registry import Metrics
    from vivienne.settings.boot import Boot
    from vivienne.stream.state import StateBoard


def recorder_of(boot: Boot, metrics: Metrics, is_silent: Callable[[], bool] = lambda: False) -> Recorder | None:
    """The record of a process; None if nothing is to be recorded.

    Args:
        boot: the settings.
        metrics: show what is counted.
        is_silent: see `Recorder`.
    """
    where = boot.record_at
    if where is None:
        return None
    process = Process(
        name=f"{socket.gethostname()}-{os.getpid()}",
        program_version=build_version(),
        require_full_history=boot.require_full_history,
        started_at=int(now().timestamp() * 1000),
    )
    market = Markets(boot.timeframe, boot.symbols)
    return Recorder(Recording(where, run_of(boot), process, market, boot.keep), metrics, is_silent)


def record_of(boot: Boot, service: ConfigService, recorder: Recorder | None) -> LocalRecord:
    """The view of what a process has recorded.

    Args:
        boot: the settings.
        service: has the configuration in force.
        recorder: of this process; None if nothing is recorded.
    """
    if recorder is None:
        return NO_RECORD

    def in_force(asset: str) -> InForce:
        return InForce(service.active(asset).configuration, boot.caps.of(asset))

    return LocalRecord(ReadingThread(recorder.recording.where), _scope(recorder), in_force)


def _verification(recorder: Recorder, assets: Collection[str], metrics: Metrics) -> DailyVerification:
    """The daily verification of what a process has recorded.

    Args:
        recorder: of this process.
        assets: that it decides.
        metrics: show what is found.
    """
    recording = recorder.recording
    program_version = recording.process.program_version
    return DailyVerification(recording.where, _scope(recorder), assets, program_version, metrics)


def tasks_of(
    recorder: Recorder | None, assets: Collection[str], metrics: Metrics
) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
    """Tasks that record decisions, and verify what was recorded, by name; none if nothing is recorded.

    Args:
        recorder: of this process.
        assets: that it decides.
        metrics: show what is found.
    """
    if recorder is None:
        return {}
    return {"record": recorder.run, "verification": _verification(recorder, assets, metrics).run}


def _scope(recorder: Recorder) -> Scope:
    recording = recorder.recording
    return Scope(recording.run.key, recording.market.timeframe.value, recording.market.symbols)


def recorded_market(
    boot: Boot, feed: Feed, service: ConfigService, board: StateBoard, recorder: Recorder | None
) -> Market:
    """The market of a feed, which knows what was recorded of it, and is recorded.

    Args:
        boot: the settings.
        feed: made by `feed_of`.
        service: has the configuration in force.
        board: takes the states.
        recorder: of this process; None if nothing is recorded.

    Raises:
        MarketDataError: a data file cannot be used.
    """
    if recorder is None:
        return market_of(boot, feed, service, board)
    with closing(memory_of(boot, recorder)) as memory:
        market = market_of(boot, feed, service, board, memory)
    market.listen(recorder.take)
    return market


def memory_of(boot: Boot, recorder: Recorder) -> Recalling:
    """What a process goes on with: what was recorded, unless it is to begin with another history."""
    memory = Recalling(recorder.recording)
    if boot.new_history:
        memory.close()
    return memory


def run_of(boot: Boot) -> RunKey:
    """The course of market time that a process follows. A real market has one for ever.

    With --market-begin, a simulation or a replay that is started again goes on where it was.
    """
    if boot.feed == "exchange":
        quote = boot.quote or EXCHANGES[boot.exchange].quote
        host = f":{boot.exchange_url}" if boot.exchange_url else ""
        return RunKey(f"exchange:{boot.exchange}:{quote}{host}", boot.feed, boot.exchange, is_real=True)
    if boot.feed == "push":
        return RunKey("push", boot.feed, None, is_real=True)
    if boot.market_begin is None:
        return RunKey(f"{boot.feed}:{uuid.uuid4().hex}", boot.feed, None, is_real=False)
    files = {asset: [str(path) for path in paths] for asset, paths in boot.files.items()}
    settings = [files or boot.seed, boot.speed, boot.timeframe.value, boot.on_bad_row]
    digest = hashlib.sha256(orjson.dumps(settings, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
    return RunKey(f"{boot.feed}:{boot.market_begin:.3f}:{digest}", boot.feed, None, is_real=False)
