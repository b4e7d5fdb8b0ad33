"""Boot settings: what is fixed while the program runs. Tunables are in `vivienne.config.schema` instead.

Each is a flag of ``vivienne serve`` and an environment variable ``VIVIENNE_...``; the flag wins.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from vivienne.access.limits import Limits, MessageLimits
from vivienne.cluster.shards import Shard
from vivienne.errors import SettingsError
from vivienne.live.caps import SizeCaps
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import ASSET_NAME
from vivienne.redis.address import redis_address
from vivienne.store.address import PostgresUrl

if TYPE_CHECKING:
    from collections.abc import Mapping

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?")
_CHANNEL = re.compile(r"[!-~]{1,100}")
_HIGHEST_PORT = 65_535
_LIMITS = Limits()


def _setting(help_text: str, *, default: Any = None, metavar: str | None = None, **more: Any) -> Any:
    return field(default=default, metadata={"help": help_text, "metavar": metavar, **more})


@dataclass(frozen=True, slots=True, kw_only=True)
class BootSettings:
    """Boot settings, as texts and numbers from outside; `checked` makes them fit together."""

    host: str = _setting("Address to listen on; localhost is both 127.0.0.1 and ::1.", default="localhost")
    port: int = _setting("Port to listen on; 0 takes a free one.", default=8000)
    assets: str = _setting("Assets to decide, with commas.  [default: those of --data, else BTC,ETH,SOL]",
                           default="", metavar="BTC,ETH,SOL")  # fmt: skip
    feed: Literal["simulated", "replay"] = _setting("Where market data comes from.", default="simulated")
    data: tuple[str, ...] = _setting(
        "File of one-minute klines or trades to replay (CSV, plain, .gz or .zip); may be repeated, also for the same "
        "asset, in order of time. In the environment: separated by blanks.",
        default=(),
        metavar="ASSET=PATH",
    )
    role: Literal["all", "agent", "gateway"] = _setting(
        "What this process does: everything; decide a share of the assets; or serve REST, WebSockets and the dashboard "
        "for all of them. The last two need --redis and a PostgreSQL --db, the same for all processes.",
        default="all",
    )
    shard: str = _setting("Which one of how many agents this is.  [default: 1/1]", default="", metavar="I/N")
    market_begin: str = _setting(
        "When the simulated market or the replay began, so that agents agree on what time it is in it, and one that "
        "takes another's place too: ISO 8601, with its zone.  [default: when this process starts]",
        default="",
        metavar="2026-01-31T08:00Z",
    )
    origins: str = _setting(
        "Origins beyond this machine whose pages may use the server, with commas, as in https://desk.example.",
        default="",
        metavar="ORIGIN,...",
    )
    proxies: str = _setting(
        "Addresses or networks of reverse proxies, with commas: what they say in X-Forwarded-For is believed. Through "
        "them others than this machine come, so a token is needed.",
        default="",
        metavar="ADDRESS,...",
    )
    require_token: bool = _setting("Let nobody in without a token, on this machine either.", default=False)
    allow_anyone_on_this_network: bool = _setting(
        "Serve other machines without tokens: whoever reaches the port can change what is traded on.", default=False
    )
    speed: str = _setting("Market seconds per real second, or max (replay only).", default="60", metavar="N|max")
    timeframe: Literal["1m", "3m", "5m", "15m", "30m", "1h", "4h", "1d"] = _setting(
        "Length of the bars that are decided.", default="15m"
    )
    db: str = _setting(
        "What keeps the configuration: a file (SQLite), for one process, or a PostgreSQL database, "
        "postgresql://user@host/name, for several; a password is better in PGPASSWORD or ~/.pgpass.  "
        "[default: vivienne.db in the user's data folder]",
        default="",
        metavar="PATH|URL",
    )
    redis: str = _setting(
        "Redis to take control messages from and to publish states and changes to; needs vivienne[redis]. An address "
        "with a password is better given in the environment.",
        default="",
        metavar="redis://[:PASSWORD@]HOST:PORT",
        secret=True,
    )
    redis_control: str = _setting("Channel in Redis that control messages come on.", default="vivienne:control")
    window: int = _setting("Bars kept per asset.", default=1000, bounds=(600, 20_000))
    seed: int = _setting("Seed of the simulated market.", default=1, bounds=(0, 2**32 - 1))
    require_full_history: bool = _setting(
        "Keep an asset `warming_up` until its full history of 1,000 bars is there.", default=False
    )
    evaluate_on: Literal["close", "tick"] = _setting(
        "Decide when a bar closes; or on every price too, which repaints: the open bar may take its decision back.",
        default="close",
    )
    max_position_size: str = _setting(
        "Largest position size in percent of equity, whatever the configuration says; 25,BTC=10 has another one for "
        "BTC. A configuration may ask for more: it is cut, and the state says so.",
        default="100",
        metavar="PERCENT[,ASSET=PERCENT...]",
    )
    price_interval: float = _setting(
        "Shortest time between two states of an asset that differ in price only, in seconds.",
        default=0.1,
        bounds=(0.01, 60.0),
    )
    log_level: Literal["debug", "info", "warning", "error"] = _setting("Least level of log records.", default="info")
    max_message_bytes: int = _setting(
        "Longest message that is read, in bytes.", default=_LIMITS.message.bytes, bounds=(1_024, 4 * 1024 * 1024)
    )
    max_nesting: int = _setting(
        "Most levels of objects and lists in a message.", default=_LIMITS.message.nesting, bounds=(4, 100)
    )
    max_connections: int = _setting(
        "Most connections at once; more are answered 503.", default=_LIMITS.connections, bounds=(10, 1_000_000)
    )
    max_connections_per_address: int = _setting(
        "Most connections at once from one address; more are answered 429. Of reverse proxies in --proxies, those "
        "behind them are counted, and only their WebSockets.",
        default=_LIMITS.connections_per_address,
        bounds=(1, 1_000_000),
    )
    max_handshakes_per_second: int = _setting(
        "Most WebSockets opened in a second; more are answered 429.",
        default=_LIMITS.handshakes_per_second,
        bounds=(1, 1_000_000),
    )
    max_half_open: int = _setting(
        "Most connections at once that have not sent a whole request yet; the oldest of more is closed.",
        default=_LIMITS.half_open,
        bounds=(1, 1_000_000),
    )
    handshake_seconds: float = _setting(
        "How long a connection may take to send a request.", default=_LIMITS.handshake_seconds, bounds=(0.1, 600.0)
    )
    max_changes_per_minute: int = _setting(
        "Most changes a minute that one token, or one address without a token, may ask for; more are answered 429, or "
        "with an error of code too_many_requests. Redis is not limited.",
        default=_LIMITS.changes_per_minute,
        bounds=(1, 10_000_000),
    )
    max_subscriptions: int = _setting(
        "Most assets in one subscribe message.", default=_LIMITS.subscriptions, bounds=(1, 1_000_000)
    )

    def checked(self) -> Boot:
        """The settings as the program uses them.

        Raises:
            SettingsError: they are wrong, or do not go together.
        """
        files = _files(self.data)
        if self.feed == "replay" and not files:
            raise SettingsError("--feed replay needs --data ASSET=PATH, at least once")
        if self.feed == "simulated" and files:
            raise SettingsError("--data goes with --feed replay; the simulated market reads no files")
        assets = _assets(self.assets) or tuple(files) or ("BTC", "ETH", "SOL")
        if files and set(assets) != set(files):
            raise SettingsError(
                f"--assets {','.join(assets)} and --data for {','.join(files)} differ; leave --assets out"
            )
        if not 0 <= self.port <= _HIGHEST_PORT:
            raise SettingsError(f"--port must be between 0 and {_HIGHEST_PORT}, not {self.port}")
        db = database(self.db)
        self._check_role(is_shared=isinstance(db, PostgresUrl))
        for setting in fields(self):
            bounds, value = setting.metadata.get("bounds"), getattr(self, setting.name)
            if bounds is not None and not bounds[0] <= value <= bounds[1]:
                flag = setting.name.replace("_", "-")
                raise SettingsError(f"--{flag} must be between {bounds[0]:,} and {bounds[1]:,}, not {value:,}")
        return Boot(
            host=self.host,
            port=self.port,
            assets=assets,
            files=files,
            origins=_origins(self.origins),
            proxies=_proxies(self.proxies),
            require_token=self.require_token,
            anyone=self.allow_anyone_on_this_network,
            speed=_speed(self.speed, self.feed),
            timeframe=Timeframe(self.timeframe),
            db=db,
            role=self.role,
            shard=Shard.read(self.shard or "1/1"),
            market_begin=_moment(self.market_begin) if self.market_begin else None,
            redis=redis_address("--redis", self.redis) if self.redis else None,
            redis_control=_channel(self.redis_control),
            window=self.window,
            seed=self.seed,
            require_full_history=self.require_full_history,
            on_tick=self.evaluate_on == "tick",
            caps=SizeCaps.read(self.max_position_size, assets),
            price_interval=self.price_interval,
            log_level=self.log_level,
            limits=self._limits(),
        )

    def _limits(self) -> Limits:
        return Limits(
            message=MessageLimits(self.max_message_bytes, self.max_nesting),
            connections=self.max_connections,
            connections_per_address=self.max_connections_per_address,
            handshakes_per_second=self.max_handshakes_per_second,
            half_open=self.max_half_open,
            handshake_seconds=self.handshake_seconds,
            changes_per_minute=self.max_changes_per_minute,
            subscriptions=self.max_subscriptions,
        )

    def _check_role(self, *, is_shared: bool) -> None:
        if self.shard and self.role != "agent":
            raise SettingsError("--shard goes with --role agent; no other role decides a share")
        if self.role == "all":
            return
        if not self.redis:
            raise SettingsError(f"--role {self.role} needs --redis, over which the processes talk to each other")
        if not is_shared:
            raise SettingsError(
                f"--role {self.role} needs --db postgresql://user@host/name: a SQLite file is for one process"
            )
        if self.role == "gateway" and self.data:
            raise SettingsError("--data goes with --role agent; a gateway reads no market data, it needs --assets")
        if self.role == "gateway" and self.max_position_size != "100":
            raise SettingsError("--max-position-size goes with --role agent; a gateway decides nothing")
        if self.role == "agent" and not self.market_begin:
            raise SettingsError(
                "--role agent needs --market-begin, the same for all agents, as in --market-begin 2026-01-31T08:00Z: "
                "then they agree on what time it is in the market, and one that takes another's place too"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """Boot settings that fit together.

    Attributes:
        files: what to replay, by asset; empty for the simulated market.
        origins: whose pages may use the server, beyond those of this machine.
        proxies: addresses and networks of reverse proxies.
        require_token: whether nobody gets in without a token, on this machine either.
        anyone: whether other machines get in without one.
        speed: market seconds per real second; None for as fast as it goes.
        db: a SQLite file, or where a PostgreSQL database is.
        shard: which share of the assets to decide, where the role is that of an agent.
        market_begin: seconds since the epoch; None for when the process starts.
        redis: its address, which may have a password in it; None for none.
        require_full_history: whether an asset decides nothing until its full history of 1,000 bars is there.
        caps: the largest position sizes.
    """

    host: str
    port: int
    assets: tuple[str, ...]
    files: Mapping[str, list[Path]]
    origins: tuple[str, ...]
    proxies: tuple[str, ...]
    require_token: bool
    anyone: bool
    speed: float | None
    timeframe: Timeframe
    db: Path | PostgresUrl
    role: Literal["all", "agent", "gateway"]
    shard: Shard
    market_begin: float | None
    redis: str | None = field(repr=False)
    redis_control: str
    window: int
    seed: int
    require_full_history: bool
    on_tick: bool
    caps: SizeCaps
    price_interval: float
    log_level: str
    limits: Limits


def environment_name(setting: str) -> str:
    """The environment variable of a setting."""
    return f"VIVIENNE_{setting.upper()}"


def database(text: str) -> Path | PostgresUrl:
    """The database that --db names.

    Raises:
        SettingsError: it begins like an address of PostgreSQL and is none.
    """
    return PostgresUrl.read(text) or (Path(text).expanduser() if text else data_folder() / "vivienne.db")


def data_folder() -> Path:
    """Where the user's data lives, by the XDG base directory specification."""
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "share") / "vivienne"


