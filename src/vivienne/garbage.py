"""When Python looks for objects that only refer to each other.

A full look goes over every object, and nothing else happens meanwhile: for 0.05 s in a server without clients, for
0.3 s with two thousand of them, and by Python's own measure one follows the other while clients connect. Nearly
everything here goes without it, as soon as nothing refers to it.
"""

from __future__ import annotations

import gc

_THRESHOLDS = (10_000, 10, 20)
"""A look at the youngest after so many more objects; at older ones after so many of those; at all after so many of
these, and only when a quarter of all is new, which is Python's rule."""


def collect_seldom() -> None:
    """What is there now stays and is not looked at again; of what comes, full looks are rare."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
