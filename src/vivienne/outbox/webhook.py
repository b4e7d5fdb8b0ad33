"""Webhooks: a signed POST, as Standard Webhooks says, to an address that was checked."""

from __future__ import annotations

import asyncio
import base64
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

import httpcore2
import orjson
from standardwebhooks import Webhook as Signing

from vivienne.alerts.channels import (
    Browser,
    ToRedis,
    Webhook,
    check_header_value,
    check_signing_secret,
    check_web_address,
)
from vivienne.alerts.fields import values_of
from vivienne.errors import SecretUnavailable
from vivienne.market.feeds.exchange.reading import PiecewiseBackend
from vivienne.market.feeds.exchange.turns import Turns
from vivienne.outbox.addresses import AllowedHosts, NotReachable
from vivienne.outbox.resolving import Resolver
from vivienne.outbox.sending import ATTEMPT_SECONDS, Attempt, kept
from vivienne.outbox.slots import most_at_once
from vivienne.version import build_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from vivienne.outbox.secrets import Vault
    from vivienne.outbox.sending import AnyChannel, Message

MOST_BYTES = 64 * 1024
"""Bytes of an answer that are read, with its head."""
BODY_SECONDS = 1.0
"""Longest time for the rest of an answer whose status is known: the status tells what came of it."""
LONGEST_RETRY_AFTER = 3_600.0
"""Longest wait that a receiver can ask for, in seconds."""
_FOR_TESTS = 32
"""Connections of tests, which wait for no turn: four rules have so many channels."""
_MOST_KEPT = 64
"""Connections that are kept for the next alert."""
_KEPT_SECONDS = 300.0
_OBEYED = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_ERRORS = (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException, httpcore2.UnsupportedProtocol)


