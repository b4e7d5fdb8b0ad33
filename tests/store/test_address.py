"""Where a database is can be told from a file, and be shown without what is secret in it."""

from __future__ import annotations

import pytest

from vivienne.errors import SettingsError
from vivienne.store.address import PostgresUrl


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://ann@db.example/vivienne", "postgresql://***@db.example/vivienne"),
        ("postgresql://ann:s3cret@db.example:5433/vivienne", "postgresql://***@db.example:5433/vivienne"),
        ("postgres://ann:s3cret@[::1]:5432/v", "postgres://***@[::1]:5432/v"),
        ("postgresql://ann:p%40ss%2F@one,two:5433/v?target_session_attrs=primary", "postgresql://***@one,two:5433/v"),
        ("postgresql:///v?host=/run/postgresql&password=s3cret", "postgresql:///v"),
        ("postgresql://db.example", "postgresql://db.example"),
        ("postgresql://", "postgresql://"),
    ],
)
def test_an_address_is_shown_without_user_password_and_options(text: str, shown: str) -> None:
    url = PostgresUrl.read(text)

    assert url is not None
    assert url.uri == text
    assert str(url) == shown
    assert "s3cret" not in repr(url)


@pytest.mark.parametrize(
    "text", ["", "vivienne.db", "~/postgresql/v.db", "/postgresql://x", "./postgres:", "C:\\v.db", "/a@b=c/v.db"]
)
def test_anything_else_is_no_address(text: str) -> None:
    assert PostgresUrl.read(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "postgresql:ann:s3cret@db/v",
        "postgresql:/ann:s3cret@db/v",
        "postgresql://ann:s3cret@x@db.example/v",
        "postgresql://ann:s3cret/x@db.example/v",
        "postgresql://ann:s3cret#x@db.example/v",
        "postgresql://ann:s3cret x@db.example/v",
        "postgresql://ann:s3cret@db.example/v/more",
        "postgresql+psycopg://ann:s3cret@db.example/v",
        "POSTGRESQL://ann:s3cret@db.example/v",
        "host=db.example password=s3cret",
        "ann:s3cret@db.example/v",
        "//ann:s3cret@db.example/v",
    ],
)
def test_an_address_that_goes_wrong_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(SettingsError, match="postgresql://user@host:5432/name") as refused:
        PostgresUrl.read(text)

    assert "s3cret" not in str(refused.value)
