"""A word while a command waits for somebody else."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENT_SECONDS = 3.0
"""Time after which it is said what is waited for."""


@contextmanager
def waiting_for(what: str) -> Iterator[None]:
    """Say on standard error what is waited for, if it takes a while. Within an event loop."""
    words = f"Waiting for {what}; Ctrl+C ends it"
    late = asyncio.get_running_loop().call_later(PATIENT_SECONDS, lambda: click.echo(words, err=True))
    try:
        yield
    finally:
        late.cancel()
