"""Imports: layers of configurations and rules of alerts are replaced as one change."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from vivienne.changes.ahead import Ahead
from vivienne.changes.alerts.importing import ImportPlan, plan_alerts, with_alerts
from vivienne.changes.import_plan import plan_replacement, write_up_replacement
from vivienne.errors import InvalidConfiguration
from vivienne.slices import in_slices
from vivienne.store.revision import IMPORT

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.changes.alerts.planning import Seal
    from vivienne.changes.in_force import LayersInForce
    from vivienne.changes.plan import Prepared
    from vivienne.changes.requests import Replacement
    from vivienne.changes.writer import Writer
    from vivienne.errors import Problem
    from vivienne.wire.answers import Replaced


@dataclass(frozen=True)
class Importing:
    """Makes imports.

    Attributes:
        in_force: what they replace.
        writer: makes changes.
        seal: encrypts secrets of alert rules.
        now: time of a revision.
    """

    in_force: LayersInForce
    writer: Writer
    seal: Seal
    now: Callable[[], str]

    async def make(self, asked: Replacement) -> Replaced:
        """See `ConfigService.replace`."""
        plan = Ahead(lambda: self.in_force.newest, partial(self._plan, asked, self.seal))
        return await self.writer.write(partial(self._prepare, plan, asked), IMPORT, IMPORT, ahead=plan.work_out)

    async def attempt(self, asked: Replacement) -> Replaced:
        """See `ConfigService.try_replacement`."""
        plan = await self._plan(asked, str)  # nothing is kept of it, so no key is made
        return plan.outcome(self.in_force.version, made=False)

    async def _plan(self, asked: Replacement, seal: Seal) -> ImportPlan:
        layers = alerts = None
        problems: list[Problem] = []
        try:
            layers = await in_slices(plan_replacement(self.in_force.layers, asked))
        except InvalidConfiguration as refused:
            problems += refused.problems
        try:
            alerts = plan_alerts(self.in_force.alerts, asked, self.in_force.assets, seal)
        except InvalidConfiguration as refused:
            problems += refused.problems
        if layers is None or alerts is None:
            raise InvalidConfiguration(problems)
        return ImportPlan(layers, alerts)

    async def _prepare(self, ahead: Ahead[ImportPlan], asked: Replacement) -> Prepared[Replaced]:
        plan, version, when = await ahead.result(), self.in_force.version, self.now()
        prepared = await in_slices(write_up_replacement(plan.layers, asked, version, when), is_awaited=True)
        return with_alerts(prepared, plan.alerts, asked, version, when)
