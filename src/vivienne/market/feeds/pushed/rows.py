"""Reads what other programs push: rows of candles and trades. A wrong row is refused, and the others are taken."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from vivienne.errors import Malformed, Problem, TooLarge
from vivienne.market.checks import check_candle, check_price
from vivienne.market.feeds.pushed import cells
from vivienne.market.feeds.pushed.cells import Row, WrongValue
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import MINUTE_MS, Candle, Trade

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

_T = TypeVar("_T")

Kind = Literal["candles", "trades"]
KINDS: tuple[Kind, ...] = ("candles", "trades")
MOST_ROWS = 1_000
"""In one push."""
_NAMED = 5
"""Names that a refusal lists."""

CANDLE_FIELDS = (
    "asset", "open_time", "time", "open", "high", "low", "close", "volume", "quote_volume", "trades", "count",
    "taker_buy_volume", "closed", "timeframe",
)  # fmt: skip
MOST_NAMES = MOST_ROWS * len(CANDLE_FIELDS) + 10
"""In the JSON of a push, over all levels."""
MOST_VALUES = MOST_NAMES + MOST_ROWS
TRADE_FIELDS = ("asset", "id", "time", "price", "amount", "side")
_SIDES: dict[object, bool | None] = {"buy": False, "sell": True, None: None}
"""Whether the buyer was the maker, by the side that took."""


@dataclass(frozen=True, slots=True)
class PushedCandle:
    """A candle.

    Attributes:
        row: its number in the push, from 0.
        candle: its values.
        minutes: its length.
        is_closed: None if the feeder does not say.
    """

    row: int
    candle: Candle
    minutes: int
    is_closed: bool | None

    @property
    def time(self) -> int:
        """Its beginning, in ms."""
        return self.candle.open_time

    @property
    def end(self) -> int:
        """Its end, in ms."""
        return self.candle.open_time + self.minutes * MINUTE_MS


@dataclass(frozen=True, slots=True)
class PushedTrade:
    """A trade.

    Attributes:
        row: its number in the push, from 0.
        key: its id.
        number: the same as a number; None if it is not one.
    """

    row: int
    trade: Trade
    key: str
    number: int | None

    @property
    def time(self) -> int:
        """When it was made, in ms."""
        return self.trade.time


PushedRow = PushedCandle | PushedTrade


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that cannot be used.

    Attributes:
        asset: None if it cannot be told.
        time: None if it cannot be told.
        key: id of a trade; None if it cannot be told.
        problem: names the row, the field, the value, and what would be right.
    """

    asset: str | None
    time: int | None
    key: str | None
    problem: Problem


@dataclass(slots=True)
class Push:
    """What was pushed, as it was read.

    Attributes:
        kind: of its rows.
        rows: by asset, those that can be used.
        refused: the others.
        clock: by asset, the time before which everything was pushed, in ms.
        is_history: whether the rows are history, if the feeder says so.
    """

    kind: Kind
    rows: dict[str, list[PushedRow]] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    clock: dict[str, int] = field(default_factory=dict)
    is_history: bool | None = None

    @property
    def assets(self) -> list[str]:
        """Every asset that something is pushed of."""
        named = [each.asset for each in self.refused if each.asset is not None]
        return list(dict.fromkeys([*self.rows, *self.clock, *named]))


def rows_of(kind: Kind, body: Mapping[str, Any]) -> list[Any]:
    """The rows of a push.

    Raises:
        Malformed: it has none, or unknown fields.
        TooLarge: it has too many.
    """
    known = (kind, "asset", "clock", "history")
    unknown = [name for name in body if name not in known]
    if unknown:
        raise Malformed(f"Unknown field {unknown[0][:100]!r}; known are {', '.join(known)}", path=unknown[0][:100])
    rows = body.get(kind, [] if "clock" in body else None)
    if not isinstance(rows, list):
        raise Malformed(f'{kind} must be a list of rows, as in {{"{kind}": [...]}}', path=kind)
    if len(rows) > MOST_ROWS:
        raise TooLarge(f"{kind} has {len(rows):,} rows; the limit of one push is {MOST_ROWS:,}. Send them in several")
    return rows


