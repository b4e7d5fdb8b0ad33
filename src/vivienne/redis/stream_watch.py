"""Notices what others did to a stream, which Redis does not tell its reader: entries that are gone, an end for ever.

Who may add to a stream may also shorten it, and number an entry as high as possible; no rule of access prevents that.
"""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING, Any

from redis.exceptions import ResponseError

from vivienne.rates import Quota

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

_log = logging.getLogger(__name__)
_records = Quota(_log, logging.ERROR)

_GREATEST = b"18446744073709551615-18446744073709551615"
SHOWN_SECONDS = 600.0
"""Time for which entries that are gone are said in `/ready`."""


class StreamWatch:
    """Compares what Redis says of a group with what this process got.

    Redis counts the entries of a stream since version 7. Before, only the end of a stream is noticed.

    Args:
        stream: name of the stream.
        group: name of the group.
        clock: a monotonic clock, in seconds.

    Attributes:
        stream: see above.
        lost: number of entries that were added, and gone before they could be read.
    """

    def __init__(self, stream: str, group: str, clock: Callable[[], float] = monotonic) -> None:
        self.stream = stream
        self._group = group
        self._clock = clock
        self._expected: int | None = None
        """What Redis counts as read if nothing is lost; None before the first look."""
        self._unread = 0
        """Entries that were there by the count of Redis, at the last look."""
        self._was_asked = False
        """Whether there was a read since the last look."""
        self.lost = 0
        self._lost_at: float | None = None
        self._is_ended = False

    @property
    def trouble(self) -> str | None:
        """What others did to the stream; None while nothing is wrong."""
        if self._is_ended:
            return (
                f"nothing can be added to the stream {self.stream}: an entry has the greatest number. Delete it "
                f"(DEL {self.stream}); programs that add to it then begin another one"
            )
        if self._lost_at is not None and self._clock() - self._lost_at < SHOWN_SECONDS:
            return (
                f"{self.lost} entries of the stream {self.stream} were gone before they could be read: somebody "
                "shortened or deleted it. Add them again, and see who may add to it (ACL LIST)"
            )
        return None

    def begin(self) -> None:
        """This process begins to read: others may have read before it."""
        self._expected = None

    def got(self, count: int) -> None:
        """So many entries were read, or none were there."""
        self._was_asked = True
        if count and self._expected is not None:
            self._expected += count
            self._unread = 0

    async def look(self, redis: Redis) -> None:
        """See what Redis says. It is not called while entries are read: then they would seem to be gone."""
        try:
            groups: Any = await redis.xinfo_groups(self.stream)
        except ResponseError:  # it was deleted at this moment, or it may not be asked for
            return
        group = next((each for each in groups if each["name"] == self._group.encode()), None)
        if group is None:
            return
        before = self.trouble
        self._is_ended = group["last-delivered-id"] == _GREATEST
        is_new = group["last-delivered-id"] == b"0-0"  # of such a one Redis does not say that it read nothing
        self._compare(0 if is_new and "lag" in group else group.get("entries-read"), group.get("lag") or 0)
        if self.trouble not in (before, None):
            _records.log("%s", self.trouble)

    def _compare(self, read: int | None, lag: int) -> None:
        if self._expected is None or read is None:
            self._expected, self._unread = read, 0
            return
        # What seems to be there at two looks, and was asked for between but did not come, is not there.
        is_still_there = self._was_asked and lag == self._unread
        gone = read - self._expected + (lag if is_still_there else 0)
        self._unread, self._was_asked = lag, False
        if gone > 0:
            self.lost += gone
            self._lost_at = self._clock()
            self._expected += gone
        elif read < self._expected and not lag:  # the stream is another one
            self._expected = read
