"""A configuration as a YAML file for people: what each layer sets, every value with its title, unit and bounds."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from vivienne.alerts.secret import MASK
from vivienne.config.layers import GLOBAL, alert_of
from vivienne.config.tunables import SECTIONS, TUNABLES
from vivienne.config.validation import figure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vivienne.wire.document import Document

FORMAT = 1
"""What `format` says in files as they are written here."""
INDENT = 2
_KEPT = "  # a secret, which is not exported; an import keeps the one that the database has, or write env:NAME"
Tree = dict[str, Any]
"""What a file says: `format`, `global`, `assets` and `alerts`, down to values. Nothing in it is empty."""


def header(version: int, created_at: str | None) -> str:
    """The first line of a file: what it was exported from.

    Args:
        version: the newest one.
        created_at: when that was made; None for version 0.
    """
    when = f", of {created_at}" if created_at else ", in which everything is at its default"
    return f"# Configuration of Vivienne: version {version}{when}."


_EXPLAINED = """\
# Each layer has what it sets itself. An asset inherits the rest from global, and that from the defaults.
# To put it into a database: vivienne config import FILE
"""


def tree(documents: Mapping[str, Document]) -> Tree:
    """What a file is to say: layers that set something, in the order of the schema, assets by their names; and rules.

    Args:
        documents: by layer, what it sets itself, or its rule with masked secrets.
    """
    rules = {alert_of(layer): _rule(document) for layer, document in documents.items() if document}
    layers = {layer: _ordered(document, "") for layer, document in documents.items() if alert_of(layer) is None}
    assets = {layer: layers[layer] for layer in sorted(layers) if layer != GLOBAL and layers[layer]}
    alerts = {alert_id: rule for alert_id, rule in sorted(rules.items(), key=str) if alert_id is not None}
    whole = {"format": FORMAT, "global": layers.get(GLOBAL, {}), "assets": assets, "alerts": alerts}
    return {name: value for name, value in whole.items() if value != {}}


def write(whole: Tree, first_line: str) -> str:
    """A new file."""
    return "\n".join([first_line, _EXPLAINED + "\n".join(block(whole, (), 0)), ""])


def block(values: Tree, path: tuple[str, ...], column: int) -> list[str]:
    """The lines of a mapping.

    Args:
        values: what it says.
        path: where it is in the file.
        column: where its names begin.
    """
    lines = []
    for name, value in values.items():
        lines += entry(name, value, (*path, name), column)
    return lines


def entry(name: str, value: Any, path: tuple[str, ...], column: int) -> list[str]:
    """The lines of a name with its value."""
    begin = f"{' ' * column}{_key(name)}:"
    if isinstance(value, dict):
        return [begin, *block(value, path, column + INDENT)] if value else [f"{begin} {{}}"]
    if path[0] == "alerts":
        return [f"{begin} {scalar(value)}{_KEPT if isinstance(value, str) and value.endswith(MASK) else ''}"]
    return [f"{begin} {scalar(value)}{_note(path)}"]


def _rule(document: Document) -> Document:
    """A rule as it stands in a file: its channels by their ids, and not why it is switched off."""
    channels = {
        channel["id"]: {name: value for name, value in channel.items() if name != "id"}
        for channel in document.get("channels", ())
    }
    return {name: value for name, value in {**document, "channels": channels}.items() if name != "problem"}


def scalar(value: Any) -> str:
    """A value as it stands in a file."""
    # JSON is YAML, but for two signs: what cannot be seen must be escaped, and not as a pair of surrogates.
    return re.sub(r"[^ -~]", _escaped, json.dumps(value, ensure_ascii=False))


def _escaped(found: re.Match[str]) -> str:
    sign = found[0]
    if sign.isprintable():
        return sign
    return f"\\u{ord(sign):04x}" if ord(sign) <= 0xFFFF else f"\\U{ord(sign):08x}"  # noqa: PLR2004  # what \u can say


_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}


def _key(name: str) -> str:
    """A name; in quotes where another program might take it for something else."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9._-]*", name) and name.lower() not in _WORDS
    return name if plain else scalar(name)


def _ordered(document: Document, section: str) -> Document:
    """The same in the order of the schema, without empty sections."""
    known = list(SECTIONS[section].model_fields) if section in SECTIONS else []
    ordered = {}
    for name in sorted(document, key=lambda each: known.index(each) if each in known else len(known)):
        value = document[name]
        if isinstance(value, dict):
            value = _ordered(value, f"{section}.{name}".lstrip("."))
        if value != {}:
            ordered[name] = value
    return ordered


def _note(path: tuple[str, ...]) -> str:
    """What is to know about a value: its title, unit and bounds."""
    within = path[1:] if path[0] == "global" else path[2:]
    tunable = TUNABLES.get(".".join(within))
    if tunable is None:
        return ""
    unit = tunable.unit
    if tunable.bounds is not None:
        bounds = " to ".join(figure(bound) for bound in tunable.bounds)
        unit = unit if bounds in unit else f"{unit}, {bounds}".lstrip(", ")
    return f"  # {tunable.title}{f' ({unit})' if unit else ''}"
