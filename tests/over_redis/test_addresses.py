"""Addresses with a password in them: what is wrong is said, the password never."""

from __future__ import annotations

import asyncio

import pytest

from vivienne.errors import SettingsError
from vivienne.redis.address import redis_address
from vivienne.redis.link import RedisLink
from vivienne.settings.boot import Boot


@pytest.mark.parametrize(
    "address",
    [
        "redis://localhost",
        "redis://localhost:6379/",
        "redis://localhost:6379/15",
        "redis://user:pass%2Fword@cache.example:6380/1",
        "rediss://:secret@cache.example?ssl_ca_certs=/etc/ca.pem",
        "redis://[::1]:6379",
        "unix:///run/redis/redis.sock?db=2",
    ],
)
def test_an_address_of_a_redis_is_taken_as_it_is(address: str) -> None:
    assert address == redis_address("--redis", address)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("localhost:6379", "must begin with redis://"),
        ("s3cr3t@localhost", "must begin with redis://"),
        ("http://:s3cr3t@localhost", "must begin with redis://"),
        ("redis://", "the host is missing"),
        ("redis://:s3cr3t@", "the host is missing"),
        ("redis://localhost:0", "the port is 0"),
        ("redis://localhost:s3cr3t", "the port must be a number"),
        ("redis://localhost:99999", "the port must be a number"),
        ("redis://:s3/cr3t@localhost", "as %2F"),
        ("redis://:s3cr3t@localhost/first", "the number of a database"),
        ("redis://localhost/0#s3cr3t", "%23"),
        ("redis://localhost?password=s3cr3t", "only db and ssl_"),
        ("redis://localhost?decode_responses=true", "only db and ssl_"),
        ("unix://", "the path of the socket is missing"),
    ],
)
def test_what_is_no_address_is_refused_without_showing_it(address: str, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        redis_address("--redis", address)
    assert words in str(caught.value)
    assert "s3" not in str(caught.value)
    assert "cr3t" not in str(caught.value)


def test_settings_do_not_show_the_password_when_they_are_printed() -> None:
    boot = Boot.read(redis="redis://:s3cr3t@localhost")

    assert boot.redis == "redis://:s3cr3t@localhost"
    assert "s3cr3t" not in repr(boot)


@pytest.mark.parametrize("name", ["", "two words", "a" * 101, "Steuerbefehlskanäle"])
def test_a_wrong_name_of_the_control_channel_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="--redis-control"):
        Boot.read(redis="redis://localhost", redis_control=name)


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("localhost", "nothing listens at its address; start Redis, or correct --redis"),
        ("nowhere.invalid", "its host is unknown"),
    ],
)
async def test_a_redis_that_is_absent_is_said_with_its_address_and_what_to_do(
    unused_port: int, host: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    link = RedisLink(f"redis://:s3cr3t@{host}:{unused_port}/0", [])
    running = asyncio.create_task(link.run())
    try:
        async with asyncio.timeout(20):
            while not caplog.records:  # noqa: ASYNC110  # a record has no event
                await asyncio.sleep(0.01)
    finally:
        running.cancel()
        await asyncio.wait([running])
        await link.close()

    message = caplog.records[0].getMessage()
    assert message.startswith(f"Cannot connect to Redis at redis://***@{host}:{unused_port}/0: {words}")
    assert "s3cr3t" not in f"{message} {link.trouble}"
