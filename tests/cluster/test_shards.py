"""Which agent decides which asset."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivienne.cluster.shards import Shard
from vivienne.errors import SettingsError

assets = st.lists(st.from_regex(r"[A-Z][A-Z0-9]{0,9}", fullmatch=True), unique=True, max_size=60).map(tuple)
counts = st.integers(1, 12)


def shares(of: tuple[str, ...], count: int) -> list[tuple[str, ...]]:
    return [Shard(number, count).share(of) for number in range(1, count + 1)]


@given(assets, counts)
def test_every_asset_has_one_agent(of: tuple[str, ...], count: int) -> None:
    assert sorted(of) == sorted(asset for share in shares(of, count) for asset in share)


@given(assets, counts)
def test_with_one_more_agent_assets_move_to_it_and_nowhere_else(of: tuple[str, ...], count: int) -> None:
    for before, after in zip(shares(of, count), shares(of, count + 1), strict=False):
        assert set(after) <= set(before)


def test_shares_are_about_as_large_as_each_other() -> None:
    sizes = [len(share) for share in shares(tuple(f"ASSET{number}" for number in range(10_000)), 10)]
    assert 900 <= min(sizes)
    assert max(sizes) <= 1_100


def test_the_order_of_assets_stays() -> None:
    of = ("ZEC", "BTC", "ADA", "XRP")
    for share in shares(of, 2):
        assert list(share) == sorted(share, key=of.index)


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "-1/2", "1/2/3", "one/two", "1 / 2", "1.0/2"])
def test_what_is_no_share_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SettingsError, match="as in 1/2 for the first of two"):
        Shard.read(text)


def test_a_share_is_read_as_it_is_written() -> None:
    assert "2/3" == str(Shard.read("2/3"))


def test_one_agent_is_first_to_tell_of_an_asset_and_it_is_the_one_that_decides_it() -> None:
    assets = [f"A{number}" for number in range(30)]
    for count in (1, 2, 5):
        agents = [Shard(number, count) for number in range(1, count + 1)]
        for asset in (None, *assets):
            assert sorted(agent.after(asset) for agent in agents) == list(range(count))
            first = next(agent for agent in agents if not agent.after(asset))
            assert first.number == 1 if asset is None else first.share([asset])
