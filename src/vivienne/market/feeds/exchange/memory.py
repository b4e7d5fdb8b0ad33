"""What the connections of one stream know from each other."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Memory:
    """See above. Instruments are named as in the stream.

    Attributes:
        doubted: instruments that only a new trade shows to have data; they are taken out then.
        apart: instruments that are subscribed one at a time, because the exchange refused them together with others;
            they are taken out once there is data.
    """

    doubted: set[str] = field(default_factory=set)
    apart: set[str] = field(default_factory=set)
