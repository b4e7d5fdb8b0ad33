"""Limits on connections and messages. Each limit is a boot setting."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class MessageLimits:
    """Limits of a message.

    Attributes:
        bytes: its length; the whole configuration with all its notes is below a tenth of the usual limit.
        nesting: levels of objects and lists.
    """

    bytes: int = 256 * 1024
    nesting: int = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one process.

    Attributes:
        message: of messages, over REST, WebSockets and Redis.
        connections: open at once.
        connections_per_address: the same, from one address.
        websockets_per_caller: open at once, of a token, or of an address without one.
        handshakes_per_second: WebSockets that may be opened in a second.
        half_open: connections at once that have not said yet what they want; the oldest goes when there are more. The
            same number may have answers at once that are not read.
        handshake_seconds: so long a connection may take to say it.
        answer_seconds: so long a client may take to read an answer.
        changes_per_minute: asked for by one caller: a token, or an address without one.
        pushed_rows_per_minute: candles and trades pushed by one caller.
        subscriptions: assets in one subscription.
    """

    message: MessageLimits = field(default_factory=MessageLimits)
    connections: int = 5_000
    connections_per_address: int = 4_000
    websockets_per_caller: int = 2_000
    handshakes_per_second: int = 1_000
    half_open: int = 500
    handshake_seconds: float = 10.0
    answer_seconds: float = 30.0
    changes_per_minute: int = 12_000
    pushed_rows_per_minute: int = 600_000
    subscriptions: int = 1_000
