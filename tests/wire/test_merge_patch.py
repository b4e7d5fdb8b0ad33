from __future__ import annotations

import copy
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from merging import exact, merged
from vivienne.wire.merge_patch import merge_patch, patched

NAMES = st.sampled_from(["a", "b", "c", ""])
LEAVES = st.sampled_from([None, True, False, 0, 1, -1, 0.0, -0.0, 1.0, 0.5, "", "1", "true"])
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=4)


@given(before=OBJECTS, after=OBJECTS)
def test_a_patch_gives_the_other_object_exactly(before: dict[str, Any], after: dict[str, Any]) -> None:
    patch = merge_patch(before, after)
    if patch is not None:
        sent = orjson.loads(orjson.dumps(patch))
        assert exact(after) == exact(merged(copy.deepcopy(before), sent))
        assert exact(after) == exact(patched(before, sent))


@given(target=OBJECTS, patch=OBJECTS)
def test_applying_any_patch_does_what_the_standard_says_and_changes_nothing_in_place(
    target: dict[str, Any], patch: dict[str, Any]
) -> None:
    before = exact([target, patch])
    assert exact(merged(copy.deepcopy(target), copy.deepcopy(patch))) == exact(patched(target, patch))
    assert before == exact([target, patch])


@given(value=OBJECTS)
def test_an_object_that_does_not_change_has_an_empty_patch(value: dict[str, Any]) -> None:
    assert {} == merge_patch(value, value) == merge_patch(value, copy.deepcopy(value))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a": 1}, {"a": None}),
        ({}, {"a": None}),
        ({"a": {"b": 1}}, {"a": {"b": None}}),
        ({"a": 1}, {"a": {"b": None}}),
        ({}, {"a": {"b": {"c": None}}}),
        ({"a": 0.5}, {"a": float("nan")}),
    ],
)
def test_what_would_need_a_null_has_no_patch(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert merge_patch(before, after) is None


@pytest.mark.parametrize(
    ("before", "after", "patch"),
    [
        ({"a": None}, {"a": None}, {}),
        ({"a": None}, {"a": 1}, {"a": 1}),
        ({"a": 1, "b": 2}, {"b": 2}, {"a": None}),
        ({"a": 1}, {"a": {}}, {"a": {}}),
        ({"a": {"b": 1}}, {"a": {}}, {"a": {"b": None}}),
        ({"a": {"b": 1}}, {"a": [1]}, {"a": [1]}),
        ({"a": [1, 2]}, {"a": [1, 3]}, {"a": [1, 3]}),
        ({"a": [1]}, {"a": [{"b": None}]}, {"a": [{"b": None}]}),
        ({"a": {"b": None, "c": 1}}, {"a": {"b": None, "c": 2}}, {"a": {"c": 2}}),
    ],
)
def test_a_patch_names_what_changes_and_nothing_else(
    before: dict[str, Any], after: dict[str, Any], patch: dict[str, Any]
) -> None:
    assert patch == merge_patch(before, after)


@pytest.mark.parametrize(
    ("one", "other"), [(1, 1.0), (1, True), (0, False), (0.0, -0.0), ([1], [1.0]), ([{"a": 1}], [{"a": True}])]
)
def test_values_that_are_equal_in_python_and_not_in_json_are_different(one: object, other: object) -> None:
    assert exact({"a": other}) == exact(merge_patch({"a": one}, {"a": other}))


def test_parts_that_a_patch_does_not_name_stay_the_same_objects() -> None:
    target: dict[str, Any] = {"config": {"a": 1}, "data": {"explanation": {"signals": []}, "price": 1.0}}
    made = patched(target, {"data": {"price": 2.0}})
    assert made["config"] is target["config"]
    assert made["data"]["explanation"] is target["data"]["explanation"]
    assert 1.0 == target["data"]["price"]
