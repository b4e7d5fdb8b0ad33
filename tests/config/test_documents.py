"""Documents are laid over each other, taken apart and compared without ever being changed in place."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from vivienne.config.documents import differences, leaves, merged, without

NO_DEADLINE = settings(deadline=None)  # a busy machine is no failure
NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | st.text(max_size=3)
DOCUMENTS = st.dictionaries(
    NAMES, st.recursive(VALUES, lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=8), max_size=3
)


def at(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document[name]
    return document


def test_merging_keeps_what_the_upper_document_leaves_out() -> None:
    base = {"settings": {"bang": 80, "aim": 70}, "note": "x"}

    assert merged(base, {"settings": {"bang": 85}}) == {"settings": {"bang": 85, "aim": 70}, "note": "x"}


def test_merging_replaces_a_section_by_a_value_and_a_value_by_a_section() -> None:
    assert merged({"a": {"b": 1}}, {"a": 2}) == {"a": 2}
    assert merged({"a": 2}, {"a": {"b": 1}}) == {"a": {"b": 1}}


@NO_DEADLINE
@given(DOCUMENTS, DOCUMENTS)
def test_every_value_said_above_wins(base: dict[str, Any], over: dict[str, Any]) -> None:
    result = merged(base, over)

    assert {path: at(result, path) for path in leaves(over)} == leaves(over)


@NO_DEADLINE
@given(DOCUMENTS, DOCUMENTS)
def test_merging_invents_nothing(base: dict[str, Any], over: dict[str, Any]) -> None:
    assert set(leaves(merged(base, over))) <= set(leaves(base)) | set(leaves(over))


@NO_DEADLINE
@given(DOCUMENTS, DOCUMENTS)
def test_no_operation_changes_its_arguments(first: dict[str, Any], second: dict[str, Any]) -> None:
    before = copy.deepcopy((first, second))

    merged(first, second)
    differences(first, second)
    for path in (*leaves(first), "a", "b.c", "nothing.there"):
        without(first, path)

    assert (first, second) == before


@NO_DEADLINE
@given(DOCUMENTS)
def test_merging_nothing_and_merging_twice_make_no_difference(document: dict[str, Any]) -> None:
    assert merged(document, {}) == document
    assert merged({}, document) == document
    assert merged(document, document) == document


@NO_DEADLINE
@given(DOCUMENTS)
def test_a_value_taken_out_is_gone_and_every_other_stays(document: dict[str, Any]) -> None:
    for path in leaves(document):
        rest = leaves(document)
        del rest[path]
        assert leaves(without(document, path)) == rest


def test_emptied_sections_go_with_their_last_value() -> None:
    assert without({"filters": {"levels": {"buffer": 1}}}, "filters.levels.buffer") == {}


def test_a_whole_section_can_be_taken_out() -> None:
    assert without({"filters": {"levels": {"buffer": 1}, "trend": {"on": True}}}, "filters.levels") == {
        "filters": {"trend": {"on": True}}
    }


def test_taking_out_what_is_not_there_changes_nothing() -> None:
    document = {"settings": {"bang": 80}}

    assert without(document, "settings.aim") == document
    assert without(document, "filters.levels") == document
    assert without(document, "settings.bang.deeper") == document


def test_differences_name_path_old_and_new_value() -> None:
    assert differences({"s": {"bang": 80, "aim": 70}}, {"s": {"bang": 85, "aim": 70}}) == [
        {"path": "s.bang", "old": 80, "new": 85}
    ]


def test_a_side_that_says_nothing_is_left_out_of_the_difference() -> None:
    assert differences({}, {"note": "x"}) == [{"path": "note", "new": "x"}]
    assert differences({"note": "x"}, {}) == [{"path": "note", "old": "x"}]


@NO_DEADLINE
@given(DOCUMENTS, DOCUMENTS)
def test_differences_are_exactly_what_leads_from_old_to_new(old: dict[str, Any], new: dict[str, Any]) -> None:
    followed = leaves(old)
    for change in differences(old, new):
        assert change.get("old") == followed.get(change["path"])
        if "new" in change:
            followed[change["path"]] = change["new"]
        else:
            del followed[change["path"]]

    assert followed == leaves(new)


@NO_DEADLINE
@given(DOCUMENTS)
def test_a_document_does_not_differ_from_itself(document: dict[str, Any]) -> None:
    assert differences(document, copy.deepcopy(document)) == []
