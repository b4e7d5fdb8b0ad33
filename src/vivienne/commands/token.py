"""The command `vivienne token`: tokens in a database, which a running server may have open."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from vivienne.access.secrets import digest, new_secret
from vivienne.commands.database import existing, opened
from vivienne.commands.options import database_option, json_option
from vivienne.errors import InvalidConfiguration, SettingsError, UnknownToken
from vivienne.settings.parsing import database
from vivienne.store.token import Token, check_name
from vivienne.times import now, written
from vivienne.wire.token_entry import ROLES

if TYPE_CHECKING:
    from pathlib import Path

    from vivienne.store.address import PostgresUrl
    from vivienne.wire.token_entry import Role, TokenEntry


@click.group()
def token() -> None:
    """Say who gets in, where tokens are needed. A running Vivienne heeds it within seconds."""


@token.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What it is for: looking, changing, everything.")
@database_option
@json_option
def create_token(name: str, role: Role, db: str, as_json: bool) -> None:
    """Make a token for NAME, and print it: it is shown this once. NAME is the author of what is changed with it."""
    made, secret = create(database(db), name, role)
    if as_json:
        click.echo(json.dumps({**made, "token": secret}))
        return
    click.echo(f"Token {made['name']} ({made['role']}); nobody can show it again:", err=True)
    click.echo(secret)


@token.command("list")
@database_option
@json_option
def list_tokens(db: str, as_json: bool) -> None:
    """Print every token that ever was, without the secrets."""
    found = listed(database(db))
    if as_json:
        click.echo(json.dumps({"tokens": found}))
        return
    for each in found:
        state = f"revoked {each['revoked_at']}" if each["revoked_at"] else "good"
        click.echo(f"{each['name']:<24} {each['role']:<8} made {each['created_at']}  {state}")


@token.command("revoke")
@click.argument("name")
@database_option
@json_option
def revoke_token(name: str, db: str, as_json: bool) -> None:
    """Make the token of NAME good for nothing; connections opened with it are closed within seconds."""
    revoked = revoke(database(db), name)
    click.echo(json.dumps(revoked) if as_json else f"Token {name} is revoked")


def create(db: Path | PostgresUrl, name: str, role: Role) -> tuple[TokenEntry, str]:
    """Make a token; gives its secret too, which nobody can give again. A database that is not there is made.

    Raises:
        SettingsError: the name is none.
        NameTaken: there is, or was, a token of this name.
        StoreError: the database cannot be used.
    """
    try:
        check_name(name)
    except InvalidConfiguration as refused:
        raise SettingsError(str(refused)) from refused
    secret = new_secret()
    token = Token(name, digest(secret), role, written(now()))
    with opened(db, beside=True) as store:
        store.add_token(token)
    return token.entry(), secret


def listed(db: Path | PostgresUrl) -> list[TokenEntry]:
    """Every token that ever was, in the order of their making.

    Raises:
        SettingsError: there is no such database.
        StoreError: it cannot be used.
    """
    with opened(existing(db), beside=True) as store:
        return [token.entry() for token in store.tokens()]


def revoke(db: Path | PostgresUrl, name: str) -> TokenEntry:
    """Make a token good for nothing.

    Raises:
        SettingsError: there is no such database.
        UnknownToken: there is no such token that is good.
        StoreError: the database cannot be used.
    """
    with opened(existing(db), beside=True) as store:
        token = store.revoke_token(name, written(now()))
    if token is None:
        raise UnknownToken(f"There is no token {name!r} that could be revoked; vivienne token list shows them all")
    return token.entry()
