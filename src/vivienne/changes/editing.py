"""Turns an intent into the document a layer would have. Pure; that document is validated elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vivienne.changes.requests import Reset, Update
from vivienne.config.documents import leaves, merged, without
from vivienne.config.flat import FLAT_NAMES, MOST_TOLD, and_more, clip, nearest, nest, quoted
from vivienne.config.tunables import SECTIONS, TUNABLES
from vivienne.errors import InvalidConfiguration, Problem
from vivienne.slices import whole

if TYPE_CHECKING:
    from vivienne.config.layers import Layers
    from vivienne.wire.answers import Action
    from vivienne.wire.document import Document


class Edit(NamedTuple):
    """A layer after an intent.

    Attributes:
        document: what the layer would set.
        touched: the paths the change is about.
    """

    action: Action
    document: Document
    touched: frozenset[str]


_NOTES = {f"{section}.description".lstrip(".") for section in SECTIONS}
PATHS = {*TUNABLES, *SECTIONS, *_NOTES} - {""}
"""Paths of all values, notes and sections."""


def edit(layers: Layers, layer: str, intent: Update | Reset) -> Edit:
    """Work out what a layer would set.

    Raises:
        InvalidConfiguration: names are wrong, or nothing is set; values that are wrong as well are told with them.
    """
    present = layers.document(layer)
    if isinstance(intent, Reset):
        paths = [FLAT_NAMES.get(path, path) for path in intent.paths]
        return Edit("reset", _taken_out(present, paths), frozenset(paths))
    sent, problems = nest(intent.document)
    touched = frozenset(leaves(sent))
    if not problems and not touched:
        problems.append(Problem("", "The message sets nothing; name at least one value, or reset the layer"))
    document = merged(present, sent) if intent.partial else sent
    if problems:
        more = whole(layers.changed(layer, document, touched))[1] if touched else []
        raise InvalidConfiguration([*problems, *more])
    return Edit("partial_update" if intent.partial else "update", document, touched)


def _taken_out(document: Document, paths: list[str]) -> Document:
    if not paths:
        return {}
    known = [*PATHS, *FLAT_NAMES]
    unknown = [path for path in paths if path not in PATHS]
    if unknown:
        problems = [
            Problem(clip(path), f"Unknown path {quoted(path)}; the nearest known one is {nearest(path, known)!r}")
            for path in unknown[:MOST_TOLD]
        ]
        raise InvalidConfiguration([*problems, *and_more(unknown)])
    for path in paths:
        document = without(document, path)
    return document
