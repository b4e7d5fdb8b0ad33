"""Market data files: what is understood, and how what is not is reported."""

from __future__ import annotations

import gzip
import io
import json
import math
import tracemalloc
import zipfile
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from making import MIDNIGHT, minutes
from vivienne.errors import MarketDataError
from vivienne.market.files import read_market_file
from vivienne.market.types import DAY_MS, MINUTE_MS, Candle, Trade

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

Write: TypeAlias = "Callable[[str | bytes], Path]"

HEADER = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume"
CANDLES = minutes(12)


def line(candle: Candle, time: object = None) -> str:
    """A row in Binance's order, without its last two columns."""
    opened, *prices = candle[:5]
    rest = candle.volume, candle.open_time + MINUTE_MS - 1, candle.quote_volume, candle.trade_count
    return ",".join(map(str, (opened if time is None else time, *prices, *rest, candle.taker_buy_volume)))


def kline_csv(candles: Iterable[Candle] = CANDLES, header: str | None = HEADER) -> str:
    return "\n".join([*([header] if header else []), *(line(candle) for candle in candles)]) + "\n"


@pytest.fixture
def file(tmp_path: Path) -> Write:
    """Writes a file."""

    def write(content: str | bytes) -> Path:
        path = tmp_path / "data.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def zipped(*members: tuple[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


# What is understood


def test_candles_are_read_as_they_are_written(file: Write) -> None:
    assert CANDLES == list(read_market_file(file(kline_csv())))


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("header", [HEADER, None])
@pytest.mark.parametrize("packing", ["plain", "gzip", "zip"])
def test_plain_gzip_and_zip_read_the_same_with_and_without_a_byte_order_mark(
    file: Write, packing: str, header: str | None, mark: str
) -> None:
    text = (mark + kline_csv(header=header)).encode()
    if header is None:
        text = text.replace(b"\n", b",0,0\n")
    content = {"plain": text, "gzip": gzip.compress(text, mtime=0), "zip": zipped(("a.csv", text))}[packing]
    assert CANDLES == list(read_market_file(file(content)))


def test_line_ends_of_windows_and_empty_lines_are_fine(file: Write) -> None:
    assert CANDLES == list(read_market_file(file(kline_csv().replace("\n", "\r\n\r\n"))))


def test_the_csv_files_in_an_archive_are_read_by_name(file: Write) -> None:
    day = DAY_MS // MINUTE_MS
    first, second = minutes(3, first=day - 3), minutes(3, first=day)
    content = zipped(("2.csv", kline_csv(second)), ("readme.txt", "hello"), ("1.CSV", kline_csv(first)))
    assert [*first, *second] == list(read_market_file(file(content)))


@pytest.mark.parametrize(
    "header",
    [
        "timestamp,open,high,low,close,volume,x,turnover,trades,tb",
        "datetime,Open,High,Low,Close,base_volume,closes,quote_asset_volume,number_of_trades,taker_base",
        "Date,OPEN,HIGH,LOW,CLOSE,vol,x,qav,num_trades,taker_buy_base_asset_volume",
        " time , open , high , low , close , volume , x , quotevolume , trade_count , taker_buy_base ",
        "opentime,open,high,low,close,volume,x,quote_volume,count,taker_buy_base_volume",
    ],
)
def test_headers_of_several_tools_are_known(file: Write, header: str) -> None:
    assert CANDLES[:-1] == list(read_market_file(file(kline_csv(header=header))))


def test_columns_may_come_in_any_order(file: Write) -> None:
    text = "close,junk,open_time,low,high,open,volume\n" + "".join(
        f"{c.close},?,{c.open_time},{c.low},{c.high},{c.open},{c.volume}\n" for c in CANDLES
    )
    assert [candle[:6] for candle in CANDLES[:-1]] == [item[:6] for item in read_market_file(file(text))]


@pytest.mark.parametrize(("columns", "whole"), [(6, False), (11, True), (12, True)])
def test_without_a_header_the_number_of_columns_tells_what_they_are(file: Write, columns: int, whole: bool) -> None:
    rows = [",".join([*line(candle).split(","), "0", "0"][:columns]) for candle in CANDLES]
    read = list(read_market_file(file("\n".join(rows))))
    if whole:
        assert CANDLES == read
    else:
        assert [candle[:6] for candle in CANDLES[:-1]] == [candle[:6] for candle in read]


