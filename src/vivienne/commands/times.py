"""Times in options."""

from __future__ import annotations

from datetime import UTC, datetime

from vivienne.errors import SettingsError


def moment(option: str, text: str) -> int:
    """A time in ms since the epoch; without a zone it is UTC.

    Raises:
        SettingsError: the text is not a time.
    """
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise SettingsError(
            f"{option} {text!r} is not a time; give one such as 2026-01-01 or 2026-01-01T12:00"
        ) from error
    return int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1_000)
