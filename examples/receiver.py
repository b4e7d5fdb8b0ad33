"""A small receiver of webhooks: verifies each alert, and prints it in a line.

Start it with `python examples/receiver.py`. It needs nothing but Python. To write your own receiver, port `verify`.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
import sys
import threading
import time
from collections import OrderedDict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SECRET_VARIABLE = "WEBHOOK_SECRET"  # noqa: S105  # the name of a variable
TOLERANCE_SECONDS = 300
"""Difference between the timestamp of a message and the clock here. An older message may be a replayed one."""
MOST_BYTES = 1024 * 1024
MOST_IDS = 10_000
_PREFIX = "whsec_"


class Rejected(Exception):
    """A message that is not accepted; the text says why."""


def key_of(secret: str) -> bytes:
    """The key of a signing secret: what follows `whsec_`, in Base64.

    Raises:
        ValueError: it is none.
    """
    if not secret.startswith(_PREFIX):
        raise ValueError(f"a secret begins with {_PREFIX}; copy the whole of it")
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(f"after {_PREFIX} a secret is Base64; copy the whole of it") from error
    if not key:
        raise ValueError(f"nothing follows {_PREFIX}; copy the whole secret")
    return key


def verify(key: bytes, headers: Mapping[str, str], body: bytes, now: float) -> str:
    """Verify a message, as Standard Webhooks says.

    Args:
        key: of `key_of`.
        headers: of the request; names in lower case.
        body: as it arrived, byte for byte. JSON that was parsed and written again has another signature.
        now: seconds since the epoch.

    Returns:
        The id of the message.

    Raises:
        Rejected: it is not from Vivienne, or not as Vivienne sent it, or too old.
    """
    missing = [name for name in ("webhook-id", "webhook-timestamp", "webhook-signature") if not headers.get(name)]
    if missing:
        raise Rejected(f"The header {missing[0]} is missing; it is not a signed webhook")
    message_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    if not (timestamp.isascii() and timestamp.isdigit()):
        raise Rejected(f"webhook-timestamp is {timestamp!r}, not a number of seconds")
    age = now - int(timestamp)
    if abs(age) > TOLERANCE_SECONDS:
        when = "old" if age > 0 else "ahead"
        raise Rejected(
            f"The message is {abs(age):.0f} s {when}; at most {TOLERANCE_SECONDS} s are accepted. Check the clocks"
        )
    wanted = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    # While a secret is exchanged for another, there may be several signatures.
    for each in headers["webhook-signature"].split(" "):
        version, _, signature = each.partition(",")
        # In constant time: how long it takes says nothing about how much of a forged signature is right.
        if version == "v1" and hmac.compare_digest(signature.encode(), base64.b64encode(wanted)):
            return message_id
    raise Rejected("The signature does not fit: the secret is another one, or the body was changed on its way")


def events_of(message: Any) -> list[dict[str, Any]]:
    """The alerts of a message: one, or several that were sent together."""
    several = message.get("events") if isinstance(message, dict) and message.get("type") == "several" else [message]
    if not isinstance(several, list) or not all(isinstance(each, dict) for each in several):
        raise Rejected("The body is not an alert; is there a body of your own in the rule?")
    return several


def line_of(event: Mapping[str, Any]) -> str:
    """An alert in a line, without characters that a terminal would obey."""
    text = f"{event.get('time')} {event.get('type')} {event.get('asset') or '-'}: {event.get('text')}"
    return "".join(each if each.isprintable() else " " for each in text)


class Received:
    """Takes verified messages one after the other: each once, also if it is sent twice.

    Args:
        key: of `key_of`.
        take: is called with each alert.
        clock: seconds since the epoch.
    """

    def __init__(
        self, key: bytes, take: Callable[[dict[str, Any]], None], clock: Callable[[], float] = time.time
    ) -> None:
        self._key = key
        self._take = take
        self._clock = clock
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def message(self, headers: Mapping[str, str], body: bytes) -> tuple[HTTPStatus, str]:
        """Take a message; gives the status and the text of the answer."""
        try:
            message_id = verify(self._key, headers, body, self._clock())
        except Rejected as rejected:
            return HTTPStatus.UNAUTHORIZED, str(rejected)
        try:
            events = events_of(json.loads(body))
        except (ValueError, RecursionError) as error:
            return HTTPStatus.BAD_REQUEST, f"The body is not JSON: {error}"
        except Rejected as rejected:
            return HTTPStatus.BAD_REQUEST, str(rejected)
        with self._lock:
            if message_id in self._ids:
                # A success all the same: what was received once need not be sent again.
                return HTTPStatus.OK, "received before"
            for event in events:
                self._take(event)
            # Only now: if taking it failed, it is sent again.
            self._ids[message_id] = None
            if len(self._ids) > MOST_IDS:
                self._ids.popitem(last=False)
        return HTTPStatus.OK, "received"


def serve(port: int, received: Received, tell: Callable[[str], None]) -> ThreadingHTTPServer:
    """A server on this machine that takes messages; it runs once `serve_forever` is called.

    Args:
        port: 0 for a free one.
        received: takes them.
        tell: is called with what is wrong with a message.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # seconds; a sender that stops in the middle holds a thread no longer

        def do_POST(self) -> None:
            length = self.headers.get("content-length", "")
            if not length.isdigit() or int(length) > MOST_BYTES:
                self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A message has at most {MOST_BYTES} bytes")
                return
            body = self.rfile.read(int(length))
            self._answer(*received.message({name.lower(): value for name, value in self.headers.items()}, body))

        def _answer(self, status: HTTPStatus, text: str) -> None:
            if status is not HTTPStatus.OK or text != "received":
                tell(f"{status.value} {text}")
            content = text.encode()
            self.send_response(status)
            self.send_header("content-type", "text/plain; charset=utf-8")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Alerts are printed, requests are not."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def receive(port: int, received: Received) -> None:
    """Take messages for ever."""
    try:
        server = serve(port, received, say)
    except OSError as error:
        sys.exit(f"--port {port}: {error.strerror}")
    with server:
        say(f"Listening on http://127.0.0.1:{server.server_port}/")
        server.serve_forever()


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def secret_options(parser: argparse.ArgumentParser) -> None:
    """The option of the signing secret."""
    parser.add_argument(
        "--secret",
        default=os.environ.get(SECRET_VARIABLE),
        help=f"the signing secret of the rule, whsec_...; also ${SECRET_VARIABLE}, which others on this machine "
        "cannot read. Without one, a new one is printed: give it to the rule",
    )


def key_from(secret: str | None) -> bytes:
    """The key of the secret that was given; without one, that of a new secret, which is printed."""
    if not secret:
        secret = _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
        say(f"Secret for the rule: {secret}")
    try:
        return key_of(secret)
    except ValueError as error:
        sys.exit(f"--secret: {error}")


def main() -> None:
    """Receive until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Receive alerts of Vivienne by webhook, and print them.")
    parser.add_argument("--port", type=int, default=9000, help="port on this machine (default: 9000)")
    secret_options(parser)
    given = parser.parse_args()
    try:
        receive(given.port, Received(key_from(given.secret), lambda event: say(line_of(event))))
    except KeyboardInterrupt:
        say("Ended")


if __name__ == "__main__":
    main()
