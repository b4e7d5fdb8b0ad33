"""The way to an exchange: certificates, names, proxies, and how often it is tried."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from exchange_watching import IMPATIENT, SECONDS, check, followed
from fake_exchange import FakeExchange, FakeMarket
from vivienne.market.feeds.exchange.patience import full_jitter
from vivienne.settings.boot import SETTINGS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="it needs openssl")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody trusts, and its key, in one file."""
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    made = subprocess.run(
        [
            str(OPENSSL), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
            "-keyout", "-", "-out", "-",
        ],
        capture_output=True, timeout=SECONDS, check=True,
    )  # fmt: skip
    file.write_bytes(made.stdout)
    return file


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@needs_openssl
async def test_a_certificate_that_is_trusted_is_enough_for_rest_and_the_stream(
    tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    market = FakeMarket()
    async with FakeExchange("okx", market, tls) as exchange, followed(exchange, "okx") as (_, (watching,)):
        await watching.until(2)
        check(watching, market)


@needs_openssl
async def test_a_certificate_that_is_not_trusted_is_said(tls: ssl.SSLContext) -> None:
    async with FakeExchange("okx", FakeMarket(), tls) as exchange, followed(exchange, "okx") as (_, (watching,)):
        said = await watching.until_trouble("certificate")
        assert "the certificate of OKX was not accepted" in said
        assert "own CA" in said


async def test_a_name_that_does_not_resolve_is_said() -> None:
    async with (
        FakeExchange("okx", FakeMarket()) as exchange,
        followed(exchange, "okx", url="http://exchange.invalid:1") as (_, (watching,)),
    ):
        assert "HTTPS_PROXY" in await watching.until_trouble("the name of OKX cannot be resolved")


async def test_an_exchange_that_goes_away_is_said_once_it_lasts() -> None:
    market = FakeMarket()
    async with FakeExchange("okx", market) as exchange, followed(exchange, "okx") as (_, (watching,)):
        await watching.until(2)
        await exchange.stop()
        await watching.wait(lambda: watching.troubles[-1] is not None)
        await exchange.start()
        await watching.wait(lambda: watching.troubles[-1] is None)
        await watching.until(6)
        check(watching, market)


@asynccontextmanager
async def proxy(*, refuses: bool = False) -> AsyncIterator[tuple[str, list[str]]]:
    """A proxy that opens tunnels, and what it was asked for."""
    asked: list[str] = []
    tasks: set[asyncio.Task[None]] = set()

    async def copied(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError):
                while part := await source.read(65_536):
                    sink.write(part)
                    await sink.drain()
        finally:
            sink.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(head.splitlines()[0])
        if refuses:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        host, _, port = head.split()[1].rpartition(":")
        there, back = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        for each in (copied(reader, back), copied(there, writer)):
            task = asyncio.create_task(each)
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def without_exceptions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses of this machine are reached through a proxy too."""
    for name in ("NO_PROXY", "no_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@needs_openssl
@pytest.mark.usefixtures("without_exceptions")
async def test_the_proxy_of_the_environment_is_used_for_rest_and_the_stream(
    tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    market = FakeMarket()
    async with proxy() as (url, asked), FakeExchange("okx", market, tls) as exchange:
        monkeypatch.setenv("HTTPS_PROXY", url)
        async with followed(exchange, "okx") as (feed, (watching,)):
            await watching.until(3)
            check(watching, market)
            connects = sum(stream.counts.connects for stream in feed.streams)
            assert set(asked) == {f"CONNECT {exchange.url.removeprefix('https://')} HTTP/1.1"}
            assert len(asked) > connects >= 1


@needs_openssl
@pytest.mark.usefixtures("without_exceptions")
async def test_a_proxy_that_refuses_is_said(tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    async with proxy(refuses=True) as (url, _), FakeExchange("okx", FakeMarket(), tls) as exchange:
        monkeypatch.setenv("HTTPS_PROXY", url)
        async with followed(exchange, "okx") as (_feed, (watching,)):
            assert "407" in await watching.until_trouble("the proxy in HTTPS_PROXY refuses")


@pytest.mark.usefixtures("without_exceptions")
async def test_a_proxy_that_cannot_be_reached_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeExchange("okx", FakeMarket()) as exchange:
        async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
            where = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for kind in ("http_proxy", "HTTPS_PROXY", "ws_proxy"):
            monkeypatch.setenv(kind, f"http://ana:s3cret@{where}")
        async with followed(exchange, "okx") as (feed, (watching,)):
            said = await watching.until_trouble(f"through the proxy {where} (HTTPS_PROXY), which cannot be reached")
            assert "s3cret" not in said
            for each in ("http_proxy", "HTTPS_PROXY"):
                monkeypatch.delenv(each)
        monkeypatch.delenv("ws_proxy", raising=False)
        async with followed(exchange, "okx") as (feed, (watching,)):
            await watching.until(1)
            monkeypatch.setenv("ws_proxy", f"http://ana:s3cret@{where}")
            exchange.cut()
            said = await watching.until_trouble(f"through the proxy {where}")
            assert ("s3cret" in said, feed.contact("BTC").state) == (False, "reconnecting")


async def test_an_address_may_be_in_any_case() -> None:
    async with FakeExchange("okx", FakeMarket()) as exchange:
        url = SETTINGS["exchange_url"].read(exchange.url.upper())
        async with followed(exchange, "okx", url=url) as (_, (watching,)):
            await watching.until(2)


def test_waits_between_tries_are_random_and_grow_up_to_a_minute() -> None:
    for tries, bound in ((0, 0.5), (1, 1.0), (4, 8.0), (7, 60.0), (1_000_000, 60.0)):
        waits = [full_jitter(tries, 0.5) for _ in range(200)]
        assert 0 <= min(waits) < bound / 4
        assert bound * 3 / 4 < max(waits) <= bound


async def test_waits_begin_anew_once_there_was_data(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def pause(_: object, tries: int, longest: float = 0.0) -> float:
        del longest
        tried.append(tries)
        return 0.001

    market = FakeMarket()
    async with FakeExchange("binance", market) as exchange, followed(exchange, "binance") as (_, (watching,)):
        await watching.until(2)
        monkeypatch.setattr(type(IMPATIENT), "pause", pause)
        exchange.faults.status = 503
        exchange.cut()
        async with asyncio.timeout(SECONDS):
            while max(tried, default=0) < 4:  # noqa: ASYNC110  # the exchange has no event for it
                await asyncio.sleep(0.005)
        exchange.faults.status = 0
        await watching.until(6)
        tried.clear()
        exchange.cut()
        await watching.until(len(watching.minutes) + 2)
        assert tried[0] == 0
