"""The tables of the record, the same on SQLite and PostgreSQL.

A PostgreSQL database has those of the configuration too, so all names begin with ``record_``. Times are in ms since the
epoch, UTC. Words are numbers, see `vivienne.record.codes`. NaN is NULL.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
)

RECORD_SCHEMA = 2
"""The schema of these tables. Schema 1 has no seals and no numbers of decisions."""
UNUSED = "unused:"
"""Begins the digest of a configuration to which nothing referred when that was looked at last."""

metadata = MetaData()
schema = Table("record_schema", metadata, Column("version", Integer, primary_key=True, autoincrement=False))
"""One row: the schema that a record has."""

runs = Table(
    "record_runs",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("key", String, nullable=False, unique=True),
    Column("feed", String, nullable=False),
    Column("exchange", String),
    Column("begun_at", BigInteger, nullable=False),
    Column("is_real", Boolean, nullable=False),
    Column("seal", BigInteger),
)
"""Courses of market time. A real market has one for ever. A replay or a simulation that begins again is another one.

`key` tells them apart; `begun_at` is by the clock of the machine. `seal`, here and below, is a checksum of the row, see
`vivienne.record.seals`; NULL in rows of versions that had none.
"""

series = Table(
    "record_series",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("run_id", ForeignKey("record_runs.id"), nullable=False),
    Column("asset", String, nullable=False),
    Column("timeframe", String, nullable=False),
    Column("market", String, nullable=False),
    Column("segment", Integer, nullable=False),
    Column("begins_at", BigInteger, nullable=False),
    Column("numbered", Integer, nullable=False, server_default="0"),
    Column("kept_from", Integer, nullable=False, server_default="1"),
    Column("seal", BigInteger),
    UniqueConstraint("run_id", "asset", "timeframe", "market", "segment"),
)
"""Bars of one market, in segments. A segment has the bars that its decisions were made from, to the last bit.

A new segment begins where a process decided from bars that differ from those recorded before: it began without the
record, say. `segment` counts from 0. Its decisions begin at `begins_at`, the open time of a bar, and those of the
segment before end there. `market` is the symbol that the settings give for the asset, or empty. `numbered` is the
number of the newest decision, and `kept_from` that of the oldest one that is not too old: those between are all there.
"""

sessions = Table(
    "record_sessions",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("run_id", ForeignKey("record_runs.id"), nullable=False),
    Column("process", String, nullable=False),
    Column("program_version", String, nullable=False),
    Column("require_full_history", Boolean, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("alive_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_cleanly", Boolean),
    Column("seal", BigInteger),
)
"""Processes that recorded. `alive_at` is the last time that one wrote; `ended_at` is NULL while it goes on.

`ended_cleanly` is false for one that was killed: a row of `gaps` says so too.
"""

configurations = Table(
    "record_configurations",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("digest", String, nullable=False, unique=True),
    Column("document", LargeBinary, nullable=False),
)
"""Effective configurations that decided something: all values, as JSON, compressed with zlib. Each is kept once.

The digest of one that is about to go begins with `UNUSED`; see `vivienne.record.forgetting`.
"""

blocks = Table(
    "record_blocks",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("text", String, nullable=False, unique=True),
)
"""Sets of scenarios that blocked an entry: ``filter/scenario`` in the order of the filters, separated by commas."""

bars = Table(
    "record_bars",
    metadata,
    Column("series_id", ForeignKey("record_series.id"), nullable=False),
    Column("open_time", BigInteger, nullable=False),
    Column("open", Double, nullable=False),
    Column("high", Double, nullable=False),
    Column("low", Double, nullable=False),
    Column("close", Double, nullable=False),
    Column("volume", Double),
    Column("quote_volume", Double),
    Column("trade_count", Double),
    Column("taker_buy_volume", Double),
    Column("source", SmallInteger, nullable=False),
    Column("session_id", Integer, nullable=False),
    # The decision; all NULL where none was made, or where it is no longer kept.
    Column("config_version", Integer),
    Column("configuration_id", Integer),
    Column("status", SmallInteger),
    Column("is_paused", Boolean),
    Column("is_ready", Boolean),
    Column("is_whole", Boolean),
    Column("history", SmallInteger),
    Column("used", SmallInteger),
    Column("level", SmallInteger),
    Column("raw_level", SmallInteger),
    Column("side", SmallInteger),
    Column("confidence", Double),
    Column("size", Double),
    Column("wanted", Double),
    Column("cap", Double),
    Column("blocks_id", Integer),
    Column("trend", SmallInteger),
    Column("volatility", SmallInteger),
    Column("levels", SmallInteger),
    Column("support", Double),
    Column("resistance", Double),
    Column("rsi", Double),
    Column("macd_atr", Double),
    Column("macd_histogram_atr", Double),
    Column("atr", Double),
    Column("number", Integer),
    Column("decision_seal", BigInteger),
    # Of the bar, whether it has a decision or not.
    Column("bar_seal", BigInteger),
    # No index of its own: rows are in the order of the key, so that a page is read in one piece.
    PrimaryKeyConstraint("series_id", "open_time"),
    sqlite_with_rowid=False,
)
"""Closed bars, each with the decision that was made when it closed; `vivienne.record.rows` says what the columns mean.

Bars without a decision come before the first decision of a process: it was made from them. Decisions of a series are
numbered from 1 as they are recorded. Old ones have neither numbers nor seals.
"""

gaps = Table(
    "record_gaps",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("run_id", ForeignKey("record_runs.id"), nullable=False),
    Column("series_id", ForeignKey("record_series.id")),
    Column("from_time", BigInteger, nullable=False),
    Column("to_time", BigInteger, nullable=False),
    Column("reason", String, nullable=False),
    Column("decisions", Integer),
    Column("seal", BigInteger),
    Index("record_gaps_by_time", "run_id", "to_time"),
)
"""Decisions that are not in the record.

With a series, `from_time` and `to_time` are open times of the first and the last bar. Without, all assets of a process
are meant, and the times are those of the machine. `decisions` is their number; NULL if it is not known.

Reasons: ``lost``: the record could not be written for so long that no more decisions could wait; ``killed``: the
process ended without writing what it had; ``feed``: the market has no bars there, and its history began anew.
"""

LATER_COLUMNS = (
    runs.c.seal, series.c.numbered, series.c.kept_from, series.c.seal, sessions.c.seal, bars.c.number,
    bars.c.decision_seal, bars.c.bar_seal, gaps.c.seal,
)  # fmt: skip
"""Those that schema 1 does not have."""
