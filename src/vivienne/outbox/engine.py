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

from vivienne.alerts.happenings import happened, possible
from vivienne.alerts.rulebook import Rulebook
from vivienne.alerts.standing import standing_of
from vivienne.errors import StoreUnavailable
from vivienne.metrics.registry import Sample
from vivienne.outbox.holding_back import LastAlerts, is_quiet
from vivienne.outbox.standings import Standings
from vivienne.outbox.watching import DataWatch, FeedWatch, PartWatch, PauseWatch, of_revision
from vivienne.slices import SharedSlices
from vivienne.store.alert import StoredEvent
from vivienne.times import now, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from vivienne.alerts.event import Origin
    from vivienne.alerts.happenings import Happening
    from vivienne.alerts.standing import Standing
    from vivienne.changes.alerts.in_force import AlertRules, RuleInForce
    from vivienne.changes.service import ConfigService
    from vivienne.live.asset import DecisionMade
    from vivienne.live.market import Market
    from vivienne.outbox.standings import Step
    from vivienne.outbox.watching import Noticed
    from vivienne.slices import Pieces
    from vivienne.store.alert import AlertStore
    from vivienne.store.revision import AppliedRevision
    from vivienne.store.thread import StoreCalls
    from vivienne.wire.alert import AlertEvent

    _Thing = Callable[[], Pieces[None]]
    """Looks at something that happened."""

_log = logging.getLogger(__name__)

MOST_WAITING, MOST_WAITING_PER_ASSET = 10_000, 4
"""Things of the market that wait to be looked at, in all and of each asset: the larger number counts. Beyond that the
oldest is lost, and counted. All assets may close a bar in the same moment.
"""
MOST_CHANGES_WAITING = 10_000
"""Changes of the configuration that wait, likewise."""
MOST_PAUSES_WAITING = 100_000
"""Pauses and resumptions that wait, likewise. They are first, and far fewer than can be looked at."""
_LOST_SECONDS = 60.0
"""Time between two warnings that something was lost."""
MOST_TOGETHER = 100
"""Messages that are kept in one transaction, which a pause may have to wait for. All of one alert are kept together."""
_LOOK_SECONDS = 1.0
"""Time between two looks at the parts of the process, and at a store that could not be read."""
_LOOK_AT_PAUSES_SECONDS = 0.5
"""Time after which a pause that is in force and not stored, or not read, is alerted of."""
_FRESH_SECONDS = 3_600.0
"""Age of a change up to which a process that starts still alerts of it."""
_MOST_REVISIONS = 200
"""Revisions that are read at once."""
_REVISIONS = "~revisions"
"""In place of an asset: the newest revision that was looked at. No asset has such a name."""


