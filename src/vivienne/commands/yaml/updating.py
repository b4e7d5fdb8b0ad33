"""A file of configuration brought up to date: values are exchanged where they stand, and all else is left as it is.

Comments, order, blank lines and quotes are a person's. So the text is edited, by the places the parser tells, rather
than written anew. What is removed takes its line with it, and a section all that is in it; what is new comes beside
what stands next to it in the schema. A mapping in brackets that says something else is written as a block.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vivienne.commands.yaml.reading import Entry, Node, read_yaml
from vivienne.commands.yaml.writing import entry, scalar, write
from vivienne.errors import FileUnreadable

if TYPE_CHECKING:
    from vivienne.commands.yaml.writing import Tree

_HEADER = re.compile(r"^# Configuration of Vivienne\b.*$", re.MULTILINE)


def update(text: str, name: str, whole: Tree, first_line: str) -> str:
    """The text of a file that says something else afterwards.

    Args:
        text: what is in it.
        name: of the file, for errors.
        whole: what it is to say.
        first_line: its header; a present one is replaced.

    Raises:
        FileUnreadable: it cannot be edited.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    text = text.replace("\r\n", "\n")
    if not text.endswith("\n"):
        text += "\n"
    node, flaws = read_yaml(text, name)
    if flaws:
        raise FileUnreadable(name, flaws[0].message, line=flaws[0].line)
    if node.entries is None or node.is_flow:
        return write(whole, first_line).replace("\n", newline)
    editing = _Editing(text)
    editing.mapping(node.entries, _spelt(whole, node.entries), ())
    edited = _HEADER.sub(lambda _: first_line, editing.result(), count=1)
    if not _says(edited, _spelt(whole, node.entries)):
        raise FileUnreadable(name, "it is written in a way that cannot be brought up to date; export to another file")
    return edited.replace("\n", newline)


def _says(text: str, whole: Tree) -> bool:
    try:
        node, _ = read_yaml(text, "")
    except FileUnreadable:
        return False
    return bool(node.document() == whole)


def _spelt(whole: Tree, entries: dict[str, Entry]) -> Tree:
    """The same with assets spelt as the file does, which may have them in lower case."""
    present = entries["assets"].node.entries if "assets" in entries else None
    if not present or "assets" not in whole:
        return whole
    spelling = {name.upper(): name for name in present}
    return {**whole, "assets": {spelling.get(asset, asset): layer for asset, layer in whole["assets"].items()}}


@dataclass(slots=True)
class _Editing:
    """Collects what is to be exchanged in a text: from where, to where, for what."""

    text: str
    edits: list[tuple[int, int, str]] = field(default_factory=list)

    def mapping(self, entries: dict[str, Entry], wanted: Tree, path: tuple[str, ...]) -> None:
        """Let a block mapping say something else."""
        column = min(self._column(each) for each in entries.values()) if entries else 0
        for name, present in entries.items():
            if name in wanted:
                self._entry(name, present, wanted[name], (*path, name))
            else:
                self.edits.append((self._line_start(present.start), self._line_end(present), ""))
        for name, value in wanted.items():
            if name not in entries:
                where = self._beside(entries, list(wanted), name)
                self.edits.append((where, where, _lines(entry(name, value, (*path, name), column))))

    def result(self) -> str:
        """The text with all of it exchanged."""
        parts, done = [], 0
        for start, end, new in sorted(self.edits, key=lambda edit: edit[0]):
            parts += [self.text[done:start], new]
            done = max(done, end)
        return "".join([*parts, self.text[done:]])

    def _entry(self, name: str, present: Entry, value: Any, path: tuple[str, ...]) -> None:
        node = present.node
        if _same(node.document(), value):
            return
        if isinstance(value, dict) and node.entries and not node.is_flow:
            self.mapping(node.entries, value, path)
            return
        end = self._end(node)
        is_plain = not isinstance(value, dict) and node.entries is None and not isinstance(node.value, list)
        if is_plain and node.start < end and "\n" not in self.text[node.start : end]:
            self.edits.append((node.start, end, scalar(value)))
            return
        lines = entry(name, value, path, self._column(present))
        self.edits.append((self._line_start(present.start), self._line_end(present), _lines(lines)))

    def _beside(self, entries: dict[str, Entry], order: list[str], name: str) -> int:
        """Where a new entry goes: behind the one before it in order, or else behind the one after it.

        Never before one, for above it there may be a comment on it.
        """
        at = order.index(name)
        near = [each for each in (*reversed(order[:at]), *order[at + 1 :]) if each in entries]
        if near:
            return self._line_end(entries[near[0]])
        first = min(entries.values(), key=lambda each: each.start)
        return self._line_start(first.start)

    def _column(self, present: Entry) -> int:
        return present.start - self._line_start(present.start)

    def _line_start(self, index: int) -> int:
        return self.text.rfind("\n", 0, index) + 1

    def _line_end(self, present: Entry) -> int:
        """Where the line after an entry begins."""
        return self.text.index("\n", max(present.end, self._end(present.node))) + 1

    def _end(self, node: Node) -> int:
        """Where a value ends; the parser's end of a block is where the next thing begins."""
        if node.entries and not node.is_flow:
            return max(max(each.end, self._end(each.node)) for each in node.entries.values())
        return node.start + len(self.text[node.start : node.end].rstrip())


def _same(present: Any, wanted: Any) -> bool:
    """Whether they say the same; True is not 1."""
    if isinstance(present, dict) and isinstance(wanted, dict):
        return present.keys() == wanted.keys() and all(_same(present[name], wanted[name]) for name in present)
    return bool(present == wanted) and isinstance(present, bool) == isinstance(wanted, bool)


def _lines(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
