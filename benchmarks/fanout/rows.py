"""What is measured of each candidate, as lines of the report and as a Markdown table."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

from fanout.candidates import NOW, REFERENCE
from measuring import Figure


@dataclass(frozen=True)
class Row:
    """One measure of all candidates.

    Attributes:
        name: what is measured.
        unit: of the samples.
        samples: by candidate, one of each round; rounds of the same place belong together.
        digits: behind the decimal point.
        least: the least ratio to the reference that is wanted.
        at_least, most: the smallest and the largest value that are wanted.
        whole: by candidate, the value over all rounds, if it is not the median of the samples.
        besides: by candidate, what else is to be said.
    """

    name: str
    unit: str
    samples: dict[str, list[float]]
    digits: int = 0
    least: float | None = None
    at_least: float | None = None
    most: float | None = None
    whole: dict[str, float] = field(default_factory=dict)
    besides: dict[str, str] = field(default_factory=dict)

    def value(self, candidate: str) -> float:
        """The value of a candidate."""
        return self.whole.get(candidate, statistics.median(self.samples[candidate]))

    def ratio(self, candidate: str) -> float | None:
        """How much of the reference it is, as the median over the rounds; None for the reference, and without one."""
        if candidate == REFERENCE or REFERENCE not in self.samples:
            return None
        pairs = zip(self.samples[candidate], self.samples[REFERENCE], strict=True)
        return statistics.median(mine / reference for mine, reference in pairs)

    def wanted(self) -> str:
        """What is wanted, in words."""
        if self.least is not None:
            return f">= {self.least:g} x"
        if self.at_least is not None:
            return f">= {self.at_least:,g} {self.unit}".rstrip()
        return "" if self.most is None else f"<= {self.most:g} {self.unit}"

    def is_met(self, candidate: str) -> bool | None:
        """Whether a candidate reaches what is wanted; None if nothing is."""
        if self.most is not None:
            return self.value(candidate) <= self.most
        if self.at_least is not None:
            return self.value(candidate) >= self.at_least
        ratio = self.ratio(candidate)
        return None if self.least is None or ratio is None else ratio >= self.least

    def figure(self, candidate: str) -> Figure:
        """The line of a candidate; only the program of today has to reach anything."""
        parts = [f"{self._shown(self.value(candidate))} {self.unit} {self._range(candidate)}"]
        if (ratio := self.ratio(candidate)) is not None:
            parts.append(f"{ratio:.2f} x")
        if candidate in self.besides:
            parts.append(self.besides[candidate])
        name, value = f"{self.name}: {candidate}", ", ".join(parts)
        if candidate != NOW:
            return Figure(name, value, is_speed=True)
        return Figure(name, value, self.wanted(), self.is_met(candidate), is_speed=True)

    def figures(self) -> list[Figure]:
        """The lines of all candidates."""
        return [self.figure(candidate) for candidate in self.samples]

    def cell(self, candidate: str) -> str:
        """What the Markdown table says of a candidate, with its ratio where one is wanted."""
        if candidate not in self.samples:
            return ""
        ratio = None if self.least is None else self.ratio(candidate)
        of_reference = "" if ratio is None else f", {ratio:.2f} x"
        return f"{self._shown(self.value(candidate))} {self._range(candidate)}{of_reference}"

    def _range(self, candidate: str) -> str:
        samples = self.samples[candidate]
        return f"({self._shown(min(samples))} to {self._shown(max(samples))})"

    def _shown(self, value: float) -> str:
        return f"{value:,.{self.digits}f}"


def markdown(rows: list[Row]) -> str:
    """A table with a column for each candidate. A figure is followed by the least and the most of the rounds."""
    candidates = list(dict.fromkeys(candidate for row in rows for candidate in row.samples))
    lines = [
        f"| what | unit | wanted | {' | '.join(candidates)} |",
        f"|---|---|---|{'---|' * len(candidates)}",
        *(
            f"| {row.name} | {row.unit} | {row.wanted()} | {' | '.join(row.cell(each) for each in candidates)} |"
            for row in rows
        ),
    ]
    return "\n".join(lines) + "\n"
