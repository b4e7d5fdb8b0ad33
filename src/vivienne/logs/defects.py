"""Defects that a caller can cause again and again: all are counted, and the log has each a few times a minute.

A traceback takes many lines, so one for each request would fill a disk.
"""

from __future__ import annotations

import logging
from collections import Counter
from time import monotonic
from typing import TYPE_CHECKING, Literal

from vivienne.metrics.registry import Sample
from vivienne.rates import Quota

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Where = Literal["rest", "websocket", "redis", "market", "question"]
MOST_PER_MINUTE = 2
"""Tracebacks of a defect; the next one that is written says how many were left out."""
_MOST_PLACES = 200
"""Places in the code that are kept apart; beyond it the one that failed first is forgotten."""
_TOLD = "vivienne: told"


class Defects:
    """Logs and counts defects.

    Args:
        clock: a monotonic clock, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._counts: Counter[Where] = Counter()
        self._quotas: dict[object, Quota] = {}

    def tell(self, logger: logging.Logger, where: Where, message: str, *values: object, error: Exception) -> None:
        """Count a defect, and log it unless that was done often in the last minute.

        Args:
            logger: writes it.
            where: it was met.
            message: of the log.
            values: in the message.
            error: the defect. It is marked, so that the next one to handle it can see that it was told.
        """
        self._counts[where] += 1
        vars(error)[_TOLD] = True
        place = (logger, type(error), _place(error))
        if place not in self._quotas:
            if len(self._quotas) >= _MOST_PLACES:
                del self._quotas[next(iter(self._quotas))]
            self._quotas[place] = Quota(logger, logging.ERROR, MOST_PER_MINUTE, self._clock)
        self._quotas[place].log(message, *values, exc_info=error)

    def samples(self) -> Iterator[Sample]:
        """How many there were, for the metrics."""
        for where, count in self._counts.items():
            yield Sample("vivienne_defects_total", (where,), count)


def is_told(error: BaseException | None) -> bool:
    """Whether a defect was counted and logged, or left out of the log, already."""
    return error is not None and _TOLD in vars(error)


def _place(error: Exception) -> tuple[str, int] | None:
    """Where in the code it was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return None if trace is None else (trace.tb_frame.f_code.co_filename, trace.tb_lineno)


DEFECTS = Defects()
"""Those of this process."""