def test_what_a_file_does_not_tell_is_estimated_or_unknown(file: Write) -> None:
    """The quote volume is estimated at the typical price; counts say that they are unknown."""
    text = "open_time,open,high,low,close,volume\n" + f"{MIDNIGHT},10,14,9,13,2\n" * 1
    candle = next(iter(read_market_file(file(text + f"{MIDNIGHT + MINUTE_MS},10,14,9,13,2\n"))))
    assert isinstance(candle, Candle)
    assert candle.quote_volume == 24.0
    assert math.isnan(candle.trade_count)
    assert math.isnan(candle.taker_buy_volume)


def in_seconds(ms: int) -> object:
    return ms // 1_000


def in_microseconds(ms: int) -> object:
    return ms * 1_000


def in_nanoseconds(ms: int) -> object:
    return ms * 1_000_000


def in_iso(ms: int) -> object:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()


def in_iso_without_zone(ms: int) -> object:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def in_iso_with_z(ms: int) -> object:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    "unit", [in_seconds, in_microseconds, in_nanoseconds, in_iso, in_iso_without_zone, in_iso_with_z]
)
def test_times_are_read_in_any_usual_unit(file: Write, unit: Callable[[int], object]) -> None:
    header = HEADER.replace("close_time", "x")
    text = "\n".join([header, *(line(candle, unit(candle.open_time)) for candle in CANDLES)])
    assert CANDLES[:-1] == list(read_market_file(file(text)))


def test_a_time_with_another_zone_is_brought_to_utc(file: Write) -> None:
    text = "time,open,high,low,close,volume\n2025-01-01 05:30+05:30,1,1,1,1,1\n2025-01-01 05:31+05:30,1,1,1,1,1\n"
    assert [MIDNIGHT] == [item[0] for item in read_market_file(file(text))]


def test_the_last_candle_may_still_be_open_and_is_left_out(file: Write) -> None:
    header = HEADER.replace("close_time", "x")
    assert CANDLES[:1] == list(read_market_file(file(kline_csv(CANDLES[:2], header))))
    assert "does not contain a closed minute" in str(refused(file(kline_csv(CANDLES[:1], header))))


def test_a_close_time_says_that_the_last_candle_is_closed(file: Write) -> None:
    assert CANDLES[:1] == list(read_market_file(file(kline_csv(CANDLES[:1]))))


def test_a_script_that_wrote_times_as_text_may_have_saved_an_open_candle(file: Write) -> None:
    """It saves what a server sent, where the last candle is still open and has its close time all the same."""
    rows = [
        line(c, in_iso(c.open_time)).replace(str(c.open_time + 59_999), str(in_iso(c.open_time + 59_999)))
        for c in CANDLES
    ]
    assert CANDLES[:-1] == list(read_market_file(file("\n".join([HEADER, *rows]))))


