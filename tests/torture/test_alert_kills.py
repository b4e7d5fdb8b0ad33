"""Kills between decisions and their alerts. The long form is `make torture ARGS=alerts`."""

from __future__ import annotations

from torture import alerts
from torture.short import missed


def test_every_alert_arrives_with_one_id_however_often_the_server_is_killed() -> None:
    assert [] == missed(alerts.measure(kills=2, latest_kill=0.5))
