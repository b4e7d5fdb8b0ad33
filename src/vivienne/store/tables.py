"""The tables as queries see them; `migrations` makes them."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Column, Double, Index, Integer, LargeBinary, MetaData, String, Table, TypeDecorator, text
from typing_extensions import override

SCHEMA_VERSION = 8
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
configured = text("action NOT IN ('delete', 'pause', 'resume')")
"""Which revisions set values, written likewise."""
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
)
tickets = Table(
    "tickets",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("token_digest", String(64), nullable=False),
    Column("expires_at", Double, nullable=False),  # seconds since 1970, by the clock of the database
    Index("tickets_by_token", "token_digest"),
)