def test_the_last_candle_of_a_utc_day_is_closed(file: Write) -> None:
    evening = minutes(3, first=DAY_MS // MINUTE_MS - 3)
    assert evening == list(read_market_file(file(kline_csv(evening, HEADER.replace("close_time", "x")))))


TRADES = [
    Trade(MIDNIGHT + 5, 100.5, 0.25, buyer_is_maker=True),
    Trade(MIDNIGHT + 70_000, 101.0, 2.0, buyer_is_maker=False),
]


@pytest.mark.parametrize(
    "lines",
    [
        (
            "trade_id,price,qty,trade_time_ms,event_time_ms,is_buyer_maker",
            f"1,100.5,0.25,{MIDNIGHT + 5},0,True",
            f"2,101,2,{MIDNIGHT + 70_000},0,False",
        ),
        (
            "id,price,qty,quote_qty,time,is_buyer_maker",
            f"1,100.5,0.25,1,{MIDNIGHT + 5},true",
            f"2,101,2,1,{MIDNIGHT + 70_000},false",
        ),
        (
            "timestamp,buyer_maker,amount,price",
            f"{in_iso(MIDNIGHT + 5)},1,0.25,100.5",
            f"{in_iso(MIDNIGHT + 70_000)},0,2,101",
        ),
        (
            f"1,100.5,0.25,25.1,{MIDNIGHT + 5},True,True",
            f"2,101,2,202,{MIDNIGHT + 70_000},False,True",
        ),
        (
            f"1,100.5,0.25,25.1,{(MIDNIGHT + 5) * 1000},True,True",
            f"2,101,2,202,{(MIDNIGHT + 70_000) * 1000},False,True",
        ),
    ],
)
def test_trades_are_read_with_and_without_a_header(file: Write, lines: tuple[str, ...]) -> None:
    assert TRADES == list(read_market_file(file("\n".join(lines))))


@pytest.mark.parametrize(
    "lines",
    [
        (
            f"7,100.5,0.25,11,15,{MIDNIGHT + 5},True,True",
            f"8,101,2,16,16,{MIDNIGHT + 70_000},False,True",
        ),
        (
            "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker",
            f"7,100.5,0.25,11,15,{MIDNIGHT + 5},true",
            f"8,101,2,16,16,{MIDNIGHT + 70_000},false",
        ),
    ],
)
def test_an_aggregated_trade_stands_for_those_it_is_made_of(file: Write, lines: tuple[str, ...]) -> None:
    assert [TRADES[0]._replace(trades=5), TRADES[1]] == list(read_market_file(file("\n".join(lines))))


# What is not


def refused(path: Path) -> MarketDataError:
    with pytest.raises(MarketDataError) as caught:
        list(read_market_file(path))
    assert str(path) == caught.value.path
    assert str(caught.value).startswith(str(path))
    return caught.value


def test_objects_with_names_of_their_own_are_refused_before_they_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "names.json"
    path.write_text(json.dumps([{f"time{n}": 1, f"price{n}": 2, f"size{n}": 3} for n in range(100)]))
    assert "its objects have more than 200 different names" in str(refused(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "the file does not exist" in str(refused(tmp_path / "nowhere.csv"))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "this is a directory; list the files in it" in str(refused(tmp_path))


GOOD = kline_csv().encode()
PACKED = gzip.compress(GOOD, mtime=0)
ARCHIVE = zipped(("a.csv", GOOD))


def with_a_flipped_bit(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :]


def with_a_flag(archive: bytes, *, local: int, central: int, value: int) -> bytes:
    """Sets two bytes in both headers of a zip archive's only member."""
    changed = bytearray(archive)
    for place in (archive.index(b"PK\x03\x04") + local, archive.index(b"PK\x01\x02") + central):
        changed[place : place + 2] = value.to_bytes(2, "little")
    return bytes(changed)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "the file is empty"),
        (gzip.compress(b"", mtime=0), "the file is empty"),
        (zipped(("a.csv", "")), "the file is empty"),
        (PACKED[: len(PACKED) // 2], "the compressed data is damaged"),
        (PACKED[:12], "the compressed data is damaged"),
        (with_a_flipped_bit(PACKED, len(PACKED) - 6), "the compressed data is damaged"),
        (ARCHIVE[: len(ARCHIVE) // 2], "the compressed data is damaged"),
        (with_a_flipped_bit(ARCHIVE, 80), "the compressed data is damaged"),
        (with_a_flag(ARCHIVE, local=6, central=8, value=1), "encrypted"),
        (with_a_flag(ARCHIVE, local=8, central=10, value=99), "compress"),
        (zipped(("readme.txt", "hello")), "the archive does not contain a .csv file"),
        (b"PAR1\x15\x04\x15\x00PAR1", "the table cannot be read"),
        (b"FEA1" + bytes(40), "Feather version 1 is not supported"),
        (b"\x93\xff\x00\x80" * 50, "this is not a valid CSV file"),
        (bytes(range(256)) * 4, "this is not a valid CSV file"),
        (b"hello\n", "the header has no column for open_time, open, high, low, close, volume"),
        (b'{"open": 1}\n', "there is no table in this JSON; it must be a list of rows such as freqtrade's"),
        (b'[{"open": 1}\n', "this is not valid JSON"),
        (gzip.compress(b"[" + b" " * 64_000_000, 1), "the file exceeds the limit of 64,000,000 bytes for JSON"),
        ("\n".join("abc").encode(), "the header has no column for"),
        (b"x" * 200_000, "the line exceeds the limit of 65,536 characters"),
    ],
)  # fmt: skip
def test_what_is_no_market_data_is_refused_with_a_reason(file: Write, content: bytes, sentence: str) -> None:
    assert sentence in str(refused(file(content)))


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("open_time,open,high,low,volume", "close"),
        ("open,high,low,close", "open_time, volume"),
        ("price,side,time", "quantity"),
        ("price,is_buyer_maker", "trade_time, quantity"),
    ],
)
def test_a_header_that_lacks_columns_is_refused_with_their_names(file: Write, header: str, missing: str) -> None:
    error = refused(file(header + "\n1,2,3,4,5\n"))
    assert error.line == 1
    assert f"the header has no column for {missing}" in str(error)


@pytest.mark.parametrize("columns", [2, 5, 9, 10, 13])
def test_an_unknown_number_of_columns_needs_a_header(file: Write, columns: int) -> None:
    error = refused(file(",".join(["1"] * columns) + "\n"))
    assert error.line == 1
    assert f"the format of {columns} columns without a header is unknown; add a header" in str(error)


def broken(row: str, *, header: bool = True) -> str:
    """Ten good rows, with this one between the fifth and the sixth."""
    rows = [line(candle) for candle in CANDLES[:10]]
    return "\n".join([*([HEADER] if header else []), *rows[:5], row, *rows[5:]])


def row(**different: object) -> str:
    values: dict[str, object] = {
        "open_time": CANDLES[5].open_time, "open": 10, "high": 12, "low": 9, "close": 11, "volume": 5,
        "close_time": CANDLES[5].open_time + 59_999, "quote_volume": 50, "count": 3, "taker": 2,
    }  # fmt: skip
    return ",".join(str(value) for value in (values | different).values())


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (row(open="abc"), "'abc'"),
        (row(volume=""), "'' is not a number"),
        (row(count="many"), "'many'"),
        (row(open_time="yesterday"), "'yesterday' is not a valid time; it must be ISO 8601, or s, ms, us or ns"),
        (row(open_time=""), "is not a valid time"),
        (
            row(high=8),
            "not a valid candle; prices must be above 0 (from 1e-18 on), high the highest and low the lowest",
        ),
        (row(high=10.5), "high the highest"),
        (row(low=10.5), "low the lowest"),
        (row(low=-1), "prices must be above 0"),
        (row(open=0, low=0), "prices must be above 0"),
        (row(close="nan"), "prices must be above 0"),
        (row(high="inf"), "prices must be above 0"),
        (row(volume=-1), "both must be numbers from 0"),
        (row(volume="nan"), "both must be numbers from 0"),
        (row(quote_volume="inf"), "both must be numbers from 0"),
        (row(count=-3), "-3"),
        (row(count="inf"), "inf"),
        (row(taker=-1), "-1"),
        (row(taker="inf"), "inf"),
        (row(open_time=CANDLES[5].open_time + 1), "must open at a full minute"),
        (row(open_time=6 * 10**29), "time"),
        (row(close_time=CANDLES[5].open_time + 299_999), "this is not a one-minute candle"),
        ("1,2,3", "columns are missing in this row"),
        (row()[: len(row()) // 2], ""),
    ],
)
def test_a_row_that_is_wrong_is_reported_with_its_line(file: Write, bad: str, sentence: str) -> None:
    error = refused(file(broken(bad)))
    assert error.line == 7
    assert str(error).startswith(f"{error.path}, line 7: ")
    assert sentence in str(error)


def test_lines_are_counted_from_1_without_a_header_too(file: Write) -> None:
    rows = broken(row(low=-1), header=False).splitlines()
    assert refused(file("\n".join(f"{text},0,0" for text in rows))).line == 6
    assert refused(file("\n".join(f"{text},0,0" for text in rows[5:]))).line == 1


@pytest.mark.parametrize("before", ["", HEADER + "\n" + line(CANDLES[0]) + "\n"])
def test_a_line_without_end_is_refused_before_it_fills_the_memory(file: Write, before: str) -> None:
    path = file(gzip.compress(before.encode() + bytes(50_000_000)))
    tracemalloc.start()
    try:
        with pytest.raises(MarketDataError, match=r"line [13]: the line exceeds the limit of 65,536 characters"):
            list(read_market_file(path))
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_empty_lines_without_end_are_refused_without_a_warning(file: Write) -> None:
    path = file(gzip.compress(f"{HEADER}\n{line(CANDLES[0])}\n".encode() + b"\n" * 3_000_000))
    with pytest.raises(MarketDataError, match="more than 1,000,000 empty lines are before this one"):
        list(read_market_file(path))


def test_the_directory_of_an_archive_is_read_once(file: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []

    class Counted(zipfile.ZipFile):
        def __init__(self, *given: Any, **named: Any) -> None:
            opened.append(given)
            super().__init__(*given, **named)

    path = file(zipped(*((f"{number:02}.csv", kline_csv([candle])) for number, candle in enumerate(CANDLES))))
    monkeypatch.setattr(zipfile, "ZipFile", Counted)
    assert list(read_market_file(path)) == CANDLES
    assert len(opened) == 1


def test_rows_before_a_wrong_one_are_read(file: Write) -> None:
    """All but the last of them, which a later row for the same minute might replace."""
    reader = read_market_file(file(broken(row(low=-1))))
    assert CANDLES[:4] == list(islice(reader, 4))
    with pytest.raises(MarketDataError, match="line 7"):
        next(reader)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1,0,2,3,{time},True,True", "are not a valid trade"),
        ("1,-5,2,3,{time},True,True", "are not a valid trade"),
        ("1,nan,2,3,{time},True,True", "are not a valid trade"),
        ("1,5,-2,3,{time},True,True", "are not a valid trade"),
        ("1,5,inf,3,{time},True,True", "are not a valid trade"),
        (
            "1,5,2,3,{time},perhaps,True",
            "'perhaps' is not a valid buyer_is_maker; it must be true or false",
        ),
        ("1,5,2,3,soon,True,True", "'soon' is not a valid time"),
        ("1,5,2,9,3,{time},True,True", "9"),
    ],
)
def test_a_trade_that_is_wrong_is_reported_with_its_line(file: Write, text: str, sentence: str) -> None:
    bad = text.format(time=MIDNIGHT)
    good = bad.split(",")
    good = [good[0], "5", "2", *(["1", "3"] if len(good) == 8 else ["3"]), str(MIDNIGHT), "True", "True"]
    error = refused(file(",".join(good) + "\n" + bad + "\n"))
    assert error.line == 2
    assert sentence in str(error)


@pytest.mark.parametrize("spacing", [3, 5, 60])
@pytest.mark.parametrize("count", [3, 300])
def test_longer_candles_than_a_minute_are_refused(file: Write, spacing: int, count: int) -> None:
    """They would be taken for minutes with holes between them, and the holes filled."""
    candles = [candle._replace(open_time=MIDNIGHT + number * spacing * MINUTE_MS)
               for number, candle in enumerate(minutes(count))]  # fmt: skip
    text = "time,open,high,low,close,volume\n" + "".join(",".join(map(str, c[:6])) + "\n" for c in candles)
    message = str(refused(file(text)))
    assert f"the candles are {spacing} minutes apart; one-minute candles are needed" in message


def test_a_single_longer_candle_that_says_when_it_closes_is_known(file: Write) -> None:
    rows = [row(open_time=MIDNIGHT + n * 300_000, close_time=MIDNIGHT + n * 300_000 + 299_999) for n in range(1)]
    assert "the candles are 5 minutes apart" in str(refused(file("\n".join([HEADER, *rows]))))


def test_a_market_that_leaves_out_quiet_minutes_is_no_longer_candle(file: Write) -> None:
    numbers = [number for number in range(600) if number % 7 in (0, 3, 4)]
    candles = [minutes(1, first=number)[0] for number in numbers]
    assert candles == list(read_market_file(file(kline_csv(candles))))


@pytest.mark.parametrize("when", ["1900-01-01", "9999-01-01", "2500-06-01T00:00:00+00:00"])
def test_a_time_that_is_no_market_time_is_refused_with_its_line(file: Write, when: str) -> None:
    error = refused(file(f"open_time,open,high,low,close,volume\n{when},1,1,1,1,1\n"))
    assert error.line == 2
    assert f"{when} is not a valid time; it must be between 1970 and 2100" in str(error)


@pytest.mark.parametrize("when", ["0", "17", "45658.5", "202501010001"])
@pytest.mark.parametrize("header", ["open_time,open,high,low,close,volume", "time,price,qty"])
def test_a_number_that_is_no_time_of_a_market_is_not_one_of_long_ago(file: Write, when: str, header: str) -> None:
    """The number of a row, a date of a spreadsheet, digits of a date and a time of day."""
    error = refused(file(f"{header}\n{when}{',1' * header.count(',')}\n"))
    assert error.line == 2
    assert f"{when} is not a valid time; as s, ms, us or ns since 1970 it would be before 1990" in str(error)