def read_push(
    kind: Kind,
    body: Mapping[str, Any],
    assets: Collection[str],
    timeframe: Timeframe,
    others: Collection[str] = (),
) -> Push:
    """Read a push.

    Args:
        kind: of its rows.
        body: as it came.
        assets: those that are decided here.
        timeframe: of their bars.
        others: assets that are decided elsewhere; their rows are left out.

    Raises:
        ChangeRefused: it is not a push.
    """
    found = Push(kind)
    rows = rows_of(kind, body)
    known = _Assets(assets)
    try:
        if asset_in(body) in others:
            return found
        shared = _read_head(body, known, found)
    except WrongValue as wrong:
        raise Malformed(wrong.message, path=wrong.field) from None
    read = _Candles(timeframe) if kind == "candles" else _Trades()
    for place, row in enumerate(rows):
        if shared is None and others and asset_in(row) in others:
            continue
        asset = shared
        try:
            fields = _fields(row, read.example)
            asset = _asset_of(fields, shared, known)
            found.rows.setdefault(asset, []).append(read.one(place, fields))
        except WrongValue as wrong:
            found.refused.append(_refused(kind, place, row, asset, wrong))
    return found


def asset_in(row: object) -> str:
    """The asset that a row or a push names; empty if it names none."""
    name = row.get("asset") if isinstance(row, dict) else None
    return name.strip().upper() if isinstance(name, str) else ""


class _Assets:
    """The assets that are decided here; they are looked at once, however many rows are wrong."""

    def __init__(self, names: Collection[str]) -> None:
        self.names = frozenset(names)

    @cached_property
    def some(self) -> str:
        """The first of them, in words."""
        return ", ".join(sorted(self.names)[:_NAMED]) + (", ..." if len(self.names) > _NAMED else "")


def _read_head(body: Mapping[str, Any], assets: _Assets, found: Push) -> str | None:
    """Read what is said beside the rows; give the asset of all of them, if it is named there.

    Raises:
        WrongValue: it cannot be used.
    """
    found.is_history = cells.flag(body, "history")
    shared = None if body.get("asset") is None else _asset(body["asset"], assets)
    if shared is not None:
        found.rows[shared] = []
    if body.get("clock") is not None:
        if shared is None:
            raise WrongValue("clock", 'clock needs the asset that it is of beside it, as in "asset": "BTC"')
        found.clock[shared] = cells.moment(body, "clock")
    return shared


def _fields(row: object, example: str) -> Row:
    if not isinstance(row, dict):
        raise WrongValue("", f"the row is {cells.shown(row)}; it must be an object, as in {example}")
    return row


def _asset_of(row: Row, shared: str | None, assets: _Assets) -> str:
    if "asset" not in row and shared is not None:
        return shared
    asset = _asset(row.get("asset"), assets)
    if shared not in (None, asset):
        raise WrongValue("asset", f"asset is {asset}, and the push is of {shared}; name it once")
    return asset


def _asset(name: object, assets: _Assets) -> str:
    found = asset_in({"asset": name})
    if found in assets.names:
        return found
    given = "is missing" if name is None else f"is {cells.shown(name)}, which is not decided here"
    raise WrongValue("asset", f"asset {given}; it must be one of {assets.some}")


def _refused(kind: Kind, place: int, row: object, asset: str | None, wrong: WrongValue) -> Refused:
    path = f"{kind}[{place}]" + (f".{wrong.field}" if wrong.field else "")
    return Refused(asset, _told(row, _time), _told(row, _key), Problem(path, f"row {place}: {wrong.message}", asset))


