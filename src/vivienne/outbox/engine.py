"""Decides alerts: takes what happened, finds the rules that want it, and hands their alerts over to be kept and sent.

Decisions wait for nothing here: a listener notes a bar, and this task does the rest a little at a time.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from vivienne.alerts.rule import BAR_EVENTS
from vivienne.alerts.standing import standing_of
from vivienne.errors import StoreUnavailable
from vivienne.metrics.registry import Sample
from vivienne.outbox.backlog import Backlog, FiredAlert, Occurrence, Rank
from vivienne.outbox.firing import Firing
from vivienne.outbox.holding_back import LastAlerts
from vivienne.outbox.standings import Standings
from vivienne.outbox.watching import DataWatch, FeedWatch, PartWatch, PauseWatch, of_revision
from vivienne.slices import SharedSlices
from vivienne.times import now, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from vivienne.alerts.event import Origin
    from vivienne.alerts.standing import Standing
    from vivienne.changes.alerts.in_force import AlertRules
    from vivienne.changes.service import ConfigService
    from vivienne.live.asset import DecisionMade
    from vivienne.live.market import Market
    from vivienne.outbox.backlog import Decide
    from vivienne.outbox.standings import Step
    from vivienne.store.alert import AlertStore
    from vivienne.store.revision import AppliedRevision
    from vivienne.store.thread import StoreCalls
    from vivienne.wire.alert import EventType

_log = logging.getLogger(__name__)

MOST_WAITING, MOST_WAITING_PER_ASSET = 10_000, 4
"""Things of the market that wait to be looked at, in all and of each asset: the larger number counts. Beyond that the
oldest is lost, and counted. All assets may close a bar in the same moment.
"""
MOST_CHANGES_WAITING = 10_000
"""Changes of the configuration that wait, likewise."""
MOST_PAUSES_WAITING = 100_000
"""What waits for rules that watch pauses, likewise. Of it, pauses are the last to be lost."""
_MOST_LEFT = 1_000
"""Batches of alerts that are left to another process; beyond them deciding waits."""
_LOST_SECONDS = 60.0
"""Time between two warnings that something was lost."""
MOST_TOGETHER = 100
"""Messages that are kept in one transaction, which a pause may have to wait for. All of one alert are kept together."""
_LOOK_SECONDS = 1.0
"""Time between two looks at the parts of the process, and at a store that could not be read."""
_LOOK_AT_PAUSES_SECONDS = 0.5
"""Time after which a pause that is in force and not stored, or not read, is alerted of."""
_FRESH_SECONDS = 3_600.0
"""Age of a change up to which a process that starts still alerts of it. The last pause or resumption has no limit."""
_MOST_REVISIONS = 200
"""Revisions that are read at once."""
_DATA: tuple[EventType, ...] = ("data", "feed")
_SYSTEM: tuple[EventType, ...] = ("system",)
_PAUSE: tuple[EventType, ...] = ("pause",)
_CONFIG: tuple[EventType, ...] = ("config",)
_REVISIONS = "~revisions"
"""In place of an asset: the newest revision that was looked at. No asset has such a name."""


@dataclass(slots=True)
class _Bars:
    """Closed bars that are to be looked at.

    Attributes:
        asset: of the bars.
        steps: goes through them.
        moment: when they were noted.
        last: the last one, once that was done.
    """

    asset: str
    steps: Callable[[], Iterator[Step]]
    moment: datetime
    last: Standing | None = None


class Outbox(Protocol):
    """Keeps alerts and sends them."""

    async def put(self, fired: list[FiredAlert], standings: Mapping[str, str]) -> None:
        """Keep alerts, and the standings after them, and begin to send them. Never fails."""


class AlertEngine:
    """Decides which alerts there are.

    Args:
        market: is listened to.
        service: has the rules in force, and tells of changes.
        origin: what all alerts of this process have in common.
        outbox: keeps and sends alerts.
        store: knows what earlier processes decided.
        calls: in which way it is asked.
        parts: parts of the process, each with a function that tells what is wrong with it.
        process: name of this process.
        is_silent: tells that another process has taken this one's place, so that it decides no alerts.
        leaves: gives the seconds for which a pause or a resumption, of an asset or of all, is left to another process
            to be told: if two of them told, the one that is told last might not be the one that was made last.
    """

    def __init__(
        self,
        market: Market,
        service: ConfigService,
        origin: Origin,
        outbox: Outbox,
        store: AlertStore,
        calls: StoreCalls,
        *,
        parts: Mapping[str, Callable[[], str | None]],
        process: str,
        is_silent: Callable[[], bool] = lambda: False,
        leaves: Callable[[str | None], float] = lambda _: 0.0,
    ) -> None:
        self._market = market
        self._service = service
        self._origin = origin
        self._outbox = outbox
        self._store = store
        self._calls = calls
        self._is_silent = is_silent
        self._leaves = leaves
        self._rules: AlertRules | None = None
        self._standings, self._last_alerts = Standings(market, origin.bar_ms), LastAlerts()
        self._firing = Firing(market, service, origin, self._standings, self._last_alerts)
        self._data, self._feed, self._parts = DataWatch(), FeedWatch(), PartWatch(parts, process)
        self._pauses = PauseWatch()
        self._backlog = Backlog(origin.market, service.asset_names, self._most, self._left_out)
        self._versions: dict[int, bool] = {}
        """Revisions that are looked at, in their order, and whether that is over."""
        self._was_silent = False
        """Whether something was passed over because another process decided alerts."""
        self._deferred: deque[AppliedRevision] | None = deque()
        """Revisions since the start, until those before are looked at; None from then."""
        self._lost_said = -_LOST_SECONDS
        self._filled = asyncio.Event()
        self._slices = SharedSlices()
        self._left_to_others = asyncio.Queue[tuple[float, list[FiredAlert]]](_MOST_LEFT)
        """Alerts that another process is to tell, and when its time is over."""
        self._are_left = 0
        """Batches of these that are not told yet."""
        self._kept: dict[str, str] = {}
        """By asset, the standings that are to be stored."""
        self._lost = 0
        market.listen(self._decided)
        market.listen_to_histories(self._read)
        market.watch(self._changed)
        service.listen(self._revised)
        service.metrics.source(self._samples)

    async def run(self) -> None:
        """Decide alerts until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._look_at_parts(), name="alerts about parts")
            tasks.create_task(self._tell_what_others_left(), name="alerts that others left")
            await self._recall()
            tasks.create_task(self._look_at_pauses(), name="alerts about pauses that are not stored")
            while True:
                await self._filled.wait()
                self._filled.clear()
                await self._work_off()
                if self._was_silent and not self._is_silent():
                    self._was_silent = False
                    await self._recall()

    def standing(self, asset: str) -> Standing | None:
        """The newest closed bar of an asset that was looked at; None while there is none."""
        return self._standings.last(asset)

    # What is listened to; none of it blocks

    def _decided(self, made: DecisionMade) -> None:
        has_effect = made.status in ("live", "ended")
        standing = standing_of(made.decision, made.bar["close"], made.active.version, has_effect=has_effect)
        self._note_bars(made.asset, partial(self._standings.closed, made.asset, standing))

    def _read(self, asset: str) -> None:
        """Look at bars that closed while nobody decided them."""
        self._note_bars(asset, partial(self._standings.missed, asset))

    def _note_bars(self, asset: str, steps: Callable[[], Iterator[Step]]) -> None:
        bars = _Bars(asset, steps, now())
        begin, end = partial(self._begin_bars, bars), partial(self._keep_standing, bars)
        self._note(Occurrence(Rank.MARKET, BAR_EVENTS, begin, end))

    def _changed(self, asset: str) -> None:
        self._note(Occurrence(Rank.MARKET, _DATA, partial(self._begin_data, asset)))

    def _revised(self, change: AppliedRevision) -> None:
        """Note a change; also one of a rule, which is taken up at once."""
        if self._has_to_be_silent():
            return
        if self._deferred is None:
            self._note_revision(change)
            return
        self._deferred.append(change)
        if len(self._deferred) > MOST_CHANGES_WAITING:
            self._deferred.popleft()
            self._left_out()

    def _note_revision(self, change: AppliedRevision) -> None:
        version = change.revision.version
        end = partial(self._keep_version, version)
        if self._has_to_be_silent():
            return
        self._versions[version] = False  # before it may be over
        if change.revision.action in ("pause", "resume"):
            self._note(Occurrence(Rank.PAUSES, _PAUSE, partial(self._begin_switch, change, now()), end))
        else:
            self._note(Occurrence(Rank.CHANGES, _CONFIG, partial(self._begin_change, change), end))

    def _note(self, occurrence: Occurrence) -> None:
        if not self._has_to_be_silent():
            self._backlog.put(occurrence)
            self._filled.set()

    def _has_to_be_silent(self) -> bool:
        """Tell whether another process decides alerts. Should it go, all since is looked at as after a start."""
        if self._is_silent():
            self._was_silent = True
            self._deferred = deque()
            self._versions.clear()
            return True
        return False

    def _most(self, rank: Rank) -> int:
        """So much waits of a rank."""
        match rank:
            case Rank.PAUSES:
                return MOST_PAUSES_WAITING
            case Rank.MARKET:
                return max(MOST_WAITING, MOST_WAITING_PER_ASSET * len(self._market.assets))
            case Rank.CHANGES:
                return MOST_CHANGES_WAITING

    def _left_out(self) -> None:
        self._lost += 1
        if (moment := monotonic()) - self._lost_said >= _LOST_SECONDS:
            self._lost_said = moment
            _log.warning("More happens than alerts can be decided for; %d events were left out so far", self._lost)

    # What is done about it, a little at a time

    async def _work_off(self, most: int = 0) -> None:
        """Look at what has happened, until no more than so much waits."""
        while len(self._backlog) > most:
            await self._slices.done(self._backlog.begin(self._take_up_rules))
            lane = self._backlog.next()
            alerts: list[FiredAlert] = []
            if lane is not None:
                await self._slices.done(lane.decide(MOST_TOGETHER))
                alerts = lane.hand_over(MOST_TOGETHER)
            await self._hand_over(alerts)

    async def _hand_over(self, alerts: list[FiredAlert]) -> None:
        """Hand over what is to be kept; without rules nothing is written until there are some."""
        seconds = [self._left(each) for each in alerts]
        if left := [each for each, left in zip(alerts, seconds, strict=True) if left > 0.0]:
            alerts = [each for each, left in zip(alerts, seconds, strict=True) if left <= 0.0]
            self._are_left += 1
            await self._left_to_others.put((monotonic() + max(seconds), left))
        if alerts or (self._kept and self._backlog.has_rules and not self._backlog):
            await self._outbox.put(alerts, self._to_keep())

    def _to_keep(self) -> dict[str, str]:
        """The standings to store: the newest revision is not over while its alerts are left to another process."""
        kept, self._kept = self._kept, {}
        if self._are_left and _REVISIONS in kept:
            self._kept[_REVISIONS] = kept.pop(_REVISIONS)
        return kept

    async def _tell_what_others_left(self) -> None:
        """Tell of pauses that another process had the time to tell. What it has told is known by its id."""
        while True:
            due, alerts = await self._left_to_others.get()
            await asyncio.sleep(due - monotonic())  # it is that long theirs
            self._are_left -= 1
            await self._outbox.put(alerts, self._to_keep())

    def _left(self, alert: FiredAlert) -> float:
        """Seconds for which an alert is still left to another process to be told."""
        event = alert.stored.event
        if event["type"] != "pause" or not (seconds := self._leaves(event["asset"])):
            return 0.0
        return min(seconds, seconds - (now() - datetime.fromisoformat(event["time"])).total_seconds())

    def _take_up_rules(self) -> None:
        rules = self._service.alerts
        if rules is not self._rules:
            self._rules = rules
            self._backlog.take_up(rules.rules())

    def _keep_standing(self, bars: _Bars) -> None:
        """Note that none of these bars has to be looked at again."""
        if bars.last is not None:
            self._kept[bars.asset] = bars.last.text()

    def _keep_version(self, version: int) -> None:
        """Note that a revision need not be looked at again; a start goes on after the last one before which all are."""
        self._versions[version] = True
        while self._versions and self._versions[first := next(iter(self._versions))]:
            del self._versions[first]
            self._kept[_REVISIONS] = str(first)

    def _begin_bars(self, bars: _Bars) -> Decide:
        steps = list(bars.steps())
        bars.last = self._standings.last(bars.asset)
        return self._firing.of_bars(bars.asset, steps, bars.moment)

    def _begin_data(self, asset: str) -> Decide:
        live, moment = self._market.seen(asset), now()
        watches = (self._data, self._feed)
        return self._firing.of_noticed(
            [each for watch in watches for each in watch.look(asset, live, written(moment))], moment
        )

    def _begin_parts(self) -> Decide:
        moment = now()
        return self._firing.of_noticed(list(self._parts.look(written(moment))), moment)

    def _begin_switch(self, change: AppliedRevision, moment: datetime) -> Decide:
        """Its moment is that when it was noted here: bars have this clock, and another process may have taken it."""
        noticed = () if self._pauses.has_told(change.revision) else list(of_revision(change))
        return self._firing.of_noticed(noticed, moment)

    def _begin_change(self, change: AppliedRevision) -> Decide:
        return self._firing.of_noticed(list(of_revision(change)), datetime.fromisoformat(change.revision.created_at))

    # At the start, and once a second

    async def _recall(self) -> None:
        """Go on where earlier processes ended. While the store cannot be read, things that happen wait."""
        while True:
            try:
                stored = await self._calls.look_up(self._store.standings, self._origin.run)
                self._last_alerts.recall(await self._calls.look_up(self._store.last_fired, self._origin.run))
                break
            except StoreUnavailable as error:
                _log.warning("The alerts of earlier processes cannot be read and are asked for again: %s", error)
                await asyncio.sleep(_LOOK_SECONDS)
        self._standings.recall(stored)
        newest = stored.get(_REVISIONS, "")
        seen = await self._recall_revisions(int(newest)) if newest.isdigit() else -1
        deferred, self._deferred = self._deferred or (), None
        for change in deferred:
            if change.revision.version > seen:
                self._note_revision(change)
        for asset in self._market.assets:
            self._read(asset)
            self._changed(asset)

    async def _recall_revisions(self, seen: int) -> int:
        """Look at the revisions since the last one that an earlier process looked at, however many they are.

        Returns:
            The version of the last one.
        """
        while True:
            try:
                found = await self._service.applied_since(seen, _MOST_REVISIONS)
            except StoreUnavailable as error:
                _log.warning("Changes before this process cannot be read and are asked for again: %s", error)
                await asyncio.sleep(_LOOK_SECONDS)
                continue
            for change in found:
                revision = change.revision
                seen = revision.version
                is_fresh = datetime.fromisoformat(revision.created_at) > now() - timedelta(seconds=_FRESH_SECONDS)
                if is_fresh or self._service.pauses().is_newest(revision):
                    self._note_revision(change)
                await self._slices.rest()
            await self._work_off(MOST_TOGETHER)  # before others push them out
            if len(found) < _MOST_REVISIONS:
                return seen

    async def _look_at_parts(self) -> None:
        while True:
            self._note(Occurrence(Rank.MARKET, _SYSTEM, self._begin_parts))
            await asyncio.sleep(_LOOK_SECONDS)

    async def _look_at_pauses(self) -> None:
        while True:
            silent = self._has_to_be_silent()
            for noticed in () if silent else self._pauses.look(self._service.pauses(), self._service.under):
                self._note(Occurrence(Rank.PAUSES, _PAUSE, partial(self._firing.of_noticed, [noticed], now())))
            await asyncio.sleep(_LOOK_AT_PAUSES_SECONDS)

    def _samples(self) -> Iterator[Sample]:
        for reason, count in (
            ("cooldown", self._firing.held_back),
            ("late", self._firing.late),
            ("overrun", self._lost),
        ):
            yield Sample("vivienne_alerts_held_back_total", (reason,), count)
