"""The process that sends one message to people, with apprise; run as `python -I -m vivienne.outbox.people_process`.

It gets the message over standard input and writes what came of it to standard output, both as JSON. It is a process of
its own because apprise blocks, and because its hundred services connect to what their URL says. Here a hook of the
interpreter refuses connections to addresses that are not public, programs, and files other than those of Python.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import site
import sys
from contextlib import suppress
from typing import Any

from vivienne.alerts.services import LOCAL_SERVICES, scheme
from vivienne.outbox.addresses import AllowedHosts, NotReachable, resolved

_MOST_LETTERS = 1_000
_NICENESS = 10
_MEMORY_BYTES = 256 * 1024 * 1024
"""Memory that the process may take: six times what it needs. Libraries unpack whole answers, of whatever size."""
_FULL = f"The answer of the service takes more than {_MEMORY_BYTES >> 20} MB of memory, the limit"
_SECONDS = 30
"""Time after which the system ends the process, if the one that should do so before was killed."""
_CONNECTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_RUNS = frozenset({"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "pty.spawn"})
_CHANGES = frozenset({"os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate"})
_READABLE = tuple(
    os.path.realpath(folder)
    for folder in {
        sys.prefix, sys.base_prefix, *site.getsitepackages(), "/etc/ssl", "/etc/pki", "/etc/hosts", "/etc/resolv.conf",
        "/etc/mime.types", "/etc/localtime", "/usr/share/zoneinfo", "/usr/lib", "/dev/null", "/dev/urandom",
    }
)  # fmt: skip
"""Files, and folders of files, that Python and its libraries read."""
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC


class Refused(OSError):
    """The message may not do this."""


class Guard:
    """Refuses what a message to people has no need of.

    Args:
        hosts: that may be reached though not public.
    """

    def __init__(self, hosts: AllowedHosts) -> None:
        self._hosts = hosts
        self._of_names: dict[str, str] = {}
        """By address, the allowed name that has it."""
        self._is_looking = False
        self.refused: str | None = None
        """The first thing that was refused."""

    def __call__(self, event: str, values: tuple[Any, ...]) -> None:
        """See `sys.addaudithook`."""
        try:
            self._check(event, values)
        except Refused as error:
            self.refused = self.refused or str(error)
            raise

    def _check(self, event: str, values: tuple[Any, ...]) -> None:
        if event in _CONNECTS:
            self._connect(values[1])
        elif event == "socket.getaddrinfo":
            self._look_up(values[0])
        elif event == "open":
            _open(values[0], values[2])
        elif event in _RUNS or event in _CHANGES:
            raise Refused(f"A service that does this on the machine of Vivienne is not supported: {event}")

    def _connect(self, address: Any) -> None:
        if address is None:  # of a connected socket
            return
        if not isinstance(address, tuple) or not address:
            raise Refused("A service that connects to a program of the machine of Vivienne is not supported")
        host = str(address[0])
        try:
            self._hosts.allowed(self._of_names.get(host, host), [host])
        except NotReachable as error:
            raise Refused(str(error)) from None

    def _look_up(self, host: Any) -> None:
        """Note the addresses of a name that is allowed."""
        name = host.decode(errors="replace") if isinstance(host, bytes) else str(host)
        if self._is_looking or name.lower().rstrip(".") not in self._hosts.names:
            return
        self._is_looking = True
        try:
            with suppress(NotReachable):
                self._of_names |= dict.fromkeys(resolved(name, 0), name)
        finally:
            self._is_looking = False


def _open(path: Any, flags: Any) -> None:
    if isinstance(path, int):
        return
    if isinstance(flags, int) and flags & _WRITES and os.fsdecode(path) != os.devnull:
        raise Refused("A service that writes files is not supported")
    whole = os.path.realpath(os.fsdecode(path))
    if not any(whole == each or whole.startswith(each + os.sep) for each in _READABLE):
        raise Refused("A service that reads files of the machine of Vivienne is not supported")


class _Said(logging.Handler):
    """What apprise says while it sends."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        is_full = isinstance(sys.exc_info()[1], MemoryError)  # apprise says only that there was an exception
        self.text = f"{self.text} {_FULL if is_full else record.getMessage()}".strip()[:_MOST_LETTERS]


def send(url: str, title: str, text: str, hosts: AllowedHosts) -> tuple[bool, str]:
    """Send a message; tell whether it was delivered, and what the service said."""
    if scheme(url) in LOCAL_SERVICES:
        return False, f"{scheme(url)}:// acts on the machine of Vivienne and reaches nobody; choose another service"
    from apprise import Apprise, AppriseAsset, NotifyBase, NotifyFormat, OverflowMode  # noqa: PLC0415  # an extra

    said = _Said()
    log = logging.getLogger("apprise")
    log.addHandler(said)
    log.propagate = False
    asset = AppriseAsset(storage_mode="memory", secure_logging=True, async_mode=False)
    NotifyBase.overflow_mode = OverflowMode.TRUNCATE  # what is too long for a service would be refused for ever
    service = Apprise(asset=asset)
    guard = Guard(hosts)
    sys.addaudithook(guard)
    if not service.add(url):
        return False, guard.refused or "apprise does not know the service of the URL; see its documentation"
    try:
        # Names and reasons of others are in it: it is text, also for a service that takes HTML.
        is_delivered = service.notify(body=text, title=title, body_format=NotifyFormat.TEXT)
    except Exception as error:  # noqa: BLE001  # of any of a hundred services
        return False, guard.refused or f"{type(error).__name__}: {error}"
    return bool(is_delivered), said.text if is_delivered else guard.refused or said.text or "The service refused it"


def _limit() -> None:
    """Leave processor and memory to decisions: a message may take a second, and as much as a service answers."""
    with suppress(OSError):
        os.nice(_NICENESS)
    with suppress(OSError, ValueError):  # a lower limit is in force
        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, _MEMORY_BYTES))


def main() -> None:
    """Send the message of standard input."""
    signal.alarm(_SECONDS)
    _limit()
    asked = json.load(sys.stdin)
    answers = sys.stdout
    sys.stdout = sys.stderr  # what a service prints is no answer
    delivered, answer = send(asked["url"], asked["title"], asked["text"], AllowedHosts.read(asked["hosts"]))
    print(json.dumps({"delivered": delivered, "answer": answer}), file=answers, flush=True)


if __name__ == "__main__":
    main()
