"""Messages to people: apprise in a process that may do nothing else."""

from __future__ import annotations

import asyncio
import email
import os
import signal
import sys
import zlib
from typing import Any

import pytest

import receivers
from alerting import event, rule
from receivers import hang, receiving
from vivienne.outbox import people
from vivienne.outbox.addresses import AllowedHosts
from vivienne.outbox.people import PeopleSender
from vivienne.outbox.people_process import Guard, Refused
from vivienne.outbox.secrets import Vault
from vivienne.outbox.sending import Attempt, Message

HERE = AllowedHosts.read("127.0.0.1")


def message(url: str, **changed: Any) -> Message:
    return Message("evt_1", event(), rule({"type": "apprise", "url": url, **changed}).channels[0])


async def sent(
    url: str, hosts: AllowedHosts | None = None, command: tuple[str, ...] | None = None, **changed: Any
) -> Attempt:
    more = {} if command is None else {"command": command}
    return await PeopleSender(Vault(None), HERE if hosts is None else hosts, **more).send(message(url, **changed))


def printing(code: str) -> tuple[str, ...]:
    """A process that does this in the place of apprise."""
    return (sys.executable, "-c", code)


async def test_a_message_arrives_with_its_title_and_text() -> None:
    async with receiving() as receiver:
        attempt = await sent(f"json://127.0.0.1:{receiver.port}/path", title="{{asset}} bangs")
    assert attempt.outcome == "delivered", attempt
    assert receiver.requests[0].json["title"] == "BTC bangs"
    assert receiver.requests[0].json["message"] == "BTC is at bang"


async def test_a_text_that_is_too_long_for_a_service_is_cut_and_not_refused_for_ever() -> None:
    async with receiving() as receiver:
        (channel,) = rule({"type": "apprise", "url": f"misskey://token@127.0.0.1:{receiver.port}/"}).channels
        told = Message("evt_1", event(text=f"All assets paused by ana: {'why ' * 300}"), channel)
        attempt = await PeopleSender(Vault(None), HERE).send(told)
    assert attempt.outcome == "delivered", attempt
    text = receiver.requests[0].json["text"]
    assert "All assets paused by ana: why" in text
    assert len(text) <= 512  # what Misskey takes


