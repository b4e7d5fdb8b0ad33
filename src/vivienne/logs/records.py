"""Log records as they are written: tokens are hidden, and nothing in them can pass for another record.

Records contain texts of others: reasons, names of agents, data in errors. A newline there would begin a forged record,
and an escape sequence would move the cursor of a terminal, or more. So everything that is not printable is escaped.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from vivienne import trace
from vivienne.access.secrets import without_secrets
from vivienne.times import of_epoch

if TYPE_CHECKING:
    from vivienne.wire.messages import LogMessage


MOST_LETTERS = 8_192
"""Longest message of a record."""
MOST_LETTERS_OF_NAMES = 200
"""Longest name, time or level of a record of another process."""
MOST_LETTERS_OF_ERRORS = 65_536
"""Longest traceback of a record."""


def short(text: str, most: int) -> str:
    """A text that is cut where it is longer than `most` letters, because others wrote it; it says how much is gone."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text) - most:,} more letters)"


def _hidden(text: str, most: int) -> str:
    """A text without secrets, cut. What is far beyond the cut is not even searched for secrets."""
    return short(without_secrets(short(text, 2 * most)), most)


def one_line(text: str) -> str:
    r"""A text whose unprintable characters are escaped as in Python: ``\n``, ``\x1b``, ``\u2028``."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def message_of(record: logging.LogRecord) -> LogMessage:
    """A record as it is sent and written."""
    message: LogMessage = {
        "type": "log",
        "timestamp": of_epoch(record.created),
        "level": record.levelname,
        "logger": one_line(record.name),
        "message": one_line(_hidden(record.getMessage(), MOST_LETTERS)),
    }
    if record.exc_info:
        traceback = logging.Formatter().formatException(record.exc_info)
        message["exception"] = many_lines(_hidden(traceback, MOST_LETTERS_OF_ERRORS))
    if (found := trace.trace_id.get()) is not None:
        message["trace_id"] = found
    return message


def received(message: LogMessage) -> LogMessage:
    """A record of another process, which Vivienne need not have written. It never looks like one of this process."""
    escaped: LogMessage = {
        **message,
        "timestamp": _name(message["timestamp"]),
        "level": _name(message["level"]),
        "logger": _name(message["logger"]),
        "message": one_line(short(message["message"], MOST_LETTERS)),
        "process": _name(message.get("process", "unknown")),
    }
    if "exception" in message:
        escaped["exception"] = many_lines(short(message["exception"], MOST_LETTERS_OF_ERRORS))
    if "trace_id" in message:
        escaped["trace_id"] = _name(message["trace_id"])
    return escaped


def _name(text: str) -> str:
    return one_line(short(text, MOST_LETTERS_OF_NAMES))


def many_lines(text: str) -> str:
    """A text of several lines, each escaped."""
    return "\n".join(map(one_line, text.split("\n")))