def _assets(text: str) -> tuple[str, ...]:
    names = [name.strip().upper() for name in text.split(",") if name.strip()]
    for name in names:
        if not ASSET_NAME.fullmatch(name):
            raise SettingsError(f"--assets: {name!r} is no name of an asset; letters and digits are, as in BTC,ETH")
    return tuple(dict.fromkeys(names))


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise SettingsError(f"--market-begin must be a time with its zone, as in 2026-01-31T08:00Z, not {text!r}")
    return moment.timestamp()


def _files(data: tuple[str, ...]) -> dict[str, list[Path]]:
    files: dict[str, list[Path]] = {}
    for item in data:
        asset, equals, path = item.partition("=")
        names = _assets(asset)
        if not equals or len(names) != 1 or not path:
            raise SettingsError(f"--data {item!r} must be ASSET=PATH, as in BTC=candles.csv.gz")
        files.setdefault(names[0], []).append(Path(path).expanduser())
    return files


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(origin.strip().rstrip("/").lower() for origin in text.split(",") if origin.strip())
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise SettingsError(
                f"--origins: {origin!r} is no origin; a scheme and a host are, as in https://desk.example"
            )
    return origins


def _proxies(text: str) -> tuple[str, ...]:
    found = []
    for proxy in (part.strip() for part in text.split(",") if part.strip()):
        try:
            found.append(str(ipaddress.ip_network(proxy)))
        except ValueError:
            raise SettingsError(
                f"--proxies: {proxy!r} is no address and no network; 127.0.0.1 and 10.0.0.0/8 are"
            ) from None
    return tuple(found)


def _channel(text: str) -> str:
    if not _CHANNEL.fullmatch(text):
        raise SettingsError(
            f"--redis-control: {text!r} is no name of a channel; printable characters without blanks are, at most 100"
        )
    return text


def _speed(text: str, feed: str) -> float | None:
    if text == "max":
        if feed == "simulated":
            raise SettingsError("--speed max goes with --feed replay; the simulated market has no end to run to")
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 1e6:  # noqa: PLR2004  # beyond it, max is meant
        raise SettingsError(f"--speed must be a number above 0 (at most 1,000,000) or max, not {text!r}")
    return speed
