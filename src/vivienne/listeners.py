"""Listeners: each is called, whatever becomes of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from logging import Logger

_T = TypeVar("_T")


def tell(listeners: Iterable[Callable[[_T], None]], told: _T, log: Logger, what: str) -> None:
    """Call listeners in order. A failure of one is logged, and neither the others nor the caller notice it.

    Args:
        listeners: to call.
        told: what each gets.
        log: where failures go.
        what: happened, for the log.
    """
    for listener in listeners:
        try:
            listener(told)
        except Exception:  # what happened stays so, and the other listeners must be called
            log.exception("A listener failed on %s", what)
