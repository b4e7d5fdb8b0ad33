"""Boot settings: fixed while the program runs. Tunables, which change live, are in `vivienne.agent.schema`.

Each is a flag of ``vivienne serve`` and an environment variable ``VIVIENNE_...``; the flag wins.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

from vivienne.access.limits import Limits, MessageLimits
from vivienne.cluster.shards import Shard
from vivienne.live.caps import SizeCaps
from vivienne.logs.formats import Format
from vivienne.market.timeframe import Timeframe
from vivienne.outbox.secrets import fingerprint, key_beside
from vivienne.record.judging.costs import USUAL_COSTS, Costs
from vivienne.record.place import beside
from vivienne.redis.address import redis_address
from vivienne.settings import parsing
from vivienne.settings.agreement import agreed_assets, check_agreement, check_record, check_symbols
from vivienne.settings.setting import Setting, setting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta
    from pathlib import Path

    from vivienne.outbox.addresses import AllowedHosts
    from vivienne.store.address import PostgresUrl

Role = Literal["all", "agent", "gateway"]
_MILLION = 1_000_000
_LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """Boot settings, parsed and in agreement with each other.

    Each field is the one declaration of its setting: options of the command line, the values printed at start and
    docs/settings.md follow from it.
    """

    host: str = setting(
        "--host",
        "Address to listen on; localhost is both 127.0.0.1 and ::1, and :: is every address, IPv4 and IPv6.",
        "localhost",
    )
    port: int = setting("--port", "Port to listen on; 0 takes a free one.", 8000, bounds=(0, 65_535))
    root_path: str = setting(
        "--root-path",
        "Path under which a reverse proxy serves everything, as in /vivienne.",
        "",
        metavar="/PATH",
        parse=parsing.root_path,
    )
    assets: tuple[str, ...] = setting(
        "--assets",
        "Assets to decide, separated by commas, such as BTC, BTC-PERP or BTC/USDT.  "
        "[default: those of --data, else BTC,ETH,SOL]",
        "",
        metavar="BTC,ETH,SOL",
        parse=parsing.assets,
    )
    feed: Literal["simulated", "replay", "exchange", "push"] = setting(
        "--feed",
        "Source of market data; with push, other programs send it.",
        "simulated",
        choices=("simulated", "replay", "exchange", "push"),
    )
    exchange: str = setting(
        "--exchange",
        "Exchange whose public data is followed, without keys; with --feed exchange.",
        "",
        metavar="NAME",
        parse=parsing.exchange,
    )
    quote: str = setting(
        "--quote",
        "Currency that assets are paid in, unless their names say so.  [default: the usual one of the exchange]",
        "",
        metavar="USDT",
        parse=lambda text: text.strip().upper(),
    )
    symbols: Mapping[str, str] = setting(
        "--symbol",
        "Name of an asset at the exchange, as in BTC=XBT/USD. May be repeated. In the environment: separated by "
        "blanks.",
        (),
        metavar="ASSET=SYMBOL",
        parse=parsing.symbols,
    )
    exchange_url: str | None = setting(
        "--exchange-url",
        "Scheme and host in place of the exchange's own, for REST (http, https) and WebSockets (ws, wss), for regional "
        "hosts and proxies.",
        "",
        metavar="https://HOST[:PORT]",
        parse=parsing.exchange_url,
    )
    files: Mapping[str, list[Path]] = setting(
        "--data",
        "File of candles or trades to replay: CSV or JSON, plain, .gz or .zip; Feather or Parquet with "
        "vivienne[parquet]. May be repeated, also for the same asset, in any order. In the environment: separated by "
        "blanks.",
        (),
        metavar="ASSET=PATH",
        parse=parsing.files,
    )
    on_bad_row: Literal["stop", "skip"] = setting(
        "--on-bad-row",
        "At a wrong row of a data file: stop the replay of its asset there; or leave the row out, which makes the "
        "asset stale there.",
        "stop",
        choices=("stop", "skip"),
    )
    role: Role = setting(
        "--role",
        "Role of this process: everything; decide a share of the assets; or serve REST, WebSockets and the dashboard "
        "for all of them. The last two need --redis and a PostgreSQL --db, the same for all processes.",
        "all",
        choices=get_args(Role),
    )
    shard: Shard = setting(
        "--shard",
        "Number of this agent and count of all agents, at most 256.  [default: 1/1]",
        "",
        metavar="I/N",
        parse=lambda text: Shard.read(text or "1/1"),
    )
    market_begin: float | None = setting(
        "--market-begin",
        "Time when the simulated market or the replay began, so that all agents, and one that replaces another, agree "
        "on the time in the market: ISO 8601, with its zone.  [default: when this process starts]",
        "",
        metavar="2026-01-31T08:00Z",
        parse=parsing.moment,
    )
    origins: tuple[str, ...] = setting(
        "--origins",
        "Origins beyond this machine whose pages may use the server, separated by commas, as in https://desk.example.",
        "",
        metavar="ORIGIN,...",
        parse=parsing.origins,
    )
    proxies: tuple[str, ...] = setting(
        "--proxies",
        "Addresses or networks of reverse proxies, separated by commas: their X-Forwarded-For is believed. Other "
        "machines come through them, so a token is needed.",
        "",
        metavar="ADDRESS,...",
        parse=parsing.proxies,
    )
    require_token: bool = setting("--require-token", "Require a token, on this machine too.", default=False)
    anyone: bool = setting(
        "--allow-anyone-on-this-network",
        "Serve other machines without tokens: anybody who reaches the port can change what is traded on.",
        default=False,
    )
    speed: float | None = setting(
        "--speed",
        "Market seconds per real second, or max (replay only).",
        "60",
        metavar="N|max",
        parse=parsing.speed,
    )
    timeframe: Timeframe = setting(
        "--timeframe",
        "Length of the bars that are decided.",
        "15m",
        choices=tuple(each.value for each in Timeframe),
        parse=Timeframe,
    )
    db: Path | PostgresUrl = setting(
        "--db",
        "Database of the configuration: a file (SQLite), for one process, or a PostgreSQL database, "
        "postgresql://user@host/name, for several; a password is better in PGPASSWORD or ~/.pgpass.  "
        "[default: vivienne.db in the user's data folder]",
        "",
        metavar="PATH|URL",
        parse=parsing.database,
    )
    record: Path | Literal["", "off"] = setting(
        "--record",
        "File (SQLite) in which every closed bar and the decision on it are recorded; off to record nothing.  "
        "[default: vivienne-record.db beside vivienne.db; in the database of --db if that is PostgreSQL]",
        "",
        metavar="PATH|off",
        parse=parsing.record,
    )
    keep: timedelta = setting(
        "--keep",
        "How long recorded bars and decisions are kept, in the time of the market. Of replays and simulations the "
        "newest five are kept.",
        "365d",
        metavar="TIME",
        parse=partial(parsing.period, "--keep"),
    )
    new_history: bool = setting(
        "--new-history",
        "Take the bars from the history that the market has now, instead of those that were recorded. For one start, "
        "if wrong bars were recorded.",
        default=False,
    )
    paper_fee: float = setting(
        "--paper-fee",
        "Fee of a trade of the paper account, in basis points (hundredths of a percent) of the traded value.",
        USUAL_COSTS.fee,
        bounds=(0.0, 1_000.0),
    )
    paper_slippage: float = setting(
        "--paper-slippage",
        "Difference of its prices from the open of the bar, in basis points, to its disadvantage.",
        USUAL_COSTS.slippage,
        bounds=(0.0, 1_000.0),
    )
    redis: str | None = setting(
        "--redis",
        "Redis to take control messages from and to publish states and changes to; needs vivienne[redis]. An address "
        "with a password is better given in the environment.",
        "",
        metavar="redis://[:PASSWORD@]HOST:PORT",
        parse=lambda text: redis_address("--redis", text) if text else None,
        is_secret=True,
        shown_in_repr=False,
    )
    redis_control: str = setting(
        "--redis-control", "Redis channel of control messages.", "vivienne:control", parse=parsing.channel
    )
    alert_key: Path | None = setting(
        "--alert-key",
        "File with the key that encrypts secrets of alert rules; made when it is first needed. The same for all "
        "processes of a PostgreSQL --db, where secrets come from the environment only without it.  "
        "[default: beside a --db that is a file, as in vivienne.db.key]",
        "",
        metavar="PATH",
        parse=parsing.alert_key,
    )
    alert_hosts: AllowedHosts = setting(
        "--alert-hosts",
        "Hosts, addresses or networks that alerts may be sent to though they are not public, separated by commas.",
        "",
        metavar="127.0.0.1,bot.internal",
        parse=parsing.alert_hosts,
    )
    window: int = setting("--window", "Bars kept per asset.", 2500, bounds=(1_500, 20_000))
    seed: int = setting("--seed", "Seed of the simulated market.", 1, bounds=(0, 2**32 - 1))
    require_full_history: bool = setting(
        "--require-full-history",
        "Keep an asset `warming_up` until its full history of 1,000 bars is there.",
        default=False,
    )
    on_tick: bool = setting(
        "--evaluate-on",
        "Decide when a bar closes; or on every price too, which repaints: the decision of the open bar may be taken "
        "back.",
        "close",
        choices=("close", "tick"),
        parse=lambda text: text == "tick",
    )
    caps: SizeCaps = setting(
        "--max-position-size",
        "Largest position size in percent of equity, whatever the configuration says; 25,BTC=10 sets another one for "
        "BTC. A larger size in a configuration is cut, and the state says so.",
        "100",
        metavar="PERCENT[,ASSET=PERCENT...]",
    )
    price_interval: float = setting(
        "--price-interval",
        "Shortest time between two states of an asset that differ in price only, in seconds.",
        0.1,
        bounds=(0.01, 60.0),
    )
    keep_answers: timedelta | None = setting(
        "--keep-answers",
        "How long the answer to a change with a request_id is kept, so that a repetition gets it again: 12h, 30d or "
        "forever. Answers are half of the database; the history stays.",
        "30d",
        metavar="TIME",
        parse=lambda text: None if text == "forever" else parsing.period("--keep-answers", text),
    )
    log_level: str = setting(
        "--log-level", "Lowest level of log records.", "info", choices=("debug", "info", "warning", "error")
    )
    log_format: Format = setting(
        "--log-format",
        "Format of the log on standard error: lines for people, or a JSON object on each line.",
        "text",
        choices=get_args(Format),
    )
    drain_seconds: float = setting(
        "--drain-seconds",
        "Time between SIGTERM and the stop in which /ready answers 503 and everything else goes on, so that load "
        "balancers send clients elsewhere.",
        0.0,
        bounds=(0.0, 300.0),
    )
    max_message_bytes: int = setting(
        "--max-message-bytes",
        "Longest message that is read, in bytes.",
        _LIMITS.message.bytes,
        bounds=(1_024, 4 * 1024 * 1024),
    )
    max_nesting: int = setting(
        "--max-nesting", "Most levels of objects and lists in a message.", _LIMITS.message.nesting, bounds=(4, 100)
    )
    max_connections: int = setting(
        "--max-connections",
        "Most connections at once; more are answered 503.",
        _LIMITS.connections,
        bounds=(10, _MILLION),
    )
    max_connections_per_address: int = setting(
        "--max-connections-per-address",
        "Most connections at once from one address; more are answered 429. For reverse proxies in --proxies, the "
        "addresses behind them are counted, and only their WebSockets.",
        _LIMITS.connections_per_address,
        bounds=(1, _MILLION),
    )
    max_websockets_per_caller: int = setting(
        "--max-websockets-per-caller",
        "Most WebSockets at once of one token, or of one address without a token; more are answered 429.",
        _LIMITS.websockets_per_caller,
        bounds=(1, _MILLION),
    )
    max_handshakes_per_second: int = setting(
        "--max-handshakes-per-second",
        "Most WebSockets opened in a second; more are answered 429.",
        _LIMITS.handshakes_per_second,
        bounds=(1, _MILLION),
    )
    max_half_open: int = setting(
        "--max-half-open",
        "Most connections at once that have not sent a whole request yet; beyond it the oldest of the address with "
        "most is closed. The same for connections that have not read their answer.",
        _LIMITS.half_open,
        bounds=(1, _MILLION),
    )
    handshake_seconds: float = setting(
        "--handshake-seconds",
        "Longest time until a connection has sent a request, or has opened its WebSocket.",
        _LIMITS.handshake_seconds,
        bounds=(0.1, 600.0),
    )
    answer_seconds: float = setting(
        "--answer-seconds",
        "Longest time until a client has read an answer, or the next 64 kB of an export.",
        _LIMITS.answer_seconds,
        bounds=(0.1, 600.0),
    )
    max_changes_per_minute: int = setting(
        "--max-changes-per-minute",
        "Most changes a minute from one token, or from one address without a token; more are answered 429, or with an "
        "error of code too_many_requests. On average each may take 4 KiB of the history. Redis is not limited.",
        _LIMITS.changes_per_minute,
        bounds=(1, 10 * _MILLION),
    )
    max_pushed_rows_per_minute: int = setting(
        "--max-pushed-rows-per-minute",
        "Most candles and trades a minute that one token, or one address without a token, may push; more are answered "
        "429. Redis is not limited.",
        _LIMITS.pushed_rows_per_minute,
        bounds=(1, 100 * _MILLION),
    )
    max_subscriptions: int = setting(
        "--max-subscriptions", "Most assets in one subscribe message.", _LIMITS.subscriptions, bounds=(1, _MILLION)
    )

    @classmethod
    def read(cls, **given: Any) -> Self:
        """Parse settings as they are given; those left out have their default.

        Args:
            given: by `Setting.name`.

        Raises:
            SettingsError: one is not valid, or two do not agree.
        """
        whole = {name: given.get(name, declared.default) for name, declared in SETTINGS.items()}
        values = {name: declared.read(whole[declared.name]) for name, declared in _declarations().items()}
        check_agreement(whole)
        values["assets"] = agreed_assets(values["assets"], values["files"])
        check_symbols(values["symbols"], values["assets"])
        check_record(values["record"], values["db"])
        values["caps"] = SizeCaps.read(whole["max_position_size"], values["assets"])
        return cls(**values)

    @property
    def record_at(self) -> Path | PostgresUrl | None:
        """Where decisions are recorded; None for nowhere."""
        if self.record == "off":
            return None
        return self.record or beside(self.db)

    @property
    def alert_key_at(self) -> Path | None:
        """Where the key of secrets of alert rules is; None for nowhere."""
        return self.alert_key or key_beside(self.db)

    @property
    def paper_costs(self) -> Costs:
        """Costs of a trade of the paper account."""
        return Costs(self.paper_fee, self.paper_slippage)

    def of_all_agents(self) -> dict[str, str]:
        """By flag, what all agents should have alike beside their feed and timeframe."""
        found: dict[str, object] = {
            "--evaluate-on": "tick" if self.on_tick else "close",
            "--max-position-size": self.caps,
            "--window": self.window,
            "--require-full-history": self.require_full_history,
            "--alert-hosts": self.alert_hosts,
            "--alert-key": fingerprint(self.alert_key_at),
        }
        if self.feed == "exchange":
            found |= {"--exchange": self.exchange, "--quote": self.quote}
        if self.feed in ("simulated", "replay"):
            found |= {"--speed": self.speed, "--market-begin": self.market_begin}
        if self.feed == "simulated":
            found["--seed"] = self.seed
        return {flag: str(value) for flag, value in found.items()}

    @property
    def limits(self) -> Limits:
        """The limits of callers, together."""
        return Limits(
            message=MessageLimits(self.max_message_bytes, self.max_nesting),
            connections=self.max_connections,
            connections_per_address=self.max_connections_per_address,
            websockets_per_caller=self.max_websockets_per_caller,
            handshakes_per_second=self.max_handshakes_per_second,
            half_open=self.max_half_open,
            handshake_seconds=self.handshake_seconds,
            answer_seconds=self.answer_seconds,
            changes_per_minute=self.max_changes_per_minute,
            pushed_rows_per_minute=self.max_pushed_rows_per_minute,
            subscriptions=self.max_subscriptions,
        )


def _declarations() -> dict[str, Setting]:
    """By field of `Boot`."""
    return {each.name: each.metadata["setting"] for each in fields(Boot)}


SETTINGS: dict[str, Setting] = {each.name: each for each in _declarations().values()}
"""Every boot setting by its name, in the order of the documentation."""
