"""The request in whose course something happens: its trace id and its caller, for the log, the history and answers.

They are context variables, so tasks that a request starts have them too. Work that no request asked for has neither.
"""

from __future__ import annotations

import re
import secrets
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = "X-Request-ID"
"""The header in which a trace id comes in and goes out."""
PROXY_HEADER = "X-Proxy-Request-ID"
"""The header in which a proxy names each request by a name of its own. A trace id that equals it is the proxy's."""
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{1,64}")

trace_id: ContextVar[str | None] = ContextVar("trace_id", default=None)
"""The id of the request; None outside of one."""
caller: ContextVar[str | None] = ContextVar("caller", default=None)
"""The caller of the request in a few words, such as ``ana at 192.0.2.7``; None outside of one."""


def trace_id_of(given: str | None) -> str:
    """The id of a request: the given one if it is well-formed, otherwise a new one."""
    if given is not None and _WELL_FORMED.fullmatch(given):
        return given
    return secrets.token_hex(8)


@contextmanager
def traced(who: str) -> Iterator[None]:
    """Give what happens within a new trace id and this caller: a message that is no HTTP request."""
    of_id, of_caller = trace_id.set(trace_id_of(None)), caller.set(who)
    try:
        yield
    finally:
        trace_id.reset(of_id)
        caller.reset(of_caller)
