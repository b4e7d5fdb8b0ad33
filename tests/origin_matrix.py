"""Which pages get in: every origin and host that matters, times every endpoint. For a test, and for figures.

The server it is run against is started with `FLAGS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from raw_http import UPGRADE, Asking, request
from tokens import EVERYTHING, NAMED
from vivienne.server.policy import WEBSOCKET

if TYPE_CHECKING:
    from raw_http import RawAnswer

DESK = "https://desk.example"
FLAGS = ("--origins", DESK, "--allow-anyone-on-this-network")
_WRONG = {(403, "wrong_origin"), (421, "wrong_host")}
_LOCAL_PORT = ":5173"


@dataclass(frozen=True)
class Case:
    """Headers as a browser, or somebody worse, would send them.

    Attributes:
        is_allowed: whether they may pass.
        origins: of `Origin`, as many as there are.
        hosts: of `Host`, the same; {port} is that of the server.
        before: what stands before the path in the first line.
    """

    is_allowed: bool
    origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ("127.0.0.1:{port}",)
    before: str = ""


_REFUSED_ORIGINS = (
    # Nowhere, and no page of the web.
    "null", "", "file://", "chrome-extension://localhost", "data:text/html,x", "about:blank", "*",
    # Elsewhere, by name and by address.
    "https://evil.example", "http://evil.example:8000", "http://192.168.0.7", "http://10.0.0.1:{port}",
    "http://[2001:db8::1]", "http://127.0.0.2", "http://0.0.0.0", "http://2130706433", "http://0x7f000001",
    "http://127.1", "http://[::ffff:127.0.0.1]",
    # Names that begin or end like ours.
    "http://localhost.evil.example", "http://evil-localhost", "http://notlocalhost", "http://127.0.0.1.evil.example",
    "http://evil.localhost", "http://localhost.", DESK + ".evil.example", "https://evildesk.example",
    "https://evil.desk.example",
    # A user, a path, a blank, an end of a line: what a careless reader takes for the host.
    "http://localhost@evil.example", "http://evil.example@localhost", "http://localhost:80@evil.example",
    "http://evil.example#localhost", "http://evil.example/localhost", "http://evil.example?localhost",
    "http://localhost/", "http://localhost evil.example", "http://localhost,http://evil.example",
    "http://evil.example\\@localhost", "http://localhost%00.evil.example", "http://[", "http://[::1",
    # Another scheme, other letters, another port.
    "ws://localhost", "ftp://localhost", "HTTP://LOCALHOST", "http://desk.example", "wss://desk.example",
    "HTTPS://DESK.EXAMPLE", DESK + ".", DESK + ":444", "localhost", "//localhost", "http://localhost:",
    "http://localhost:x", "http://localhost:999999",
)  # fmt: skip
_ALLOWED_ORIGINS = (
    "http://localhost", "https://localhost", "http://localhost" + _LOCAL_PORT, "http://127.0.0.1:{port}",
    "http://127.0.0.1" + _LOCAL_PORT, "http://[::1]" + _LOCAL_PORT, "https://127.0.0.1", DESK,
)  # fmt: skip
_REFUSED_HOSTS = (
    (), ("",), ("evil.example",), ("evil.example:8000",), ("evil.example:{port}",), ("localhost.evil.example",),
    ("127.0.0.1.evil.example",), ("evil-localhost",), ("localhost.",), ("192.168.0.7",), ("0.0.0.0:{port}",), ("[",),
    ("evil.example@localhost",), ("localhost@evil.example",), ("localhost/evil.example",), ("localhost:80:80",),
    ("localhost, evil.example",), ("localhost", "evil.example"), ("evil.example", "localhost"),
    ("localhost", "localhost"), ("evil.desk.example",),
)  # fmt: skip
_ALLOWED_HOSTS = (
    "localhost", "localhost:{port}", "LOCALHOST:{port}", "127.0.0.1", "[::1]:{port}", "desk.example",
)  # fmt: skip

CASES = (
    *(Case(False, (origin,)) for origin in _REFUSED_ORIGINS),
    *(Case(True, (origin,)) for origin in _ALLOWED_ORIGINS),
    # Several: whichever is read, somebody is wrong.
    *(Case(False, pair) for pair in ((DESK, "https://evil.example"), ("https://evil.example", DESK), (DESK, DESK))),
    # Programs send none.
    Case(True),
    *(Case(False, (), hosts) for hosts in _REFUSED_HOSTS),
    *(Case(True, (), (host,)) for host in _ALLOWED_HOSTS),
    # A name that was pointed at this machine: the page looks like the server's own.
    *(Case(False, (f"http://{host}",), (host,)) for host in ("evil.example", "evil.example:{port}", "192.168.0.7")),
    Case(False, ("https://evil.example",), ("desk.example",)),
    Case(False, ("http://desk.example",), ("desk.example",)),
    Case(True, (DESK,), ("desk.example",)),
    # The whole address in the first line counts, whatever Host says.
    Case(False, (), before="http://evil.example"),
    Case(False, (), before="http://localhost@evil.example"),
    Case(False, ("http://evil.example",), before="http://evil.example"),
    Case(True, (), ("evil.example",), before="http://localhost:{port}"),
)


def wrong(port: int, cases: tuple[Case, ...] = CASES, *, one_of: int = 1) -> tuple[int, list[str]]:
    """Send every case to everything a server answers to, and before it what a browser asks in advance.

    Args:
        port: of the server.
        cases: to send.
        one_of: of so many endpoints that follow each other, a case is sent to one: another one for the next case.

    Returns:
        How many requests were sent, and a line for each that was not answered as it should be.
    """
    count, found = 0, []
    with Asking(port) as asking:
        for place, (method, path) in enumerate(EVERYTHING):
            for case in cases[place % one_of :: one_of]:
                for is_preflight in (False, True) if case.origins else (False,):
                    count += 1
                    trouble = _trouble(asking, port, method, path, case, is_preflight=is_preflight)
                    if trouble is not None:
                        found.append(f"{method} {path} {case}{', asked in advance' if is_preflight else ''}: {trouble}")
    return count, found


def _trouble(asking: Asking, port: int, method: str, path: str, case: Case, *, is_preflight: bool) -> str | None:
    origins = tuple(origin.format(port=port) for origin in case.origins)
    headers = [("Host", host.format(port=port)) for host in case.hosts] + [("Origin", origin) for origin in origins]
    is_websocket = method == WEBSOCKET
    verb = "GET" if is_websocket else method
    if is_preflight:
        headers += [("Access-Control-Request-Method", verb), ("Access-Control-Request-Headers", "content-type")]
        verb = "OPTIONS"
    elif is_websocket:
        headers += UPGRADE
    target = case.before.format(port=port) + path.format_map(NAMED)
    answer = asking.ask(request(verb, target, *headers))
    if not case.is_allowed:
        return _not_refused(answer, verb)
    if _is_refused(answer, verb):
        return f"refused with {answer.status} {answer.code}"
    if is_websocket and not is_preflight and answer.status != 101:  # opened
        return f"not opened, {answer.status}"
    if is_preflight and method not in {"HEAD", WEBSOCKET} and answer.status != 200:  # granted
        return f"not granted, {answer.status}"
    readable = answer.headers.get("access-control-allow-origin", [])
    # What opens a WebSocket is not read by pages.
    if origins and not (is_websocket and not is_preflight) and readable != list(origins):
        return f"may be read by {readable}"
    return None


def _not_refused(answer: RawAnswer, verb: str) -> str | None:
    if not _is_refused(answer, verb):
        return f"answered with {answer.status} {answer.code}"
    if "access-control-allow-origin" in answer.headers:
        return f"may be read by {answer.headers['access-control-allow-origin']}"
    return None


def _is_refused(answer: RawAnswer, verb: str) -> bool:
    if verb == "HEAD":  # says no more than the status
        return answer.status in dict(_WRONG)
    if answer.status == 400 and answer.code is None:  # the library for WebSockets reads no header twice
        return True
    return (answer.status, answer.code) in _WRONG
