"""An address is shown without its password, wherever somebody has put that."""

from __future__ import annotations

import pytest

from vivienne.addresses import shown_address


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("", ""),
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("redis://:s3cret@localhost:6379/0", "redis://***@localhost:6379/0"),
        ("redis://s3cret@[::1]", "redis://***@[::1]"),
        ("redis://localhost/0?password=s3cret", "redis://localhost/0"),
        ("unix://:s3cret@/run/redis.sock?db=1", "unix://***@/run/redis.sock"),
        ("POSTGRESQL://ann:s3cret@one,two:5433/v?password=s3cret", "postgresql://***@one,two:5433/v"),
        ("http://ann:s3cret@localhost:8000/desk/", "http://***@localhost:8000/desk/"),
        ("https://desk.example", "https://desk.example"),
    ],
)
def test_what_is_known_to_be_harmless_is_shown(address: str, shown: str) -> None:
    assert shown == shown_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "s3cret@localhost",
        "redis://ann:s3#cret@localhost",
        "redis://ann:s3/cret@localhost",
        "redis://ann:12/s3cret@localhost",
        "redis://s3?cret@localhost",
        "redis://ann:s3@cret@localhost",
        "redis://localhost:s3cret",
        "redis://localhost/s3cret",
        "redis://localhost/0#s3cret",
        "redis://localhost\ns3cret",
        "postgresql+psycopg://ann:s3cret@db/v",
        "postgresql:ann:s3cret@db/v",
        "host=db password=s3cret",
        "s3cret",
    ],
)
def test_anything_else_is_hidden_as_a_whole(address: str) -> None:
    assert shown_address(address) == "(hidden)"
