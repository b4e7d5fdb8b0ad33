"""Every earlier form of the tables, as SQL, with two revisions and, where there were any, a token.

They are texts and not made by migrations: what a database of then looks like does not change with the program.
"""

from __future__ import annotations

from vivienne.store.sqlite import APPLICATION_ID

_COLUMNS = """
    version INTEGER NOT NULL, config_id VARCHAR(64) NOT NULL, layer VARCHAR(32) NOT NULL, action VARCHAR(16) NOT NULL,
    document BLOB NOT NULL, changed BLOB NOT NULL, author VARCHAR(100) NOT NULL, channel VARCHAR(16) NOT NULL,
    created_at VARCHAR(32) NOT NULL, target VARCHAR(64), address VARCHAR(64), reason VARCHAR(1000),
    request_id VARCHAR(128), request_digest VARCHAR(64), answer BLOB, PRIMARY KEY (version), UNIQUE (config_id)
"""
_REVISIONS = f"""
CREATE TABLE revisions ({_COLUMNS});
CREATE INDEX revisions_by_layer ON revisions (layer, version);
CREATE INDEX revisions_by_target ON revisions (target, action) WHERE target IS NOT NULL;
CREATE UNIQUE INDEX revisions_by_request ON revisions (request_id) WHERE request_id IS NOT NULL;
"""
_ROWS = """
INSERT INTO revisions (version, config_id, layer, action, document, changed, author, channel, created_at) VALUES
    (1, 'id-1', 'global', 'update', '{"settings":{"state_threshold_bang":80.25}}', '[]', 'ann', 'rest',
     '2026-01-02T03:04:05.678Z'),
    (2, 'id-2', 'BTC', 'update', '{"settings":{"state_threshold_bang":80.5}}', '[]', 'ann', 'rest',
     '2026-01-02T03:04:05.678Z');
"""
_SWITCHES = "CREATE INDEX revisions_by_switch ON revisions (layer, version) WHERE action IN ('pause', 'resume');"
_TOKENS = """
CREATE TABLE tokens (
    name VARCHAR(64) NOT NULL, digest VARCHAR(64) NOT NULL, role VARCHAR(16) NOT NULL, created_at VARCHAR(32) NOT NULL,
    revoked_at VARCHAR(32), PRIMARY KEY (name), UNIQUE (digest)
);
ALTER TABLE revisions ADD COLUMN claimed_author VARCHAR(100);
INSERT INTO tokens (name, digest, role, created_at) VALUES ('ann', 'd1', 'admin', '2026-01-02T03:04:05.678Z');
"""
_TICKETS = """
CREATE TABLE tickets (
    digest VARCHAR(64) NOT NULL, token_digest VARCHAR(64) NOT NULL, expires_at DOUBLE NOT NULL,
    PRIMARY KEY (digest)
);
CREATE INDEX tickets_by_token ON tickets (token_digest);
"""
_EXPIRY = """
ALTER TABLE tokens ADD COLUMN expires_at VARCHAR(32);
ALTER TABLE tokens ADD COLUMN earlier_digest VARCHAR(64);
ALTER TABLE tokens ADD COLUMN earlier_until VARCHAR(32);
CREATE INDEX revisions_with_answer ON revisions (version) WHERE answer IS NOT NULL;
INSERT INTO tokens (name, digest, role, created_at, earlier_digest, earlier_until) VALUES
    ('bot', 'd3', 'tuner', '2026-01-02T03:04:05.678Z', 'd2', '2026-01-03T03:04:05.678Z');
"""
_TRACES = "ALTER TABLE revisions ADD COLUMN trace_id VARCHAR(64);"
_REQUESTERS = """
ALTER TABLE revisions ADD COLUMN requester VARCHAR(100) DEFAULT '';
DROP INDEX revisions_by_request;
CREATE UNIQUE INDEX revisions_by_request ON revisions (request_id, requester) WHERE request_id IS NOT NULL;
"""
_CONFIGURATIONS = """
CREATE INDEX revisions_by_configuration ON revisions (version) WHERE action NOT IN ('delete', 'pause', 'resume');
CREATE INDEX revisions_by_layer_and_configuration ON revisions (layer, version)
    WHERE action NOT IN ('delete', 'pause', 'resume');
"""
_ALERTS = """
DROP INDEX revisions_by_configuration;
DROP INDEX revisions_by_layer_and_configuration;
CREATE INDEX revisions_by_configuration ON revisions (version)
    WHERE action NOT IN ('delete', 'pause', 'resume', 'alert', 'alert_delete');
CREATE INDEX revisions_by_layer_and_configuration ON revisions (layer, version)
    WHERE action NOT IN ('delete', 'pause', 'resume', 'alert', 'alert_delete');
CREATE INDEX revisions_by_alert ON revisions (layer, version) WHERE action IN ('alert', 'alert_delete');
CREATE TABLE alert_events (
    number INTEGER NOT NULL, event_id VARCHAR(64) NOT NULL, alert_id VARCHAR(32) NOT NULL, run TEXT NOT NULL,
    asset VARCHAR(32), bar_time BIGINT, created_at VARCHAR(32) NOT NULL, event BLOB NOT NULL, PRIMARY KEY (number),
    UNIQUE (event_id)
);
CREATE INDEX alert_events_by_rule ON alert_events (run, alert_id, asset, number);
CREATE TABLE alert_deliveries (
    number INTEGER NOT NULL, delivery_id VARCHAR(128) NOT NULL, event_id VARCHAR(64) NOT NULL,
    alert_id VARCHAR(32) NOT NULL, alert_name TEXT NOT NULL, channel VARCHAR(64) NOT NULL,
    channel_type VARCHAR(16) NOT NULL, target TEXT NOT NULL, status VARCHAR(16) NOT NULL, due_at DOUBLE NOT NULL,
    first_at DOUBLE NOT NULL, attempts INTEGER NOT NULL, delivered_at VARCHAR(32), latency_ms DOUBLE,
    status_code INTEGER, answer TEXT, together INTEGER NOT NULL, owner VARCHAR(100) NOT NULL, PRIMARY KEY (number),
    UNIQUE (delivery_id)
);
CREATE INDEX alert_deliveries_by_event ON alert_deliveries (event_id, channel_type);
CREATE INDEX alert_deliveries_by_rule ON alert_deliveries (alert_id, number);
CREATE INDEX alert_deliveries_waiting ON alert_deliveries (owner, number) WHERE status IN ('waiting', 'retrying');
CREATE INDEX alert_deliveries_undelivered ON alert_deliveries (status, channel_type) WHERE status <> 'delivered';
CREATE TABLE alert_standings (
    run TEXT NOT NULL, asset VARCHAR(32) NOT NULL, standing TEXT NOT NULL, stored_at DOUBLE NOT NULL,
    PRIMARY KEY (run, asset)
);
CREATE TABLE alert_owners (owner VARCHAR(100) NOT NULL, alive_at DOUBLE NOT NULL, PRIMARY KEY (owner));
"""