def _told(row: object, read: Callable[[Row], _T]) -> _T | None:
    """A value of a wrong row, if it can be read at all."""
    try:
        return read(row) if isinstance(row, dict) else None
    except WrongValue:
        return None


def _time(row: Row) -> int:
    return cells.moment(row, "open_time" if "open_time" in row else "time")


def _key(row: Row) -> str:
    return cells.key(row)[0]


def _check_fields(row: Row, known: tuple[str, ...]) -> None:
    for name in row:
        if name not in known:
            raise WrongValue(name[:100], f"the field {name[:100]!r} is unknown; known are {', '.join(known)}")


class _Candles:
    """Reads candles for bars of a timeframe."""

    example = (
        '{"asset": "BTC", "open_time": 1767268800000, "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0, "volume": 0}'
    )

    def __init__(self, timeframe: Timeframe) -> None:
        self._timeframe = timeframe

    def one(self, place: int, row: Row) -> PushedCandle:
        """One row.

        Raises:
            WrongValue: it cannot be used.
        """
        _check_fields(row, CANDLE_FIELDS)
        time = cells.one_of(row, "open_time", "time")
        count = cells.one_of(row, "trades", "count")
        opened = cells.moment(row, time)
        minutes = self._minutes(row)
        if opened % (minutes * MINUTE_MS):
            of = "minute" if minutes == 1 else f"candle of {row['timeframe']}"
            raise WrongValue(time, f"{time} is {cells.shown(row[time])}; it must be the beginning of a full {of}, UTC")
        candle = self._candle(row, opened, count)
        try:
            check_candle(candle)
        except ValueError as error:
            raise WrongValue("", str(error)) from None
        return PushedCandle(place, candle, minutes, cells.flag(row, "closed"))

    def _candle(self, row: Row, opened: int, count: str) -> Candle:
        first, high, low, close = (cells.number(row, name) for name in ("open", "high", "low", "close"))
        volume = cells.number(row, "volume", least="from 0")
        quote = cells.known_number(row, "quote_volume")
        if math.isnan(quote):
            # As for files: without it, quote volume is the typical price times the volume.
            quote = (high + low + close) / 3 * volume
        taker = cells.known_number(row, "taker_buy_volume")
        return Candle(opened, first, high, low, close, volume, quote, cells.known_number(row, count), taker)

    def _minutes(self, row: Row) -> int:
        value = row.get("timeframe")
        if value is None:
            return 1
        fitting = [each for each in Timeframe if self._timeframe.minutes % each.minutes == 0]
        if value not in [each.value for each in fitting]:
            listed = ", ".join(each.value for each in fitting)
            raise WrongValue(
                "timeframe",
                f"timeframe is {cells.shown(value)}; bars of {self._timeframe.value} are made of candles of {listed}",
            )
        return Timeframe(value).minutes


class _Trades:
    """Reads trades."""

    example = '{"asset": "BTC", "id": 1, "time": 1767268800000, "price": 1.0, "amount": 1.0, "side": "buy"}'

    def one(self, place: int, row: Row) -> PushedTrade:
        """One row.

        Raises:
            WrongValue: it cannot be used.
        """
        _check_fields(row, TRADE_FIELDS)
        key, identifier = cells.key(row)
        time = cells.moment(row, "time")
        price, amount = cells.number(row, "price"), cells.number(row, "amount", least="from 0")
        side = row.get("side")
        if side is not None and (not isinstance(side, str) or side.lower() not in _SIDES):
            raise WrongValue(
                "side", f"side is {cells.shown(side)}; it must be who took: buy, sell, or null where it is not known"
            )
        try:
            check_price(price, time)
        except ValueError as error:
            raise WrongValue("price", f"price is {cells.shown(row['price'])}: {error}") from None
        maker = _SIDES[side.lower() if isinstance(side, str) else None]
        return PushedTrade(place, Trade(time, price, amount, maker), key, identifier)