async def test_a_process_whose_parent_was_killed_ends_by_itself() -> None:
    """Otherwise it would be there for as long as its service likes, and one more after each crash."""
    code = "from vivienne.outbox import people_process as process; process._SECONDS = 1; process.main()"
    hanging = await asyncio.create_subprocess_exec(*printing(code), stdin=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(30):
            assert await hanging.wait() == -signal.SIGALRM
    finally:
        assert hanging.stdin is not None
        hanging.stdin.close()
        if hanging.returncode is None:
            hanging.kill()
            await hanging.wait()


async def test_an_address_of_this_machine_is_refused() -> None:
    async with receiving() as receiver:
        attempt = await sent(f"json://localhost:{receiver.port}/", AllowedHosts())
    assert attempt.outcome == "failed"
    assert "is not a public address, so nothing was sent" in attempt.answer
    assert receiver.requests == []


@pytest.mark.parametrize(
    "value", ["wJalrXUtnFEMI/K7MDENG", "user:hunter2hunter2", "a b://c", "://x", "wJalrXUtnFEMI+K7MDENG.bPxRfi://x"]
)
async def test_a_variable_that_is_no_url_of_a_service_is_shown_to_nobody(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_SECRET", value)
    attempt = await sent("env:SOME_SECRET")
    assert attempt.outcome == "failed"
    assert attempt.answer.startswith("The environment variable SOME_SECRET cannot be used: not a URL of a service")
    assert value not in attempt.answer
    monkeypatch.setenv("SOME_SECRET", "hunter2://hunter2")
    assert "hunter2" not in (await sent("env:SOME_SECRET")).answer


async def test_an_answer_that_repeats_the_secrets_of_the_url_is_kept_without_them() -> None:
    code = "import json,sys; print(json.dumps({'delivered': False, 'answer': 'no: ' + json.load(sys.stdin)['url']}))"
    attempt = await sent(
        "mailtos://my-secret-user:my%20secret%20word@mail.example/?to=my-secret-friend", None, printing(code)
    )
    assert attempt == Attempt("failed", "no: mailtos://***")


async def test_a_service_that_acts_on_this_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKTOP", "dbus://")
    attempt = await sent("env:DESKTOP")
    assert attempt.answer == (
        "The environment variable DESKTOP cannot be used: dbus:// acts on the machine of Vivienne and reaches nobody; "
        "choose another service"
    )


async def test_a_service_that_hangs_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "PROCESS_SECONDS", 0.5)
    async with receiving(hang) as receiver:
        attempt = await sent(f"json://127.0.0.1:{receiver.port}/")
    assert attempt == Attempt("failed", "The service did not answer within 0.5 s")


async def test_an_answer_that_unpacks_to_more_than_a_message_may_take_fails_it() -> None:
    """The libraries of services unpack it whole: 400 kB are 400 MB, and 20 MB would be all of a machine."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(400)) + packer.flush()
    async with receiving(receivers.answer(body=packed, content_encoding="gzip")) as receiver:
        attempt = await sent(f"json://127.0.0.1:{receiver.port}/")
    assert attempt == Attempt("failed", "The answer of the service takes more than 256 MB of memory, the limit")


async def test_what_others_wrote_is_text_in_a_mail_and_no_html() -> None:
    """An author or a reason that is HTML would hide what follows, or show a link."""
    mails: list[bytes] = []
    hostile = '<a href="//evil.example">Log in</a><script>'
    async with receivers.mail_server(mails) as port:
        url = f"mailto://ann:word@127.0.0.1:{port}?from=a@a.example&to=b@a.example&mode=insecure"
        (channel,) = rule({"type": "apprise", "url": url, "title": hostile}).channels
        told = Message("evt_1", event(text=f"changed by {hostile} (version 2)"), channel)
        attempt = await PeopleSender(Vault(None), HERE).send(told)
    assert attempt.outcome == "delivered", attempt
    found = email.message_from_bytes(mails[0])
    parts = {each.get_content_type(): each.get_payload(decode=True) for each in found.walk() if not each.is_multipart()}
    assert b"(version 2)" in parts["text/plain"]
    assert hostile.encode() in parts["text/plain"]
    assert b"<a" not in parts.get("text/html", b"")
    assert b"<script" not in parts.get("text/html", b"")


async def test_a_process_that_ends_without_an_answer_is_told() -> None:
    attempt = await sent("tgram://token/1", command=printing("import os; os._exit(3)"))
    assert attempt.outcome == "failed"
    assert attempt.answer.startswith("The process for the message ended with code")


async def test_an_answer_counts_as_soon_as_it_is_there_however_long_its_process_takes_to_end() -> None:
    code = """import json, time; print(json.dumps({"delivered": True, "answer": ""}), flush=True); time.sleep(600)"""
    assert (await sent("tgram://token/1", command=printing(code))).outcome == "delivered"


async def test_a_process_that_says_more_than_is_read_is_ended_and_takes_no_place_of_others() -> None:
    """What is left in its pipe would keep asyncio waiting for its end, now and then; so several are tried."""
    code = "print('x' * 10_000_000); import os; os._exit(3)"
    async with asyncio.timeout(60):
        for _ in range(8):
            assert (await sent("tgram://token/1", command=(sys.executable, "-S", "-c", code))).outcome == "failed"


async def test_secrets_of_others_and_the_url_are_not_in_the_environment_or_the_arguments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VIVIENNE_REDIS", "redis://:password@host")
    code = "import json,os,sys; print(json.dumps({'delivered': True, 'answer': str([*os.environ, *sys.argv])}))"
    attempt = await sent("tgram://token-of-a-bot/1", command=printing(code))
    assert "VIVIENNE" not in attempt.answer
    assert "token" not in attempt.answer


async def test_without_the_extra_a_sentence_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "find_spec", lambda _name: None)
    assert "pip install 'vivienne[alerts]'" in (await sent("tgram://token/1")).answer


@pytest.mark.parametrize(
    ("what", "values"),
    [
        ("socket.connect", (None, ("127.0.0.1", 80))),
        ("socket.connect", (None, ("localhost", 80))),
        ("socket.connect", (None, ("::ffff:10.0.0.1", 80, 0, 0))),
        ("socket.connect", (None, "/run/dbus/system_bus_socket")),
        ("socket.sendto", (None, ("169.254.169.254", 80))),
        ("open", ("/etc/passwd", "r", 0)),
        ("open", ("/usr/lib/../../etc/shadow", "r", 0)),
        ("open", ("/tmp/new", "w", os.O_WRONLY | os.O_CREAT)),  # noqa: S108
        ("subprocess.Popen", ("sh", [], None, None)),
        ("os.system", ("id",)),
        ("os.remove", ("/etc/hosts", -1)),
    ],
)
def test_a_message_may_not_reach_into_the_machine(what: str, values: tuple[Any, ...]) -> None:
    guard = Guard(AllowedHosts())
    with pytest.raises(Refused):
        guard(what, values)
    assert guard.refused


def test_a_message_may_reach_what_is_public_or_allowed() -> None:
    guard = Guard(AllowedHosts.read("localhost,10.0.0.0/8"))
    guard("socket.connect", (None, ("1.1.1.1", 443)))
    guard("socket.connect", (None, ("10.1.1.1", 443)))
    guard("socket.sendmsg", (None, None))
    guard("open", (os.__file__, "r", 0))
    guard("open", (3, "r", 0))
    guard("socket.getaddrinfo", ("localhost", 443, 0, 0, 0))
    guard("socket.connect", (None, ("127.0.0.1", 443)))
