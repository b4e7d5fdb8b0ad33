"""TA-Lib, loaded without pandas and polars.

TA-Lib loads both of them where they are installed, to take their series too. That costs a quarter of a second at each
start, 40 MB, and a microsecond in each call. All columns here are NumPy arrays.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType


@contextmanager
def _without(*names: str) -> Iterator[None]:
    """Have modules appear not to be installed."""
    modules: dict[str, ModuleType | None] = dict(sys.modules)
    before = {name: modules[name] for name in names if name in modules}
    sys.modules.update(dict.fromkeys(names))  # type: ignore[arg-type]  # None is how Python says so
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]
        sys.modules.update(before)  # type: ignore[arg-type]  # as it was


with _without("pandas", "polars"):
    import talib

__all__ = ["talib"]
