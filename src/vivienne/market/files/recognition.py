"""Recognition of the columns of a table, by their names and by their content."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vivienne.market.files import cells, volumes
from vivienne.market.files.fields import FIELDS, NEEDED, SYMBOL, Kind, plain_name
from vivienne.market.files.shapes import SHAPES, Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from vivienne.errors import MarketDataError
    from vivienne.market.files.layout import Layout
    from vivienne.market.files.sources import Row, Source

_SAMPLE = 50
_ENOUGH = 0.5
"""Fraction of the sampled cells that must look right; the others may be wrong rows."""


class Columns(NamedTuple):
    """What the columns of a table are.

    Attributes:
        shape: name of the shape, for people.
        kind: what a row is.
        places: index of each field.
        names: names of all columns, for errors.
        symbol: index of the column that names the market.
        is_maker_side: the column `side` has the side of the maker.
        says_closed: a column says that a candle is closed.
        remark: what a user should know of the shape.
    """

    shape: str
    kind: Kind
    places: Mapping[str, int]
    names: Sequence[str]
    symbol: int | None
    is_maker_side: bool
    says_closed: bool
    remark: str


def columns_of(source: Source, layout: Layout) -> Columns:
    """Recognise the columns.

    Raises:
        MarketDataError: a column that is needed is missing, or the shape is unknown.
    """
    if layout.kind is not None and layout.header is not None:
        return _by_name(source, layout, layout.header, layout.kind)
    return _by_content(source, layout)


def fraction(looks: Callable[[str], bool], rows: Sequence[Row], place: int) -> float:
    """The fraction of the cells of a column that look right; empty cells are not counted."""
    column = [row[place] for row in rows if len(row) > place and row[place].strip()]
    return sum(map(looks, column)) / len(column) if column else 0.0


# With a header


def _by_name(source: Source, layout: Layout, header: Row, kind: Kind) -> Columns:
    names, rows = [plain_name(cell) for cell in header], layout.sample[:_SAMPLE]
    time = NEEDED[kind][0]
    places = {
        field: place
        for field in FIELDS[kind]
        if field not in (time, "clock") and (place := _named(kind, field, names, rows)) is not None
    }
    places.update(_times(kind, names, rows, taken=set(places.values())))
    if kind == "candles":
        places.update(volumes.named(names, rows, places))
        coins = volumes.in_contracts(rows, places)
        if coins is not None:
            places, names = coins, [*names, _COIN_M]
    missing = [field for field in NEEDED[kind] if field not in places]
    if missing:
        has = ", ".join(cell.strip() for cell in header)
        raise source.error(
            f"the header has no column for {', '.join(missing)}; it has {has[:200]}. Candles need a time, open, high, "
            "low, close and volume; trades need a time, price and quantity",
            layout.header_line,
        )
    shape = _shape_by_name(
        names, source.style, places, has_dots=fraction(cells.has_dots, rows, places[time]) >= _ENOUGH
    )
    symbol = next((names.index(name) for name in SYMBOL if name in names), None)
    return _columns(shape, kind, places, header, symbol, rows)


def _named(kind: Kind, field: str, names: Sequence[str], rows: Sequence[Row]) -> int | None:
    """The column of a field: the first with a name of it whose content fits; without one that fits, the first."""
    found = [place for name in FIELDS[kind][field].names for place, each in enumerate(names) if each == name]
    fitting = [place for place in found if fraction(FIELDS[kind][field].looks, rows, place) >= _ENOUGH]
    if field == "volume":
        fitting = [place for place in fitting if fraction(_is_positive, rows, place) > 0] or fitting
    return next(iter([*fitting, *found]), None)


def _is_positive(cell: str) -> bool:
    return cells.is_number(cell) and float(cell) > 0


def _times(kind: Kind, names: Sequence[str], rows: Sequence[Row], taken: set[int]) -> dict[str, int]:
    """The column of times by its name and content, by its content alone, or a date and a time of day together."""
    field = NEEDED[kind][0]
    named = [place for name in FIELDS[kind][field].names for place, each in enumerate(names) if each == name]
    moments = [place for place in named if fraction(_is_moment, rows, place) >= _ENOUGH]
    if moments:
        return {field: moments[0]}
    dates = [place for place in named if fraction(cells.is_date, rows, place) >= _ENOUGH]
    others = [place for place in range(len(names)) if place not in taken]
    clock = [place for place in others if _is_clock(kind, names[place], rows, place)]
    if dates:
        return {field: dates[0]} | ({"clock": clock[0]} if clock else {})
    by_content = [
        place
        for place in others
        if (not names[place] or names[place] not in _OTHER_TIMES) and fraction(cells.is_time, rows, place) > _ENOUGH
    ]
    found = next(iter([*by_content, *named]), None)
    return {} if found is None else {field: found}


def _is_clock(kind: Kind, name: str, rows: Sequence[Row], place: int) -> bool:
    is_named = name in FIELDS[kind]["clock"].names
    return any(
        fraction(looks, rows, place) >= _ENOUGH
        for looks in (cells.is_clock, *((cells.is_bare_clock,) if is_named else ()))
    )


_OTHER_TIMES = {"close_time", "local_timestamp", "event_time", "event_time_ms", "local_recv_ns"}
"""Columns of times that are not that of a candle or trade."""


def _is_moment(cell: str) -> bool:
    return cells.is_time(cell) and not cells.is_date(cell)


def _shape_by_name(names: Sequence[str], style: str, places: Mapping[str, int], *, has_dots: bool) -> Shape | None:
    for shape in SHAPES:
        needed = shape.header.split()
        fits = needed and set(needed) <= set(names) and shape.delimiter in ("", style)
        fits = fits and (has_dots or not shape.has_dots)
        if fits and ("clock" in places or not {"date", "time"} <= set(needed)):
            return shape
    return None


# Without one


def _by_content(source: Source, layout: Layout) -> Columns:
    rows = layout.sample[:_SAMPLE]
    if not rows:
        raise _unknown_header(source, layout)
    width = max(set(map(len, rows)), key=lambda count: sum(len(row) == count for row in rows))
    for shape in SHAPES:
        fields = shape.columns.split()
        if len(fields) == width and shape.delimiter in ("", layout.delimiter, source.style):
            judged = [row for row in rows if not (shape.is_worth and _is_idle(row))] or rows
            fitting = sum(_fits(shape, fields, row) for row in judged)
            if fitting >= _ENOUGH * len(judged):
                places = {field: place for place, field in enumerate(fields) if field != "-"}
                if shape.kind == "candles":
                    places.update(volumes.chosen(rows, places))
                header = layout.header or [field if field != "-" else "" for field in fields]
                return _columns(shape, shape.kind, places, header, None, rows)
    if layout.header is not None:
        raise _unknown_header(source, layout)
    raise source.error(
        f"the format of {width} columns without a header is unknown; add a header with at least "
        f"{', '.join(NEEDED['candles'])} for candles, or time, price, qty, side for trades. The columns look like "
        f"{', '.join(_look(rows, place) for place in range(width))}",
        layout.first_line,
    )


def _unknown_header(source: Source, layout: Layout) -> MarketDataError:
    line = ", ".join(cell.strip() for cell in layout.header or [])
    return source.error(
        f"the header has no column for {', '.join(NEEDED['candles'])}, as candles need them, nor for time, price and "
        f"qty, as trades need them; it is {line[:200]!r}",
        layout.header_line or 1,
    )


def _is_idle(row: Row) -> bool:
    """True if both volumes, the last two cells, are 0: such a row does not tell which is which."""
    return all(cells.is_number(cell) and float(cell) == 0 for cell in row[-2:])


def _fits(shape: Shape, fields: Sequence[str], row: Row) -> bool:
    if len(row) != len(fields):
        return False
    kind = shape.kind
    pairs = {field: cell for field, cell in zip(fields, row, strict=True) if field != "-"}
    time = NEEDED[kind][0]
    if "clock" in pairs and not (cells.is_date(pairs[time]) and cells.is_clock(pairs["clock"])):
        return False
    looks = all(_LOOKS.get(field, FIELDS[kind][field].looks)(cell) for field, cell in pairs.items())
    if not looks or (shape.has_dots and not cells.has_dots(pairs[time])):
        return False
    figures = {field: float(pairs[field]) for field in pairs if field in _FIGURES}
    names = ("price", "quantity") if kind == "trades" else ("close", "volume")
    if "contracts" in figures and not volumes.is_worth(*(figures[name] for name in (*names, "contracts"))):
        return False
    if kind == "trades":
        return True
    return volumes.is_candle(figures) and (not shape.is_worth or volumes.is_paid(figures))


_FIGURES = ("open", "high", "low", "close", "volume", "quote_volume", "price", "quantity", "contracts")
_COIN_M = "in_contracts"
"""A name for a header whose volumes count contracts."""
_FOR_VOLUMES = ("real_volume", "coins", "contracts", "taker_buy_quote")
"""Fields that only help to find the volumes."""
_LOOKS = {"buyer_is_maker": cells.is_flag, "first_id": cells.is_number, "last_id": cells.is_number}


def _look(rows: Sequence[Row], place: int) -> str:
    for name, looks in (("a time", cells.is_time), ("a number", cells.is_number), ("a side", cells.is_side),
                        ("true or false", cells.is_flag), ("a time of day", cells.is_clock)):  # fmt: skip
        if fraction(looks, rows, place) >= _ENOUGH:
            return name
    return "text"


def _columns(
    shape: Shape | None,
    kind: Kind,
    places: Mapping[str, int],
    header: Sequence[str],
    symbol: int | None,
    rows: Sequence[Row],
) -> Columns:
    closes = places.get("close_time")
    return Columns(
        shape="known by its header" if shape is None else shape.name,
        kind=kind,
        places={field: place for field, place in places.items() if field not in _FOR_VOLUMES},
        names=[cell.strip() for cell in header],
        symbol=symbol,
        is_maker_side=shape is not None and shape.is_maker_side,
        remark="" if shape is None else shape.remark,
        # A script that wrote times as text has usually saved what a server sent, where the last candle is still open.
        says_closed="confirmed" in places or (closes is not None and fraction(cells.is_epoch, rows, closes) >= _ENOUGH),
    )
