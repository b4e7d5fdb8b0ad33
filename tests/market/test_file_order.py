"""The order of rows, files and members; rows that are there twice or are wrong; and that all of it is said."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest

from making import MIDNIGHT, minutes
from vivienne.errors import MarketDataError
from vivienne.market.feeds.replay import ReplayFeed
from vivienne.market.files import AssetFiles, trades_of
from vivienne.market.types import MINUTE_MS, Candle

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

HEADER = "open_time,open,high,low,close,volume"
TRADES = "id,price,qty,time,is_buyer_maker"


def rows_of(candles: Iterable[Candle]) -> list[str]:
    return [",".join(map(str, candle[:6])) for candle in candles]


def trade_rows(numbers: Iterable[int]) -> list[str]:
    return [f"{number},{100 + number},1,{MIDNIGHT + number * 30_000},false" for number in numbers]


def file(folder: Path, rows: Sequence[str], header: str = HEADER, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def archive(folder: Path, members: dict[str, str | bytes]) -> Path:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as into:
        for name, content in members.items():
            into.writestr(name, content)
    path = folder / "a.zip"
    path.write_bytes(packed.getvalue())
    return path


def candles_in(files: AssetFiles) -> list[Candle]:
    return [candle for stretch in files.stretches() for candle in stretch.rows.bars().candles()]


def prices_in(files: AssetFiles) -> list[float]:
    return [trade.price for stretch in files.stretches() for trade in trades_of(stretch.rows)]


def short(candles: Iterable[Candle]) -> list[tuple[float, ...]]:
    return [candle[:6] for candle in candles]


def notes(files: AssetFiles, part: int = 0) -> str:
    return "; ".join(files.reports[part].notes)


SEVEN = minutes(7)


def test_candles_of_a_file_that_is_newest_first_are_turned_round(tmp_path: Path) -> None:
    files = AssetFiles([file(tmp_path, rows_of(reversed(SEVEN)))])
    assert short(SEVEN[:-1]) == short(candles_in(files))
    assert "newest first; turned round" in notes(files)


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (range(9, -1, -1), "newest first; turned round"),
        ([4, 3, 2, 1, 0, 9, 8, 7, 6, 5], "pages of newest first; sorted by time"),
        ([0, 5, 1, 6, 2, 7, 3, 8, 4, 9], "rows not in order of time; sorted"),
        ([0, 1, 2, 4, 3, 5, 6, 7, 8, 9], "1 row not in order of time; sorted"),
    ],
)
@pytest.mark.parametrize("header", [TRADES, TRADES.replace("id", "x", 1)])
def test_no_trade_vanishes_whatever_the_order(tmp_path: Path, order: Sequence[int], said: str, header: str) -> None:
    files = AssetFiles([file(tmp_path, trade_rows(order), header)])
    assert [100.0 + number for number in range(10)] == prices_in(files)
    assert said in notes(files)
    assert ("no ids: trades that are there twice cannot be recognised" in notes(files)) == header.startswith("x")


def test_trades_of_one_moment_keep_the_order_of_their_ids(tmp_path: Path) -> None:
    rows = [f"{number},{100 + number},1,{MIDNIGHT + number // 4 * 1000},false" for number in range(12)]
    for given in (rows, rows[::-1], [*rows[4:8], *rows[:4], *rows[8:]]):
        assert [100.0 + number for number in range(12)] == prices_in(AssetFiles([file(tmp_path, given, TRADES)]))


@pytest.mark.parametrize("name", ["{0}", "x-{0}"], ids=["numbers", "words"])
def test_the_same_trade_counts_once_and_it_is_said(tmp_path: Path, name: str) -> None:
    rows = [
        row.replace(row.split(",")[0], name.format(row.split(",")[0]), 1)
        for row in trade_rows([*range(6), *range(4, 10)])
    ]
    files = AssetFiles([file(tmp_path, rows, TRADES)])
    assert [100.0 + number for number in range(10)] == prices_in(files)
    assert "2 repeated rows left out" in notes(files)
    assert files.reports[0].left_out["repeated"] == 2


def test_of_two_different_rows_for_a_minute_the_later_counts_and_it_is_said(tmp_path: Path) -> None:
    later = SEVEN[2]._replace(close=SEVEN[2].high)
    for given in ([*SEVEN[:3], later, *SEVEN[3:]], [*SEVEN, later]):
        files = AssetFiles([file(tmp_path, rows_of([*given, SEVEN[4]]))])
        assert short([*SEVEN[:2], later, *SEVEN[3:-1]]) == short(candles_in(files))
        assert "1 candle replaced by a different later row for the same minute: line 4" in notes(files)
        assert "1 repeated row left out" in notes(files)


def test_two_markets_in_one_file_are_refused_with_the_column_and_its_values(tmp_path: Path) -> None:
    rows = [f"{row},{name}" for row in rows_of(SEVEN) for name in ("BTC/USD", "ETH/USD")]
    with pytest.raises(
        MarketDataError, match=r"line 3: the column Pair has several values, BTC/USD, ETH/USD"
    ) as caught:
        AssetFiles([file(tmp_path, rows, HEADER + ",Pair")])
    assert caught.value.line == 3
    other = [c._replace(open=30 * c.open, high=30 * c.high, low=30 * c.low, close=30 * c.close) for c in SEVEN]
    rows = [row for pair in zip(SEVEN, other, strict=True) for row in rows_of(pair)]
    with pytest.raises(MarketDataError, match="as those of two markets"):
        AssetFiles([file(tmp_path, rows)])


def test_members_of_an_archive_give_the_same_as_the_files_apart(tmp_path: Path) -> None:
    """In order of their times, not of their names, and without those that a Mac adds."""
    texts = {
        name: "\n".join([HEADER, *rows_of(part)]) for name, part in {"2.csv": SEVEN[:3], "1.csv": SEVEN[3:]}.items()
    }
    extra: dict[str, str | bytes] = {
        "__MACOSX/._1.csv": b"\0\5\26\7Mac OS X",
        ".hidden.csv": b"\0",
        "readme.txt": "hello",
    }
    packed = AssetFiles([archive(tmp_path, {**texts, **extra})])
    apart = AssetFiles([file(tmp_path, text.splitlines()[1:], name=name) for name, text in texts.items()])
    assert short(SEVEN[:-1]) == short(candles_in(packed)) == short(candles_in(apart))
    assert ["2.csv", "1.csv"] == [report.member for report in packed.reports]
    assert "left out of the archive: .hidden.csv, __MACOSX/._1.csv, readme.txt" in notes(packed)


def test_an_error_in_an_archive_names_the_member_line_and_column(tmp_path: Path) -> None:
    text = "\n".join([HEADER, *rows_of(SEVEN)]).replace("7", "7x", 1)
    path = archive(tmp_path, {"one.csv": "\n".join([HEADER, *rows_of(SEVEN[:2])]), "two.csv": text})
    message = rf"{path}, two\.csv, line 2: '.*' is not a .*\. Correct the row, or leave such rows out"
    with pytest.raises(MarketDataError, match=message) as caught:
        candles_in(AssetFiles([path]))
    assert (caught.value.member, caught.value.line) == ("two.csv", 2)


def test_files_that_overlap_count_each_minute_once(tmp_path: Path) -> None:
    first = file(tmp_path, rows_of([*SEVEN[:4], SEVEN[4]._replace(volume=0.1)]), name="a.csv")
    second = file(tmp_path, rows_of(SEVEN[3:]), name="b.csv")
    files = AssetFiles([second, first])
    assert short(SEVEN[:-1]) == short(candles_in(files))
    assert "1 repeated row left out; 1 candle replaced" in notes(files, 1)


def test_trades_of_files_that_share_a_moment_are_all_there(tmp_path: Path) -> None:
    first = file(tmp_path, trade_rows(range(5)), TRADES, "a.csv")
    second = file(
        tmp_path, [*trade_rows([4]), f"99,200,1,{MIDNIGHT + 120_000},false", *trade_rows([5])], TRADES, "b.csv"
    )
    files = AssetFiles([first, second])
    assert [100.0, 101.0, 102.0, 103.0, 104.0, 200.0, 105.0] == prices_in(files)
    assert "1 repeated row left out" in notes(files, 1)


def test_candles_of_several_lengths_at_the_same_time_are_refused(tmp_path: Path) -> None:
    hours = [candle._replace(open_time=MIDNIGHT + number * 3_600_000) for number, candle in enumerate(SEVEN)]
    paths = [file(tmp_path, rows_of(SEVEN), name="m.csv"), file(tmp_path, rows_of(hours), name="h.csv")]
    with pytest.raises(MarketDataError, match=r"it has candles, 1 (hour|minute), and .* has candles, 1 .* of the same"):
        AssetFiles(paths)


def test_lines_before_the_header_and_repeated_headers_are_skipped_and_said(tmp_path: Path) -> None:
    rows = rows_of(SEVEN)
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["# from somewhere", "", HEADER, *rows[:3], HEADER, *rows[3:]]))
    files = AssetFiles([path])
    assert short(SEVEN[:-1]) == short(candles_in(files))
    assert notes(files).startswith("line 1 before the data skipped; 1 repeated header skipped")


BAD = ["{time},NaN,NaN,NaN,NaN,NaN", "{time},0,0,0,100,5", "{time},98.5,101,99,100,5", "{time},abc,1,1,1,1", "oh"]


@pytest.mark.parametrize("bad", BAD)
def test_a_wrong_row_is_marked_where_it_is_left_out_and_said_with_its_line(tmp_path: Path, bad: str) -> None:
    rows = rows_of(SEVEN)
    rows[3] = bad.format(time=SEVEN[3].open_time)
    path = file(tmp_path, rows)
    files = AssetFiles([path], skip=True)
    [stretch] = files.stretches()
    assert [candle.open_time for candle in SEVEN[:-1]] == stretch.rows.time.tolist()
    assert [3] == np.flatnonzero(~stretch.rows.valid).tolist()
    assert "1 wrong row: line 5" in notes(files)
    assert [5] == [line for line, _ in files.reports[0].bad_rows]
    with pytest.raises(MarketDataError, match=r"line 5: .*--on-bad-row skip"):
        candles_in(AssetFiles([path]))


def test_a_wrong_row_in_a_file_that_must_be_sorted_is_refused_at_once(tmp_path: Path) -> None:
    rows = [*rows_of(SEVEN[::-1]), "oh"]
    with pytest.raises(MarketDataError, match="line 9: columns are missing"):
        AssetFiles([file(tmp_path, rows)])
    assert short(SEVEN[:-1]) == short(
        c for c in candles_in(AssetFiles([file(tmp_path, rows)], skip=True)) if c.open > 0
    )


def test_a_file_with_hardly_any_right_row_is_refused(tmp_path: Path) -> None:
    path = file(tmp_path, [*rows_of(SEVEN), *["no"] * 100])
    with pytest.raises(MarketDataError, match="most rows are wrong, this one first: columns are missing"):
        AssetFiles([path], skip=True)


def test_a_later_row_for_the_minute_of_a_wrong_one_counts(tmp_path: Path) -> None:
    rows = rows_of(SEVEN)
    rows[3:3] = [f"{SEVEN[3].open_time},0,0,0,0,0"]
    files = AssetFiles([file(tmp_path, rows)], skip=True)
    assert short(SEVEN[:-1]) == short(candles_in(files))


HONG_KONG = [60, 60, 90, 60, 60, 60, 1_050]
"""Minutes from one hourly candle of a day to the next: with a pause at noon, and closed at night."""
NEW_YORK = [30, 60, 60, 60, 60, 60, 1_110]
"""The same, where the first candle of a day has half an hour."""


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([60] * 20 + [30] + [60] * 20, "the candles are 60 minutes apart, but the one at 2025-01-01T20:30"),
        (
            [1] * 20 + [60] * 20,
            "line 22: the candles from 2025-01-01T00:20.* 60 minutes apart, 21 in a row, and others 1",
        ),
        ([5] * 9 + [1] * 9, "line 2: the candles from 2025-01-01T00:00.* 5 minutes apart, 10 in a row, and others 1"),
        ([0.5] + [1] * 20, "most rows"),
        (HONG_KONG * 2, "the candles are 60 minutes apart, but the one at 2025-01-01T03:30"),
        (NEW_YORK * 20, "the candles are 60 minutes apart, but the one at 2025-01-01T00:30"),
    ],
)
def test_candles_of_uneven_lengths_are_refused(tmp_path: Path, steps: list[float], words: str) -> None:
    times = MIDNIGHT + np.cumsum([0, *steps]) * MINUTE_MS
    rows = rows_of(SEVEN[0]._replace(open_time=int(time)) for time in times)
    if words == "most rows":
        rows = [row.replace(row[:13], str(int(time) + 7)) for row, time in zip(rows * 10, [*times] * 10, strict=False)]
    with pytest.raises(MarketDataError, match=words):
        AssetFiles([file(tmp_path, rows)])


@pytest.mark.parametrize(
    ("steps", "minutes_long"),
    [
        ([], 1),
        ([1], 1),
        ([7], 1),
        ([60], 60),
        ([60, 60], 60),
        ([1, 1, 2, 2, 2, 2, 2, 1, 3, 2, 2, 1], 1),
        ([3, 2, 2, 4], 1),
    ],
)
def test_the_length_of_candles_is_found_and_minutes_without_trades_do_not_change_it(
    tmp_path: Path, steps: list[int], minutes_long: int
) -> None:
    times = MIDNIGHT + np.cumsum([0, *steps]) * MINUTE_MS
    rows = rows_of(SEVEN[0]._replace(open_time=int(time)) for time in [*times])
    # A `confirm` of 1 says that the last candle is closed.
    files = AssetFiles([file(tmp_path, [f"{row},1" for row in rows], f"{HEADER},confirm")])
    assert [report.minutes for report in files.reports] == [minutes_long]


def test_trades_of_the_first_and_the_last_minute_are_counted_in_each_file_once(tmp_path: Path) -> None:
    """Half-minute trades: minutes 0 to 4, cut within the last minute, with one trade in both files."""
    one = file(tmp_path, trade_rows([*range(9)]), TRADES, "1.csv")
    two = file(tmp_path, trade_rows([8, 9]), TRADES, "2.csv")
    reports = AssetFiles([two, one]).reports
    assert [(report.left_out["partial"], report.left_out["repeated"]) for report in reports] == [(3, 0), (1, 1)]
    assert "3 trades left out, of the first and the last minute" in "; ".join(reports[0].notes)
    assert "no candle comes of it by itself: trades of at least three minutes are needed" in reports[1].notes
    assert AssetFiles([one]).reports[0].left_out["partial"] == 3


def test_trades_after_candles_begin_anew_and_the_minutes_on_both_sides_are_counted(tmp_path: Path) -> None:
    """Half-minute trades: minutes 0 to 4, candles of minutes 5 to 9, trades of minutes 10 to 14."""
    before = file(tmp_path, trade_rows(range(10)), TRADES, "1.csv")
    candles = file(tmp_path, rows_of(minutes(5, first=5)), name="2.csv")
    after = file(tmp_path, trade_rows(range(20, 30)), TRADES, "3.csv")
    feed = ReplayFeed({"BTC": [before, candles, after]}, None)
    found = feed.history("BTC", least=99, most=99).minutes
    assert [*range(1, 4), *range(5, 10), *range(11, 14)] == [(time - MIDNIGHT) // MINUTE_MS for time in found.open_time]
    assert feed.left_out["BTC", "partial"] == 8


def test_candles_that_do_not_begin_at_multiples_of_their_length_are_refused(tmp_path: Path) -> None:
    rows = rows_of(SEVEN[0]._replace(open_time=MIDNIGHT + (60 * number + 30) * MINUTE_MS) for number in range(9))
    with pytest.raises(MarketDataError, match="60 minutes apart and begin at 2025-01-01T00:30"):
        AssetFiles([file(tmp_path, rows)])


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\n".join([HEADER, *rows_of(SEVEN)]).replace(",", separator))
    assert short(SEVEN[:-1]) == short(candles_in(AssetFiles([path])))


def test_a_quotation_mark_that_is_not_closed_is_named_with_its_line(tmp_path: Path) -> None:
    rows = rows_of(SEVEN)
    rows[2] = '"' + rows[2]
    with pytest.raises(MarketDataError, match="line 4: a quotation mark in this line is not closed"):
        AssetFiles([file(tmp_path, rows)])


def test_times_that_a_table_program_has_rounded_are_refused(tmp_path: Path) -> None:
    """Otherwise all rows of an hour and more would become one candle."""
    rows = [f"1.73568E+12,{row.partition(',')[2]}" for row in rows_of(minutes(30))]
    with pytest.raises(MarketDataError, match="their times may have been rounded"):
        AssetFiles([file(tmp_path, rows)])


def test_numbers_that_pandas_gives_columns_as_names_are_a_header(tmp_path: Path) -> None:
    assert short(SEVEN[:-1]) == short(candles_in(AssetFiles([file(tmp_path, rows_of(SEVEN), "0,1,2,3,4,5")])))


def test_rows_without_numbers_between_candles_do_not_make_these_longer(tmp_path: Path) -> None:
    """Some sites write such a row for every minute without trades."""
    rows = [row if n % 3 == 0 else f"{row[:13]},NaN,NaN,NaN,NaN,NaN" for n, row in enumerate(rows_of(minutes(30)))]
    report = AssetFiles([file(tmp_path, rows)], skip=True).reports[0]
    assert (report.minutes, report.left_out["bad"]) == (1, 20)


@pytest.mark.parametrize("block", [7, 50, 1_000_000])
def test_a_long_file_that_is_nearly_in_order_is_sorted_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    """It need not be in memory."""
    monkeypatch.setattr("vivienne.market.files.part.MANY_ROWS", 10)
    monkeypatch.setattr("vivienne.market.files.lines._BLOCK", block)
    numbers = [n + 3 * (n % 5 == 0) - 2 * (n % 7 == 0) for n in range(200)]
    order = sorted(range(200), key=lambda n: (numbers[n], n))
    rows = trade_rows(order)
    files = AssetFiles([file(tmp_path, [*rows[:90], *rows[88:]], TRADES)])
    assert [100.0 + number for number in range(200)] == prices_in(files)
    assert "rows not in order of time; sorted; 2 repeated rows left out" in notes(files)
    assert not files._in_memory


def test_trades_with_one_id_that_differ_are_all_there(tmp_path: Path) -> None:
    rows = [f"0,{price},1,{MIDNIGHT},false" for price in (100, 101, 102, 101)]
    assert [100.0, 101.0, 102.0] == prices_in(AssetFiles([file(tmp_path, rows, TRADES)]))


def test_quotation_marks_and_empty_lines_change_nothing(tmp_path: Path) -> None:
    """They are read in another way than plain rows."""
    for rows, header in ((rows_of(minutes(40)), HEADER), (trade_rows(range(40)), TRADES)):
        plain, *others = (
            [*AssetFiles([file(tmp_path, given, header)]).stretches()]
            for given in (rows, [",".join(f'"{cell}"' for cell in row.split(",")) for row in rows], ["", *rows, "", ""])
        )
        for other in others:
            for one, same in zip(plain, other, strict=True):
                assert one.rows.time.tolist() == same.rows.time.tolist()
                np.testing.assert_array_equal(one.rows.values, same.rows.values)
