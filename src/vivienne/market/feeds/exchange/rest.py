"""Asks an exchange over HTTP, within what it allows, and takes its refusals to heart.

One budget for a host: every request waits for its turn. After a refusal nobody asks before the time the exchange named;
errors that pass are tried again with growing, random waits.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx2
import orjson

from vivienne.market.feeds.exchange.adapter import Advice, UnknownMessage
from vivienne.market.feeds.exchange.budget import Budget
from vivienne.market.feeds.exchange.fields import check_parts, understood
from vivienne.market.feeds.exchange.market_list import MarketList
from vivienne.market.feeds.exchange.patience import Patience
from vivienne.market.feeds.exchange.proxies import check_proxies, proxy_of
from vivienne.market.feeds.exchange.reading import read_in_pieces
from vivienne.market.feeds.exchange.trust import trusted
from vivienne.market.feeds.exchange.turns import Turns
from vivienne.market.types import END_OF_TIME_MS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from types import TracebackType

    from vivienne.market.feeds.exchange.adapter import Adapter, Request

_log = logging.getLogger(__name__)
_Read = TypeVar("_Read")

TIMEOUT_SECONDS = 10.0
_WHOLE_SECONDS = 60.0
"""Longest time for a whole answer, however its bytes trickle in."""
MOST_BYTES = 2 * 1024 * 1024
"""Largest answer that is read, also unpacked: ten times a page of candles."""
MOST_LISTED_BYTES = 32 * 1024 * 1024
"""That of the list of all markets, on all of its pages; the longest there is has half of it."""
_MOST_PARTS = 5_000
"""Most objects and lists in an answer; the longest page has 1,000 candles or trades."""
_UNPACKED_BYTES = 64 * 1024
"""What is unpacked at once."""
_GZIP = 31
"""What zlib calls its format."""
LONGEST_OBEYED_SECONDS = 3_600.0
"""Longest wait that an exchange can ask for; after it, it is asked whether it still holds."""
_TRIES = 5
_MOST_CONNECTIONS = 4
_HEADERS = {"User-Agent": "vivienne", "Accept": "application/json", "Accept-Encoding": "gzip"}

_LONG_SECONDS = 10.0
"""Nobody needs to be told of a shorter wait."""


class Refused(Exception):
    """The exchange gives no answer.

    Attributes:
        advice: what to do about it.
    """

    def __init__(self, advice: Advice) -> None:
        super().__init__(advice.reason)
        self.advice = advice


class Rest:
    """The REST side of an exchange. Use it as an async context manager.

    Args:
        adapter: of the exchange.
        url: scheme and host in place of the exchange's own.
        patience: how long it waits between tries.
        waits: takes why no request is made for a while, where that is long.

    Attributes:
        turns: of the exchange, which its streams share.
    """

    def __init__(
        self,
        adapter: Adapter,
        url: str | None = None,
        patience: Patience | None = None,
        waits: Callable[[str], None] | None = None,
    ) -> None:
        self.turns = Turns()
        self._waits = waits
        self._adapter = adapter
        self._patience = patience or Patience()
        self._budget = Budget(adapter.limits.weight_per_minute, burst=adapter.limits.burst)
        self._url = url or adapter.rest
        of_all = (adapter.time_request(), adapter.instruments_request(), adapter.status_request())
        self._paths = {request.path for request in of_all if request is not None}
        self._client = self._opened()

    def _opened(self) -> httpx2.AsyncClient:
        # Proxies are taken from the environment; elsewhere it is never sent.
        check_proxies()
        limits = httpx2.Limits(max_connections=_MOST_CONNECTIONS)
        client = httpx2.AsyncClient(
            base_url=self._url, timeout=TIMEOUT_SECONDS, limits=limits, headers=_HEADERS, follow_redirects=False,
            verify=trusted(),
        )  # fmt: skip
        read_in_pieces(client, self.turns)
        return client

    async def __aenter__(self) -> Self:
        if self._client.is_closed:  # it is used again
            self._client = self._opened()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def get(self, request: Request, *, tries: int = _TRIES) -> Any:
        """The answer, decoded from JSON.

        Args:
            request: what to ask for.
            tries: how often it is tried, where an error may pass.

        Raises:
            Refused: there is no answer, or none that can be read.
        """
        return await self._tried(tries, request, self._answer, MOST_BYTES)

    async def time(self, *, tries: int = _TRIES) -> int:
        """The exchange's time, in ms since the epoch.

        Raises:
            Refused: there is no answer, or it is not a valid time.
        """
        found: int = answer_of(self._adapter.time, await self.get(self._adapter.time_request(), tries=tries))
        if not 0 <= found < END_OF_TIME_MS:
            raise Refused(Advice("retry", f"{self._adapter.title} sent an invalid time: {found:,} ms since 1970"))
        return found

    async def markets(self, request: Request, most: int) -> MarketList:
        """The list of markets in an answer.

        Args:
            request: what to ask for.
            most: number of bytes that are read.

        Raises:
            Refused: there is no answer, or none that can be read.
        """
        return await self._tried(_TRIES, request, self._listed, most)

    async def _tried(
        self, tries: int, request: Request, read: Callable[[bytearray], Awaitable[tuple[Any, _Read]]], most: int
    ) -> _Read:
        for number in range(tries):
            try:
                return await self._once(request, read, most)
            except Refused as refused:
                advice = refused.advice
                if advice.then == "wait":
                    self._wait(advice)
                if advice.then == "give_up" or number == tries - 1:
                    raise
                if advice.then == "retry":
                    await asyncio.sleep(self._patience.pause(number))
        raise AssertionError("unreachable: the last try raises")

    def _wait(self, advice: Advice) -> None:
        self._budget.block(advice.seconds)
        said = f"{advice.reason}; the next request waits {advice.seconds:.0f} s"
        _log.warning("%s", said)
        if advice.seconds >= _LONG_SECONDS and self._waits is not None:
            self._waits(said)

    async def _once(
        self, request: Request, read: Callable[[bytearray], Awaitable[tuple[Any, _Read]]], most: int
    ) -> _Read:
        await self._budget.take(request.weight)
        try:
            async with (
                asyncio.timeout(_WHOLE_SECONDS),
                self._client.stream("GET", request.path, params=dict(request.query)) as answer,
            ):
                content = await _content(answer, most, self.turns)
                status, retry_after = answer.status_code, _retry_after(answer)
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
            raise Refused(Advice("retry", unreachable(self._adapter.title, error, self._url))) from error
        too_much, body = "", None
        try:
            body, found = await read(content)
        except UnknownMessage as error:
            too_much = str(error)
        del content  # it may be long, and errors are kept for a while
        if status == HTTPStatus.NOT_FOUND and request.path in self._paths:  # no market was asked for
            reason = f"{self._adapter.title} answers 404 for {request.path}; is the host right (--exchange-url)?"
            raise Refused(Advice("give_up", reason))
        advice = answer_of(self._adapter.advice, status, retry_after, body)
        if advice is not None:
            raise Refused(advice)
        if too_much:
            reason = f"an answer of {self._adapter.title} could not be read: {too_much}"
            raise Refused(Advice("retry", reason, concerns="instrument"))
        if body is None:
            raise Refused(Advice("retry", f"{self._adapter.title} answered with something that is not JSON"))
        return found

    async def _answer(self, content: bytearray) -> tuple[Any, Any]:
        check_parts(content, _MOST_PARTS)
        try:
            body = orjson.loads(content)
        except orjson.JSONDecodeError:
            body = None
        return body, body

    async def _listed(self, content: bytearray) -> tuple[Any, MarketList]:
        found = MarketList(content, self._adapter.markets_at)
        for _ in found.find():
            await self.turns.rest()
        return found.around, found


async def _content(answer: httpx2.Response, most: int, turns: Turns) -> bytearray:
    """The body, unpacked a little at a time; others have their turn between.

    Raises:
        Refused: it is too long, or packed in another way than was asked for.
    """
    encoding = answer.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip"):
        reason = f"an answer is encoded as {encoding[:50]!r}, which was not asked for"
        raise Refused(Advice("retry", reason, concerns="instrument"))
    content = bytearray()
    unpacking = zlib.decompressobj(_GZIP) if encoding == "gzip" else None
    read = 0
    async for raw in answer.aiter_raw():  # in pieces as they come
        read += len(raw)
        for part in [raw] if unpacking is None else _unpacked(unpacking, raw):
            content += part
            if max(read, len(content)) > most:
                raise Refused(Advice("give_up", f"an answer of more than {most:,} bytes", concerns="instrument"))
            await turns.rest()
    return content


def _unpacked(unpacking: zlib._Decompress, raw: bytes) -> Iterator[bytes]:
    """What some bytes come to, piece by piece; what follows the end of the body is left out.

    Raises:
        Refused: they are not gzip.
    """
    while raw:
        try:
            yield unpacking.decompress(raw, _UNPACKED_BYTES)
        except zlib.error as error:
            reason = f"an answer is not gzip, as it says: {error}"
            raise Refused(Advice("retry", reason, concerns="instrument")) from error
        raw = unpacking.unconsumed_tail


def _retry_after(answer: httpx2.Response) -> float | None:
    """Seconds of `Retry-After`; None where it is absent."""
    return seconds_of(answer.headers.get("retry-after", ""), answer.headers.get("date", ""))


def seconds_of(said: str, date: str = "") -> float | None:
    """Seconds to wait, as a header says them, at most an hour; None where it says nothing that can be obeyed.

    Args:
        said: a number of seconds, or the time of HTTP until which to wait.
        date: the time of HTTP at which the answer was given. The clock of this machine may be wrong.
    """
    if said.isascii() and said.isdecimal():
        return min(float(said), LONGEST_OBEYED_SECONDS)
    try:
        seconds = (parsedate_to_datetime(said) - parsedate_to_datetime(date)).total_seconds()
    except (TypeError, ValueError, OverflowError):  # also where only one of them has a zone
        return None
    return min(seconds, LONGEST_OBEYED_SECONDS) if seconds > 0 else None


def unreachable(title: str, error: Exception, url: str) -> str:
    """Why an exchange cannot be reached, in words for the person who runs the agent.

    Args:
        title: of the exchange.
        error: what went wrong.
        url: where it is.
    """
    proxy = proxy_of(url)
    said = str(error) or type(error).__name__
    lowered = said.lower()
    if isinstance(error, TimeoutError | httpx2.TimeoutException):
        through = "" if proxy is None else f" through the proxy {proxy}"
        return f"{title} does not answer within {TIMEOUT_SECONDS:.0f} s{through}"
    if "certificate" in lowered or "ssl" in lowered:
        return f"the certificate of {title} was not accepted ({said}); a proxy that reads along may need its own CA"
    if proxy is not None and isinstance(error, OSError | httpx2.ConnectError):
        return f"{title} is to be reached through the proxy {proxy} (HTTPS_PROXY), which cannot be reached: {said}"
    if any(words in lowered for words in ("name or service", "name resolution", "nodename", "no address")):
        return f"the name of {title} cannot be resolved; is there a network, and does it need a proxy (HTTPS_PROXY)?"
    if isinstance(error, httpx2.ProxyError) or "proxy" in lowered:
        return f"the proxy in HTTPS_PROXY refuses: {said}"
    return f"{title} cannot be reached: {said}"


def answer_of(parse: Callable[..., Any], *about: Any) -> Any:
    """Parse an answer.

    Raises:
        Refused: it has a shape that is not known.
    """
    try:
        return understood(parse, *about)
    except UnknownMessage as error:
        raise Refused(Advice("retry", f"an answer could not be read: {error}", concerns="instrument")) from error