def _migrated(number: int) -> str:
    return f"""
        CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, PRIMARY KEY (version_num));
        INSERT INTO alembic_version VALUES ('{number}');
    """  # noqa: S608  # numbers of this file


def _header(number: int) -> str:
    return f"PRAGMA user_version={number}; PRAGMA application_id={APPLICATION_ID};"


BEFORE_MIGRATIONS = _REVISIONS + _ROWS + _header(1)
_BEFORE_CONFIGURATIONS = _REVISIONS + _ROWS + _SWITCHES + _TOKENS + _TICKETS + _EXPIRY + _TRACES + _REQUESTERS
_BEFORE_ALERTS = _BEFORE_CONFIGURATIONS + _CONFIGURATIONS
MIGRATED = {
    "1": _REVISIONS + _ROWS + _migrated(1),
    "2, with pauses": _REVISIONS + _ROWS + _SWITCHES + _migrated(2),
    "2, with tokens": _REVISIONS + _ROWS + _TOKENS + _migrated(2),
    "3": _REVISIONS + _ROWS + _SWITCHES + _TOKENS + _migrated(3),
    "4": _REVISIONS + _ROWS + _SWITCHES + _TOKENS + _TICKETS + _migrated(4),
    "5": _REVISIONS + _ROWS + _SWITCHES + _TOKENS + _TICKETS + _EXPIRY + _migrated(5),
    "6": _REVISIONS + _ROWS + _SWITCHES + _TOKENS + _TICKETS + _EXPIRY + _TRACES + _migrated(6),
    "7": _BEFORE_CONFIGURATIONS + _migrated(7),
    "8": _BEFORE_ALERTS + _migrated(8),
    "9": _BEFORE_ALERTS + _ALERTS + _migrated(9),
}
"""By the number of the schema: those that both engines had."""
SQLITE = {
    "the first": f"""
        CREATE TABLE revisions ({_COLUMNS}, UNIQUE (request_id));
        CREATE INDEX revisions_by_layer ON revisions (layer, version);
        CREATE INDEX revisions_by_target ON revisions (target, action);
    """
    + _ROWS
    + _header(1),
    "before migrations": BEFORE_MIGRATIONS,
    **{name: text + _header(int(name[0])) for name, text in MIGRATED.items()},
}
POSTGRES = {
    name: text.replace("BLOB", "BYTEA")
    .replace("DOUBLE", "DOUBLE PRECISION")
    .replace("number INTEGER NOT NULL", "number BIGINT GENERATED BY DEFAULT AS IDENTITY")
    for name, text in MIGRATED.items()
}
