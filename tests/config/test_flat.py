"""Flat names and nested paths stand for the same values, and a message that contradicts itself is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from making import document_of
from vivienne.config.documents import leaves
from vivienne.config.flat import FLAT_NAMES, TOP_LEVEL, nearest, nest
from vivienne.config.tunables import TUNABLES

NO_DEADLINE = settings(deadline=None)  # a busy machine is no failure


@pytest.mark.parametrize(("name", "path"), FLAT_NAMES.items())
def test_every_flat_name_stands_for_its_path(name: str, path: str) -> None:
    assert nest({name: 12.5}) == (document_of({path: 12.5}), [])


@pytest.mark.parametrize("path", TUNABLES)
def test_every_tunable_has_a_flat_name_that_leads_back_to_it(path: str) -> None:
    assert FLAT_NAMES[TUNABLES[path].flat_name] == path


def test_flat_names_leave_no_tunable_out() -> None:
    assert set(FLAT_NAMES.values()) == set(TUNABLES)


def test_no_flat_name_is_mistaken_for_a_section() -> None:
    assert not set(FLAT_NAMES) & set(TOP_LEVEL)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("bang_threshold", "settings.state_threshold_bang"),
        ("aim_threshold", "settings.state_threshold_aim"),
        ("loaded_threshold", "settings.state_threshold_loaded"),
        ("state_threshold_bang", "settings.state_threshold_bang"),
        ("position_size_bang", "settings.position_size_bang"),
        ("volatility_squeeze_threshold", "filters.volatility.volatility_squeeze_threshold"),
        ("enable_trend_filter_for_entry", "filters.trend.enable_trend_filter_for_entry"),
        ("levels_buffer_percent", "filters.levels.levels_buffer_percent"),
        ("ema_cross_weight", "signal_weights.ema_cross"),
        ("macd", "signal_weights.macd"),
        ("underused_alpha_enabled", "filters.underused_alpha.enabled"),
        ("combined_vwap_enabled", "filters.combined_vwap.enabled"),
    ],
)
def test_names_existing_clients_send_keep_their_meaning(name: str, path: str) -> None:
    assert FLAT_NAMES[name] == path


def test_the_short_name_of_two_tunables_is_no_flat_name() -> None:
    _, problems = nest({"enabled": False})

    assert [problem.path for problem in problems] == ["enabled"]


@NO_DEADLINE
@given(st.dictionaries(st.sampled_from(sorted(TUNABLES)), st.floats(allow_nan=False) | st.booleans()), st.data())
def test_flat_nested_and_mixed_messages_mean_the_same(values: dict[str, Any], data: st.DataObject) -> None:
    message: dict[str, Any] = {}
    for path, value in values.items():
        if data.draw(st.booleans()):
            message[TUNABLES[path].flat_name] = value
        else:
            inner = message
            *sections, name = path.split(".")
            for section in sections:
                inner = inner.setdefault(section, {})
            inner[name] = value
    sent = copy.deepcopy(message)

    document, problems = nest(message)

    assert problems == []
    assert leaves(document) == values
    assert message == sent, "what was sent must stay as it was"


def test_a_flat_name_beside_its_section_is_laid_into_it() -> None:
    document, problems = nest({"bang_threshold": 85, "settings": {"state_threshold_aim": 75}, "description": "note"})

    assert problems == []
    assert document == {"settings": {"state_threshold_aim": 75, "state_threshold_bang": 85}, "description": "note"}


def test_the_same_value_twice_is_no_conflict() -> None:
    document, problems = nest({"bang_threshold": 85, "settings": {"state_threshold_bang": 85}})

    assert problems == []
    assert document == {"settings": {"state_threshold_bang": 85}}


@pytest.mark.parametrize(
    ("message", "path"),
    [
        ({"bang_threshold": 85, "settings": {"state_threshold_bang": 90}}, "bang_threshold"),
        ({"settings": {"state_threshold_bang": 90}, "bang_threshold": 85}, "bang_threshold"),
        ({"bang_threshold": 85, "state_threshold_bang": 90}, "state_threshold_bang"),
        ({"macd_weight": 0.1, "signal_weights": {"macd": 0.2}}, "macd_weight"),
    ],
)
def test_a_message_that_contradicts_itself_is_refused_on_the_flat_name(message: dict[str, Any], path: str) -> None:
    _, problems = nest(message)

    assert [problem.path for problem in problems] == [path]
    assert repr(FLAT_NAMES[path]) in problems[0].message


def test_a_truth_value_and_a_number_are_a_contradiction() -> None:
    _, problems = nest({"underused_alpha_enabled": True, "filters": {"underused_alpha": {"enabled": 1}}})

    assert [problem.path for problem in problems] == ["underused_alpha_enabled"]


@pytest.mark.parametrize("broken", [None, 5, "text", [1]])
def test_a_flat_name_cannot_be_laid_into_a_section_that_is_no_object(broken: object) -> None:
    document, problems = nest({"settings": broken, "bang_threshold": 85})

    assert document == {"settings": broken}
    assert [problem.path for problem in problems] == ["bang_threshold"]


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("bang_treshold", "bang_threshold"),
        ("setings", "settings"),
        ("signal_weight", "signal_weights"),
        ("volatility_squeeze", "volatility_squeeze_threshold"),
        ("level_buffer_percent", "levels_buffer_percent"),
    ],
)
def test_an_unknown_name_gets_the_nearest_known_one(name: str, known: str) -> None:
    document, problems = nest({name: 1})

    assert document == {}
    assert [(problem.path, repr(known) in problem.message) for problem in problems] == [(name, True)]


def test_all_unknown_names_are_reported_together() -> None:
    _, problems = nest({"foo": 1, "bar": 2, "bang_threshold": 85})

    assert [problem.path for problem in problems] == ["foo", "bar"]


@NO_DEADLINE
@given(st.text())
def test_any_text_has_a_nearest_known_name(name: str) -> None:
    assert nearest(name, FLAT_NAMES) in FLAT_NAMES


def test_thousands_of_unknown_names_are_summed_up() -> None:
    _, problems = nest({f"name_{number}": 1 for number in range(500)})
    assert len(problems) == 21
    assert problems[-1].message == "... and 480 more unknown names"
