"""Requests of commands to a running server."""

from __future__ import annotations

import os
import urllib.request
from typing import Any

from vivienne.errors import SettingsError

TOKEN_VARIABLE = "VIVIENNE_TOKEN"  # noqa: S105  # the name of a variable
"""The token comes from the environment, because other users of the machine can read arguments."""
LONGEST_ANSWER = 1024 * 1024
"""Bytes; the answer of a server with thousands of assets is shorter."""
ANSWER_SECONDS = 15.0
"""Longest time for a server to answer."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: urllib would make a GET of it, which pauses nothing, and take the token to another host."""

    def redirect_request(self, *_: Any) -> None:
        """None makes it an `HTTPError`."""


def ask(url: str, path: str, body: bytes | None = None, seconds: float = ANSWER_SECONDS) -> bytes:
    """The answer of a server: to a POST of JSON, or without a body to a GET.

    No proxy is used, because a pause must not depend on one, and no redirect is followed.

    Raises:
        SettingsError: the address is not valid.
        OSError: it cannot be reached; an `HTTPError` if its answer is none of success, or a redirect.
        ValueError: the same, or it speaks no HTTP.
        HTTPException: the same.
    """
    if not url.startswith(("http://", "https://")):
        raise SettingsError(f"--url must begin with http:// or https://, as in http://localhost:8000, not {url!r}")
    headers = {"Content-Type": "application/json"} if body is not None else {}
    if token := os.environ.get(TOKEN_VARIABLE):
        headers["Authorization"] = f"Bearer {token}"
    asked = urllib.request.Request(url.rstrip("/") + path, body, headers)  # noqa: S310  # checked above
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects)
    with opener.open(asked, timeout=seconds) as response:
        found: bytes = response.read(LONGEST_ANSWER)
        return found
