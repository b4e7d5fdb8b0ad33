"""Only plain, finite, unambiguous JSON objects are read; everything else is refused with a reason."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivienne.channels.json import USUAL, read_object
from vivienne.errors import Malformed, TooLarge

NO_DEADLINE = settings(deadline=None)  # a busy machine is no failure
TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
OBJECTS = st.dictionaries(
    TEXTS,
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=10,
    ),
    max_size=4,
)


def nested(levels: int, innermost: str, opening: str = '{"a":', closing: str = "}") -> bytes:
    """A JSON text of so many objects in each other, the innermost with a value."""
    return (opening * levels + innermost + closing * levels).encode()


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


@NO_DEADLINE
@given(OBJECTS)
def test_every_json_object_is_read_as_it_was_written(document: dict[str, Any]) -> None:
    if depth(document) <= USUAL.nesting:
        assert read_object(orjson.dumps(document)) == document
    else:
        with pytest.raises(Malformed):
            read_object(orjson.dumps(document))


def outcome(raw: bytes) -> dict[str, Any] | Malformed:
    try:
        return read_object(raw)
    except Malformed as refused:
        return refused


@NO_DEADLINE
@given(st.binary(max_size=60))
def test_any_bytes_are_an_object_or_refused_with_a_reason(raw: bytes) -> None:
    found = outcome(raw)

    if isinstance(found, Malformed):
        assert [bool(problem.message) for problem in found.problems] == [True]
    else:
        assert found == orjson.loads(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"{",
        b"}",
        b'{"a"',
        b'{"a":',
        b'{"a":1',
        b'{"a":1,}',
        b'{"a":1}}',
        b'{"a":1}{"b":2}',
        b"{'a':1}",
        b"{a:1}",
        b'{"a":01}',
        b'{"a":.5}',
        b'{"a":1.}',
        b'{"a":+1}',
        b'{"a":0x10}',
        b'{"a":True}',
        b'{"a":None}',
        b'{"a":undefined}',
        b'{"a":1 /* note */}',
        b'{"a":"line\nbreak"}',
        b'{"a":"\\x41"}',
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        b"\x00",
    ],
)
def test_what_is_not_json_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed, match=r"^This is not JSON: .*line \d+ column \d+"):
        read_object(raw)


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", "nan", "1e999", "-1e999", "1e400", "9" * 400, "9" * 5000]
)
def test_a_number_that_is_not_finite_is_called_so(value: str) -> None:
    with pytest.raises(Malformed, match="numbers must be finite"):
        read_object(f'{{"settings": {{"state_threshold_bang": {value}}}}}'.encode())


@pytest.mark.parametrize("raw", [b'{"a":"\\ud800"}', b'{"a":"\\udc00\\ud800"}', b'{"\\ud800":1}', b'{"a":"\\ud800x"}'])
def test_half_a_surrogate_pair_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed, match="not JSON"):
        read_object(raw)


def test_a_whole_surrogate_pair_is_one_character() -> None:
    assert read_object(b'{"a":"\\ud83d\\ude80"}') == {"a": "\N{ROCKET}"}


@pytest.mark.parametrize("raw", [b'{"a":"\xff"}', b'{"a":"\xc3"}', b'{"\xc0\xaf":1}', b'{"a":"\xed\xa0\x80"}'])
def test_what_is_not_utf_8_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed, match="not JSON"):
        read_object(raw)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"[]", "a list"),
        (b'[{"a":1}]', "a list"),
        (b"5", "a number"),
        (b"5.5", "a number"),
        (b'"text"', "a text"),
        (b"null", "null"),
        (b"true", "a truth value"),
        (b"false", "a truth value"),
    ],
)
def test_what_is_no_object_is_called_by_its_kind(raw: bytes, kind: str) -> None:
    with pytest.raises(Malformed, match=f"^A JSON object is needed, not {kind}$"):
        read_object(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"bang":80,"bang":85}',
        b'{"bang":80,"bang":80}',
        b'{"bang":80,"\\u0062ang":85}',
        b'{"settings":{"bang":80,"aim":70,"bang":85}}',
        b'{"list":[{"x":1},{"bang":80,"bang":85}]}',
    ],
)
def test_a_name_that_is_there_twice_is_refused_and_named(raw: bytes) -> None:
    with pytest.raises(Malformed, match="'bang' appears twice") as refused:
        read_object(raw)

    assert [problem.path for problem in refused.value.problems] == ["bang"]


def test_the_same_name_in_two_sections_is_no_duplicate() -> None:
    assert read_object(b'{"a":{"enabled":true},"b":{"enabled":false}}') == {
        "a": {"enabled": True},
        "b": {"enabled": False},
    }


@pytest.mark.parametrize("innermost", ["{}", '{"a":1}', "[]", "[1]"])
def test_nesting_is_read_down_to_the_deepest_level_that_is_allowed(innermost: str) -> None:
    raw = nested(USUAL.nesting - 1, innermost)

    assert read_object(raw) == orjson.loads(raw)


@pytest.mark.parametrize("innermost", ["1", "{}", "[]"])
@pytest.mark.parametrize("levels", [USUAL.nesting + 1, 100, 900, 1_100, 40_000])
def test_deeper_nesting_is_refused(levels: int, innermost: str) -> None:
    with pytest.raises(Malformed, match=r"deep|depth"):
        read_object(nested(levels, innermost))


@pytest.mark.parametrize("levels", [USUAL.nesting, 900, 40_000])
def test_lists_count_as_nesting(levels: int) -> None:
    with pytest.raises(Malformed, match=r"deep|depth"):
        read_object(b'{"a":' + nested(levels, "1", "[", "]") + b"}")


def test_a_message_may_be_exactly_as_long_as_is_said() -> None:
    raw = b'{"a":"' + b"x" * (USUAL.bytes - 8) + b'"}'

    assert len(raw) == USUAL.bytes == 262_144
    assert read_object(raw) == {"a": "x" * (USUAL.bytes - 8)}


@pytest.mark.parametrize("raw", [b'{"a":"' + b"x" * (USUAL.bytes - 7) + b'"}', b" " * (USUAL.bytes + 1)])
def test_a_longer_message_is_refused_as_too_large(raw: bytes) -> None:
    with pytest.raises(TooLarge, match=f"the limit is {USUAL.bytes:,}"):
        read_object(raw)


def test_more_names_than_any_configuration_has_are_refused_before_they_are_looked_at() -> None:
    with pytest.raises(Malformed, match="The message has 501 names; the limit is 500"):
        read_object(orjson.dumps({"settings": {str(number): 1 for number in range(500)}}))
    assert read_object(orjson.dumps({str(number): 1 for number in range(500)}))


def test_a_name_that_is_there_twice_among_thousands_is_found() -> None:
    names = [*range(20_000), 19_999]
    with pytest.raises(Malformed):
        read_object(("{" + ",".join(f'"{name}":1' for name in names) + "}").encode())
