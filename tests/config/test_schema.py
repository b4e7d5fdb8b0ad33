"""The one definition of every tunable is complete, and what clients are served agrees with what is accepted."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sizes import examples
from vivienne.agent.schema import RULES, Configuration
from vivienne.agent.tunable import LONGEST_DESCRIPTION
from vivienne.config.documents import leaves, merged
from vivienne.config.tunables import DEFAULTS, SECTIONS, TUNABLES, Tunable, json_schema
from vivienne.config.validation import check_document, check_rules

if TYPE_CHECKING:
    from vivienne.wire.document import Document

SCHEMA = json_schema()
MANY = examples(1_500)

NUMBERS = [tunable for tunable in TUNABLES.values() if tunable.kind in ("number", "integer")]


def name(tunable: Tunable) -> str:
    return tunable.path


# Every tunable


@pytest.mark.parametrize("tunable", TUNABLES.values(), ids=name)
def test_every_tunable_is_described_for_people(tunable: Tunable) -> None:
    assert tunable.title[0].isupper()
    assert tunable.description.endswith(".")
    assert tunable.title != tunable.path.rpartition(".")[2], "a title is more than the name"


@pytest.mark.parametrize("tunable", NUMBERS, ids=name)
def test_every_number_has_a_unit_and_bounds_around_its_default(tunable: Tunable) -> None:
    assert tunable.unit
    assert tunable.bounds is not None
    low, high = tunable.bounds
    assert low < high
    assert low <= tunable.default <= high
    assert tunable.step is not None
    assert 0 < tunable.step <= high - low


@pytest.mark.parametrize("tunable", [t for t in TUNABLES.values() if t.kind == "boolean"], ids=name)
def test_every_switch_is_on_or_off_by_default(tunable: Tunable) -> None:
    assert isinstance(tunable.default, bool)
    assert tunable.bounds is None


def test_titles_and_flat_names_are_not_shared() -> None:
    tunables = TUNABLES.values()

    assert len({tunable.flat_name for tunable in tunables}) == len(tunables)
    assert len({tunable.title for tunable in tunables}) == len(tunables)


def test_every_section_has_a_title_or_is_the_whole() -> None:
    for path in SECTIONS:
        if path:
            parent, _, own = path.rpartition(".")
            assert SECTIONS[parent].model_fields[own].title, path


GUIDE = {
    "settings.state_threshold_bang": 80,
    "settings.state_threshold_aim": 70,
    "settings.state_threshold_loaded": 50,
    "settings.position_size_bang": 0.5,
    "settings.position_size_aim": 0.2,
    "settings.position_size_loaded": 0.1,
    "settings.position_size_idle": 0,
    "filters.volatility.enable_bollinger_filter_for_entry": True,
    "filters.volatility.volatility_squeeze_threshold": 0.015,
    "filters.volatility.volatility_breakout_threshold": 0.025,
    "filters.volatility.bollinger_overextended_block": True,
    "filters.levels.enable_levels_filter_for_entry": True,
    "filters.levels.levels_buffer_percent": 0.003,
    "filters.underused_alpha.retail_chop_trade_count_threshold": 100,
    "filters.underused_alpha.retail_chop_avg_trade_size_threshold": 50,
    "filters.combined_vwap.weak_pump_trade_count_threshold": 50,
    "filters.combined_vwap.weak_pump_avg_trade_size_threshold": 100,
    "filters.combined_vwap.distribution_trade_count_threshold": 200,
    "filters.combined_vwap.distribution_avg_trade_size_threshold": 500,
    "signal_weights.ema_cross": 0.75,
    "signal_weights.macd": 0.75,
    "signal_weights.rsi": 0.5,
    "signal_weights.bb_bounce": 0.6,
    "signal_weights.bb_breakout": 0.8,
}
"""The example of the guide, value by value."""


@pytest.mark.parametrize(("path", "value"), GUIDE.items())
def test_the_guides_example_is_the_default(path: str, value: float | bool) -> None:
    assert leaves(DEFAULTS)[path] == value
    assert isinstance(leaves(DEFAULTS)[path], bool) == isinstance(value, bool)


def test_the_extensions_do_not_switch_a_filter_off() -> None:
    assert all(tunable.default is True for tunable in TUNABLES.values() if tunable.kind == "boolean")


def test_the_defaults_leave_nothing_out_and_are_valid() -> None:
    assert set(TUNABLES) <= set(leaves(DEFAULTS))
    assert check_document(DEFAULTS) == []
    assert check_rules(DEFAULTS, ()) == []


def test_an_empty_document_is_the_defaults() -> None:
    assert Configuration.model_validate({}).model_dump(exclude_none=True) == DEFAULTS


def test_a_configuration_cannot_be_changed_in_place() -> None:
    configuration = Configuration()

    with pytest.raises(ValidationError, match="frozen"):
        configuration.settings.state_threshold_bang = 1  # type: ignore[misc]  # what is tested
    assert configuration.settings.state_threshold_bang == 80


# The JSON Schema


KEYWORDS = {
    "$ref", "additionalProperties", "default", "description", "maxLength", "maximum", "minimum", "properties", "title",
    "type",
}  # fmt: skip
EXTENSIONS = {"flat_name", "hint", "step", "unit"}


def nodes(schema: dict[str, Any]) -> list[dict[str, Any]]:
    inner = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
    return [schema, *(node for below in inner for node in nodes(below))]


def test_the_schema_says_which_dialect_it_speaks() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert re.match(r"https?://", SCHEMA["$id"])


def test_the_schema_can_be_sent_as_json() -> None:
    assert orjson.loads(orjson.dumps(SCHEMA)) == SCHEMA


def test_the_schema_uses_keywords_of_the_standard_with_values_of_their_type() -> None:
    at_the_top = {"$schema", "$id", "$defs", "x-rules"}
    for node in nodes(SCHEMA):
        allowed = KEYWORDS | EXTENSIONS | (at_the_top if node is SCHEMA else set())
        assert set(node) <= allowed
        assert node.get("type", "object") in {"object", "number", "integer", "boolean", "string"}
        for keyword in ("title", "description", "$ref", "flat_name", "hint", "unit"):
            assert isinstance(node.get(keyword, ""), str)
        for keyword in ("minimum", "maximum", "step"):
            assert isinstance(node.get(keyword, 0), (int, float))
        assert isinstance(node.get("maxLength", 0), int)


def test_every_reference_leads_somewhere_and_nothing_is_defined_for_nobody() -> None:
    referred = {node["$ref"].removeprefix("#/$defs/") for node in nodes(SCHEMA) if "$ref" in node}

    assert referred == set(SCHEMA["$defs"])


def test_every_object_refuses_unknown_names() -> None:
    objects = [node for node in nodes(SCHEMA) if node.get("type") == "object"]

    assert len(objects) == len(SECTIONS)
    assert all(node["additionalProperties"] is False for node in objects)


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    found: dict[str, Any] = schema if reference is None else SCHEMA["$defs"][reference.removeprefix("#/$defs/")]
    return found


def described(schema: dict[str, Any], prefix: str = "") -> dict[str, dict[str, Any]]:
    """What the schema says about each value, by path."""
    found: dict[str, dict[str, Any]] = {}
    for own, inner in resolved(schema).get("properties", {}).items():
        inner_schema = resolved(inner)
        if inner_schema.get("type") == "object":
            found |= described(inner, f"{prefix}{own}.")
        else:
            found[prefix + own] = inner_schema
    return found


def test_clients_are_served_everything_there_is_to_know_about_a_tunable() -> None:
    served = {path: node for path, node in described(SCHEMA).items() if not path.endswith("description")}

    assert list(served) == list(TUNABLES)
    for path, node in served.items():
        tunable = TUNABLES[path]
        assert node["type"] == tunable.kind
        assert node["title"] == tunable.title
        assert node["description"] == tunable.description
        assert node["default"] == tunable.default
        assert node["flat_name"] == tunable.flat_name
        assert node.get("unit", "") == tunable.unit
        assert node.get("step") == tunable.step
        assert node.get("hint") == tunable.hint
        assert (node.get("minimum"), node.get("maximum")) == (tunable.bounds or (None, None))


def test_every_section_takes_a_note() -> None:
    notes = {path for path in described(SCHEMA) if path.rpartition(".")[2] == "description"}

    assert notes == {f"{section}.description".lstrip(".") for section in SECTIONS}
    assert all(described(SCHEMA)[path]["type"] == "string" for path in notes)
    assert all(described(SCHEMA)[path]["maxLength"] == LONGEST_DESCRIPTION for path in notes)


def test_the_defaults_in_the_schema_are_the_defaults() -> None:
    assert defaults_of(SCHEMA) == DEFAULTS


def test_the_served_rules_name_known_paths_and_are_all_there() -> None:
    assert SCHEMA["x-rules"] == [rule.as_document() for rule in RULES]
    for rule in SCHEMA["x-rules"]:
        assert rule["rule"] in {"ordered", "any_positive"}
        assert len(rule["paths"]) > 1
        assert set(rule["paths"]) <= set(TUNABLES)


# A client that knows nothing but what it is served comes to the same verdict


def accepts(schema: dict[str, Any], value: object) -> bool:
    """The part of JSON Schema that is used, after the standard."""
    schema = resolved(schema)
    kind = schema["type"]
    if kind == "object":
        known = schema["properties"]
        return isinstance(value, dict) and all(
            own in known and accepts(known[own], inner) for own, inner in value.items()
        )
    if kind == "string":
        return isinstance(value, str) and len(value) <= schema["maxLength"]
    if kind == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return False
    if kind == "integer" and value != math.floor(value):
        return False
    return bool(schema["minimum"] <= value <= schema["maximum"])


def defaults_of(schema: dict[str, Any]) -> Document:
    found: Document = {}
    for own, inner in resolved(schema)["properties"].items():
        inner_schema = resolved(inner)
        if inner_schema["type"] == "object":
            found[own] = defaults_of(inner)
        elif "default" in inner_schema:
            found[own] = inner_schema["default"]
    return found


def holds(rule: dict[str, Any], values: dict[str, Any]) -> bool:
    numbers = [values[path] for path in rule["paths"]]
    if rule["rule"] == "any_positive":
        return any(number > 0 for number in numbers)
    return all(low < high if rule["strict"] else low <= high for low, high in pairwise(numbers))


def accepted_by_a_client(document: Document) -> bool:
    if not accepts(SCHEMA, document):
        return False
    values = leaves(merged(defaults_of(SCHEMA), document))
    return all(holds(rule, values) for rule in SCHEMA["x-rules"])


def accepted_here(document: Document) -> bool:
    return not check_document(document) and not check_rules(merged(DEFAULTS, document), leaves(document))


NOTES = st.text(st.characters(codec="utf-8"), max_size=5)


def value_of(tunable: Tunable) -> st.SearchStrategy[Any]:
    if tunable.bounds is None:
        return st.booleans()
    low, high = tunable.bounds
    whole = st.integers(math.ceil(low), math.floor(high))
    if tunable.kind == "integer":
        return whole | whole.map(float)
    near = st.sampled_from([low, high, tunable.default])
    return st.floats(low, high) | near | near.map(float)


VALUE_STRATEGIES = {path: value_of(tunable) for path, tunable in TUNABLES.items()} | {
    f"{section}.description".lstrip("."): NOTES for section in SECTIONS
}
WRONG = (
    st.none()
    | st.booleans()
    | st.sampled_from([math.nan, math.inf, -math.inf, -1, -1e-9, 0, 0.5, 14.0, 14.5, 1e6 + 1, 1e300, 2**63, -(2**63)])
    | st.sampled_from(["", "80", "true", "x" * LONGEST_DESCRIPTION, "x" * (LONGEST_DESCRIPTION + 1)])
    | st.sampled_from([[], [80], {}, {"value": 80}])
)
PLACES = st.sampled_from([*VALUE_STRATEGIES, *(path for path in SECTIONS if path)])
STRANGERS = st.sampled_from(["foo", "settings.foo", "filters.levels.foo", "signals.Rsi_full", "macd", "bang_threshold"])


def put(document: Document, path: str, value: object) -> None:
    *sections, own = path.split(".")
    for section in sections:
        below = document.get(section)
        if not isinstance(below, dict):
            document[section] = below = {}
        document = below
    document[own] = value


@st.composite
def documents(draw: st.DrawFn) -> Document:
    document: Document = {}
    for path in draw(st.lists(st.sampled_from(list(VALUE_STRATEGIES)), max_size=6, unique=True)):
        put(document, path, draw(VALUE_STRATEGIES[path]))
    return document


@st.composite
def spoiled_documents(draw: st.DrawFn) -> Document:
    document = draw(documents())
    for path in draw(st.lists(PLACES | STRANGERS, min_size=1, max_size=2)):
        put(document, path, draw(WRONG))
    return document


@MANY
@given(documents())
def test_a_client_with_the_schema_accepts_what_is_accepted_here(document: Document) -> None:
    assert check_document(document) == []
    assert accepts(SCHEMA, document)
    assert accepted_by_a_client(document) == accepted_here(document)


@MANY
@given(spoiled_documents())
def test_a_client_with_the_schema_refuses_what_is_refused_here(document: Document) -> None:
    assert accepts(SCHEMA, document) == (not check_document(document))
    assert accepted_by_a_client(document) == accepted_here(document)


@pytest.mark.parametrize(
    ("document", "accepted"),
    [
        ({}, True),
        (DEFAULTS, True),
        ({"settings": {}}, True),
        ({"settings": {"state_threshold_bang": 70}}, True),
        ({"settings": {"state_threshold_bang": 69}}, False),
        ({"settings": {"state_threshold_bang": True}}, False),
        ({"settings": {"state_threshold_bang": math.nan}}, False),
        ({"settings": {"description": None}}, False),
        ({"indicators": {"rsi_period": 15.0}}, True),
        ({"indicators": {"rsi_period": 14.5}}, False),
        ({"indicators": {"ema_fast_period": 21}}, False),
        ({"filters": {"volatility": {"volatility_squeeze_threshold": 0.025}}}, True),
        ({"filters": {"volatility": {"volatility_squeeze_threshold": 0.026}}}, False),
        ({"signal_weights": dict.fromkeys(("ema_cross", "macd", "rsi", "bb_bounce", "bb_breakout"), 0)}, False),
        ({"filters": []}, False),
        ({"filters": None}, False),
        ({"foo": {}}, False),
    ],
)
def test_both_verdicts_are_the_expected_ones(document: Document, accepted: bool) -> None:
    assert accepted_here(document) is accepted
    assert accepted_by_a_client(document) is accepted


@pytest.mark.parametrize("tunable", NUMBERS, ids=name)
def test_bounds_are_allowed_themselves_and_nothing_beyond(tunable: Tunable) -> None:
    def taken(value: float) -> bool:
        document: Document = {}
        put(document, tunable.path, value)
        return not check_document(document)

    assert tunable.bounds is not None
    low, high = tunable.bounds
    step = 1.0 if tunable.kind == "integer" else 1e-9 * max(1.0, high)
    assert (taken(low), taken(high)) == (True, True)
    assert (taken(low - step), taken(high + step)) == (False, False)


@MANY
@given(documents())
def test_an_accepted_document_is_what_the_agent_gets(document: Document) -> None:
    effective = merged(DEFAULTS, document)

    assert Configuration.model_validate(effective).model_dump(exclude_none=True) == effective
