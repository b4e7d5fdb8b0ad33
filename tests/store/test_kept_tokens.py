"""A secret that is refused by the database in use is refused after a backup took its place, whichever is newer."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earlier_forms import SQLITE
from sizes import examples
from vivienne.store.backup import back_up, restore
from vivienne.store.kept_tokens import KeptTokens
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.store.token import Token
from vivienne.times import written

CREATED = "2026-01-02T03:04:05.678Z"
LATER = "2026-02-02T03:04:05.678Z"


@dataclass
class Clock:
    """A clock that its user moves."""

    seconds: int = 0

    def after(self, seconds: int) -> str:
        return written(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds + seconds))


@dataclass(frozen=True)
class Step:
    """Something done with a token, after a time."""

    kind: str
    name: str
    is_here: bool
    waits: int
    grace: int
    lifetime: int | None

    def on(self, store: SqliteRevisionStore, clock: Clock, secret: str) -> bool:
        """Do it; tell whether a token has the secret now."""
        token = {each.name: each for each in store.tokens()}.get(self.name)
        now = clock.after(0)
        expires_at = None if self.lifetime is None else clock.after(self.lifetime)
        if token is None:
            store.add_token(Token(self.name, secret, "tuner", now, expires_at=expires_at))
            return True
        if self.kind == "revoke":
            store.revoke_token(self.name, now)
        elif token.is_valid(now) or expires_at is not None:  # as the command
            after = store.rotate_token(self.name, secret, expires_at or token.expires_at, clock.after(self.grace))
            return after is not None
        return False


@dataclass
class Machine:
    """A database, and every secret that it ever knew."""

    db: Path
    known: set[str] = field(default_factory=set)

    def tokens(self) -> dict[str, Token]:
        with closing(SqliteRevisionStore(self.db)) as store:
            return {token.name: token for token in store.tokens()}

    def uncount(self) -> None:
        """Give it the rotations that it would have if an earlier version had made them."""
        with closing(sqlite3.connect(self.db)) as connection:
            connection.execute("UPDATE tokens SET rotations = earlier_digest IS NOT NULL")
            connection.commit()

    def backed_up(self, file: Path) -> Path:
        with closing(SqliteRevisionStore(self.db)) as store:
            back_up(store, file)
        return file


def accepted(tokens: dict[str, Token], when: str) -> set[str]:
    return {secret for token in tokens.values() for secret in token.by_digest(when)}


steps = st.lists(
    st.builds(
        Step,
        kind=st.sampled_from(["rotate", "rotate", "rotate", "revoke"]),
        name=st.sampled_from(["ann", "bob"]),
        is_here=st.booleans(),
        waits=st.sampled_from([1, 50, 500]),
        grace=st.sampled_from([0, 60, 1_000, 100_000]),
        lifetime=st.sampled_from([None, None, 100, 1_000]),
    ),
    max_size=6,
)


@given(before=steps, uncounted=st.none() | steps, rounds=st.lists(steps, min_size=1, max_size=2))
@examples(400, short=10)
def test_no_secret_that_is_refused_is_accepted_after_a_restore(
    before: list[Step], uncounted: list[Step] | None, rounds: list[list[Step]]
) -> None:
    clock, secrets = Clock(), count()
    with TemporaryDirectory() as folder:
        here, there = Machine(Path(folder) / "here.db"), Machine(Path(folder) / "there.db")

        def take(steps: list[Step], *, is_parted: bool) -> None:
            with closing(SqliteRevisionStore(here.db)) as one, closing(SqliteRevisionStore(there.db)) as other:
                for step in steps:
                    clock.seconds += step.waits
                    store, machine = (one, here) if step.is_here or not is_parted else (other, there)
                    if step.on(store, clock, secret := f"secret {next(secrets)}"):
                        machine.known.add(secret)

        SqliteRevisionStore(here.db).close()
        SqliteRevisionStore(there.db).close()
        take(before, is_parted=False)
        there.db.unlink()
        there.known = set(here.known)
        here.backed_up(there.db)
        if uncounted is not None:
            take(uncounted, is_parted=True)
            here.uncount()
            there.uncount()
        for number, parted in enumerate(rounds):
            take(parted, is_parted=True)
            in_use, backup = here.tokens(), there.tokens()

            restored = restore(there.backed_up(Path(folder) / f"backup-{number}.db"), here.db, replaces=True)

            after = here.tokens()
            refused = here.known - accepted(in_use, clock.after(0))
            for seconds in (0, 40, 800, 50_000):
                when = clock.after(seconds)
                assert not accepted(after, when) & refused
                assert accepted(after, when) <= accepted(in_use, when) | accepted(backup, when)
            for name in in_use.keys() & backup.keys() & after.keys():
                ours, theirs, both = in_use[name].digest, backup[name].digest, after[name].digest
                assert both in (ours, theirs)
                assert both == ours or theirs not in here.known
                assert both == theirs or ours not in there.known or uncounted is not None
                assert both == theirs or name in restored.tokens.as_before
            here.known |= there.known


@pytest.mark.parametrize("is_revoked", [True, False])
def test_a_secret_that_was_refused_stays_so_after_one_backup_of_before_it_and_one_of_since(
    tmp_path: Path, is_revoked: bool
) -> None:
    machine = Machine(tmp_path / "v.db")
    SqliteRevisionStore(machine.db).close()
    before = machine.backed_up(tmp_path / "before.db")
    with closing(SqliteRevisionStore(machine.db)) as store:
        store.add_token(Token("ann", "secret", "tuner", CREATED))
    since = machine.backed_up(tmp_path / "since.db")
    with closing(SqliteRevisionStore(machine.db)) as store:
        _ = store.revoke_token("ann", LATER) if is_revoked else store.rotate_token("ann", "newer", None, CREATED)

    kept = restore(before, machine.db, replaces=True).tokens
    restore(since, machine.db, replaces=True)

    assert kept.as_before == ["ann"]
    assert accepted(machine.tokens(), LATER) == (set() if is_revoked else {"newer"})


def test_a_token_that_was_never_changed_is_not_kept_when_a_backup_of_before_it_is_restored(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "v.db")
    SqliteRevisionStore(machine.db).close()
    before = machine.backed_up(tmp_path / "before.db")
    with closing(SqliteRevisionStore(machine.db)) as store:
        store.add_token(Token("ann", "secret", "tuner", CREATED))

    restore(before, machine.db, replaces=True)

    assert not machine.tokens()


def old(path: Path, digest: str, earlier: str | None, created_at: str = CREATED) -> Path:
    """A database of before rotations were counted, with a token `ann`."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SQLITE["9"])
        values = (digest, created_at, earlier, None if earlier is None else LATER)
        connection.execute("DELETE FROM tokens WHERE name = 'bot'")
        connection.execute("UPDATE tokens SET digest=?, created_at=?, earlier_digest=?, earlier_until=?", values)
        connection.commit()
    return path


