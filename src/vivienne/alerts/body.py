"""The body of a webhook from a template: a JSON value whose texts are templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vivienne.alerts.fields import FIELDS
from vivienne.alerts.template import LONGEST_TEMPLATE, Template, TemplateError

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_VALUES = 200
DEEPEST = 8


class BodyTemplate:
    """A body, read. A text that is one field and nothing else becomes the value itself, so that numbers stay numbers.

    Args:
        value: any JSON value. Of an object the names are sent as they are.

    Raises:
        TemplateError: a template in it is wrong, or it is too large.
    """

    def __init__(self, value: Any) -> None:
        self._count = 0
        self._value = self._read(value, 0, "")

    @property
    def is_text(self) -> bool:
        """True if the body is a text, and not JSON."""
        return isinstance(self._value, Template)

    def render(self, values: Mapping[str, Any]) -> Any:
        """The body with these values: a JSON value, or a text if the template is one."""
        return self._value.render(values) if isinstance(self._value, Template) else _rendered(self._value, values)

    def _read(self, value: Any, depth: int, path: str) -> Any:
        self._count += 1
        if self._count > MOST_VALUES or depth > DEEPEST:
            raise TemplateError(f"A body has at most {MOST_VALUES} values, at most {DEEPEST} deep")
        if isinstance(value, str):
            if len(value) > LONGEST_TEMPLATE:
                raise TemplateError(f"A text in a body has at most {LONGEST_TEMPLATE:,} characters{_at(path)}")
            try:
                return Template(value, FIELDS)
            except TemplateError as error:
                raise TemplateError(f"{error}{_at(path)}") from None
        if isinstance(value, dict):
            return {str(name): self._read(each, depth + 1, f"{path}.{name}") for name, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._read(each, depth + 1, f"{path}.{place}") for place, each in enumerate(value)]
        return value


def _at(path: str) -> str:
    return f" (at body{path})" if path else ""


def _rendered(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, Template):
        return value.value(values)
    if isinstance(value, dict):
        return {name: _rendered(each, values) for name, each in value.items()}
    if isinstance(value, list):
        return [_rendered(each, values) for each in value]
    return value
