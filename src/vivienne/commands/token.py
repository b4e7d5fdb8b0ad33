"""The command `vivienne token`: tokens in a database, which a running server may have open."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vivienne.access.secrets import digest, new_secret
from vivienne.commands.database import existing, opened
from vivienne.commands.options import database_option, json_option
from vivienne.errors import InvalidConfiguration, SettingsError, UnknownToken, unwritable
from vivienne.settings.parsing import database, period
from vivienne.store.private import replacing
from vivienne.store.token import Token, check_name
from vivienne.times import now, written
from vivienne.wire.token_entry import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from vivienne.store.address import PostgresUrl
    from vivienne.wire.token_entry import Role, TokenEntry

_file_option = click.option(
    "--file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write the token to instead, for its owner alone; an existing one keeps its owner and group. One that "
    "another user may have put there is refused.",
)
_expires_option = click.option(
    "--expires", metavar="TIME", help="How long it is valid, as in 12h or 90d.  [default: for ever]"
)


@click.group()
def token() -> None:
    """Manage tokens. A running server applies changes within seconds."""


@token.command("create")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(ROLES),
    required=True,
    help="viewer: read; feeder: read, and push market data; tuner: read, and change the configuration; "
    "admin: everything.",
)
@_expires_option
@_file_option
@database_option
@json_option
def create_token(name: str, role: Role, db: str, expires: str | None, file: Path | None, as_json: bool) -> None:
    """Create a token for NAME and print it: it cannot be shown again. NAME is the author of changes made with it."""
    secret = new_secret()
    with _written(secret, file):
        made = create(database(db), name, role, secret, _moment(expires))
    _show(made, secret, file, as_json=as_json)


@token.command("rotate")
@click.argument("name")
@click.option(
    "--grace",
    metavar="TIME",
    default="1h",
    show_default=True,
    help="How long the secret that it has now is accepted too, as in 30m, 12h or 7d; 0m ends it at once.",
)
@_expires_option
@_file_option
@database_option
@json_option
def rotate_token(name: str, grace: str, db: str, expires: str | None, file: Path | None, as_json: bool) -> None:
    """Give the token of NAME another secret and print it. Name, role and history stay.

    Without --expires it expires when it did before.
    """
    secret = new_secret()
    with _written(secret, file):
        made = rotate(database(db), name, secret, grace=period("--grace", grace), expires_at=_moment(expires))
    _show(made, secret, file, as_json=as_json)


def _moment(expires: str | None) -> str | None:
    return None if expires is None else written(now() + period("--expires", expires))


def _show(made: TokenEntry, secret: str, file: Path | None, *, as_json: bool) -> None:
    """Print a new secret, or the file that has it."""
    if as_json:
        click.echo(json.dumps({**made, "token": secret} if file is None else {**made, "file": str(file)}))
    elif file is None:
        click.echo(f"Token {made['name']} ({made['role']}); it cannot be shown again:", err=True)
        click.echo(secret)
    else:
        click.echo(f"Token {made['name']} ({made['role']}) is in {file}")


@contextmanager
def _written(secret: str, file: Path | None) -> Iterator[None]:
    """Write a secret into a file for its owner alone, before the block; it takes its place if the block succeeds."""
    if file is None:
        yield
        return
    try:
        with replacing(file) as temporary:
            temporary.write_text(f"{secret}\n")
            yield
    except OSError as error:
        raise unwritable(file, error) from error


@token.command("list")
@database_option
@json_option
def list_tokens(db: str, as_json: bool) -> None:
    """Print all tokens, revoked ones too, without the secrets."""
    found = listed(database(db))
    if as_json:
        click.echo(json.dumps({"tokens": found}))
        return
    for each in found:
        state = f"revoked {each['revoked_at']}" if each["revoked_at"] else _until(each["expires_at"])
        click.echo(f"{each['name']:<24} {each['role']:<8} made {each['created_at']}  {state}")


def _until(expires_at: str | None) -> str:
    if expires_at is None:
        return "good"
    return f"good until {expires_at}" if written(now()) < expires_at else f"expired {expires_at}"


@token.command("revoke")
@click.argument("name")
@database_option
@json_option
def revoke_token(name: str, db: str, as_json: bool) -> None:
    """Revoke the token of NAME; connections opened with it are closed within seconds."""
    revoked = revoke(database(db), name)
    click.echo(json.dumps(revoked) if as_json else f"Token {name} is revoked")


def create(db: Path | PostgresUrl, name: str, role: Role, secret: str, expires_at: str | None = None) -> TokenEntry:
    """Create a token of a secret, which is not stored. A missing database is created.

    Raises:
        SettingsError: the name is not valid.
        NameTaken: a token of this name exists, or is revoked.
        StoreError: the database cannot be used.
    """
    try:
        check_name(name)
    except InvalidConfiguration as refused:
        raise SettingsError(str(refused)) from refused
    token = Token(name, digest(secret), role, written(now()), expires_at=expires_at)
    with opened(db, "beside") as store:
        store.add_token(token)
    return token.entry()


def rotate(
    db: Path | PostgresUrl, name: str, secret: str, *, grace: timedelta, expires_at: str | None = None
) -> TokenEntry:
    """Give a token another secret, which is not stored.

    Args:
        db: where it is.
        name: of the token.
        secret: the new one.
        grace: how long the secret that it had is accepted too, unless it expires before.
        expires_at: when it expires from now on; None for when it did before.

    Raises:
        SettingsError: the database does not exist, or the token has expired.
        UnknownToken: no valid token has this name.
        StoreError: the database cannot be used.
    """
    with opened(existing(db), "beside") as store:
        before = next((token for token in store.tokens() if token.name == name), None)
        if before is not None and expires_at is None:
            if before.revoked_at is None and not before.is_valid(written(now())):
                raise SettingsError(f"The token {name} has expired; say with --expires how long it is valid now")
            expires_at = before.expires_at
        until = written(now() + grace)
        if before is not None and before.expires_at is not None:
            until = min(until, before.expires_at)  # what has expired stays so
        rotated = store.rotate_token(name, digest(secret), expires_at, until)
    if rotated is None:
        raise UnknownToken(f"There is no token {name!r} to rotate; list them with: vivienne token list")
    return rotated.entry()


def listed(db: Path | PostgresUrl) -> list[TokenEntry]:
    """Every token, revoked ones too, in the order of creation.

    Raises:
        SettingsError: the database does not exist.
        StoreError: it cannot be used.
    """
    with opened(existing(db), "to read") as store:
        return [token.entry() for token in store.tokens()]


def revoke(db: Path | PostgresUrl, name: str) -> TokenEntry:
    """Revoke a token.

    Raises:
        SettingsError: the database does not exist.
        UnknownToken: there is no valid token of this name.
        StoreError: the database cannot be used.
    """
    with opened(existing(db), "beside") as store:
        token = store.revoke_token(name, written(now()))
    if token is None:
        raise UnknownToken(f"There is no valid token {name!r} to revoke; list them with: vivienne token list")
    return token.entry()
