"""Secrets of alert rules at rest."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet

from vivienne.alerts.secret import Secret
from vivienne.errors import SecretUnavailable
from vivienne.outbox.secrets import Vault, fingerprint

if TYPE_CHECKING:
    from pathlib import Path


def test_a_secret_is_encrypted_with_a_key_that_its_owner_alone_can_read(tmp_path: Path) -> None:
    key = tmp_path / "new folder" / "vivienne.db.key"
    token = Vault(key).seal("tgram://TOKEN/1")
    assert key.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in key.parent.iterdir()] == [key.name]
    assert "TOKEN" not in token
    assert Vault(key).open(Secret(token=token)) == "tgram://TOKEN/1"


def test_a_former_key_still_decrypts_and_the_first_one_encrypts(tmp_path: Path) -> None:
    key = tmp_path / "key"
    token = Vault(key).seal("former")
    key.write_bytes(Fernet.generate_key() + b"\n" + key.read_bytes())
    vault = Vault(key)
    assert vault.open(Secret(token=token)) == "former"
    newer = Secret(token=vault.seal("new"))
    key.write_bytes(key.read_bytes().split()[0])
    assert Vault(key).open(newer) == "new"


def test_what_tells_keys_apart_is_that_of_the_key_that_encrypts_and_says_nothing_else(tmp_path: Path) -> None:
    """Agents say it of theirs: one with another key could send no alert."""
    file, other = tmp_path / "key", tmp_path / "other"
    assert [fingerprint(each) for each in (None, file, tmp_path)] == [""] * 3
    for each in (file, other):
        Vault(each).seal("secret")
    found = fingerprint(file)
    assert found
    assert found != fingerprint(other)
    assert found not in file.read_text()
    file.write_text(file.read_text() + other.read_text())
    assert fingerprint(file) == found


def test_a_key_that_is_mounted_to_be_read_is_used_with_the_rights_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key"
    token = Vault(key).seal("secret")
    key.chmod(0o444)

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("pathlib.Path.chmod", refuse)
    assert Vault(key).open(Secret(token=token)) == "secret"


def test_a_secret_of_the_environment_is_read_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Secret(env="BOT_URL")
    with pytest.raises(SecretUnavailable, match="BOT_URL is not set"):
        Vault(None).open(secret)
    monkeypatch.setenv("BOT_URL", "https://bot.example/hook")
    assert Vault(None).open(secret) == "https://bot.example/hook"


def test_without_a_key_a_literal_secret_is_refused_and_the_sentence_says_what_to_do() -> None:
    with pytest.raises(SecretUnavailable, match="set --alert-key, or name an environment variable as env:NAME"):
        Vault(None).seal("secret")


@pytest.mark.parametrize("content", [None, b"", b"no key\n", b"\xff\xfe"])
def test_a_key_file_that_is_missing_or_wrong_is_not_replaced_when_a_secret_is_needed(
    tmp_path: Path, content: bytes | None
) -> None:
    key = tmp_path / "key"
    token = Vault(key).seal("secret")
    key.unlink()
    if content is not None:
        key.write_bytes(content)
    with pytest.raises(SecretUnavailable, match=r"missing|no valid key"):
        Vault(key).open(Secret(token=token))
    assert (key.read_bytes() if key.exists() else None) == content


def test_a_secret_of_another_key_says_so(tmp_path: Path) -> None:
    token = Vault(tmp_path / "one").seal("secret")
    Vault(tmp_path / "two").seal("other")
    with pytest.raises(SecretUnavailable, match="enter the secret again"):
        Vault(tmp_path / "two").open(Secret(token=token))
