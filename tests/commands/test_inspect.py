"""`vivienne inspect`: what files are taken for, without serving them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from click.testing import CliRunner

from making import MIDNIGHT
from vivienne.commands.main import main

if TYPE_CHECKING:
    from pathlib import Path


def written(path: Path, step: int = 1, bad: str = "") -> Path:
    rows = [f"{MIDNIGHT // 1000 + n * 60 * step},100,101,99,100,5,7" for n in range(6)]
    path.write_text("\n".join([*rows[:3], *([bad] if bad else []), *rows[3:]]))
    return path


def test_a_file_is_described_in_a_line_with_what_is_left_out(tmp_path: Path) -> None:
    path = written(tmp_path / "XBTUSD_1.csv", bad="oh,no")
    result = CliRunner().invoke(main, ["inspect", str(path)])
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        f"{path}: candles, 1 minute, Kraken OHLCVT, 7 rows, 2025-01-01 to 2025-01-01",
        "  first row 2025-01-01T00:00:00.000Z, last row 2025-01-01T00:05:00.000Z",
        "  1 wrong row: line 4",
        "  1 candle left out that may be still open",
        "  line 4: columns are missing in this row",
    ]


def test_programs_get_the_same_and_one_bad_file_does_not_hide_the_others(tmp_path: Path) -> None:
    path = written(tmp_path / "h.csv", step=60)
    result = CliRunner().invoke(main, ["inspect", "--json", str(tmp_path / "missing.csv"), str(path)])
    assert result.exit_code == 2
    missing, hourly = json.loads(result.output)
    assert missing == {
        "file": str(tmp_path / "missing.csv"), "member": None, "line": None, "error": "the file does not exist",
    }  # fmt: skip
    assert {"kind": "candles", "minutes": 60, "rows": 6, "timeframes": ["1h", "4h", "1d"]}.items() <= hourly.items()
    assert hourly["left_out"] == {"bad": 0, "unclosed": 1, "partial": 0, "repeated": 0, "replaced": 0}


def test_an_error_is_one_line_with_the_place(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("1,2\n")
    result = CliRunner().invoke(main, ["inspect", str(path)])
    assert result.exit_code == 2
    assert f"Error: {path}, line 1: the format of 2 columns without a header is unknown" in result.output
