"""Templates of texts: fields in double braces, with a few filters. There is no code in them.

A template is read once, when its rule is. Its output is bounded by the number of fields and the length of a value, so
no template can be endless or huge. A general template language would bring loops and filters that multiply texts.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from vivienne.config.flat import nearest, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LONGEST_TEMPLATE = 1_000
"""Characters of a template."""
LONGEST_TEXT = 2_000
"""Characters of what is made of it."""
MOST_FIELDS = 50
_LONGEST_VALUE = 300
_MOST_FILTERS = 5
_MOST_PLACES = 12
_FIELD = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


class TemplateError(Exception):
    """A template is wrong; the message says where, and what would be right."""


class _Part(NamedTuple):
    """A field of a template with its filters."""

    name: str
    filters: tuple[Callable[[Any], Any], ...]


class Template:
    """A template, read.

    Args:
        text: literal text with fields such as ``{{asset}}`` or ``{{side|long=buy,short=sell}}``.
        known: names of the fields there are.

    Raises:
        TemplateError: a field or filter is unknown, or there are too many.
    """

    def __init__(self, text: str, known: Mapping[str, str]) -> None:
        self.text = text
        self._parts: list[str | _Part] = []
        at = count = 0
        for found in _FIELD.finditer(text):
            _check_literal(text[at : found.start()])
            self._parts += [text[at : found.start()], _read_part(found[1], known)]
            at, count = found.end(), count + 1
        if count > MOST_FIELDS:
            raise TemplateError(f"A template has at most {MOST_FIELDS} fields, not {count}")
        _check_literal(text[at:])
        self._parts.append(text[at:])

    @property
    def is_one_field(self) -> bool:
        """True if it is one field and nothing else."""
        return len(self._parts) == 3 and not self._parts[0] and not self._parts[2]  # noqa: PLR2004  # around a field

    def render(self, values: Mapping[str, Any]) -> str:
        """The text with these values, at most `LONGEST_TEXT` characters."""
        text = "".join(part if isinstance(part, str) else written(_value(part, values)) for part in self._parts)
        return shortened(text, LONGEST_TEXT)

    def value(self, values: Mapping[str, Any]) -> Any:
        """The value of a template of one field: a number stays one. Of another, its text."""
        part = self._parts[1] if self.is_one_field else None
        return _value(part, values) if isinstance(part, _Part) else self.render(values)


def written(value: Any) -> str:
    """A value as it stands in a text: numbers without exponents, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}".removesuffix(".0")
    text = ", ".join(written(each) for each in value) if isinstance(value, (list, tuple)) else str(value)
    return shortened(text, _LONGEST_VALUE)


def shortened(text: str, longest: int) -> str:
    """The beginning of a text that is too long, in as many characters; else the text."""
    return text if len(text) <= longest else text[: longest - 3] + "..."


def _value(part: _Part, values: Mapping[str, Any]) -> Any:
    value = values.get(part.name)
    for each in part.filters:
        value = each(value)
    return value


def _check_literal(text: str) -> None:
    if "{{" in text or "}}" in text:
        raise TemplateError("A field begins with {{ and ends with }}, as in {{asset}}; one of them is missing")


def _read_part(inner: str, known: Mapping[str, str]) -> _Part:
    name, *filters = (part.strip() for part in inner.split("|"))
    if name not in known:
        raise TemplateError(f"Unknown field {quoted(name)}; the nearest known one is {nearest(name, known)!r}")
    if len(filters) > _MOST_FILTERS:
        raise TemplateError(f"A field has at most {_MOST_FILTERS} filters; {quoted(name)} has {len(filters)}")
    return _Part(name, tuple(_read_filter(each) for each in filters))


def _read_filter(text: str) -> Callable[[Any], Any]:
    if "=" in text:
        return _choice(text)
    name, _, argument = text.partition(":")
    if name in _PLAIN and not argument:
        return _PLAIN[name]
    if name == "round" and argument.isascii() and argument.isdigit() and int(argument) <= _MOST_PLACES:
        return _rounding(int(argument))
    raise TemplateError(
        f"Unknown filter {quoted(text)}; known are upper, lower, percent, round:2, and choices such as "
        "long=buy,short=sell"
    )


def _choice(text: str) -> Callable[[Any], Any]:
    """Values in the place of others: ``long=buy,short=sell``; ``*`` stands for all that are not named."""
    pairs = dict(pair.split("=", 1) for pair in text.split(",") if "=" in pair)
    if text.count(",") + 1 != len(pairs):
        raise TemplateError(f"{quoted(text)} is not a list of choices; write them as long=buy,short=sell,*=close")
    choices = {key.strip(): value.strip() for key, value in pairs.items()}

    def choose(value: Any) -> Any:
        return choices.get(written(value), choices.get("*", value))

    return choose


def _rounding(places: int) -> Callable[[Any], Any]:
    def rounded(value: Any) -> Any:
        return f"{value:.{places}f}" if _is_number(value) else value

    return rounded


def _percent(value: Any) -> Any:
    return f"{value * 100:.0f} %" if _is_number(value) else value


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_PLAIN: Mapping[str, Callable[[Any], Any]] = {
    "upper": lambda value: written(value).upper(),
    "lower": lambda value: written(value).lower(),
    "percent": _percent,
}
