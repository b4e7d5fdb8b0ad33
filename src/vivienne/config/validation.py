"""Validation of documents. All problems are found at once, each with its path and a sentence."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from vivienne.agent.rules import AnyPositive, Ordered, Rule
from vivienne.agent.schema import RULES, Configuration
from vivienne.agent.tunable import LONGEST_DESCRIPTION
from vivienne.config.documents import leaves
from vivienne.config.flat import FLAT_NAMES, MOST_TOLD, and_more, clip, nearest, quoted
from vivienne.config.tunables import SECTIONS, TUNABLES, Tunable
from vivienne.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Collection

    from vivienne.wire.document import Document

_WHAT = {"number": "a number", "integer": "a whole number", "boolean": "true or false"}
_JSON_NAMES: dict[type, str] = {
    bool: "a truth value", int: "a number", float: "a number", str: "a text", list: "a list", dict: "an object",
}  # fmt: skip


def check_document(document: Document) -> list[Problem]:
    """Check names, types and bounds of a document that may leave anything out."""
    problems = _check_notes(document, "", Configuration.model_fields)
    try:
        Configuration.model_validate(document)
    except ValidationError as error:
        details = error.errors(include_url=False)
        unknown = [detail for detail in details if detail["type"] == "extra_forbidden"]
        problems += [_translate(detail) for detail in details if detail["type"] != "extra_forbidden"]
        problems += [_unknown(detail) for detail in unknown[:MOST_TOLD]] + and_more(unknown)
    return problems


def _check_notes(document: Document, section: str, known: Collection[str]) -> list[Problem]:
    """The descriptions, which the model would let pass as null."""
    problems = []
    for name, value in document.items():
        path = f"{section}.{name}".lstrip(".")
        if name == "description" and value is None:
            problems.append(Problem(path, _null("Description", "a text")))
        elif name in known and path in SECTIONS and isinstance(value, dict):
            problems += _check_notes(value, path, SECTIONS[path].model_fields)
    return problems


def _null(title: str, what: str) -> str:
    return f"{title} must be {what}, not null; to go back to the inherited value, reset it"


def _translate(detail: Any) -> Problem:
    """One of pydantic's errors as a problem a person can act on."""
    path = ".".join(str(part) for part in detail["loc"])
    value = detail["input"]
    if path in SECTIONS:
        return Problem(path, f"{path!r} must be an object with the names of its values, not {_named(value)}")
    tunable = TUNABLES.get(path)
    if tunable is None:
        long = detail["type"] == "string_too_long"
        what = f"a text of at most {LONGEST_DESCRIPTION} characters"
        return Problem(path, f"Description must be {what}" + ("" if long else f", not {_named(value)}"))
    return Problem(path, _wrong(tunable, value))


def _wrong(tunable: Tunable, value: object) -> str:
    what = _WHAT[tunable.kind]
    if value is None:
        return _null(tunable.title, what)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if tunable.bounds is None or not number:
        hint = " (without the quotes)" if isinstance(value, str) and tunable.bounds else ""
        return f"{tunable.title} must be {what}, not {_named(value)}{hint}"
    low, high = tunable.bounds
    if tunable.kind == "integer" and low <= value <= high:  # type: ignore[operator]  # a number, see above
        return f"{tunable.title} must be a whole number, not {value}"
    hint = f" ({tunable.hint})" if tunable.hint else ""
    return f"{tunable.title} must be between {figure(low)} and {figure(high)}{hint}"


def figure(number: float) -> str:
    """As it would be written by hand: no exponent, no lost digits, thousands apart."""
    text = f"{Decimal(repr(number)):,f}".replace(",", " ")
    return text.removesuffix(".0")


def _named(value: object) -> str:
    if value is None:
        return "null"
    return f"{_JSON_NAMES[type(value)]}{f' ({str(value).lower()})' if isinstance(value, bool) else ''}"


def _unknown(detail: Any) -> Problem:
    *parts, last = detail["loc"]
    section, name = ".".join(map(str, parts)), str(last)
    where = f" in {section!r}" if section else ""
    elsewhere = FLAT_NAMES.get(name)
    if elsewhere is not None:
        hint = f"it is {elsewhere!r}"
    else:
        known = SECTIONS[section].model_fields if section in SECTIONS else FLAT_NAMES
        hint = f"the nearest known name is {nearest(name, known)!r}"
    return Problem(f"{section}.{clip(name)}".lstrip("."), f"Unknown name {quoted(name)}{where}; {hint}")


def check_rules(effective: Document, touched: Collection[str], wrong: Collection[str] = ()) -> list[Problem]:
    """Check the rules between values of a document in which nothing is left out.

    Args:
        effective: the document in force if the change were made. Values of a wrong type are passed over: they are
            problems of their own.
        touched: paths the change sets, so that a problem lands on the field someone is editing.
        wrong: paths that have a problem of their own already; rules pass them over.
    """
    values = {path: value for path, value in leaves(effective).items() if _is_number(value) and path not in wrong}
    return [problem for rule in RULES for problem in _broken(rule, values, touched)]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _broken(rule: Rule, values: dict[str, Any], touched: Collection[str]) -> list[Problem]:
    if isinstance(rule, AnyPositive):
        known = [values[path] for path in rule.paths if path in values]
        if len(known) == len(rule.paths) and not any(value > 0 for value in known):
            section = rule.paths[0].rpartition(".")[0]
            return [Problem(section, "At least one signal weight must be above 0: with none, nothing ever votes")]
        return []
    problems = []
    for low, high in pairwise(rule.paths):
        if low not in values or high not in values or _in_order(rule, values[low], values[high]):
            continue
        path = high if high in touched and low not in touched else low
        problems.append(Problem(path, _out_of_order(rule, low, high, values)))
    return problems


def _in_order(rule: Ordered, low: float, high: float) -> bool:
    return low < high if rule.strict else low <= high


def _out_of_order(rule: Ordered, low: str, high: str, values: dict[str, Any]) -> str:
    relation = "must be below" if rule.strict else "must not be above"
    first, second = TUNABLES[low].title, TUNABLES[high].title
    if not second.split()[0].isupper():
        second = second[0].lower() + second[1:]
    return f"{first} ({figure(values[low])}) {relation} {second} ({figure(values[high])})"
