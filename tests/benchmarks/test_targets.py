"""The benchmark of all targets, at its smallest sizes: it measures what it says, whatever the figures are."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from fanout.candidates import BEFORE, NOW, REFERENCE
from fanout.rows import Row
from targets import measure
from targets.parts import PARTS, Part
from targets.setting import Setting
from targets.table import Measured
from turns import in_turns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

_SETTING = Setting([], None, rounds=1, assets=1, many=1, minute=1, busy=1, repeats=1)
_SMALLEST = {"rounds": 1, "assets": 3, "minute": 0.4, "repeats": 1}
_ROW = Row("bytes", "bytes", {NOW: [100.0, 300.0], BEFORE: [10_000.0]}, most=400)


def test_rows_are_measured_at_the_program_and_at_another_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other, into = tmp_path / "other", tmp_path / "into"
    other.mkdir()
    (other / ".venv").symlink_to(sys.prefix)  # the same program
    monkeypatch.chdir(tmp_path)
    skipped = measure.measure(before=str(other), into=str(into), only="day,pieces", **_SMALLEST)

    table = _rows(into)
    assert [] == skipped
    assert ["2", "2", "2", "2", "10"] == [row[0] for row in table]
    assert all(float(row[column].split(" ")[0]) > 0 for row in table for column in (5, 6) if row[0] != "10")
    assert all("whole states" not in cell for row in table for cell in row)  # both have changes
    assert "turn 2 of 2: before" in capsys.readouterr().err


def test_deciding_is_measured(tmp_path: Path) -> None:
    assert [] == measure.measure(before="", into=str(tmp_path), only="deciding", **_SMALLEST)

    assert ["9"] == [row[0] for row in _rows(tmp_path)]
    assert all(float(row[5].split(" ")[0]) > 0 for row in _rows(tmp_path))


def _rows(into: Path) -> list[list[str]]:
    """The cells of each row of the table."""
    lines = [line for line in (into / "targets.md").read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines[2:]]


def test_a_row_says_what_is_wanted_and_if_it_is_met() -> None:
    met = Measured("1", _ROW, (0.25, 1.5))
    missed = replace(met, row=replace(_ROW, most=150))
    nothing_wanted = replace(met, row=replace(_ROW, most=None, besides={BEFORE: "a whole state"}))

    assert ("1", "bytes", "bytes", "<= 400 bytes", "", "200 (100 to 300)", "10,000 (10,000 to 10,000)", "met") == (
        met.cells()[:-1]
    )
    assert "0.2 to 1.5" == met.cells()[-1]
    assert "MISSED" == missed.verdict
    assert ("10,000 (10,000 to 10,000), a whole state", "") == nothing_wanted.cells()[6:8]


def test_a_ratio_is_shown_where_one_is_wanted() -> None:
    with_reference = replace(_ROW, samples={REFERENCE: [50.0, 50.0], NOW: [100.0, 300.0]}, most=None)

    assert "200 (100 to 300)" == with_reference.cell(NOW)
    assert "200 (100 to 300), 4.00 x" == replace(with_reference, least=0.75).cell(NOW)


def test_a_part_that_fails_leaves_the_others(tmp_path: Path) -> None:
    def fails(_: Setting) -> Iterator[Row]:
        raise RuntimeError("the server did not start")

    parts = [
        next(each for each in PARTS if each.needs_scene),
        Part("2", "failing", fails),
        Part("3", "working", lambda _: iter([_ROW])),
    ]

    measured, skipped = measure.run(parts, _SETTING, tmp_path / "into")

    assert ["3"] == [each.number for each in measured]
    assert [
        "Row 1 (sizes) is not measured: it needs gcc, which is not installed",
        "Row 2 (failing) is not measured: the server did not start",
    ] == skipped
    assert all(each in (tmp_path / "into" / "targets.md").read_text() for each in skipped)


def test_programs_take_turns_so_that_none_always_comes_after_the_same_one() -> None:
    assert [NOW, BEFORE, BEFORE, NOW, NOW, BEFORE] == list(in_turns([NOW, BEFORE], 3))
