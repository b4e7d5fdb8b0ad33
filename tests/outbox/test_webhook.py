"""Webhooks, sent to real receivers."""

from __future__ import annotations

import asyncio
import base64
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from standardwebhooks import Webhook as Signing

from alerting import SECRET, event, rule, webhook
from receivers import Receiver, Request, answer, certificate, receiving, reset
from vivienne.outbox import webhook as module
from vivienne.outbox.addresses import AllowedHosts
from vivienne.outbox.resolving import Resolver
from vivienne.outbox.secrets import Vault
from vivienne.outbox.sending import Message
from vivienne.outbox.webhook import WebhookSender, retry_after

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from vivienne.outbox.sending import Attempt

HERE = AllowedHosts.read("127.0.0.1")


def message(url: str, number: int = 1, **changed: Any) -> Message:
    return Message(f"evt_{number}", event(number), rule(webhook(url, **changed)).channels[0])


async def sent(url: str, hosts: AllowedHosts = HERE, resolver: Resolver | None = None, **changed: Any) -> Attempt:
    sender = WebhookSender(Vault(None), hosts, resolver=resolver)
    try:
        return await sender.send(message(url, **changed))
    finally:
        await sender.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as found:
        yield found


async def test_an_alert_arrives_signed(receiver: Receiver) -> None:
    attempt = await sent(receiver.url("/hook?a=b%20c"), headers={"Authorization": "Bearer of-the-bot"})
    assert (attempt.outcome, attempt.status_code, attempt.answer) == ("delivered", 200, "ok")
    [request] = receiver.requests
    assert Signing(SECRET).verify(request.body, request.headers) == event()
    assert request.target == "/hook?a=b%20c"
    assert request.headers["webhook-id"] == "evt_1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == "Bearer of-the-bot"
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert request.headers["user-agent"].startswith("vivienne/")


async def test_a_body_template_is_sent_in_the_place_of_the_alert(receiver: Receiver) -> None:
    body = {"action": "{{side|long=buy,short=sell}}", "size": "{{position_size}}"}
    await sent(receiver.url(), body=body)
    await sent(receiver.url(), body="{{asset}} {{side}}")
    first, second = receiver.requests
    assert first.json == {"action": "buy", "size": 10.0}
    assert (second.body, second.headers["content-type"]) == (b"BTC long", "text/plain; charset=utf-8")


async def test_connections_are_kept(receiver: Receiver) -> None:
    sender = WebhookSender(Vault(None), HERE)
    for number in range(3):
        await sender.send(message(receiver.url(), number))
    await sender.close()
    assert {request.connection for request in receiver.requests} == {1}


@pytest.mark.parametrize(
    ("status", "headers", "outcome", "wait"),
    [
        (204, {}, "delivered", None),
        (302, {"location": "http://127.0.0.1:1/"}, "failed", None),
        (400, {"retry_after": "7"}, "failed", None),
        (410, {}, "gone", None),
        (429, {"retry_after": "7"}, "failed", 7.0),
        (503, {"retry_after": "999999999999"}, "failed", 3_600.0),
        (503, {"retry_after": "Sun, 06 Nov 99999999999999999999 08:49:37 GMT"}, "failed", None),
        (500, {}, "failed", None),
    ],
)
async def test_the_status_says_what_came_of_it(
    status: int, headers: dict[str, str], outcome: str, wait: float | None
) -> None:
    async with receiving(answer(status, b"ok", **headers)) as receiver:
        attempt = await sent(receiver.url())
    assert (attempt.outcome, attempt.status_code, attempt.retry_after) == (outcome, status, wait)
    assert len(receiver.requests) == 1


async def test_a_redirect_into_the_private_network_is_not_followed(receiver: Receiver) -> None:
    async with receiving(answer(307, location=receiver.url())) as public:
        attempt = await sent(public.url())
    assert attempt.answer == "The receiver redirects to another address, which is not followed; enter that address. ok"
    assert receiver.requests == []


def test_retry_after_may_be_a_date_and_is_bounded() -> None:
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert retry_after("Thu, 01 Jan 2026 12:01:00 GMT", now) == 60
    assert retry_after("Thu, 01 Jan 2026 11:00:00 GMT", now) == 0
    assert retry_after("Thu, 01 Jan 2099 11:00:00 GMT", now) == 3_600
    assert [retry_after(text, now) for text in ("", "soon", "-5", "1.5", "٣")] == [None] * 5


async def test_a_long_answer_is_not_read_and_its_beginning_is_kept_fit_for_a_terminal() -> None:
    async with receiving(answer(200, b"\x1b[31m\r\n\xff" + b"x" * 1_000_000)) as receiver:
        attempt = await sent(receiver.url())
    assert attempt.outcome == "delivered"
    assert attempt.answer.startswith(r"\x1b[31m\r\n�xxx")
    assert len(attempt.answer) <= 300


@pytest.mark.parametrize(
    ("value", "is_sent"), [("Bearer secret\n", True), ("Bearer\nsecret", False), ("sécret", False)]
)
async def test_a_variable_is_a_header_or_is_shown_to_nobody(
    value: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, *, is_sent: bool
) -> None:
    monkeypatch.setenv("VIVIENNE_ALERT_KEY_OF_BOT", value)
    attempt = await sent(receiver.url(), headers={"Authorization": "env:VIVIENNE_ALERT_KEY_OF_BOT"})
    assert (attempt.outcome == "delivered") is is_sent
    assert [request.headers["authorization"] for request in receiver.requests] == ["Bearer secret"] * is_sent
    assert "cret" not in attempt.answer
    assert is_sent or "The environment variable VIVIENNE_ALERT_KEY_OF_BOT cannot be used" in attempt.answer


