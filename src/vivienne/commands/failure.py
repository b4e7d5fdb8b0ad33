"""Failures of commands on the screen."""

from __future__ import annotations

import click

from vivienne.errors import FileUnreadable, SettingsError, VivienneError


class Failure(click.ClickException):
    """An error as one line, with its exit code."""

    def __init__(self, error: VivienneError) -> None:
        super().__init__(str(error))
        self.exit_code = exit_code(error)  # type: ignore[misc]  # click's way to set it


def exit_code(error: VivienneError) -> int:
    """2 for a wrong setting or file, 1 for any other error."""
    return 2 if isinstance(error, (SettingsError, FileUnreadable)) else 1
