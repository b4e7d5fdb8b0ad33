"""The layers in a file of configuration, and the line of each value."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vivienne.commands.yaml.reading import read_yaml
from vivienne.commands.yaml.writing import FORMAT
from vivienne.config.flat import FLAT_NAMES, MOST_TOLD, clip, nearest, quoted
from vivienne.config.layers import ALERT, GLOBAL
from vivienne.errors import Finding
from vivienne.market.types import ASSET_NAME, VALID_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vivienne.commands.yaml.reading import Entry
    from vivienne.errors import Problem
    from vivienne.wire.document import Document

_TOP = ("format", "global", "assets", "alerts")
_ALERT_ID = re.compile(r"[a-z][a-z0-9_]{0,23}")


@dataclass(slots=True)
class LayersFile:
    """The content of a file.

    Attributes:
        documents: by layer, what it is to set; without what has a finding already.
        alerts: by alert_id, rules of alerts; None if the file says nothing of them.
        findings: what is wrong with it before anything is known of the values.
    """

    documents: dict[str, Document] = field(default_factory=dict)
    alerts: dict[str, Document] | None = None
    findings: list[Finding] = field(default_factory=list)
    _nodes: dict[str, Entry] = field(default_factory=dict)

    def place(self, layer: str, entry: Entry) -> None:
        """Note where a layer stands in the file."""
        self._nodes[layer] = entry

    def located(self, problems: Iterable[Problem]) -> list[Finding]:
        """Problems of the configuration, with their lines in the file."""
        return [self._locate(problem) for problem in problems]

    def _locate(self, problem: Problem) -> Finding:
        layer = problem.asset or GLOBAL
        if layer in self._nodes:
            return Finding(layer, problem.path, self._line(self._nodes[layer], problem.path), problem.message)
        kept = f"{problem.message}. {layer} is not in the file and keeps what it sets: add it, or use --replace-all"
        return Finding(layer, problem.path, None, kept)

    def _line(self, entry: Entry, path: str) -> int:
        """The line of a path, or of its nearest existing parent."""
        for flat, full in FLAT_NAMES.items():
            if full == path and entry.node.entries and flat in entry.node.entries:
                return entry.node.entries[flat].line
        for name in path.split("."):
            below = (entry.node.entries or {}).get(name)
            if below is None:
                break
            entry = below
        return entry.line


def read_layers(text: str, name: str) -> LayersFile:
    """Read a file of configuration.

    Args:
        text: of it.
        name: of it, for errors.

    Raises:
        FileUnreadable: it is no YAML.
    """
    root, flaws = read_yaml(text, name)
    found = LayersFile()
    for flaw in flaws:
        layer, path = _place(flaw.path)
        found.findings.append(Finding(layer, path, flaw.line, flaw.message))
    if root.entries is None:
        _say(
            found,
            root.line,
            "The file is not a configuration; write format, global and assets, as `vivienne config export` does",
        )
        return found
    _check_top(found, root.entries)
    if "global" in root.entries:
        _take(found, GLOBAL, root.entries["global"])
    if "assets" in root.entries:
        _take_assets(found, root.entries["assets"])
    if "alerts" in root.entries:
        _take_alerts(found, root.entries["alerts"])
    return found


def _place(path: tuple[str, ...]) -> tuple[str | None, str]:
    """The layer and the path in it of a place in the file."""
    if path[:1] == ("global",):
        return GLOBAL, ".".join(path[1:])
    if path[:1] == ("assets",) and len(path) > 1:
        return path[1].upper(), ".".join(path[2:])
    if path[:1] == ("alerts",) and len(path) > 1:
        return ALERT + path[1], ".".join(path[2:])
    return None, ".".join(path)


def _check_top(found: LayersFile, entries: dict[str, Entry]) -> None:
    unknown = [name for name in entries if name not in _TOP]
    for name in unknown[:MOST_TOLD]:
        guess = nearest(name, _TOP)
        line = entries[name].line
        found.findings.append(
            Finding(None, clip(name), line, f"Unknown name {quoted(name)}; the nearest known name is {guess!r}")
        )
    if len(unknown) > MOST_TOLD:
        _say(found, None, f"... and {len(unknown) - MOST_TOLD} more unknown names")
    if "format" not in entries:
        _say(found, None, f"The format is missing; write `format: {FORMAT}` at the top")
        return
    said = entries["format"].node.document()
    if isinstance(said, bool) or said != FORMAT:
        later = isinstance(said, int) and said > FORMAT
        more = "it was written by a later version of Vivienne; update this one" if later else f"write format: {FORMAT}"
        found.findings.append(
            Finding(None, "format", entries["format"].line, f"Format {said!r} is not known, only {FORMAT} is; {more}")
        )


def _take_assets(found: LayersFile, assets: Entry) -> None:
    if assets.node.entries is None:
        _say(found, assets.line, "'assets' must be an object with the layers of assets by their names", "assets")
        return
    for spelt, entry in assets.node.entries.items():
        asset = spelt.upper()
        if not ASSET_NAME.fullmatch(asset):
            message = f"{quoted(spelt)} is not a valid asset name; {VALID_NAME}"
            found.findings.append(Finding(None, "assets", entry.line, message))
        elif asset in found.documents:
            message = f"{asset} is given twice, in upper and in lower case; keep one"
            found.findings.append(Finding(asset, "", entry.line, message))
        else:
            _take(found, asset, entry)


def _take_alerts(found: LayersFile, alerts: Entry) -> None:
    found.alerts = {}
    if alerts.node.entries is None:
        _say(found, alerts.line, "'alerts' must be an object with rules by their alert_id", "alerts")
        return
    for alert_id, entry in alerts.node.entries.items():
        if not _ALERT_ID.fullmatch(alert_id):
            message = f"{quoted(alert_id)} is not a valid alert_id; write small letters, digits and _, such as btc_bang"
            found.findings.append(Finding(None, "alerts", entry.line, message))
        elif entry.node.entries is None:
            found.findings.append(Finding(ALERT + alert_id, "", entry.line, "A rule must be an object of values"))
        else:
            found.alerts[alert_id] = _rule(entry.node.document())
            found.place(ALERT + alert_id, entry)


def _rule(document: Document) -> Document:
    """A rule as it is sent: its channels, which have their ids as names in a file, as a list."""
    channels = document.get("channels")
    if not isinstance(channels, dict) or not all(isinstance(channel, dict) for channel in channels.values()):
        return document
    return {**document, "channels": [{**channel, "id": name} for name, channel in channels.items()]}


def _take(found: LayersFile, layer: str, entry: Entry) -> None:
    if entry.node.entries is None:
        message = "A layer must be an object of values; write {} for one that sets nothing"
        found.findings.append(Finding(layer, "", entry.line, message))
        return
    document: Any = entry.node.document()
    found.documents[layer] = document
    found.place(layer, entry)


def _say(found: LayersFile, line: int | None, message: str, path: str = "") -> None:
    found.findings.append(Finding(None, path, line, message))
