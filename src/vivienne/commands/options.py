"""Options that several commands have."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from vivienne.settings.boot import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.settings.setting import Setting

_Command = TypeVar("_Command", bound="Callable[..., Any]")

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
author_option = click.option("--author", metavar="TEXT", help="Author, for the history.  [default: the system user]")


def option_of(setting: Setting, text: str = "") -> Callable[[_Command], _Command]:
    """A boot setting as an option, with its environment variable.

    Args:
        setting: of ``serve``.
        text: help in place of the setting's own.
    """
    kind = type(setting.default)
    is_several = kind is tuple
    return click.option(
        setting.flag,
        setting.name,
        is_flag=kind is bool,
        type=click.Choice(setting.choices) if setting.choices else None if is_several else kind,
        multiple=is_several,
        default=setting.default,
        show_default=setting.default not in ("", (), False),
        envvar=setting.variable,
        show_envvar=True,
        metavar=setting.metavar,
        help=text or setting.help,
    )


database_option = option_of(SETTINGS["db"])
"""`--db`, as `serve` has it."""


def system_user() -> str | None:
    """The name of the system user as an author; None where the user has no name, or one that is none for an author.

    The environment says it, and must not keep anybody from pausing.
    """
    from vivienne.channels.envelope import LONGEST_TEXT  # noqa: PLC0415  # only a command that changes something needs it

    try:
        name = getpass.getuser().strip()
    except (OSError, KeyError):
        return None
    return name if name.isprintable() and 0 < len(name) <= LONGEST_TEXT["author"] else None
