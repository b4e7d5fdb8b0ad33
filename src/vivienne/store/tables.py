"""The tables as queries see them; `migrations` makes them."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)
from typing_extensions import override

SCHEMA_VERSION = 10
"""The schema after all `migrations`: the number of the newest one."""


class Json(TypeDecorator[Any]):
    """JSON as orjson writes it, so that values come back as they were sent on every engine."""

    impl = LargeBinary
    cache_ok = True

    @override
    def process_bind_param(self, value: Any, dialect: Any) -> bytes | None:
        return None if value is None else orjson.dumps(value)

    @override
    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return None if value is None else orjson.loads(value)


metadata = MetaData()
_targeted, _requested = text("target IS NOT NULL"), text("request_id IS NOT NULL")
_answered = text("answer IS NOT NULL")
switches = text("action IN ('pause', 'resume')")
"""Which revisions pause or resume; written as the index has it, so that it is used."""
configured = text("action NOT IN ('delete', 'pause', 'resume', 'alert', 'alert_delete')")
"""Which revisions set values of a configuration, written likewise."""
of_alerts = text("action IN ('alert', 'alert_delete')")
"""Which revisions make, change or delete rules of alerts, written likewise."""
is_waiting = text("status IN ('waiting', 'retrying')")
"""Which deliveries are to be done, written likewise."""
is_undelivered = text("status <> 'delivered'")
"""Which deliveries did not arrive, written likewise."""
revisions = Table(
    "revisions",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("config_id", String(64), nullable=False, unique=True),
    Column("layer", String(32), nullable=False),
    Column("action", String(16), nullable=False),
    Column("document", Json, nullable=False),
    Column("changed", Json, nullable=False),
    Column("author", String(100), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("target", String(64)),
    Column("address", String(64)),
    Column("reason", String(1000)),
    Column("request_id", String(128)),
    Column("request_digest", String(64)),
    Column("answer", Json),
    Column("claimed_author", String(100)),
    Column("trace_id", String(64)),
    Column("requester", String(100), server_default=""),
    Index("revisions_by_layer", "layer", "version"),
    # Most revisions have neither: partial indexes leave them out, which is less to write at each change.
    # `postgres` has the conditions for its engine; here they would load its dialect for SQLite too.
    Index("revisions_by_target", "target", "action", sqlite_where=_targeted),
    Index("revisions_by_request", "request_id", "requester", unique=True, sqlite_where=_requested),
    Index("revisions_with_answer", "version", sqlite_where=_answered),
    Index("revisions_by_switch", "layer", "version", sqlite_where=switches),
    Index("revisions_by_configuration", "version", sqlite_where=configured),
    Index("revisions_by_layer_and_configuration", "layer", "version", sqlite_where=configured),
    Index("revisions_by_alert", "layer", "version", sqlite_where=of_alerts),
)
tokens = Table(
    "tokens",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("revoked_at", String(32)),
    Column("expires_at", String(32)),
    Column("earlier_digest", String(64)),
    Column("earlier_until", String(32)),
    Column("rotations", Integer, nullable=False, server_default="0"),
)
tickets = Table(
    "tickets",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("token_digest", String(64), nullable=False),
    Column("expires_at", Double, nullable=False),  # seconds since 1970, by the clock of the database
    Index("tickets_by_token", "token_digest"),
)
_number = BigInteger().with_variant(Integer, "sqlite")
# An identity needs no right to a sequence, as `serial` would.
alert_events = Table(
    "alert_events",
    metadata,
    Column("number", _number, Identity(), primary_key=True),
    Column("event_id", String(64), nullable=False, unique=True),
    Column("alert_id", String(32), nullable=False),
    Column("run", Text, nullable=False),
    Column("asset", String(32)),
    Column("bar_time", BigInteger),
    Column("created_at", String(32), nullable=False),
    Column("event", Json, nullable=False),
    Index("alert_events_by_rule", "run", "alert_id", "asset", "number"),
)
alert_deliveries = Table(
    "alert_deliveries",
    metadata,
    Column("number", _number, Identity(), primary_key=True),
    Column("delivery_id", String(128), nullable=False, unique=True),
    Column("event_id", String(64), nullable=False),
    Column("alert_id", String(32), nullable=False),
    Column("alert_name", Text, nullable=False),
    Column("channel", String(64), nullable=False),
    Column("channel_type", String(16), nullable=False),
    Column("target", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("due_at", Double, nullable=False),  # seconds since 1970, by the clock of the process
    Column("first_at", Double, nullable=False),  # likewise
    Column("attempts", Integer, nullable=False),
    Column("delivered_at", String(32)),
    Column("latency_ms", Double),
    Column("status_code", Integer),
    Column("answer", Text),
    Column("together", Integer, nullable=False),
    Column("owner", String(100), nullable=False),  # the process that delivers it; empty for none
    Index("alert_deliveries_by_event", "event_id", "channel_type"),
    Index("alert_deliveries_by_rule", "alert_id", "number"),
    # Most deliveries are done.
    Index("alert_deliveries_waiting", "owner", "number", sqlite_where=is_waiting),
    Index("alert_deliveries_undelivered", "status", "channel_type", sqlite_where=is_undelivered),
)
alert_standings = Table(
    "alert_standings",
    metadata,
    Column("run", Text, primary_key=True),
    Column("asset", String(32), primary_key=True),
    Column("standing", Text, nullable=False),  # JSON, as it was given
    Column("stored_at", Double, nullable=False),  # seconds since 1970, by the clock of the database
)
alert_owners = Table(
    "alert_owners",
    metadata,
    Column("owner", String(100), primary_key=True),
    Column("alive_at", Double, nullable=False),  # likewise
)
alerts = alert_events, alert_deliveries, alert_standings, alert_owners
"""The tables of alerts."""
