"""Two pictures of what was measured: deliveries a second, and the time of changes; bars from the least to the most."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from fanout.candidates import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fanout.rows import Row

_WIDTH, _LEFT, _RIGHT = 760, 230, 90
_TITLE, _BAR, _GAP = 30, 18, 6
_UNITS = {"/s": "a second of processor time", "ms": "ms"}
# Readable on a light page and on a dark one.
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-weight:600}.bar{fill:#8c959f}.now{fill:#0969da}"
    ".range{stroke:#24292f}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.bar{fill:#6e7681}.now{fill:#4493f8}"
    ".range{stroke:#e6edf3}}"
)


def draw(rows: list[Row], folder: Path) -> None:
    """Write the pictures into a folder."""
    pictures = {
        "fanout-deliveries.svg": [row for row in rows if row.unit == "/s"],
        "fanout-changes.svg": [row for row in rows if row.unit == "ms"],
    }
    for name, shown in pictures.items():
        if shown:
            (folder / name).write_text(picture(shown))


def picture(rows: list[Row]) -> str:
    """A picture with a group of bars for each row, each group on a scale of its own."""
    parts, top = list[str](), 0
    for row in rows:
        parts += _group(row, top)
        top += _height(row)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{top}" viewBox="0 0 {_WIDTH} {top}">'
    return "\n".join([head, f"<style>{_STYLE}</style>", *parts, "</svg>", ""])


def _height(row: Row) -> int:
    return _TITLE + len(row.samples) * (_BAR + _GAP) + _GAP


def _group(row: Row, top: int) -> Iterator[str]:
    yield f'<text class="title" x="4" y="{top + 20}">{escape(row.name)}, {_UNITS[row.unit]}</text>'
    largest = max(max(row.value(each), *row.samples[each], 0) for each in row.samples)
    scale = (_WIDTH - _LEFT - _RIGHT) / (largest or 1)
    for number, (candidate, samples) in enumerate(row.samples.items()):
        y = top + _TITLE + number * (_BAR + _GAP)
        value, low, high = (each * scale for each in (row.value(candidate), min(samples), max(samples)))
        kind = "now" if candidate == NOW else "bar"
        yield f'<text x="{_LEFT - 8}" y="{y + 14}" text-anchor="end">{escape(candidate)}</text>'
        yield f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{value:.1f}" height="{_BAR}"/>'
        middle = y + _BAR / 2
        yield f'<path class="range" d="M{_LEFT + low:.1f} {middle}H{_LEFT + high:.1f}"/>'
        shown = f"{row.value(candidate):,.{row.digits}f}"
        yield f'<text x="{_LEFT + max(value, high) + 6:.1f}" y="{y + 14}">{shown}</text>'
