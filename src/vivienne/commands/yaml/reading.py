"""Strict YAML 1.2, with the place of everything: what a file says, and where it says so.

The events of the parser are taken as they come, so that nothing is built that was not looked at: no anchors, no tags,
no recursion. Plain values are read by YAML's core schema: `on` and `yes` are texts.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from vivienne.errors import FileUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST_FILE = 8 * 1024 * 1024
"""Bytes; a layer that sets everything, with all its comments, has about 4,500."""
DEEPEST_NESTING = 16
MOST_VALUES = 200_000
"""Names and values of all levels."""


@dataclass(slots=True)
class Node:
    """A value in a file.

    Attributes:
        line: where it is, counted from 1.
        start, end: from where to where in the text; behind the end there may be blanks that belong to it.
        value: a text, a number, a truth value, None or a list; of a mapping, None.
        entries: of a mapping, what is in it; None for any other value.
        is_flow: whether it is written in brackets.
    """

    line: int
    start: int
    end: int
    value: Any = None
    entries: dict[str, Entry] | None = None
    is_flow: bool = False

    def document(self) -> Any:
        """The value, without places."""
        if self.entries is None:
            return _without_places(self.value)
        return {name: entry.node.document() for name, entry in self.entries.items()}


def _without_places(value: Any) -> Any:
    """A value, also with mappings in lists."""
    if isinstance(value, list):
        return [_without_places(each) for each in value]
    return value.document() if isinstance(value, Node) else value


@dataclass(slots=True)
class Entry:
    """A name in a mapping, and its value."""

    line: int
    start: int
    end: int
    node: Node


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that YAML allows and a configuration does not."""

    line: int
    path: tuple[str, ...]
    message: str


def read_yaml(text: str, name: str) -> tuple[Node, list[Flaw]]:
    """Read one document.

    Args:
        text: of the file.
        name: of the file, for errors.

    Returns:
        What it says, without what has a flaw, and the flaws.

    Raises:
        FileUnreadable: not YAML, or larger or deeper than a configuration can be.
    """
    if len(text.encode(errors="surrogatepass")) > LARGEST_FILE:
        raise FileUnreadable(name, f"the file exceeds the limit of {LARGEST_FILE:,} bytes for a configuration")
    building = _Building(name)
    for event in _events(text, name):
        building.take(event)
    if building.root is None:
        building.root = Node(1, 0, 0)
    return building.root, building.flaws