@pytest.mark.parametrize(
    ("in_use", "backup", "expected"),
    [
        (("d1", None), ("d2", "d1"), ("d2", "d1", 1)),
        (("d2", "d1"), ("d1", None), ("d2", "d1", 1)),
        (("d2", "d1"), ("d3", "d2"), ("d3", "d2", 2)),
        (("d3", "d2"), ("d2", "d1"), ("d3", "d2", 1)),
        (("d9", "d8"), ("d3", "d2"), ("d9", "d8", 1)),
        (("d1", None), ("d2", None), ("d1", None, 0)),
        (("d1", None), ("d9", "d8"), ("d9", None, 1)),
    ],
)
def test_of_two_databases_that_counted_no_rotations_the_newer_is_known_by_its_earlier_secret(
    tmp_path: Path,
    in_use: tuple[str, str | None],
    backup: tuple[str, str | None],
    expected: tuple[str, str | None, int],
) -> None:
    db, file = old(tmp_path / "v.db", *in_use), old(tmp_path / "backup.db", *backup)

    kept = restore(file, db, replaces=True).tokens

    [token] = Machine(db).tokens().values()
    assert (token.digest, token.earlier_digest, token.rotations) == expected
    as_before, newest_only = token.digest != backup[0], (token.digest, token.earlier_digest) == ("d9", None)
    assert kept == KeptTokens(["ann"] * as_before, ["ann"] * newest_only)


def test_a_secret_that_was_replaced_before_rotations_were_counted_is_refused(tmp_path: Path) -> None:
    db, other = old(tmp_path / "v.db", "d5", "d4"), Machine(old(tmp_path / "other.db", "d3", "d2"))
    with closing(SqliteRevisionStore(other.db)) as store:
        store.rotate_token("ann", "d4 of the other", None, LATER)

    kept = restore(other.backed_up(tmp_path / "backup.db"), db, replaces=True).tokens

    assert kept == KeptTokens([], ["ann"])
    assert accepted(Machine(db).tokens(), CREATED) == {"d4 of the other"}


def test_a_token_of_the_same_name_that_another_machine_created_is_not_taken(tmp_path: Path) -> None:
    db, file = old(tmp_path / "v.db", "d1", None), old(tmp_path / "backup.db", "d9", "d8", created_at=LATER)

    assert restore(file, db, replaces=True).tokens.as_before == ["ann"]
    assert Machine(db).tokens()["ann"].digest == "d1"


def test_a_later_rotation_with_a_shorter_grace_is_the_newer_one(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "v.db")
    with closing(SqliteRevisionStore(machine.db)) as store:
        store.add_token(Token("ann", "d0", "tuner", CREATED))
        store.rotate_token("ann", "d1", None, "2026-04-02T00:00:00.000Z")
        back_up(store, tmp_path / "backup.db")
        store.rotate_token("ann", "d2", None, "2026-01-02T04:00:00.000Z")

    assert restore(tmp_path / "backup.db", machine.db, replaces=True).tokens == KeptTokens(["ann"], [])
    assert accepted(machine.tokens(), "2026-01-02T05:00:00.000Z") == {"d2"}
