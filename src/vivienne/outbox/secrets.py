"""Secrets of alert rules: encrypted at rest with a key in a file of its own, or taken from the environment.

Who has the database alone, or a backup of it, has no secret.
"""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from vivienne.errors import SecretUnavailable
from vivienne.store import private

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.alerts.secret import Secret

_MOST_BYTES = 64 * 1024
"""Longest file of keys that is read; a key has 44 characters."""


class Vault:
    """Encrypts secrets, and gives them to those who send.

    The file has a key on each line. The first encrypts; the others are former ones, which still decrypt.

    Args:
        key_file: with the keys; made when the first secret is encrypted. None where secrets come from the environment
            only.
    """

    def __init__(self, key_file: Path | None) -> None:
        self._file = key_file
        self._keys: MultiFernet | None = None

    def seal(self, text: str) -> str:
        """Encrypt a secret.

        Raises:
            SecretUnavailable: there is no key, or it cannot be read or made.
        """
        return self._opened(may_make=True).encrypt(text.encode()).decode()

    def open(self, secret: Secret, check: Callable[[str], None] = lambda _text: None) -> str:
        """The secret itself.

        Args:
            secret: to open.
            check: raises a ValueError if it is not what it should be: nobody has looked at a variable before.

        Raises:
            SecretUnavailable: its variable is not set or not right, or no key decrypts it. The message does not
                contain it.
        """
        found = self._opened_as_it_is(secret)
        try:
            check(found)
        except ValueError as error:
            where = "The secret" if secret.env is None else f"The environment variable {secret.env}"
            raise SecretUnavailable(f"{where} cannot be used: {error}") from None
        return found

    def _opened_as_it_is(self, secret: Secret) -> str:
        if secret.plain is not None:
            return secret.plain
        if secret.env is not None:
            found = os.environ.get(secret.env, "").strip("\r\n")  # one that was read from a file ends with a line
            if not found:
                raise SecretUnavailable(
                    f"The environment variable {secret.env} is not set; set it where Vivienne runs, and restart it"
                )
            return found
        try:
            return self._opened(may_make=False).decrypt((secret.token or "").encode()).decode()
        except InvalidToken:
            raise SecretUnavailable(
                f"No key in {self._file} decrypts the secret; put the former key into it, or enter the secret again"
            ) from None

    def _opened(self, *, may_make: bool) -> MultiFernet:
        if self._keys is None:
            if self._file is None:
                raise SecretUnavailable(
                    "There is no key to encrypt secrets with; set --alert-key, or name an environment variable as "
                    "env:NAME"
                )
            self._keys = _read(self._file, may_make=may_make)
        return self._keys


def fingerprint(key_file: Path | None) -> str:
    """Tells which key encrypts, and nothing else of it; empty if there is none, or it cannot be read."""
    if key_file is None:
        return ""
    try:
        with key_file.open("rb") as file:
            first = file.read(_MOST_BYTES).split()[:1]
    except OSError:
        return ""
    return sha256(first[0]).hexdigest()[:12] if first else ""


def key_beside(db: object) -> Path | None:
    """Where the key is unless a setting says otherwise: beside a database that is a file."""
    return db.with_name(f"{db.name}.key") if isinstance(db, Path) else None


def _read(path: Path, *, may_make: bool) -> MultiFernet:
    try:
        if may_make and not path.exists():
            _make(path)
        with suppress(OSError):  # one of another user, or mounted to be read, such as a secret of a container
            private.withdraw_from_others(path)
        with path.open("rb") as file:
            lines = file.read(_MOST_BYTES).decode().split()
        keys = [Fernet(line) for line in lines]
    except FileNotFoundError:
        raise SecretUnavailable(
            f"The key file {path} is missing; put it back, or enter the secrets of the rules again"
        ) from None
    except OSError as error:
        raise SecretUnavailable(f"The key file {path} cannot be used: {error.strerror or error}") from error
    except ValueError:
        keys = []
    if not keys:
        raise SecretUnavailable(f"The key file {path} has no valid key; put the right file there, or remove it")
    return MultiFernet(keys)


def _make(path: Path) -> None:
    """Make the file with a new key, whole or not at all. If another process is faster, its file stays."""
    private.make_folder(path.parent)
    part = path.with_name(f".{path.name}.{token_hex(4)}")
    private.make_file(part)
    try:
        part.write_bytes(Fernet.generate_key() + b"\n")
        private.sync(part)
        with suppress(FileExistsError):
            path.hardlink_to(part)
    finally:
        part.unlink(missing_ok=True)
    private.sync(path.parent)
