"""Requests of commands to a running server."""

from __future__ import annotations

import io
import json
import os
import socket
import threading
import urllib.request
from concurrent.futures import Future
from contextlib import contextmanager
from http.client import HTTPException, IncompleteRead
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError

from vivienne.addresses import shown_address
from vivienne.errors import NotNow, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LOCAL_SERVER = "http://127.0.0.1:8000"
"""Where commands look for a server. Not `localhost`, which may lead to another program at ::1, with the token."""
TOKEN_VARIABLE = "VIVIENNE_TOKEN"  # noqa: S105  # the name of a variable
"""The token comes from the environment, because other users of the machine can read arguments."""
LONGEST_ANSWER = 64 * 1024 * 1024
"""Bytes; the answer of a server is shorter, also where each of thousands of assets is paused for a long reason."""
THREAD = "request"
ANSWER_SECONDS = 15.0
"""Longest time for a server to answer."""
_SILENT_SECONDS = 60.0
_PART = 64 * 1024
_LATER = (429, 502, 503, 504)
"""Statuses of a server, or of a proxy before it, that may be others a moment later."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: urllib would make a GET of it, which pauses nothing, and take the token to another host."""

    def redirect_request(self, *_: Any) -> None:
        """None makes it an `HTTPError`."""


def ask(
    url: str,
    path: str,
    body: bytes | None = None,
    seconds: float = ANSWER_SECONDS,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """The answer of a server: to a POST of JSON, or without a body to a GET.

    No proxy is used, because a pause must not depend on one, and no redirect is followed.

    Raises:
        SettingsError: the address is not valid.
        OSError: it cannot be reached, or did not answer in time; an `HTTPError` if its answer is none of success, or a
            redirect.
        ValueError: the same, or it speaks no HTTP.
        HTTPException: the same.
    """
    asked = _request(url, path, body, headers)
    answer: Future[bytes] = Future()
    # In a thread that nobody waits for: the time limit of a socket starts again with each byte.
    threading.Thread(target=_ask, args=(asked, seconds, answer), name=THREAD, daemon=True).start()
    try:
        return answer.result(seconds)
    except TimeoutError:
        raise TimeoutError(f"no answer within {seconds:g} s") from None


def fetch(url: str, path: str, write: Callable[[bytes], None]) -> None:
    """The answer of a server to a GET, of any length, one part after the other.

    Raises:
        SettingsError: see `ask`, as for the others.
        OSError: also if nothing comes for a minute.
        ValueError: see `ask`.
        HTTPException: also if the answer breaks off.
    """
    with _opened(_request(url, path), _SILENT_SECONDS) as response:
        if response.length is None and not response.chunked:
            raise ValueError("its answer does not say where it ends, so that nobody can tell whether it is whole")
        while part := response.read(_PART):
            write(part)
        if response.length:  # what was announced, and did not come
            raise IncompleteRead(b"", response.length)


@contextmanager
def failures_of(url: str) -> Iterator[None]:
    """Raise what keeps a server from answering as what it means for the user.

    Raises:
        SettingsError: it refuses the request.
        NotNow: it cannot be reached, or cannot answer now.
    """
    try:
        yield
    except HTTPError as error:
        kind = NotNow if error.code in _LATER else SettingsError
        raise kind(f"{url} refused the request: {detail_of(error)}") from error
    except (OSError, ValueError, HTTPException) as error:
        raise NotNow(f"{url} cannot be reached, or its answer broke off: {no_answer(error)}") from error


def read_json(text: bytes | str) -> Any:
    """A document that a server sent.

    Raises:
        ValueError: it is no JSON, or nested too deep.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def detail_of(error: HTTPError) -> str:
    """What a server says of its refusal."""
    try:
        document: Any = read_json(error.read(LONGEST_ANSWER))
        return str(document["detail"])
    except (OSError, ValueError, KeyError, TypeError, HTTPException):
        return f"{error.code} {error.reason}"


def _request(
    url: str, path: str, body: bytes | None = None, more: Mapping[str, str] | None = None
) -> urllib.request.Request:
    if not url.startswith(("http://", "https://")) or shown_address(url) != url:
        # It is not repeated: there may be a password in it.
        raise SettingsError(
            "--url must begin with http:// or https:// and have a host, as in http://localhost:8000, but no user, "
            f"password or options; a token belongs in {TOKEN_VARIABLE}"
        )
    headers = dict(more or {})
    if body is not None:
        headers["Content-Type"] = "application/json"
    if token := os.environ.get(TOKEN_VARIABLE, "").strip():  # one that was read from a file ends with a line
        if not (token.isascii() and token.isprintable()):
            raise SettingsError(f"{TOKEN_VARIABLE} has a character that no token has; set it to the token alone")
        headers["Authorization"] = f"Bearer {token}"
    return urllib.request.Request(url.rstrip("/") + path, body, headers)  # noqa: S310  # checked above


def no_answer(error: Exception) -> str:
    """Say in words why `ask` got no answer."""
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, ConnectionRefusedError):
        return "nothing listens there; start the server, or correct host and port"
    if isinstance(reason, socket.gaierror):
        return "its host is unknown"
    if isinstance(reason, ConnectionResetError):
        return "it ended the connection without an answer"
    return (reason.strerror if isinstance(reason, OSError) else None) or str(reason)


def _ask(asked: urllib.request.Request, seconds: float, answer: Future[bytes]) -> None:
    try:
        answer.set_result(_answer(asked, seconds))
    except BaseException as error:  # noqa: BLE001  # the caller gets it
        answer.set_exception(error)


def _answer(asked: urllib.request.Request, seconds: float) -> bytes:
    with _opened(asked, seconds) as response:
        found: bytes = response.read(LONGEST_ANSWER + 1)
    if len(found) > LONGEST_ANSWER:
        raise ValueError(f"its answer is longer than {LONGEST_ANSWER // 1024**2} MiB")
    return found


@contextmanager
def _opened(asked: urllib.request.Request, seconds: float) -> Iterator[Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects)
    try:
        with opener.open(asked, timeout=seconds) as response:
            yield response
    except HTTPError as error:
        with error:  # its body, without the connection
            body = io.BytesIO(error.read(LONGEST_ANSWER))
        raise HTTPError(error.url, error.code, error.reason, error.headers, body) from None
