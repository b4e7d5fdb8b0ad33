"""What every store of revisions does: they survive as they were written, and can be looked back on."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from revisions import filled, revision, versions
from vivienne.errors import TokenRefused, VersionTaken
from vivienne.store.address import PostgresUrl
from vivienne.store.postgres import PostgresRevisionStore
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.store.token import Token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from vivienne.store.base import RevisionStore
    from vivienne.store.revision import Revision


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], RevisionStore]:
    """Opens the same database each time."""
    if request.param == "sqlite":
        return lambda: SqliteRevisionStore(tmp_path / "vivienne.db")
    url = PostgresUrl.read(request.getfixturevalue("database"))
    assert url is not None
    return lambda: PostgresRevisionStore(url)


@pytest.fixture
def store(opened: Callable[[], RevisionStore]) -> Iterator[RevisionStore]:
    store = opened()
    yield store
    store.close()


FULL = revision(
    7,
    "BTC",
    "delete",
    document={
        "settings": {"state_threshold_bang": 80, "position_size_bang": 0.1},
        "description": "n\u00e4chtlich \U0001f680",
    },
    changed=[{"path": "settings.state_threshold_bang", "old": 85.5, "new": 80}, {"path": "description", "new": "x"}],
    target="id-3",
    address="2001:db8::1",
    reason="because 'quotes' \"and\" \\ and\nlines",
    request_id="r-1",
    requester="token ann",
    request_digest="d" * 64,
    answer={"status": "success", "version": 7, "nothing": None, "list": [1, 2.5, True]},
)


# What is kept


def test_old_answers_are_removed_and_their_revisions_stay(store: RevisionStore) -> None:
    old, new = "2026-01-02T00:00:00.000Z", "2026-02-02T00:00:00.000Z"
    made = [
        revision(number, created_at=when, request_id=f"r{number}", requester="token ann", answer={"status": "success"})
        for number, when in enumerate((old, old, old, new), 1)
    ]
    filled(store, *made, revision(5, created_at=old))

    assert [2, 1, 0] == [store.prune_answers("2026-02-01T00:00:00.000Z", 2) for _ in range(3)]

    without = [replace(each, answer=None) for each in made[:3]]
    assert store.after(0, 10) == [*without, made[3], revision(5, created_at=old)]
    assert store.by_request_id("token ann", "r1") == without[0]


def test_a_later_pause_shares_the_entry_of_one_and_of_nothing_else(store: RevisionStore) -> None:
    pause, other = revision(1, action="pause", reason="first"), revision(2)
    filled(store, pause, other)
    later = replace(pause, created_at="2026-03-02T00:00:00.000Z")

    assert store.repeat_pause(1, pause.config_id, later.created_at) == later.created_at
    earlier = "2026-03-01T00:00:00.000Z"  # of a clock that is behind
    assert store.repeat_pause(1, pause.config_id, earlier) == later.created_at
    assert store.times_of([1, 2, 3]) == {1: later.created_at, 2: other.created_at}
    assert store.after(0, 10) == [later, other]
    for version, config_id in ((2, pause.config_id), (1, "id-2"), (2, "id-2")):
        assert not store.repeat_pause(version, config_id, "2026-03-03T00:00:00.000Z")
    with pytest.raises(TokenRefused):
        store.repeat_pause(1, pause.config_id, "2026-03-03T00:00:00.000Z", under="0" * 64)

    resumption = revision(3, action="resume")
    with pytest.raises(VersionTaken, match="a later pause"):
        store.append(resumption, ends=(1, pause.created_at))
    assert store.after(0, 10) == [later, other]
    store.append(resumption, ends=(1, later.created_at))
    assert not store.repeat_pause(1, pause.config_id, "2026-03-03T00:00:00.000Z")
    assert store.after(0, 10) == [later, other, resumption]


def test_every_field_of_a_revision_survives(store: RevisionStore) -> None:
    filled(store, FULL)

    assert store.by_config_id("id-7") == FULL
    assert store.by_request_id("token ann", "r-1") == FULL
    assert store.heads() == [FULL]
    assert store.page(layers=None, limit=1, before=None, configurations_only=False) == [FULL]


def test_what_is_left_out_stays_left_out(store: RevisionStore) -> None:
    plain = revision(1)
    filled(store, plain)

    assert store.by_config_id("id-1") == plain
    assert plain.request_id is None


def test_whole_numbers_and_fractions_are_kept_as_they_were_sent(store: RevisionStore) -> None:
    filled(store, revision(1, document={"whole": 80, "point": 80.0, "small": 0.1 + 0.2, "switch": True}))

    found = store.by_config_id("id-1")
    assert found is not None
    assert {name: repr(value) for name, value in found.document.items()} == {
        "whole": "80",
        "point": "80.0",
        "small": "0.30000000000000004",
        "switch": "True",
    }


def test_everything_is_there_after_reopening(opened: Callable[[], RevisionStore]) -> None:
    first = filled(opened(), revision(1), revision(2, "BTC"), FULL)
    first.close()

    again = opened()
    try:
        assert again.page(layers=None, limit=10, before=None, configurations_only=False) == [
            FULL, revision(2, "BTC"), revision(1),
        ]  # fmt: skip
    finally:
        again.close()


def test_what_is_not_there_is_not_found(store: RevisionStore) -> None:
    filled(store, FULL)

    assert store.by_config_id("id-8") is None
    assert store.by_request_id("token ann", "r-2") is None
    assert not store.is_deleted("id-8")


def test_an_empty_store_has_nothing_in_it(store: RevisionStore) -> None:
    store.check()

    assert store.heads() == []
    assert store.active_ids() == {}
    assert store.page(layers=None, limit=10, before=None, configurations_only=True) == []


@pytest.mark.parametrize("twin", [revision(1, config_id="other"), revision(2, config_id="id-1")])
def test_a_version_or_a_config_id_cannot_be_given_twice(store: RevisionStore, twin: Revision) -> None:
    filled(store, revision(1))

    with pytest.raises(VersionTaken):
        store.append(twin)
    assert store.page(layers=None, limit=10, before=None, configurations_only=False) == [revision(1)]


def test_a_request_id_cannot_be_given_twice_by_the_same(store: RevisionStore) -> None:
    filled(store, revision(1, request_id="r", requester="token ann"))

    with pytest.raises(VersionTaken):
        store.append(revision(2, request_id="r", requester="token ann"))
    filled(store, revision(3), revision(4))
    assert versions(store.page(layers=None, limit=10, before=None, configurations_only=False)) == [4, 3, 1]
    assert versions(store.page(layers=None, limit=10, before=2**63 - 1, configurations_only=False)) == [4, 3, 1]


def test_the_store_can_be_used_from_another_thread(store: RevisionStore) -> None:
    thread = threading.Thread(target=store.append, args=(revision(1),))
    thread.start()
    thread.join()

    assert versions(store.heads()) == [1]


# Looking back


def story(store: RevisionStore) -> RevisionStore:
    """Global 1, 3 and 6; BTC 2, 4 and 5, which deletes 4; 7 deletes 1."""
    return filled(
        store,
        revision(1),
        revision(2, "BTC"),
        revision(3),
        revision(4, "BTC"),
        revision(5, "BTC", "delete", target="id-4"),
        revision(6, action="activate", target="id-1"),
        revision(7, action="delete", target="id-1"),
    )


def test_the_heads_are_the_newest_of_each_layer(store: RevisionStore) -> None:
    assert {head.layer: head.version for head in story(store).heads()} == {"global": 7, "BTC": 5}


def test_in_force_is_the_newest_that_is_neither_deleted_nor_a_deletion(store: RevisionStore) -> None:
    assert story(store).active_ids() == {"global": "id-6", "BTC": "id-2"}


def test_a_layer_of_which_everything_is_deleted_has_nothing_in_force(store: RevisionStore) -> None:
    filled(store, revision(1, "BTC"), revision(2, "BTC", "delete", target="id-1"), revision(3, "ETH"))

    assert store.active_ids() == {"ETH": "id-3"}


def test_deleted_is_what_a_later_revision_deleted(store: RevisionStore) -> None:
    story(store)

    assert [version for version in range(1, 8) if store.is_deleted(f"id-{version}")] == [1, 4]


def test_activating_is_not_deleting(store: RevisionStore) -> None:
    filled(store, revision(1), revision(2, action="activate", target="id-1"))

    assert not store.is_deleted("id-1")


def test_before_a_configuration_is_the_one_of_its_layer_that_still_counts(store: RevisionStore) -> None:
    story(store)

    def before(version: int) -> int | None:
        each = store.by_config_id(f"id-{version}")
        assert each is not None
        found = store.before(each)
        return None if found is None else found.version

    assert {version: before(version) for version in range(1, 8)} == {
        1: None, 2: None, 3: None, 4: 2, 5: 2, 6: 3, 7: 6,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("layers", "configurations_only", "expected"),
    [
        (None, False, [7, 6, 5, 4, 3, 2, 1]),
        (None, True, [6, 3, 2]),
        (["BTC"], False, [5, 4, 2]),
        (["BTC"], True, [2]),
        (["global", "BTC"], False, [7, 6, 5, 4, 3, 2, 1]),
        (["global"], True, [6, 3]),
        (["ETH"], False, []),
    ],
)
def test_a_page_has_what_was_asked_for_newest_first(
    store: RevisionStore, layers: list[str] | None, configurations_only: bool, expected: list[int]
) -> None:
    found = story(store).page(layers=layers, limit=100, before=None, configurations_only=configurations_only)

    assert versions(found) == expected


def test_revisions_are_found_by_their_outlines(store: RevisionStore) -> None:
    story(store)
    store.append(replace(FULL, version=8, config_id="id-8"))

    outlines = store.outlines(layers=["BTC"], limit=3, before=None)

    assert [each.version for each in outlines] == [8, 5, 4]
    assert outlines[0] == (8, "BTC", FULL.author, FULL.channel, FULL.created_at, FULL.reason, FULL.changed)
    assert [each.version for each in store.outlines(layers=None, limit=2, before=4)] == [3, 2]
    found = store.page(layers=None, before=8, configurations_only=False, limit=2, among=[8, 5, 3, 1])
    assert versions(found) == [5, 3]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_page_by_page_everything_is_seen_once(store: RevisionStore, limit: int) -> None:
    story(store)

    seen: list[int] = []
    while page := store.page(layers=None, limit=limit, before=seen[-1] if seen else None, configurations_only=False):
        assert len(page) <= limit
        seen += versions(page)

    assert seen == [7, 6, 5, 4, 3, 2, 1]


# Several writers


@pytest.mark.parametrize(
    ("version", "limit", "expected"),
    [(0, 100, [1, 2, 3, 4, 5, 6, 7]), (0, 2, [1, 2]), (5, 100, [6, 7]), (7, 100, []), (99, 1, [])],
)
def test_what_is_newer_than_a_version_comes_oldest_first(
    store: RevisionStore, version: int, limit: int, expected: list[int]
) -> None:
    assert versions(story(store).after(version, limit)) == expected


def test_in_force_after_each_version_is_what_was_in_force_then(store: RevisionStore) -> None:
    story(store)

    assert [(store.active_id("global", version), store.active_id("BTC", version)) for version in range(9)] == [
        (None, None),
        ("id-1", None),
        ("id-1", "id-2"),
        ("id-3", "id-2"),
        ("id-3", "id-4"),
        ("id-3", "id-2"),
        ("id-6", "id-2"),
        ("id-6", "id-2"),
        ("id-6", "id-2"),
    ]


def test_one_of_several_revisions_of_the_same_version_is_taken(store: RevisionStore) -> None:
    first, second = revision(1), revision(1, config_id="id-of-the-second")
    store.append(first)
    with pytest.raises(VersionTaken):
        store.append(second)

    assert [store.was_appended(each) for each in (first, second)] == [True, False]
    assert store.after(0, 10) == [first]


def test_several_revisions_are_added_together(store: RevisionStore) -> None:
    store.append(revision(1), revision(2, "BTC"), revision(3, "ETH"))

    assert [1, 2, 3] == versions(store.after(0, 10))
    assert store.was_appended(revision(3, "ETH"))


@pytest.mark.parametrize("taken", [1, 2, 3])
def test_of_several_revisions_none_is_added_when_one_is_taken(store: RevisionStore, taken: int) -> None:
    together = [revision(version, config_id=f"together-{version}") for version in (1, 2, 3)]
    filled(store, revision(taken))

    with pytest.raises(VersionTaken):
        store.append(*together)

    assert [taken] == versions(store.after(0, 10))
    assert [False, False, False] == [store.was_appended(each) for each in together]


def test_who_made_a_rule_of_alerts_is_known_whoever_changed_it_since(store: RevisionStore) -> None:
    layer = "alert:al_0123456789ab"
    first, later = "2026-01-02T03:04:05.678Z", "2026-01-03T03:04:05.678Z"
    store.append(revision(1, layer, "alert", created_at=first))
    store.append(revision(2, layer, "alert", author="bob", created_at=later))

    assert {layer: (first, "ann")} == store.alerts_begun()


def test_names_that_no_revision_can_have_are_not_found(store: RevisionStore) -> None:
    filled(store, FULL)

    assert store.by_config_id("id-7\0") is None
    assert store.by_request_id("token ann", "\0") is None
    assert store.by_config_id("x" * 1000) is None


def test_a_text_of_any_kind_is_kept(store: RevisionStore) -> None:
    reason = "".join(map(chr, range(1, 256))) + "\u2028\ufeff\ufffd\U0010ffff"
    filled(store, revision(1, reason=reason, author="\u00e9" * 100))

    assert store.heads() == [revision(1, reason=reason, author="\u00e9" * 100)]


def test_showing_that_it_can_store_alters_nothing(store: RevisionStore) -> None:
    filled(store, revision(1), revision(2, "BTC"))

    store.prove()
    store.prove()

    assert [revision(1), revision(2, "BTC")] == store.after(-10, 10)
    filled(store, revision(3))


def test_nothing_is_stored_under_a_secret_that_is_not_accepted_in_that_moment(store: RevisionStore) -> None:
    store.add_token(Token("ann", "d-1", "admin", "2026-01-02T03:04:05.678Z"))
    store.append(revision(1, "BTC", "update"), under="d-1")
    store.rotate_token("ann", "d-2", None, "9999-01-01T00:00:00.000Z")
    store.append(revision(2, "BTC", "update"), under="d-1")  # within the grace
    store.rotate_token("ann", "d-3", None, "2026-01-03T00:00:00.000Z")
    store.add_token(Token("old", "d-4", "admin", "2026-01-01T00:00:00.000Z", expires_at="2026-01-02T00:00:00.000Z"))
    for under in ("d-1", "d-2", "d-4", "unknown"):
        with pytest.raises(TokenRefused):
            store.append(revision(3, "BTC", "update"), under=under)
        with pytest.raises(TokenRefused):
            store.add_token(Token("mallory", "d-5", "admin", "2026-01-02T03:04:05.678Z"), under=under)
        with pytest.raises(TokenRefused):
            store.revoke_token("old", "2026-01-04T00:00:00.000Z", under=under)
    store.append(revision(3, "BTC", "update"), under="d-3")
    assert store.revoke_token("ann", "2026-01-04T00:00:00.000Z", under="d-3") is not None
    with pytest.raises(TokenRefused):
        store.append(revision(4, "BTC", "update"), under="d-3")

    assert [3] == [each.version for each in store.heads()]
    assert [("ann", True), ("old", False)] == sorted(
        (each.name, each.revoked_at is not None) for each in store.tokens()
    )
