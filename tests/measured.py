"""What a server says of itself at `/metrics`, read as Prometheus reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from running import RunningServer

Labels = frozenset[tuple[str, str]]


class Measured:
    """One look at `/metrics`."""

    def __init__(self, text: str) -> None:
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        self.samples: dict[tuple[str, Labels], float] = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families.values()
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float | None:
        """The value of a sample; None where there is none."""
        return self.samples.get((name, frozenset(labels.items())))

    def count(self, name: str, **labels: str) -> float:
        """The value of a sample; 0 where there is none."""
        return self.value(name, **labels) or 0.0

    def labels(self, name: str) -> set[Labels]:
        """The labels of all samples of a name."""
        return {labels for found, labels in self.samples if found == name}

    @property
    def names(self) -> set[str]:
        """The names of all families as they are written down: those of counters end in `_total`."""
        return {name + "_total" * (family.type == "counter") for name, family in self.families.items()}


def measured(server: RunningServer) -> Measured:
    """Look."""
    return Measured(server.get("/metrics").raise_for_status().text)
