"""What goes with a change is checked as strictly as the change itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivienne.channels.envelope import (
    FIELDS,
    LONGEST_TEXT,
    Envelope,
    one_of,
    open_envelope,
    refuse_unknown,
    split_envelope,
)
from vivienne.errors import InvalidConfiguration, Malformed

NO_DEADLINE = settings(deadline=None)  # a busy machine is no failure
NO_TEXTS: list[object] = [None, 5, 1.5, True, [], {}, ["BTC"], "", "   ", "\t\n"]


def test_everything_may_be_left_out() -> None:
    assert open_envelope({}) == Envelope(
        asset=None, request_id=None, author="anonymous", reason=None, expected_version=None
    )


def test_every_field_arrives_where_it_belongs() -> None:
    fields = {
        "asset_symbol": "btc",
        "request_id": "r-1",
        "author": "ann",
        "reason": "calmer",
        "expected_version": 7,
    }

    assert open_envelope(fields) == Envelope("BTC", "r-1", "ann", "calmer", 7)


def test_space_around_a_text_does_not_count() -> None:
    assert open_envelope({"asset_symbol": " BTC ", "author": "  ann"}) == Envelope(asset="BTC", author="ann")


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name in LONGEST_TEXT for value in NO_TEXTS if (name, value) != ("asset_symbol", None)],
)
def test_a_field_that_is_no_text_is_refused_by_its_name(name: str, value: object) -> None:
    with pytest.raises(InvalidConfiguration) as refused:
        open_envelope({name: value})

    assert [problem.path for problem in refused.value.problems] == [name]
    assert f"1 to {LONGEST_TEXT[name]} " in refused.value.problems[0].message


@pytest.mark.parametrize("name", ["asset_symbol", "request_id", "author"])
@pytest.mark.parametrize("value", ["a\nb", "a\x00b", "\x1b[31mred", "a\r", "\u2028a"])
def test_nobody_can_break_a_line_of_the_log(name: str, value: str) -> None:
    with pytest.raises(InvalidConfiguration, match="printable") as refused:
        open_envelope({name: value})

    assert [problem.path for problem in refused.value.problems] == [name]


def test_a_reason_has_no_character_that_a_store_does_not_take() -> None:
    with pytest.raises(InvalidConfiguration, match="reason must be a text of 1 to 1000 characters other than NUL"):
        open_envelope({"reason": "calmer\0at night"})


def test_a_reason_may_have_several_lines() -> None:
    assert open_envelope({"reason": "calmer\nat night"}).reason == "calmer\nat night"


@pytest.mark.parametrize(("name", "longest"), LONGEST_TEXT.items())
def test_a_text_may_be_exactly_as_long_as_is_said(name: str, longest: int) -> None:
    attribute = "asset" if name == "asset_symbol" else name

    written = getattr(open_envelope({name: "x" * longest}), attribute)
    assert written.lower() == "x" * longest
    with pytest.raises(InvalidConfiguration):
        open_envelope({name: "x" * (longest + 1)})


def test_a_null_asset_is_all_assets() -> None:
    assert open_envelope({"asset_symbol": None}) == Envelope(asset=None)


@pytest.mark.parametrize("message", [{"asset": None, "asset_symbol": "BTC"}, {"asset": "BTC", "asset_symbol": None}])
def test_all_assets_and_one_of_them_are_not_the_same(message: dict[str, Any]) -> None:
    with pytest.raises(Malformed, match="mean the same and differ"):
        split_envelope(message)


@pytest.mark.parametrize("value", [None, "7", "", 7.5, True, False, -1, [], {}])
def test_an_expected_version_that_is_no_whole_number_is_refused(value: object) -> None:
    with pytest.raises(InvalidConfiguration) as refused:
        open_envelope({"expected_version": value})

    assert [problem.path for problem in refused.value.problems] == ["expected_version"]


def test_version_zero_can_be_expected() -> None:
    assert open_envelope({"expected_version": 0}).expected_version == 0


def test_all_wrong_fields_are_named_together() -> None:
    with pytest.raises(InvalidConfiguration) as refused:
        open_envelope(dict.fromkeys(FIELDS))

    assert {problem.path for problem in refused.value.problems} == set(FIELDS) - {"asset", "asset_symbol"}


@NO_DEADLINE
@given(st.dictionaries(st.sampled_from([*FIELDS, "settings", "bang_threshold", "x"]), st.integers()))
def test_parting_a_message_loses_nothing(message: dict[str, Any]) -> None:
    if message.pop("asset", None) is not None:
        envelope, _ = split_envelope({"asset": "BTC"})
        assert envelope == {"asset_symbol": "BTC"}
    envelope, rest = split_envelope(message)

    assert {**envelope, **rest} == message
    assert set(envelope) <= set(FIELDS)
    assert not set(rest) & set(FIELDS)


def test_a_field_is_found_under_any_of_its_names() -> None:
    assert one_of({"asset": "BTC"}, ("asset", "asset_symbol")) == ("asset", "BTC")
    assert one_of({"asset_symbol": "BTC"}, ("asset", "asset_symbol")) == ("asset_symbol", "BTC")
    assert one_of({"other": 1}, ("asset", "asset_symbol")) is None


def test_a_field_that_is_null_is_there() -> None:
    assert one_of({"asset": None}, ("asset", "asset_symbol")) == ("asset", None)


def test_the_same_value_under_two_names_is_taken() -> None:
    assert one_of({"config": {"a": 1}, "parameters": {"a": 1}}, ("config", "parameters")) == ("config", {"a": 1})


def test_different_values_under_two_names_are_refused() -> None:
    with pytest.raises(Malformed, match="'asset' and 'asset_symbol' mean the same and differ") as refused:
        one_of({"asset": "BTC", "asset_symbol": "ETH"}, ("asset", "asset_symbol"))

    assert [problem.path for problem in refused.value.problems] == ["asset_symbol"]


def test_known_fields_pass() -> None:
    refuse_unknown({"asset_symbol": "BTC", "reason": "x"}, FIELDS)

    with pytest.raises(Malformed):
        refuse_unknown({"asset_symbol": "BTC", "reasons": "x"}, FIELDS)


def test_all_unknown_fields_are_named_with_the_nearest_known_one() -> None:
    with pytest.raises(Malformed) as refused:
        refuse_unknown({"asset_symbl": "BTC", "reason": "x", "autor": "ann"}, FIELDS)

    assert [(problem.path, problem.message.rpartition(" ")[2]) for problem in refused.value.problems] == [
        ("asset_symbl", "'asset_symbol'"),
        ("autor", "'author'"),
    ]


def test_a_misspelt_field_is_told_with_the_nearest_known_one_and_thousands_are_summed_up() -> None:
    with pytest.raises(Malformed) as refused:
        refuse_unknown([f"asett{number}" for number in range(100)], FIELDS)
    problems = refused.value.problems
    assert len(problems) == 21
    assert "the nearest known one is 'asset'" in problems[0].message
    assert problems[-1].message == "... and 80 more unknown names"


def test_a_name_of_any_length_is_echoed_in_part_only() -> None:
    with pytest.raises(Malformed) as refused:
        refuse_unknown(["x" * 100_000], FIELDS)
    assert len(str(refused.value)) < 300