class WebhookSender:
    """Sends webhooks. Connections are kept; redirects are not followed, and the environment names no proxy.

    Args:
        vault: has the secrets.
        hosts: that may be reached though not public.
        resolver: looks names up.
        trusted: gives the certificates that are trusted; called in a thread.
        now: wall clock, for the timestamp of an attempt.
    """

    def __init__(
        self,
        vault: Vault,
        hosts: AllowedHosts,
        *,
        resolver: Resolver | None = None,
        trusted: Callable[[], ssl.SSLContext] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._vault = vault
        self._trusted = trusted or httpcore2.default_ssl_context
        self._now = now
        self._backend = PiecewiseBackend(_CheckedBackend(hosts, resolver or Resolver()), Turns(), MOST_BYTES)
        self._pool: httpcore2.AsyncConnectionPool | None = None
        self._opening = asyncio.Lock()

    async def send(self, message: Message) -> Attempt:
        """See `vivienne.outbox.sending.Sender`."""
        channel = message.channel
        assert isinstance(channel, Webhook)  # noqa: S101  # it was chosen by its type
        try:
            url = self._vault.open(channel.url, check_web_address)
            address = _address(url)
            body, kind = _body(message, channel)
            secret = None if channel.secret is None else self._vault.open(channel.secret, check_signing_secret)
            own = {name: self._vault.open(value, check_header_value) for name, value in channel.headers.items()}
            headers: dict[bytes | str, bytes | str] = {
                "host": _authority(address),
                "user-agent": f"vivienne/{build_version()}",
                **{name.lower(): value for name, value in own.items()},
                "content-type": kind,
                "webhook-id": message.id,
                **self._signature(message, secret, body),
            }
        except (SecretUnavailable, NotReachable) as error:
            return Attempt("failed", str(error))
        values = [*own.values(), *(word for value in own.values() for word in value.split()), secret or ""]
        secrets = [*_parts(url), *(spelling for value in values for spelling in _spellings(value))]
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                return await self._post(address, headers, body, secrets)
        except TimeoutError:
            return Attempt("failed", f"No answer within {ATTEMPT_SECONDS:g} s")
        except (*_ERRORS, NotReachable, OSError, ssl.SSLError) as error:
            return Attempt("failed", kept(_why(error), secrets))

    def destination(self, channel: AnyChannel) -> str:
        """The scheme, host and port of the URL, or the variable that has it."""
        return "" if isinstance(channel, (Browser, ToRedis)) else channel.url.shown()

    async def open(self) -> None:
        """See `vivienne.outbox.sending.HasConnections`."""
        with suppress(OSError):  # each attempt tells what is wrong with the certificates
            await self._opened()

    async def close(self) -> None:
        """See `vivienne.outbox.sending.HasConnections`."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            await pool.aclose()

    async def _post(
        self, url: httpcore2.URL, headers: Mapping[bytes | str, bytes | str], body: bytes, secrets: Iterable[str]
    ) -> Attempt:
        pool = await self._opened()
        answer = bytearray()
        async with pool.stream("POST", url, headers=headers, content=body) as response:
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    async for part in response.aiter_stream():
                        answer += part
            except (TimeoutError, *_ERRORS):
                pass  # the status is known, and what has come of the answer is kept
        return self._judged(response, kept(bytes(answer), secrets))

    def _judged(self, response: httpcore2.Response, answer: str) -> Attempt:
        status = response.status
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return Attempt("delivered", answer, status)
        if status == HTTPStatus.GONE:
            return Attempt("gone", answer, status)
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            said = f"The receiver redirects to another address, which is not followed; enter that address. {answer}"
            return Attempt("failed", said.strip()[:300], status)
        named = {name.lower(): value for name, value in response.headers}.get(b"retry-after")
        wait = retry_after(named.decode(errors="replace"), self._now()) if named and status in _OBEYED else None
        return Attempt("failed", answer, status, wait)

    async def _opened(self) -> httpcore2.AsyncConnectionPool:
        async with self._opening:
            if self._pool is None:
                self._pool = httpcore2.AsyncConnectionPool(
                    ssl_context=await asyncio.to_thread(self._trusted),
                    max_connections=most_at_once("webhook") + _FOR_TESTS,
                    max_keepalive_connections=_MOST_KEPT,
                    keepalive_expiry=_KEPT_SECONDS,
                    network_backend=self._backend,
                )
            return self._pool

    def _signature(self, message: Message, secret: str | None, body: bytes) -> dict[bytes | str, bytes | str]:
        moment = self._now()
        found: dict[bytes | str, bytes | str] = {"webhook-timestamp": str(int(moment.timestamp()))}
        if secret is None:
            return found
        try:
            found["webhook-signature"] = Signing(secret).sign(message.id, moment, body.decode())
        except (ValueError, RuntimeError) as error:
            raise SecretUnavailable("The signing secret is not whsec_ and Base64; correct the variable") from error
        return found


def retry_after(text: str, now: datetime) -> float | None:
    """Seconds to wait, as `Retry-After` says them: a number or a date; at most an hour. None for anything else."""
    text = text.strip()
    if text.isascii() and text.isdecimal():
        return min(float(text[:9]), LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # a year of twenty digits
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - now).total_seconds()), LONGEST_RETRY_AFTER)


class _CheckedBackend(httpcore2.AsyncNetworkBackend):
    """Connects to addresses that were checked only. TLS verifies the name of the host, not the address."""

    def __init__(self, hosts: AllowedHosts, resolver: Resolver) -> None:
        self._backend = httpcore2.AnyIOBackend()
        self._hosts = hosts
        self._resolver = resolver

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # as the library calls it
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address of a host that may be reached, and that answers."""
        found = self._hosts.allowed(host, await self._resolver.addresses(host, port))
        for address in found[:-1]:
            try:
                # A part of the time, so that the next address has its turn.
                return await self._backend.connect_tcp(
                    address, port, ATTEMPT_SECONDS / (2 * len(found)), local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return await self._backend.connect_tcp(found[-1], port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        """See `httpcore2.AsyncNetworkBackend`."""
        await self._backend.sleep(seconds)


def _address(url: str) -> httpcore2.URL:
    """A URL as the library takes it.

    Raises:
        NotReachable: it is none.
    """
    try:
        parts = urlsplit(url)
        name, port = parts.hostname or "", parts.port
        host = name.encode("ascii" if ":" in name else "idna")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if parts.scheme in ("http", "https") and host:
            return httpcore2.URL(scheme=parts.scheme, host=host, port=port, target=target.encode("ascii"))
    except ValueError:  # also of texts that are not ASCII
        pass
    raise NotReachable("The URL is not valid; write it as https://bot.example/hook")


def _authority(url: httpcore2.URL) -> str:
    """The value of the header `Host`."""
    host = url.host.decode()
    host = f"[{host}]" if ":" in host else host
    return host if url.port is None else f"{host}:{url.port}"


def _parts(url: str) -> list[str]:
    """The parts of a URL that are secrets, longest first."""
    parts = urlsplit(url)
    found = [
        parts.path,
        parts.query,
        *parts.path.split("/"),
        *(each.partition("=")[2] for each in parts.query.split("&")),
    ]
    return sorted({*found, *(unquote(each) for each in found)} - {""}, key=len, reverse=True)


def _spellings(value: str) -> Iterator[str]:
    """A secret and what it consists of, as programs write it: without its prefix, decoded, escaped, in an address."""
    bare = value.removeprefix("whsec_")
    found = [value, bare]
    with suppress(ValueError):
        raw = base64.b64decode(bare, validate=True)
        found += [raw.hex(), base64.urlsafe_b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode().rstrip("=")]
        decoded = raw.decode()  # a user and a password
        found += [decoded, decoded.partition(":")[2]]
    for each in found:
        yield each
        yield each.replace("/", r"\/")
        yield quote(each, safe="")


def _body(message: Message, channel: Webhook) -> tuple[bytes, str]:
    """The body, and what it is."""
    template, event = channel.body_template, message.event
    if template is None or event["type"] == "several":
        return orjson.dumps(event), "application/json"
    value = template.render(values_of(event))
    if template.is_text:
        return str(value).encode(), "text/plain; charset=utf-8"
    return orjson.dumps(value), "application/json"


def _why(error: Exception) -> str:
    """Why there is no answer."""
    said = str(error).strip() or type(error).__name__
    lowered = said.lower()
    if isinstance(error, NotReachable):
        return said
    if "certificate" in lowered or "ssl" in lowered:
        return f"The certificate was not accepted: {said}"
    if isinstance(error, httpcore2.ConnectError):
        return f"No connection: {said}"
    if isinstance(error, httpcore2.RemoteProtocolError):
        return f"The answer is not HTTP, or the connection broke off: {said}"
    return f"The connection broke off: {said}"
