"""Changes of one rule of alerts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from vivienne.changes.ahead import Ahead
from vivienne.changes.alerts.planning import plan_alert, write_up_alert

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.changes.alerts.planning import AlertPlan, Seal
    from vivienne.changes.alerts.requests import AlertRequest
    from vivienne.changes.in_force import LayersInForce
    from vivienne.changes.plan import Prepared
    from vivienne.changes.writer import Writer
    from vivienne.wire.alert import AlertChanged


@dataclass(frozen=True)
class AlertChanging:
    """Makes changes of rules.

    Attributes:
        in_force: has the rules.
        writer: makes changes.
        seal: encrypts secrets.
        now: time of a revision.
    """

    in_force: LayersInForce
    writer: Writer
    seal: Seal
    now: Callable[[], str]

    async def change(self, request: AlertRequest) -> AlertChanged:
        """See `ConfigService.change_alert`."""
        plan = Ahead(lambda: self.in_force.alerts, partial(self._plan, request))
        return await self.writer.write_once(request, partial(self._prepare, plan), plan.work_out)

    async def _plan(self, request: AlertRequest) -> AlertPlan:
        return plan_alert(self.in_force.alerts, request, self.in_force.assets, self.seal)

    async def _prepare(self, ahead: Ahead[AlertPlan], request: AlertRequest) -> Prepared[AlertChanged]:
        plan = await ahead.result()
        return write_up_alert(plan, request, self.in_force.version + 1, self.now())
