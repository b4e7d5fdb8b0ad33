"""One boot setting: flag, environment variable, default, parser and documentation in one declaration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vivienne.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A boot setting as it is given: a text, a number, a switch, or several texts.

    Attributes:
        flag: of ``vivienne serve``.
        help: for the command line and docs/settings.md.
        default: as it would be given; its type is that of the setting.
        metavar: stands for the value in the help.
        choices: the only values there are; empty if it has others.
        bounds: the least and the greatest number.
        is_secret: an address that may have a password in it.
        parse: makes the value the program uses; raises `SettingsError`.
    """

    flag: str
    help: str
    default: Any
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    bounds: tuple[float, float] | None = None
    is_secret: bool = False
    parse: Callable[[Any], Any] | None = None

    @property
    def name(self) -> str:
        """The flag as a Python name."""
        return self.flag.removeprefix("--").replace("-", "_")

    @property
    def variable(self) -> str:
        """The environment variable; the flag wins over it."""
        return f"VIVIENNE_{self.name.upper()}"

    def read(self, given: Any) -> Any:
        """The value the program uses.

        Raises:
            SettingsError: it is not valid.
        """
        if self.bounds is not None and not self.bounds[0] <= given <= self.bounds[1]:
            low, high = self.bounds
            raise SettingsError(f"{self.flag} must be between {low:,} and {high:,}, not {given:,}")
        return given if self.parse is None else self.parse(given)


def setting(flag: str, text: str, default: Any, *, shown_in_repr: bool = True, **more: Any) -> Any:
    """A field of a dataclass that is declared as a `Setting`.

    Args:
        flag: see `Setting`.
        text: the help.
        default: see `Setting`; the field itself has none, so that every value is parsed.
        shown_in_repr: whether `repr` has the value.
        more: see `Setting`.
    """
    declared = Setting(flag=flag, help=text, default=default, **more)
    return field(repr=shown_in_repr, metadata={"setting": declared})
