"""The log of `vivienne serve`, and what other commands print of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from vivienne.logs.console import Console
from vivienne.logs.formats import FORMATTERS, MessageFormatter

if TYPE_CHECKING:
    from vivienne.logs.formats import Format


def start_logging(level: str, form: Format, *others: logging.Handler) -> Console:
    """Write records to standard error, and to other handlers.

    Args:
        level: the lowest one that is written.
        form: the format on standard error.
        others: handlers besides.
    """
    console = Console()
    console.setFormatter(FORMATTERS[form]())
    logging.basicConfig(level=level.upper(), handlers=[console, *others])
    # Libraries log nothing a user needs, except errors.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # It warns of every invalid request: a client could fill the log with them.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # They would write the headers of requests, which may be secrets.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    logging.getLogger("httpcore2").setLevel(logging.WARNING)
    return console


def log_for_commands() -> None:
    """Print warnings of a command, as Python does without any setup, but escaped.

    Refused changes are not among them: the command prints why as its error.
    """
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(MessageFormatter())
        logging.lastResort.addFilter(lambda record: record.name != "vivienne.changes.counting")


def announce(logger: logging.Logger, message: str, *values: object) -> None:
    """Write a record whatever the lowest level is: without it nobody would know the port of ``--port 0``."""
    logger.handle(logger.makeRecord(logger.name, logging.INFO, "", 0, message, values, None))
