"""Variables of the environment that look like settings and are none: a slip in a name would leave a limit out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.alerts.channels import VARIABLES_OF_HEADERS
from vivienne.config.flat import nearest
from vivienne.settings.boot import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterable

_PREFIX = "VIVIENNE_"
_OTHERS = frozenset({"VIVIENNE_TOKEN"})
"""Variables of commands."""


def unknown_variables(names: Iterable[str]) -> list[str]:
    """A sentence about each variable with the prefix of settings that is none, and holds no header of an alert."""
    known = [each.variable for each in SETTINGS.values()]
    unknown = sorted(
        name
        for name in set(names) - _OTHERS - {*known}
        if name.startswith(_PREFIX) and not name.startswith(VARIABLES_OF_HEADERS)
    )
    return [f"{name} is not a setting, and is ignored; the nearest one is {nearest(name, known)}" for name in unknown]
