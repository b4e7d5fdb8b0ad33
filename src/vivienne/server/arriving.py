"""Arriving: what has come of a request so far, in bytes and fields, and whether that is too much."""

from __future__ import annotations

from vivienne.server.head import HEAD_BYTES, HEAD_FIELDS, counted_bytes

_SHORT_CUTS = 4
"""Pieces of the body of a pause that are parsed at once; usual ones have one or two. More wait for their turn."""


class Arriving:
    """The request of a connection that arrives, or arrived last.

    Attributes:
        has_head: true once its head has come.
        body_left: bytes of the body that have not come; 0 in other parts of a request, and if the length is not known.
    """

    __slots__ = ("_bare", "_body_bytes", "_fields", "_head_bytes", "_short_cuts", "body_left", "has_head")

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin with the next one."""
        self.has_head = False
        self.body_left = 0
        self._bare = self._fields = 0
        """Bytes since the last one of a body, or since the request began, and fields among them."""
        self._head_bytes = self._body_bytes = 0
        """Bytes of the head beyond a usual one, and of the body; kept until the request is answered."""
        self._short_cuts = 0

    def take(self, size: int) -> None:
        """Count bytes, whatever they are."""
        self._bare += size

    def take_field(self) -> bool:
        """Count a field; tell whether it is one of the head, and needed. Trailers have no meaning here."""
        self._fields += 1
        return not self.has_head and self._fields <= HEAD_FIELDS + 1  # one more, so that the request is refused

    def end_head(self) -> None:
        """Note that the head has come."""
        self.count_head()
        self.has_head = True
        self._fields = 0

    def count_head(self) -> None:
        """Count what the head takes, as far as it has come."""
        if not self.has_head:
            self._head_bytes = counted_bytes(self._bare, self._fields)

    def take_body(self, size: int) -> None:
        """Count bytes of the body."""
        self._bare = 0
        self._body_bytes += size
        self.body_left = max(0, self.body_left - size)

    def end(self) -> None:
        """Note that all of it has come."""
        self._bare = self._fields = self.body_left = 0

    def forget(self) -> None:
        """Note that it is answered, and nothing of it kept."""
        self._head_bytes = self._body_bytes = 0

    def may_be_cut_short(self) -> bool:
        """Tell whether a piece of its body, if it is a pause, may be parsed at once; counts it if so."""
        if not self.body_left or self._short_cuts >= _SHORT_CUTS:
            return False
        self._short_cuts += 1
        return True

    @property
    def kept(self) -> int:
        """Bytes that are kept of it."""
        return self._head_bytes + self._body_bytes

    @property
    def is_too_long(self) -> bool:
        """True if its head, or what comes between two bytes of its body or after it, is longer than it may be."""
        return self._bare > HEAD_BYTES or self._fields > HEAD_FIELDS
