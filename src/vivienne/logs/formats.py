"""The two formats of the log on standard error."""

from __future__ import annotations

import json
import logging
from typing import Literal

from vivienne.logs.records import message_of

Format = Literal["text", "json"]

_CONTINUED = "\n    "
"""Before the further lines of a record. No record begins with a blank."""


class TextFormatter(logging.Formatter):
    """A line for people: time with its zone, level, logger, message and trace id; a traceback follows it, indented."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        found = message_of(record)
        line = f"{found['timestamp']} {found['level']:<8} {found['logger']}: {found['message']}"
        if "trace_id" in found:
            line += f" [{found['trace_id']}]"
        if "exception" in found:
            line += _CONTINUED + found["exception"].replace("\n", _CONTINUED)
        return line


class JsonFormatter(logging.Formatter):
    """A JSON object on one line, in ASCII, for programs: the fields of `/ws/logs` without ``type``."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        return json.dumps({name: value for name, value in message_of(record).items() if name != "type"})


class MessageFormatter(logging.Formatter):
    """The message alone, for commands: whoever reads it knows when and where it was written."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        return message_of(record)["message"]


FORMATTERS: dict[Format, type[logging.Formatter]] = {"text": TextFormatter, "json": JsonFormatter}