async def test_an_answer_that_repeats_secrets_is_kept_without_them() -> None:
    async def echo(request: Request, writer: asyncio.StreamWriter) -> None:
        await answer(500, f"{request.target} {request.headers['x-key']}".encode())(request, writer)

    async with receiving(echo) as receiver:
        attempt = await sent(receiver.url("/hooks/T0K3N-of-mine?key=other-token"), headers={"X-Key": "my-key-value"})
    assert attempt.answer == "***?*** ***"


async def test_an_answer_that_repeats_what_signs_or_what_is_behind_base64_is_kept_without_it() -> None:
    """A receiver may show its settings where it fails, and viewers read answers."""
    told = base64.b64encode(b"ana:pass word")
    bare = SECRET.removeprefix("whsec_")
    raw = base64.b64decode(bare)
    spelled = base64.urlsafe_b64encode(raw).decode(), raw.hex(), bare.replace("/", r"\/"), quote(bare, safe="")
    settings = " ".join((SECRET, bare, "pass word", *spelled)).encode()

    async with receiving(answer(500, settings)) as receiver:
        attempt = await sent(receiver.url(), headers={"Authorization": f"Basic {told.decode()}"})
    assert attempt.answer == " ".join(["***"] * 7)


async def test_a_receiver_that_hangs_or_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def trickle(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nx-pad: ")
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.01)

    monkeypatch.setattr(module, "ATTEMPT_SECONDS", 0.2)
    async with receiving(trickle) as receiver:
        attempt = await sent(receiver.url())
    assert (attempt.outcome, attempt.answer) == ("failed", "No answer within 0.2 s")


async def test_what_follows_the_status_of_a_delivery_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def endless(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n")
        await asyncio.Event().wait()

    monkeypatch.setattr(module, "BODY_SECONDS", 0.05)
    async with receiving(endless) as receiver:
        attempt = await sent(receiver.url())
    assert (attempt.outcome, attempt.answer) == ("delivered", "ok")


@pytest.mark.parametrize("text", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 50_000, b""])
async def test_what_is_no_answer_fails(text: bytes) -> None:
    async def nonsense(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        writer.close()

    async with receiving(nonsense) as receiver:
        attempt = await sent(receiver.url())
    assert attempt.outcome == "failed"
    assert attempt.answer


async def test_a_connection_that_is_reset_or_refused_fails() -> None:
    async with receiving(reset) as receiver:
        assert (await sent(receiver.url())).outcome == "failed"
    assert (await sent("http://127.0.0.1:1/hook")).answer.startswith("No connection")


async def test_a_private_address_is_refused_before_anything_is_sent(receiver: Receiver) -> None:
    for host in ("127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]", "0.0.0.0"):  # noqa: S104
        attempt = await sent(receiver.url(host=host), AllowedHosts())
        assert "is not a public address, so nothing was sent" in attempt.answer
    assert receiver.requests == []


async def test_a_name_that_resolves_to_another_address_afterwards_gains_nothing(receiver: Receiver) -> None:
    """The address that is connected to is the one that was checked."""
    answers = [["203.0.113.9", "127.0.0.1"], ["127.0.0.2"]]
    resolver = Resolver(lambda _host, _port: answers.pop(0))
    first = await sent(receiver.url(host="rebinding.example"), HERE, resolver)
    second = await sent(receiver.url(host="rebinding.example"), HERE, resolver)
    assert (first.outcome, second.outcome) == ("delivered", "failed")
    assert receiver.requests[0].headers["host"] == f"rebinding.example:{receiver.port}"


async def test_certificates_are_verified_for_the_name_of_the_host(tmp_path: Path) -> None:
    server, trusting = certificate(tmp_path, "bot.example")
    resolver = Resolver(lambda _host, _port: ["127.0.0.1"])

    async def outcome(receiver: Receiver, host: str, trusted: ssl.SSLContext) -> Attempt:
        sender = WebhookSender(Vault(None), HERE, resolver=resolver, trusted=lambda: trusted)
        try:
            return await sender.send(message(receiver.url(host=host)))
        finally:
            await sender.close()

    async with receiving(tls=server) as receiver:
        assert (await outcome(receiver, "bot.example", trusting)).outcome == "delivered"
        for wrong in (
            await outcome(receiver, "other.example", trusting),
            await outcome(receiver, "bot.example", ssl.create_default_context()),
        ):
            assert wrong.answer.startswith("The certificate was not accepted")
    assert len(receiver.requests) == 1


async def test_proxies_of_the_environment_are_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert (await sent(receiver.url())).outcome == "delivered"


async def test_a_secret_that_is_missing_is_told_by_the_name_of_its_variable(receiver: Receiver) -> None:
    attempt = await sent("env:NO_SUCH_VARIABLE")
    assert attempt.answer.startswith("The environment variable NO_SUCH_VARIABLE is not set")
    attempt = await sent(receiver.url(), secret="env:NO_SUCH_SECRET")  # noqa: S106
    assert attempt.answer.startswith("The environment variable NO_SUCH_SECRET is not set")
    assert receiver.requests == []


@pytest.mark.parametrize("url", ["ftp://bot.example", "nothing", "http://", "http://bot.example:99999/", "http://a b/"])
async def test_a_variable_that_is_no_url_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT", url)
    attempt = await sent("env:BOT")
    assert attempt.outcome == "failed"
    assert attempt.answer
