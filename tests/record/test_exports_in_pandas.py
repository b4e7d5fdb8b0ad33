"""Exports open in pandas as docs/record.md says, with the types and values that were recorded."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from making import random_bars
from record_client import client
from recording import RUN, Ordered, Recording
from vivienne.record.reading.exporting import COLUMNS
from vivienne.record.reading.scope import Scope
from vivienne.record.reading.thread import ReadingThread
from vivienne.record.reading.view import LocalRecord

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = (Path(__file__).parents[2] / "docs/record.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def pandas() -> Any:
    # Not at the top: it takes a third of a second, which the other tests need not wait for.
    return pytest.importorskip("pandas", reason="pandas is not installed; `make setup` brings it")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    folder = tmp_path_factory.mktemp("pandas")
    bars = random_bars(3, 330)
    bars.volume[320] = bars.trade_count[320] = float("nan")
    recording = Recording(folder / "record.db")
    recording.add("NA", bars, 300, {0: Ordered(4, {"settings": {"state_threshold_loaded": 5}})})
    recording.close()
    found: dict[str, bytes] = {}
    scope = Scope(RUN, "15m")
    with client(folder, LocalRecord(ReadingThread(folder / "record.db"), scope), assets=("NA",)) as reading:
        for form in ("csv", "ndjson", "parquet"):
            found[form] = reading.get(f"assets/NA/decisions?format={form}").content
    return found.__getitem__


def documented(kind: str) -> str:
    """The type in pandas that the documentation gives for a kind of values."""
    found = re.search(rf"^\| {kind} \|.*\| `([^`]+)` \|$", PAGE, re.MULTILINE)
    assert found is not None, kind
    return found[1]


def opened(pandas: Any, form: str, data: bytes) -> Any:
    """A file, opened as the documentation says."""
    call = re.search(rf'^pandas\.(read_{form})\("BTC\.\w+"(?:, (.*))?\)$', PAGE, re.MULTILINE)
    assert call is not None, form
    options = eval(f"dict({call[2] or ''})")  # noqa: S307  # it is our own page
    return getattr(pandas, call[1])(io.BytesIO(data), **options)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_table_opens_with_the_documented_types(pandas: Any, exported: Callable[[str], bytes], form: str) -> None:
    if form == "parquet":
        pytest.importorskip(
            "pyarrow", reason="pandas reads Parquet with pyarrow, which is too large for the tests alone"
        )
    table = opened(pandas, form, exported(form))
    missing = {"trade_count": "float64"}  # one of its values is not known
    assert {name: re.sub(r"\[\w+, ", "[", str(kind)) for name, kind in table.dtypes.items()} == {
        name: missing.get(name, documented(kind)) for name, kind in COLUMNS
    }
    lines = [json.loads(line) for line in exported("ndjson").splitlines()]
    assert len(table) == len(lines) == 30
    for name, kind in COLUMNS:
        values = table[name].where(table[name].notna(), None).tolist()
        if kind == "time":
            values = [value.strftime("%Y-%m-%dT%H:%M:%S.000Z") for value in values]
        wanted = [" ".join(line[name]) or None if kind == "words" else line[name] for line in lines]
        assert [None if value != value or value == "" else value for value in values] == wanted, name  # noqa: PLR0124


def test_lines_of_json_open_with_the_same_values(pandas: Any, exported: Callable[[str], bytes]) -> None:
    table = opened(pandas, "json", exported("ndjson"))
    for name, kind in COLUMNS:
        if kind == "number":
            found = table[name].astype(object).where(table[name].notna(), None).tolist()
            assert found == [json.loads(line)[name] for line in exported("ndjson").splitlines()], name
    assert str(pandas.to_datetime(table["time"]).dtype).endswith("UTC]")
    assert set(table["held"]) <= {True, False}
