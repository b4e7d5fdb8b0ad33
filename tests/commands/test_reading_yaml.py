"""YAML is read by the letter of its core schema, and what could hurt or mislead is refused with its line."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivienne.commands.yaml import reading
from vivienne.commands.yaml.reading import DEEPEST_NESTING, LARGEST_FILE, read_yaml
from vivienne.errors import FileUnreadable


def said(text: str) -> Any:
    node, flaws = read_yaml(text, "f.yaml")
    assert [] == flaws
    return node.document()


def flaws(text: str) -> list[tuple[int, str, str]]:
    _, found = read_yaml(text, "f.yaml")
    return [(flaw.line, ".".join(flaw.path), flaw.message) for flaw in found]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("85", 85),
        ("-0.5", -0.5),
        ("80.0", 80.0),
        ("1e-05", 1e-05),
        ("017", 17),
        ("0x10", 16),
        ("0o17", 15),
        ("true", True),
        ("False", False),
        ("on", "on"),
        ("yes", "yes"),
        ("No", "No"),
        ("2026-01-31", "2026-01-31"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ('"85"', "85"),
        ("'true'", "true"),
        ("~", None),
        ("", None),
        ("[1, {a: 2}]", [1, {"a": 2}]),
        ("|\n  two\n  lines\n", "two\nlines\n"),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("=", "="),
        ("<<", "<<"),
    ],
)
def test_a_value_is_what_the_core_schema_says(written: str, expected: Any) -> None:
    value = said(f"a: {written}\n")["a"]

    assert expected == value
    assert type(expected) is type(value)


@pytest.mark.parametrize("written", [".nan", ".NaN", ".inf", "-.inf", "+.INF", "1e999", "-1e999", "9" * 5_000])
def test_numbers_must_be_finite(written: str) -> None:
    ((line, path, message),) = flaws(f"x: 1\na:\n  b: {written}\n")

    assert (3, "a.b") == (line, path)
    assert message.startswith("Numbers must be finite")
    assert {"x": 1, "a": {}} == read_yaml(f"x: 1\na:\n  b: {written}\n", "f")[0].document()


def test_a_name_that_is_there_twice_is_refused_with_both_lines() -> None:
    assert [(4, "a.b", "'b' is given twice, first in line 2; keep one of them")] == flaws(
        "a:\n  b: 1\n  c: 2\n  b: 3\n"
    )


@pytest.mark.parametrize(
    "text", ["a: !!str 1\n", "a: !!python/object:os.system x\n", "a: !mine [1]\n", "a: !!set {b}\n"]
)
def test_tags_are_refused(text: str) -> None:
    ((line, path, message),) = flaws(text)

    assert (1, "a") == (line, path)
    assert message.startswith("Tags (!")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a: &x 1\nb: *x\n", 1, "anchors"),
        ("a: 1\nb: *x\n", 2, "anchors"),
        ("a: 1\n---\nb: 2\n", 2, "a second document begins here"),
        ("a: 1\n b: 2\n", 2, "this is not YAML"),
        ("a: 1\n\tb: 2\n", 2, "this is not YAML"),
        ('a: 1\nb: "open\n', 3, "this is not YAML"),
        ("a: 1\nb: \x07\n", 2, "this line has a control character, which text cannot have"),
        ("? [a]\n: 1\n", 1, "a name must be a text"),
        ('a: "\\UFFFFFFFF"\n', None, "this is not YAML"),
        ("%YAML 1.3\n---\na: 1\n", None, "this is not YAML"),
        ("{a: " * (DEEPEST_NESTING + 1), 1, "the nesting exceeds"),
        ("[" * 100_000, 1, "the nesting exceeds"),
        ("- " * 20_000, 1, "the nesting exceeds"),
        ("? " * 20_000, 1, "a name must be a text"),
        ("#" * (LARGEST_FILE + 1), None, "exceeds the limit of 8,388,608 bytes"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text: str, line: int | None, reason: str) -> None:
    with pytest.raises(FileUnreadable, match=reason) as refused:
        read_yaml(text, "f.yaml")

    assert line == refused.value.line
    assert str(refused.value).startswith(f"f.yaml, line {line}: " if line else "f.yaml: ")


def test_a_file_with_too_many_names_and_values_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_VALUES", 2_000)

    read_yaml("a: [" + "1, " * 1_990 + "]\n", "f.yaml")
    with pytest.raises(FileUnreadable, match="exceeds the limit of 2,000 names and values") as refused:
        read_yaml("a: [" + "1, " * 2_000 + "]\n", "f.yaml")
    assert refused.value.line == 1


_PIECES = st.sampled_from(
    ["a", "b: ", "\n", "  ", "- ", "? ", "\0", ": ", "[", "]", "{", "}", ",", "&x ", "*x", "!t ", "|", ">", "'", '"',
     "#", "%", "---", "...", "\t", "1", "true", "\\x", "\\u12", "<<", "@", "\x85", "\u2028", "\ufeff", "~", "é"]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=40).map("".join) | st.text(max_size=60))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    with suppress(FileUnreadable):
        read_yaml(text, "f")
