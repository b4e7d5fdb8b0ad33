"""Messages to people over apprise, each in a process of its own, of which time, output and number are limited."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import orjson

from vivienne.alerts.channels import Apprise, Browser, ToRedis, check_service_address
from vivienne.alerts.fields import FIELDS, values_of
from vivienne.alerts.template import Template
from vivienne.errors import SecretUnavailable
from vivienne.outbox.sending import Attempt, kept
from vivienne.outbox.slots import most_at_once

if TYPE_CHECKING:
    from vivienne.outbox.addresses import AllowedHosts
    from vivienne.outbox.secrets import Vault
    from vivienne.outbox.sending import AnyChannel, Message

MOST_AT_ONCE = most_at_once("apprise") + 1
"""Processes at a time: those of attempts, and one of a test, which waits for no turn."""
PROCESS_SECONDS = 20.0
"""Time after which a process is killed."""
_MOST_BYTES = 16 * 1024
"""Output of a process that is read."""
MISSING = "Messages to people need a library: pip install 'vivienne[alerts]'"
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables that a process gets; secrets of others are no concern of its libraries."""
_COMMAND = (sys.executable, "-I", "-m", "vivienne.outbox.people_process")
_SEPARATORS = str.maketrans(dict.fromkeys(":/@?&=,", " "))


class PeopleSender:
    """Sends messages to people.

    Args:
        vault: has the secrets.
        hosts: that may be reached though not public.
        command: of the process.
    """

    def __init__(self, vault: Vault, hosts: AllowedHosts, command: tuple[str, ...] = _COMMAND) -> None:
        self._vault = vault
        self._hosts = hosts
        self._command = command
        self._free = asyncio.Semaphore(MOST_AT_ONCE)

    async def send(self, message: Message) -> Attempt:
        """See `vivienne.outbox.sending.Sender`."""
        channel = message.channel
        assert isinstance(channel, Apprise)  # noqa: S101  # it was chosen by its type
        if find_spec("apprise") is None:
            return Attempt("failed", MISSING)
        try:
            url = self._vault.open(channel.url, check_service_address)
        except SecretUnavailable as error:
            return Attempt("failed", str(error))
        asked = {
            "url": url,
            "title": _title(message, channel),
            "text": message.event["text"],
            "hosts": str(self._hosts),
        }
        async with self._free:
            found = await self._run(orjson.dumps(asked))
        if isinstance(found, str):
            return Attempt("failed", found)
        answer = kept(str(found.get("answer", "")), _parts(url))
        return Attempt("delivered" if found.get("delivered") is True else "failed", answer)

    def destination(self, channel: AnyChannel) -> str:
        """The scheme of the URL, or the variable that has it."""
        return "" if isinstance(channel, (Browser, ToRedis)) else channel.url.shown()

    async def _run(self, asked: bytes) -> dict[str, Any] | str:
        """The answer of a process, or why there is none."""
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            return f"The process for the message did not start: {error.strerror}"
        try:
            async with asyncio.timeout(PROCESS_SECONDS):
                answer = await _talk(process, asked)
        except TimeoutError:
            return f"The service did not answer within {PROCESS_SECONDS:g} s"
        finally:
            await _end(process)
        try:
            found = orjson.loads(answer)
        except orjson.JSONDecodeError:
            found = None
        return found if isinstance(found, dict) else f"The process for the message ended with code {process.returncode}"


async def _talk(process: asyncio.subprocess.Process, asked: bytes) -> bytes:
    assert process.stdin is not None  # noqa: S101  # both are pipes
    assert process.stdout is not None  # noqa: S101
    with suppress(ConnectionError):  # it has ended, and its code tells
        process.stdin.write(asked)
        await process.stdin.drain()
    process.stdin.close()
    answer = b""
    # The end of the line is the end of the answer: on a busy machine the process may take long to end after it.
    while (part := await process.stdout.read(_MOST_BYTES)) and len(answer) <= _MOST_BYTES:
        answer += part
        if part.endswith(b"\n"):
            break
    return answer[:_MOST_BYTES]


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill a process that has not ended, and take its code."""
    assert process.stdout is not None  # noqa: S101  # it is a pipe
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
    while await process.stdout.read(_MOST_BYTES):  # what is left in the pipe: until its end is read, asyncio waits
        pass
    await process.wait()


def _title(message: Message, channel: Apprise) -> str:
    event = message.event
    if channel.title is None or event["type"] == "several":
        return f"Vivienne: {event['alert']['name']}"
    return Template(channel.title, FIELDS).render(values_of(event))


def _parts(url: str) -> list[str]:
    """The parts of the URL of a service that may be secrets, longest first."""
    _, _, rest = url.partition("://")
    found = {rest, *rest.translate(_SEPARATORS).split()}
    return sorted({*found, *(unquote(each) for each in found)} - {""}, key=len, reverse=True)