def _events(text: str, name: str) -> Iterator[Any]:
    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except ReaderError as error:
        number = text.count("\n", 0, error.position) + 1
        raise FileUnreadable(name, "this line has a control character, which text cannot have", line=number) from error
    except MarkedYAMLError as error:
        mark: Any = error.problem_mark or error.context_mark
        line = None if mark is None else mark.line + 1
        raise FileUnreadable(name, f"this is not YAML: {error.problem or error.context}", line=line) from error
    except (YAMLError, ArithmeticError, AssertionError, LookupError, ValueError) as error:
        # The parser lets some errors of Python through, as for a \U beyond all characters.
        raise FileUnreadable(name, f"this is not YAML: {error}") from error


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is being read.

    Attributes:
        name: of it, in the mapping it is in.
        items: of a list, what is in it.
        key: in a mapping, the name whose value comes next.
        is_dropped: whether that value is left out.
    """

    node: Node
    name: str | None = None
    items: list[Any] | None = None
    key: tuple[str, Entry] | None = None
    is_dropped: bool = False


@dataclass(slots=True)
class _Building:
    """Builds a document from events, without recursion."""

    name: str
    root: Node | None = None
    flaws: list[Flaw] = field(default_factory=list)
    _frames: list[_Frame] = field(default_factory=list)
    _values: int = 0
    _documents: int = 0

    def take(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if isinstance(event, DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise FileUnreadable(self.name, "a second document begins here; a file may have only one", line=line)
        elif isinstance(event, (MappingEndEvent, SequenceEndEvent)):
            self._frames.pop().node.end = event.end_mark.index
        elif isinstance(event, (AliasEvent, MappingStartEvent, ScalarEvent, SequenceStartEvent)):
            self._count(line)
            if event.anchor is not None:
                raise FileUnreadable(
                    self.name, "anchors (&) and aliases (*) are not supported; write the value itself", line=line
                )
            self._add(event, line)

    def _count(self, line: int) -> None:
        self._values += 1
        if self._values > MOST_VALUES:
            raise FileUnreadable(
                self.name, f"the file exceeds the limit of {MOST_VALUES:,} names and values", line=line
            )

    def _add(self, event: Any, line: int) -> None:
        inside = self._frames[-1] if self._frames else None
        wants_key = inside is not None and inside.items is None and inside.key is None
        if event.tag is not None:
            self._say(line, f"Tags ({event.tag.replace('tag:yaml.org,2002:', '!!')}) are not supported; remove it")
        if wants_key and inside is not None:
            if not isinstance(event, ScalarEvent):
                raise FileUnreadable(self.name, "a name must be a text, not a mapping or list", line=line)
            self._name(inside, event, line)
            return
        node = Node(line, event.start_mark.index, event.end_mark.index)
        if isinstance(event, ScalarEvent):
            self._read(inside, node, event)
            self._place(inside, node)
            return
        if len(self._frames) >= DEEPEST_NESTING:
            raise FileUnreadable(self.name, f"the nesting exceeds the limit of {DEEPEST_NESTING} levels", line=line)
        node.is_flow = bool(event.flow_style)
        frame = _Frame(node, inside.key[0] if inside is not None and inside.key is not None else None)
        if isinstance(event, MappingStartEvent):
            node.entries = {}
        else:
            frame.items = node.value = []
        self._place(inside, node)
        self._frames.append(frame)

    def _read(self, inside: _Frame | None, node: Node, event: Any) -> None:
        """The value of a scalar."""
        node.value = event.value
        if not event.implicit[0] or event.tag is not None:
            return
        if event.value == "" and inside is not None and inside.key is not None:
            node.start = node.end = inside.key[1].end  # the parser says where the next thing is
        node.value, flaw = _plain(event.value)
        if flaw:
            self._say(node.line, flaw)
            if inside is not None:
                inside.is_dropped = True

    def _name(self, inside: _Frame, event: Any, line: int) -> None:
        name: str = event.value
        entry = Entry(line, event.start_mark.index, event.end_mark.index, Node(line, 0, 0))
        inside.key = (name, entry)
        inside.is_dropped = name in (inside.node.entries or {})
        if inside.is_dropped:
            first = (inside.node.entries or {})[name].line
            self._say(line, f"{name!r} is given twice, first in line {first}; keep one of them")

    def _place(self, inside: _Frame | None, node: Node) -> None:
        if inside is None:
            self.root = node
        elif inside.items is not None:
            inside.items.append(node.value if node.entries is None else node)
        elif inside.key is not None and inside.node.entries is not None:
            name, entry = inside.key
            entry.node = node
            if not inside.is_dropped:
                inside.node.entries[name] = entry
            inside.key, inside.is_dropped = None, False

    def _say(self, line: int, message: str) -> None:
        key = self._frames[-1].key if self._frames else None
        names = [frame.name for frame in self._frames] + [None if key is None else key[0]]
        self.flaws.append(Flaw(line, tuple(name for name in names if name is not None), message))


_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_MOST_DIGITS = 18
_BASES = {"0o": 8, "0x": 16}


def _plain(text: str) -> tuple[Any, str | None]:
    """The value of a text without quotes, by YAML's core schema, and the error in it."""
    if text in _WORDS:
        return _WORDS[text], None
    if _INTEGER.fullmatch(text) and len(text) <= _MOST_DIGITS:
        return int(text, _BASES.get(text[:2], 10)), None
    if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
        return number, None
    if _NOT_FINITE.fullmatch(text) or _FLOAT.fullmatch(text):
        return None, f"Numbers must be finite; {text if len(text) <= _MOST_DIGITS else 'this one'} is not"
    return text, None