@dataclass(frozen=True, slots=True)
class FiredAlert:
    """An alert of a rule.

    Attributes:
        named: the rule.
        stored: the alert.
        is_quiet: whether it falls into quiet hours, so that it is kept and not sent.
        at: moment of the decision, seconds since the epoch.
    """

    named: RuleInForce
    stored: StoredEvent
    is_quiet: bool
    at: float


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
    ) -> None:
        self._market = market
        self._service = service
        self._origin = origin
        self._outbox = outbox
        self._store = store
        self._calls = calls
        self._is_silent = is_silent
        self._rules: AlertRules | None = None
        self._book: Rulebook[RuleInForce] = Rulebook((), origin.market, service.asset_names)
        self._standings, self._last_alerts = Standings(market, origin.bar_ms), LastAlerts()
        self._data, self._feed, self._parts = DataWatch(), FeedWatch(), PartWatch(parts, process)
        self._pauses = PauseWatch()
        self._urgent: deque[_Thing] = deque()
        """Pauses and resumptions."""
        self._waiting: deque[_Thing] = deque()
        """What concerns the market."""
        self._changes: deque[_Thing] = deque()
        """Changes of the configuration, which come last: who makes many keeps nothing else waiting."""
        self._lost_said = -_LOST_SECONDS
        self._filled = asyncio.Event()
        self._slices = SharedSlices()
        self._fired: list[FiredAlert] = []
        self._kept: dict[str, str] = {}
        """By asset, the standings that are to be stored."""
        self._lost = self._late = self._held_back = 0
        market.listen(self._decided)
        market.listen_to_histories(self._read)
        market.watch(self._changed)
        service.listen(self._revised)
        service.metrics.source(self._samples)

    async def run(self) -> None:
        """Decide alerts until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._look_at_parts(), name="alerts about parts")
            tasks.create_task(self._look_at_pauses(), name="alerts about pauses that are not stored")
            await self._recall()
            for asset in self._market.assets:
                self._read(asset)
                self._changed(asset)
            while True:
                await self._filled.wait()
                self._filled.clear()
                await self._work_off()

    def standing(self, asset: str) -> Standing | None:
        """The newest closed bar of an asset that was looked at; None while there is none."""
        return self._standings.last(asset)

    # What is listened to; none of it blocks

    def _decided(self, made: DecisionMade) -> None:
        has_effect = made.status in ("live", "ended")
        standing = standing_of(made.decision, made.bar["close"], made.active.version, has_effect=has_effect)
        self._note(partial(self._of_bars, made.asset, partial(self._standings.closed, made.asset, standing)))

    def _read(self, asset: str) -> None:
        """Look at bars that closed while nobody decided them."""
        self._note(partial(self._of_bars, asset, partial(self._standings.missed, asset)))

    def _changed(self, asset: str) -> None:
        self._note(partial(self._of_data, asset))

    def _revised(self, change: AppliedRevision) -> None:
        """Note a change; also one of a rule, which is taken up at once."""
        if self._is_silent():
            return
        if change.revision.action in ("pause", "resume"):
            self._note_urgent(partial(self._of_switch, change))
            self._put(self._changes, partial(self._looked_at, change.revision.version), MOST_CHANGES_WAITING)
        else:
            self._put(self._changes, partial(self._of_change, change), MOST_CHANGES_WAITING)

    def _note(self, thing: _Thing) -> None:
        if not self._is_silent():
            self._put(self._waiting, thing, max(MOST_WAITING, MOST_WAITING_PER_ASSET * len(self._market.assets)))

    def _note_urgent(self, thing: _Thing) -> None:
        if not self._is_silent():
            self._put(self._urgent, thing, MOST_PAUSES_WAITING)

    def _put(self, queue: deque[_Thing], thing: _Thing, most: int) -> None:
        if len(queue) >= most:
            queue.popleft()
            self._lost += 1
            self._say_lost()
        queue.append(thing)
        self._filled.set()

    def _say_lost(self) -> None:
        if (moment := monotonic()) - self._lost_said >= _LOST_SECONDS:
            self._lost_said = moment
            _log.warning("More happens than alerts can be decided for; %d events were left out so far", self._lost)

    # What is done about it, a little at a time

    async def _work_off(self, most: int = 0) -> None:
        """Look at what has happened, until no more than so much waits."""
        while len(self._urgent) + len(self._waiting) + len(self._changes) > most:
            await self._slices.done(self._work())
            await self._hand_over()

    def _work(self) -> Pieces[None]:
        """Look at what has happened, the most urgent first, until enough alerts are to be kept."""
        while (queue := self._urgent or self._waiting or self._changes) and len(self._fired) < MOST_TOGETHER:
            self._take_up_rules()
            yield from queue.popleft()()
            yield

    def _work_on_urgent(self) -> Pieces[None]:
        while self._urgent and len(self._fired) < MOST_TOGETHER:
            self._take_up_rules()
            yield from self._urgent.popleft()()
            yield

    def _take_up_rules(self) -> None:
        rules = self._service.alerts
        if rules is not self._rules:
            self._rules = rules
            self._book.take_up(rules.rules())

    def _of_bars(self, asset: str, steps: Callable[[], Iterator[Step]]) -> Pieces[None]:
        yield from self._book.look_up(asset)
        for step in steps():
            kinds = possible(step.before, step.now)
            for named in self._book.of_bar(asset, kinds):
                happening = happened(named.rule, step.before, step.now, kinds)
                if happening is not None:
                    self._fire_of_bar(named, happening, asset, step)
                yield
            yield
        last = self._standings.last(asset)
        if last is not None:
            self._kept[asset] = last.text()

    def _fire_of_bar(self, named: RuleInForce, happening: Happening, asset: str, step: Step) -> None:
        symbol, moment = self._market.seen(asset).symbol, now()
        event = self._origin.bar_event(named, happening, asset, symbol, step.before, step.now, moment)
        self._fire(named, event, step.now.bar_time, moment)

    def _of_data(self, asset: str) -> Pieces[None]:
        live, moment = self._market.seen(asset), now()
        for watch in (self._data, self._feed):
            for noticed in watch.look(asset, live, written(moment)):
                yield from self._notice(noticed, moment)

    def _of_switch(self, change: AppliedRevision) -> Pieces[None]:
        if not self._pauses.has_told(change.revision):
            for noticed in of_revision(change):
                yield from self._of_pause(noticed)

    def _of_pause(self, noticed: Noticed) -> Pieces[None]:
        """Alert of a pause by the clock of this process, as of bars: another one may have taken it."""
        yield from self._notice(noticed, now())

    def _of_change(self, change: AppliedRevision) -> Pieces[None]:
        moment = datetime.fromisoformat(change.revision.created_at)
        for noticed in of_revision(change):
            yield from self._notice(noticed, moment)
        yield from self._looked_at(change.revision.version)

    def _looked_at(self, version: int) -> Pieces[None]:
        """Note that no revision up to a version has to be looked at again."""
        self._kept[_REVISIONS] = str(version)
        yield

    def _notice(self, noticed: Noticed, moment: datetime) -> Pieces[None]:
        kind, asset = noticed.happening.type, noticed.asset
        version = self._service.newest[0] if noticed.version is None else noticed.version
        standing = None if asset is None else self._standings.last(asset)
        is_here = asset is not None and asset in self._market.assets
        symbol = self._market.seen(asset).symbol if asset is not None and is_here else None
        rules = yield from self._book.watching(kind, noticed.bears_on)
        for named in rules:
            if (yield from noticed.wants(named.rule)):
                event = self._origin.other_event(
                    named, noticed.happening, asset, symbol, standing, version, moment, noticed.key
                )
                self._fire(named, event, int(moment.timestamp() * 1_000), moment, is_bar=False)
            yield

    def _fire(self, named: RuleInForce, event: AlertEvent, time: int, moment: datetime, *, is_bar: bool = True) -> None:
        """Keep an alert, unless it is too late, or too soon after the last one."""
        if datetime.fromisoformat(event["expires_at"]) < now() and is_bar:
            self._late += 1
            return
        # A bot that heard of a resumption last, and not of the pause after it, would go on.
        is_always = event["type"] == "pause"
        if not self._last_alerts.comes(
            named.alert_id, named.rule, event["asset"], time, is_bar=is_bar, is_always=is_always
        ):
            self._held_back += 1
            return
        stored = StoredEvent(
            event_id=event["id"],
            alert_id=named.alert_id,
            run=self._origin.run,
            asset=event["asset"],
            bar_time=time,
            created_at=event["time"],
            event=event,
        )
        self._fired.append(FiredAlert(named, stored, is_quiet(named.rule, moment), moment.timestamp()))
        self._service.metrics.count("vivienne_alerts_fired_total", event["type"])

    async def _hand_over(self) -> None:
        """Hand over what is to be kept; without rules nothing is written until there are some."""
        if self._fired or (self._kept and self._book):
            fired, self._fired = self._fired, []
            kept, self._kept = self._kept, {}
            *first, last = _batches(fired)
            for batch in first:
                await self._outbox.put(batch, {})
                await self._hand_over_urgent()
            await self._outbox.put(last, kept)

    async def _hand_over_urgent(self) -> None:
        """Look at pauses that came since, before more of the other alerts are handed over."""
        while self._urgent:
            await self._slices.done(self._work_on_urgent())
            fired, self._fired = self._fired, []
            for batch in _batches(fired):
                await self._outbox.put(batch, {})

    # At the start, and once a second

    async def _recall(self) -> None:
        """Know what earlier processes looked at. While the store cannot be read, things that happen wait."""
        while True:
            try:
                stored = await self._calls.look_up(self._store.standings, self._origin.run)
                self._last_alerts.recall(await self._calls.look_up(self._store.last_fired, self._origin.run))
                break
            except StoreUnavailable as error:
                _log.warning("The alerts of earlier processes cannot be read and are asked for again: %s", error)
                await asyncio.sleep(_LOOK_SECONDS)
        self._standings.recall(stored)
        seen = stored.get(_REVISIONS, "")
        if seen.isdigit():
            await self._recall_revisions(int(seen))

    async def _recall_revisions(self, seen: int) -> None:
        """Look at the revisions since the last one that an earlier process looked at, however many they are."""
        while True:
            try:
                found = await self._service.applied_since(seen, _MOST_REVISIONS)
            except StoreUnavailable as error:
                _log.warning("Changes before this process cannot be read and are asked for again: %s", error)
                await asyncio.sleep(_LOOK_SECONDS)
                continue
            for change in found:
                seen = change.revision.version
                if datetime.fromisoformat(change.revision.created_at) > now() - timedelta(seconds=_FRESH_SECONDS):
                    self._revised(change)
                await self._slices.rest()
            await self._work_off(MOST_TOGETHER)  # before others push them out
            if len(found) < _MOST_REVISIONS:
                return

    async def _look_at_parts(self) -> None:
        while True:
            self._note(self._of_parts)
            await asyncio.sleep(_LOOK_SECONDS)

    def _of_parts(self) -> Pieces[None]:
        moment = now()
        for noticed in self._parts.look(written(moment)):
            yield from self._notice(noticed, moment)

    async def _look_at_pauses(self) -> None:
        while True:
            for noticed in self._pauses.look(self._service.pauses(), self._service.under):
                self._note_urgent(partial(self._of_pause, noticed))
            await asyncio.sleep(_LOOK_AT_PAUSES_SECONDS)

    def _samples(self) -> Iterator[Sample]:
        for reason, count in (("cooldown", self._held_back), ("late", self._late), ("overrun", self._lost)):
            yield Sample("vivienne_alerts_held_back_total", (reason,), count)


def _batches(fired: list[FiredAlert]) -> list[list[FiredAlert]]:
    """Alerts in their order, in lists of so many that their messages are kept together; one list at least."""
    found: list[list[FiredAlert]] = [[]]
    messages = 0
    for each in fired:
        if messages >= MOST_TOGETHER:
            found.append([])
            messages = 0
        found[-1].append(each)
        messages += len(each.named.rule.channels)
    return found
