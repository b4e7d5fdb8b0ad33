"""Failures of commands on the screen."""

from __future__ import annotations

import click

from vivienne.errors import (
    ExchangeError,
    FileUnreadable,
    MarketDataError,
    NotNow,
    RecordUnavailable,
    SettingsError,
    StoreUnavailable,
    StoreUnusable,
    VivienneError,
)
from vivienne.logs.records import many_lines

REFUSED, WRONG, LATER = 1, 2, 75
"""Exit codes. `LATER` is EX_TEMPFAIL of sysexits.h: only then, and after a defect, does it help to start again."""


class Failure(click.ClickException):
    """An error, with its exit code. Others may have written a part of it, so what is unprintable is escaped."""

    def __init__(self, error: VivienneError) -> None:
        super().__init__(many_lines(str(error)))
        self.exit_code = exit_code(error)  # type: ignore[misc]  # click's way to set it


def exit_code(error: VivienneError) -> int:
    """The exit code of an error; docs/operation.md has the table."""
    if isinstance(error, (StoreUnavailable, StoreUnusable)):
        return LATER if error.is_temporary else WRONG
    if isinstance(error, ExchangeError):
        return LATER if error.is_temporary else REFUSED
    if isinstance(error, NotNow):
        return LATER
    if isinstance(error, (SettingsError, FileUnreadable, MarketDataError, RecordUnavailable)):
        return WRONG
    return REFUSED
