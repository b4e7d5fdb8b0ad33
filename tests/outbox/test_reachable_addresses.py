"""Addresses that alerts may be sent to."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from threading import Event

import pytest

from vivienne.outbox import addresses
from vivienne.outbox.addresses import AllowedHosts, NotReachable, is_public, resolved
from vivienne.outbox.resolving import MOST_AT_ONCE, Resolver


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0",  # noqa: S104
        "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "100.100.100.200",
        "169.254.169.254", "192.0.0.192", "192.0.2.1", "198.18.0.1", "203.0.113.1", "224.0.0.1", "239.1.1.1",
        "240.0.0.1", "255.255.255.255", "192.88.99.1", "168.63.129.16",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:7f00:1::", "100::1",
    ],
)  # fmt: skip
def test_an_address_of_a_machine_or_a_network_of_ours_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    ("address", "is_own"), [("127.0.0.1", True), ("127.8.8.8", True), ("9.9.9.9", False), ("2620:fe::fe", False)]
)
def test_a_public_address_that_this_machine_has_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch, *, is_own: bool
) -> None:
    """Programs that a firewall shields from outside would be reached. Those of the loopback stand for public ones."""
    monkeypatch.setattr(addresses, "is_public", lambda _: True)
    hosts = AllowedHosts()
    assert hosts.allow("bot.example", address) == (not is_own)
    if is_own:
        with pytest.raises(NotReachable, match=f"{address}. is an address of this machine, so nothing was sent"):
            hosts.allowed("bot.example", [address])
    assert AllowedHosts.read("bot.example").allow("bot.example", address)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost", "0"])
def test_other_ways_to_write_an_address_of_this_machine_gain_nothing(host: str) -> None:
    with pytest.raises(NotReachable, match=f"is not a public address.*--alert-hosts {host}"):
        AllowedHosts().allowed(host, resolved(host, 80))


def test_the_operator_allows_names_addresses_and_networks() -> None:
    hosts = AllowedHosts.read("127.0.0.1, Bot.internal, 10.1.0.0/16,[fd00::1]")
    assert hosts.allow("127.0.0.1", "127.0.0.1")
    assert hosts.allow("localhost", "::ffff:127.0.0.1")
    assert hosts.allow("bot.internal", "192.168.7.7")
    assert hosts.allow("BOT.internal.", "192.168.7.7")
    assert hosts.allow("other.internal", "10.1.2.3")
    assert hosts.allow("any", "fd00::1")
    assert not hosts.allow("other.internal", "10.2.0.1")
    assert not hosts.allow("localhost", "127.0.0.2")
    assert not hosts.allow("evil.bot.internal", "192.168.7.7")
    assert hosts.allowed("any", ["10.9.9.9", "10.1.1.1"]) == ["10.1.1.1"]
    assert AllowedHosts.read("::ffff:127.0.0.1, ::ffff:10.1.0.0/112") == AllowedHosts.read("127.0.0.1,10.1.0.0/16")
    assert AllowedHosts.read(str(hosts)) == hosts
    assert AllowedHosts.read("") == AllowedHosts()


@pytest.mark.parametrize("text", ["http://bot", "127.0.0.1:8080", "bot internal", "300.1.1.1", "10.0.0.0/99"])
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text.replace("[", r"\[")):
        AllowedHosts.read(f"127.0.0.1,{text}")


async def test_a_name_that_is_not_answered_keeps_no_other_waiting_and_is_looked_up_once() -> None:
    free, asked = Event(), []

    def look_up(host: str, _port: int) -> list[str]:
        asked.append(host)
        if host == "slow":
            free.wait(30)
        return ["1.1.1.1"]

    resolver = Resolver(look_up)
    slow = [asyncio.create_task(resolver.addresses("slow", 80)) for _ in range(20)]
    assert await resolver.addresses("quick", 80) == ["1.1.1.1"]
    assert await resolver.addresses("2606:4700::1", 80) == ["2606:4700::1"]
    slow[0].cancel()
    free.set()
    assert await asyncio.gather(*slow[1:]) == [["1.1.1.1"]] * 19
    assert sorted(asked) == ["quick", "slow"]


async def test_names_that_nobody_answers_for_keep_none_waiting_that_was_found_before() -> None:
    free = Event()

    def look_up(host: str, _port: int) -> list[str]:
        if host.startswith("slow"):
            free.wait(30)
        return ["1.1.1.1"]

    resolver = Resolver(look_up)
    assert await resolver.addresses("bot", 80) == ["1.1.1.1"]
    slow = [asyncio.create_task(resolver.addresses(f"slow{number}", 80)) for number in range(MOST_AT_ONCE)]
    await asyncio.sleep(0)
    with pytest.raises(NotReachable, match="DNS does not answer"):
        await resolver.addresses("new", 80)
    assert await resolver.addresses("bot", 80) == ["1.1.1.1"]
    free.set()
    await asyncio.gather(*slow)


async def test_a_name_that_is_unknown_is_told() -> None:
    with pytest.raises(NotReachable, match="cannot be resolved"):
        await Resolver().addresses("no-such-host.invalid", 80)
