"""Tables of alerts, their deliveries, and what was known of each asset; rules of alerts are revisions.

The indexes of configurations are made anew: revisions of rules are none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "9"
down_revision = "8"

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make them."""
    _index_revisions()
    _make_events()
    _make_deliveries()
    op.create_table(
        "alert_standings",
        sa.Column("run", sa.Text, primary_key=True),
        sa.Column("asset", sa.String(32), primary_key=True),
        sa.Column("standing", sa.Text, nullable=False),
        sa.Column("stored_at", sa.Double, nullable=False),
    )
    op.create_table(
        "alert_owners",
        sa.Column("owner", sa.String(100), primary_key=True),
        sa.Column("alive_at", sa.Double, nullable=False),
    )


def _index_revisions() -> None:
    for name in ("revisions_by_configuration", "revisions_by_layer_and_configuration"):
        op.drop_index(name, "revisions")
    configured = "action NOT IN ('delete', 'pause', 'resume', 'alert', 'alert_delete')"
    _index("revisions_by_configuration", "revisions", ["version"], configured)
    _index("revisions_by_layer_and_configuration", "revisions", ["layer", "version"], configured)
    _index("revisions_by_alert", "revisions", ["layer", "version"], "action IN ('alert', 'alert_delete')")


def _make_events() -> None:
    op.create_table(
        "alert_events",
        sa.Column("number", _NUMBER, sa.Identity(), primary_key=True),
        sa.Column("event_id", sa.String(64), nullable=False, unique=True),
        sa.Column("alert_id", sa.String(32), nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("asset", sa.String(32)),
        sa.Column("bar_time", sa.BigInteger),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("event", sa.LargeBinary, nullable=False),
    )
    op.create_index("alert_events_by_rule", "alert_events", ["run", "alert_id", "asset", "number"])


def _make_deliveries() -> None:
    op.create_table(
        "alert_deliveries",
        sa.Column("number", _NUMBER, sa.Identity(), primary_key=True),
        sa.Column("delivery_id", sa.String(128), nullable=False, unique=True),
        sa.Column("event_id", sa.String(64), nullable=False),
        sa.Column("alert_id", sa.String(32), nullable=False),
        sa.Column("alert_name", sa.Text, nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("channel_type", sa.String(16), nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("due_at", sa.Double, nullable=False),
        sa.Column("first_at", sa.Double, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("delivered_at", sa.String(32)),
        sa.Column("latency_ms", sa.Double),
        sa.Column("status_code", sa.Integer),
        sa.Column("answer", sa.Text),
        sa.Column("together", sa.Integer, nullable=False),
        sa.Column("owner", sa.String(100), nullable=False),
    )
    op.create_index("alert_deliveries_by_event", "alert_deliveries", ["event_id", "channel_type"])
    op.create_index("alert_deliveries_by_rule", "alert_deliveries", ["alert_id", "number"])
    waiting = "status IN ('waiting', 'retrying')"
    _index("alert_deliveries_waiting", "alert_deliveries", ["owner", "number"], waiting)
    _index("alert_deliveries_undelivered", "alert_deliveries", ["status", "channel_type"], "status <> 'delivered'")


def _index(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
