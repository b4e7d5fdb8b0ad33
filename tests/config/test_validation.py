"""Whoever sends something wrong learns where, and what would be right, all at once."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from making import document_of
from vivienne.agent.tunable import LONGEST_DESCRIPTION
from vivienne.config.documents import merged
from vivienne.config.tunables import DEFAULTS, SECTIONS, TUNABLES
from vivienne.config.validation import check_document, check_rules

NO_DEADLINE = settings(deadline=None)  # a busy machine is no failure


def found(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(problem.path, problem.message) for problem in check_document(document)]


def broken(document: dict[str, Any], *touched: str) -> list[tuple[str, str]]:
    problems = check_rules(merged(DEFAULTS, document), touched)
    return [(problem.path, problem.message) for problem in problems]


BANG = "settings.state_threshold_bang"
BUFFER = "filters.levels.levels_buffer_percent"
SQUEEZE = "filters.volatility.volatility_squeeze_threshold"
SWITCH = "filters.trend.enable_trend_filter_for_entry"
PERIOD = "indicators.rsi_period"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (BANG, 101, "Bang threshold must be between 0 and 100"),
        (BANG, -0.001, "Bang threshold must be between 0 and 100"),
        (BANG, math.inf, "Bang threshold must be between 0 and 100"),
        (BANG, -math.inf, "Bang threshold must be between 0 and 100"),
        (BANG, "80", "Bang threshold must be a number, not a text (without the quotes)"),
        (BANG, True, "Bang threshold must be a number, not a truth value (true)"),
        (BANG, [80], "Bang threshold must be a number, not a list"),
        (BANG, {"value": 80}, "Bang threshold must be a number, not an object"),
        (BANG, None, "Bang threshold must be a number, not null; to go back to the inherited value, reset it"),
        ("settings.state_threshold_aim", 101, "Aim threshold must be between 0 and 100"),
        ("settings.state_threshold_loaded", 101, "Loaded threshold must be between 0 and 100"),
        ("settings.position_size_bang", 100.5, "Position size (bang) must be between 0 and 100"),
        ("signal_weights.ema_cross", 1.5, "Signal weight ema_cross must be between 0 and 1"),
        (SQUEEZE, -1, "Volatility squeeze threshold must be between 0 and 0.4 (it is a fraction: 1.5 % is 0.015)"),
        (SQUEEZE, 1.5, "Volatility squeeze threshold must be between 0 and 0.4 (it is a fraction: 1.5 % is 0.015)"),
        (BUFFER, 0.5, "Levels buffer must be between 0 and 0.1 (it is a fraction: 0.3 % is 0.003)"),
        (
            "filters.combined_vwap.distribution_avg_trade_size_threshold",
            1e10,
            "Distribution average trade size must be between 0 and 1 000 000 000",
        ),
        (SWITCH, 1, "Trend filter must be true or false, not a number"),
        (SWITCH, 0.0, "Trend filter must be true or false, not a number"),
        (SWITCH, "true", "Trend filter must be true or false, not a text"),
        (SWITCH, None, "Trend filter must be true or false, not null; to go back to the inherited value, reset it"),
        (PERIOD, 14.5, "RSI period must be a whole number, not 14.5"),
        (PERIOD, 1, "RSI period must be between 2 and 100"),
        (PERIOD, 1.5, "RSI period must be between 2 and 100"),
        (PERIOD, 1e300, "RSI period must be between 2 and 100"),
        (PERIOD, True, "RSI period must be a whole number, not a truth value (true)"),
        (PERIOD, "14", "RSI period must be a whole number, not a text (without the quotes)"),
        (PERIOD, None, "RSI period must be a whole number, not null; to go back to the inherited value, reset it"),
    ],
)
def test_a_wrong_value_is_named_with_what_would_be_right(path: str, value: object, message: str) -> None:
    assert found(document_of({path: value})) == [(path, message)]


@pytest.mark.parametrize("value", [14, 14.0, 2, 100, 1e2])
def test_a_whole_number_may_be_written_with_a_point(value: float) -> None:
    assert found(document_of({PERIOD: value})) == []


@pytest.mark.parametrize("path", TUNABLES)
@pytest.mark.parametrize("value", [None, "80", "", [], {}, math.nan], ids=repr)
def test_no_tunable_takes_what_is_no_value_and_says_so_on_its_path(path: str, value: object) -> None:
    assert [(where, what.startswith(TUNABLES[path].title)) for where, what in found(document_of({path: value}))] == [
        (path, True)
    ]


@pytest.mark.parametrize("section", SECTIONS)
def test_a_note_is_taken_at_every_level(section: str) -> None:
    assert found(document_of({f"{section}.description".lstrip("."): "calmer at night"})) == []


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize(
    ("note", "message"),
    [
        (None, "Description must be a text, not null; to go back to the inherited value, reset it"),
        (5, f"Description must be a text of at most {LONGEST_DESCRIPTION} characters, not a number"),
        (True, f"Description must be a text of at most {LONGEST_DESCRIPTION} characters, not a truth value (true)"),
        (["x"], f"Description must be a text of at most {LONGEST_DESCRIPTION} characters, not a list"),
        ({"a": 1}, f"Description must be a text of at most {LONGEST_DESCRIPTION} characters, not an object"),
        ("x" * (LONGEST_DESCRIPTION + 1), f"Description must be a text of at most {LONGEST_DESCRIPTION} characters"),
    ],
)
def test_a_note_that_is_none_is_refused_at_every_level(section: str, note: object, message: str) -> None:
    path = f"{section}.description".lstrip(".")

    assert found(document_of({path: note})) == [(path, message)]


def test_a_note_may_be_as_long_as_is_said() -> None:
    assert found({"description": "x" * LONGEST_DESCRIPTION}) == []


@pytest.mark.parametrize("section", [path for path in SECTIONS if path])
@pytest.mark.parametrize(
    ("value", "kind"),
    [(None, "null"), (5, "a number"), ("x", "a text"), ([], "a list"), (True, "a truth value (true)")],
)
def test_a_section_must_be_an_object(section: str, value: object, kind: str) -> None:
    assert found(document_of({section: value})) == [
        (section, f"{section!r} must be an object with the names of its values, not {kind}")
    ]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("foo", "Unknown name 'foo'; the nearest known name is "),
        ("setings", "Unknown name 'setings'; the nearest known name is 'settings'"),
        (
            "settings.state_treshold_bang",
            "Unknown name 'state_treshold_bang' in 'settings'; the nearest known name is 'state_threshold_bang'",
        ),
        ("filters.level", "Unknown name 'level' in 'filters'; the nearest known name is 'levels'"),
        (
            "filters.levels.levels_buffer",
            "Unknown name 'levels_buffer' in 'filters.levels'; the nearest known name is 'levels_buffer_percent'",
        ),
        (
            "settings.levels_buffer_percent",
            f"Unknown name 'levels_buffer_percent' in 'settings'; it is {BUFFER!r}",
        ),
        ("settings.bang_threshold", f"Unknown name 'bang_threshold' in 'settings'; it is {BANG!r}"),
        ("indicators.ema_cross", "Unknown name 'ema_cross' in 'indicators'; it is 'signal_weights.ema_cross'"),
    ],
)
def test_an_unknown_name_is_answered_with_the_one_that_was_meant(path: str, message: str) -> None:
    problems = found(document_of({path: 1}))

    assert [where for where, _ in problems] == [path]
    assert problems[0][1].startswith(message)


@pytest.mark.parametrize("section", SECTIONS)
def test_an_unknown_name_is_refused_in_every_section(section: str) -> None:
    path = f"{section}.no_such_name".lstrip(".")

    assert [where for where, _ in found(document_of({path: 1}))] == [path]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    document = {
        "description": None,
        "settings": {"state_threshold_bang": 101, "state_threshold_aim": None, "foo": 1},
        "filters": {"levels": {"levels_buffer_percent": 0.5, "description": None}, "trend": 5},
        "signal_weights": {"macd": "0.5"},
        "indicators": {"rsi_period": 14.5},
        "bar": 1,
    }

    assert {path for path, _ in found(document)} == {
        "description",
        "settings.state_threshold_bang",
        "settings.state_threshold_aim",
        "settings.foo",
        "filters.levels.levels_buffer_percent",
        "filters.levels.description",
        "filters.trend",
        "signal_weights.macd",
        "indicators.rsi_period",
        "bar",
    }
    assert len(found(document)) == 10


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=5,
)


@NO_DEADLINE
@given(st.sampled_from([*TUNABLES, *(path for path in SECTIONS if path), "description", "foo", "settings.foo"]), JSON)
def test_whatever_is_sent_is_accepted_or_refused_with_a_sentence(path: str, value: Any) -> None:
    document = document_of({path: value})

    problems = [*check_document(document), *check_rules(merged(DEFAULTS, document), {path})]

    assert all(problem.path and " " in problem.message for problem in problems)


# Rules between values


LOADED, AIM = "settings.state_threshold_loaded", "settings.state_threshold_aim"
BREAKOUT = "filters.volatility.volatility_breakout_threshold"
FAST, SLOW = "indicators.ema_fast_period", "indicators.ema_slow_period"
MACD_FAST, MACD_SLOW = "indicators.macd_fast_period", "indicators.macd_slow_period"
RSI_FULL, RSI_HALF, RSI_BEGIN = "signals.rsi_full", "signals.rsi_half", "signals.rsi_begin"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (BANG, 60, "Aim threshold (70) must not be above Bang threshold (60)"),
        (AIM, 85, "Aim threshold (85) must not be above Bang threshold (80)"),
        (AIM, 40, "Loaded threshold (50) must not be above Aim threshold (40)"),
        (LOADED, 75.5, "Loaded threshold (75.5) must not be above Aim threshold (70)"),
        (
            SQUEEZE,
            0.03,
            "Volatility squeeze threshold (0.03) must not be above Volatility breakout threshold (0.025)",
        ),
        (
            BREAKOUT,
            0.01,
            "Volatility squeeze threshold (0.015) must not be above Volatility breakout threshold (0.01)",
        ),
        (FAST, 21, "EMA fast (21) must be below EMA slow (21)"),
        (SLOW, 9, "EMA fast (9) must be below EMA slow (9)"),
        (SLOW, 5, "EMA fast (9) must be below EMA slow (5)"),
        (MACD_FAST, 26, "MACD fast (26) must be below MACD slow (26)"),
        (MACD_SLOW, 2, "MACD fast (12) must be below MACD slow (2)"),
        (RSI_FULL, 30, "RSI at full strength (30) must be below RSI at half strength (30)"),
        (RSI_HALF, 10, "RSI at full strength (15) must be below RSI at half strength (10)"),
        (RSI_HALF, 40, "RSI at half strength (40) must be below RSI at zero strength (40)"),
        (RSI_BEGIN, 20, "RSI at half strength (30) must be below RSI at zero strength (20)"),
    ],
)
def test_a_broken_rule_is_reported_on_the_field_that_is_being_edited(path: str, value: float, message: str) -> None:
    problems = broken(document_of({path: value}), path)

    assert [where for where, _ in problems] == [path]
    assert [what.lower() for _, what in problems] == [message.lower()]


def test_a_broken_rule_shows_values_that_differ() -> None:
    [(_, message)] = broken(document_of({SQUEEZE: 0.0250000001}), SQUEEZE)

    assert "(0.0250000001)" in message
    assert "(0.025)" in message


@pytest.mark.parametrize(
    ("path", "value"),
    [(BANG, 70), (AIM, 80), (AIM, 50), (LOADED, 70), (SQUEEZE, 0.025), (BREAKOUT, 0.015), (FAST, 20), (SLOW, 10)],
)
def test_what_just_keeps_a_rule_is_accepted(path: str, value: float) -> None:
    assert broken(document_of({path: value}), path) == []


def test_two_values_changed_together_are_judged_together() -> None:
    document = {"settings": {"state_threshold_bang": 60, "state_threshold_aim": 55}}

    assert broken(document, BANG, AIM) == []


def test_a_rule_broken_by_two_changed_values_is_reported_once() -> None:
    document = {"settings": {"state_threshold_bang": 60, "state_threshold_aim": 65}}

    assert [path for path, _ in broken(document, BANG, AIM)] in ([BANG], [AIM])


def test_with_no_weight_above_zero_nothing_would_ever_vote() -> None:
    weights = dict.fromkeys(("ema_cross", "macd", "rsi", "bb_bounce", "bb_breakout"), 0)

    assert broken({"signal_weights": weights}, "signal_weights.rsi") == [
        ("signal_weights", "At least one signal weight must be above 0: with none, nothing ever votes")
    ]
    assert broken({"signal_weights": {**weights, "rsi": 0.01}}, "signal_weights.rsi") == []


def test_all_broken_rules_are_reported_together() -> None:
    document = {
        "settings": {"state_threshold_bang": 40, "state_threshold_loaded": 90},
        "indicators": {"ema_fast_period": 30, "macd_slow_period": 5},
        "signals": {"rsi_full": 50},
    }

    assert {path for path, _ in broken(document, BANG, LOADED, FAST, MACD_SLOW, RSI_FULL)} == {
        BANG, LOADED, FAST, MACD_SLOW, RSI_FULL,
    }  # fmt: skip


@pytest.mark.parametrize("value", [None, "85", True, [85], {"a": 85}])
def test_a_value_of_a_wrong_type_breaks_no_rule_besides(value: object) -> None:
    assert broken(document_of({AIM: value}), AIM) == []
    assert broken({"settings": value}, "settings") == []


@NO_DEADLINE
@given(st.tuples(*[st.floats(0, 100)] * 3), st.sampled_from([LOADED, AIM, BANG]))
def test_thresholds_are_accepted_exactly_when_in_order(values: tuple[float, float, float], touched: str) -> None:
    loaded, aim, bang = values
    document = {
        "settings": {"state_threshold_loaded": loaded, "state_threshold_aim": aim, "state_threshold_bang": bang}
    }

    assert (broken(document, touched) == []) == (loaded <= aim <= bang)


def test_thousands_of_unknown_names_in_a_section_are_summed_up() -> None:
    problems = check_document({"settings": {f"name_{number}": 1 for number in range(400)}})
    assert len(problems) == 21
    assert problems[-1].message == "... and 380 more unknown names"
