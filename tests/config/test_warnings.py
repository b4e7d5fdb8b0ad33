"""Warnings: each is given for the value it is about, and for nothing else; layers and lists stay readable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from making import document_of
from vivienne.config.documents import leaves, merged
from vivienne.config.layers import GLOBAL, Layers
from vivienne.config.tunables import DEFAULTS
from vivienne.config.warnings import warnings_of, warnings_of_change
from vivienne.slices import whole

if TYPE_CHECKING:
    from vivienne.wire.problem import WarningEntry

IDLE, LOADED, AIM, BANG = (f"settings.position_size_{level}" for level in ("idle", "loaded", "aim", "bang"))
BUFFER = "filters.levels.levels_buffer_percent"
"""The defaults are 0, 0.1, 0.2 and 0.5 % of equity, and a buffer of 0.3 % of price."""


def warned(values: dict[str, Any], before: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    """Kinds and paths of the warnings of an update of the defaults, or of what was set before."""
    old = merged(DEFAULTS, document_of(before or {}))
    update = document_of(values)
    return [(each["id"], each["path"]) for each in warnings_of(old, merged(old, update), leaves(update))]


@pytest.mark.parametrize(
    ("values", "before", "warnings"),
    [
        ({BANG: 13}, {}, [("size_change", BANG)]),
        ({BANG: 2.5}, {}, []),  # a factor of 5
        ({BANG: 2.51}, {}, [("size_change", BANG)]),
        ({LOADED: 0.02}, {}, []),
        ({LOADED: 0.0199}, {}, [("size_change", LOADED)]),
        ({LOADED: 0.1}, {LOADED: 0}, [("size_change", LOADED)]),
        ({BANG: 13}, {BANG: 13}, []),
        ({IDLE: 0.1}, {}, [("idle_size", IDLE)]),
        ({IDLE: 0}, {IDLE: 3}, []),
        ({IDLE: 3}, {IDLE: 0.1}, [("size_change", IDLE), ("idle_size", IDLE)]),
        ({LOADED: 0.3}, {}, [("sizes_not_rising", LOADED)]),
        ({AIM: 0.1}, {}, [("sizes_not_rising", AIM)]),
        ({BANG: 0.2}, {}, [("sizes_not_rising", BANG)]),
        ({LOADED: 1, AIM: 1, BANG: 1}, {LOADED: 0.5, AIM: 0.6, BANG: 0.7}, [("sizes_not_rising", AIM)]),
        ({BUFFER: 0.02}, {}, []),
        ({BUFFER: 0.021}, {}, [("wide_levels_buffer", BUFFER)]),
        # What was so before is warned of only where the change sets it.
        ({"settings.state_threshold_bang": 90}, {IDLE: 3, LOADED: 50, BUFFER: 0.1}, []),
        ({BUFFER: 0.1}, {BUFFER: 0.1, IDLE: 3}, [("wide_levels_buffer", BUFFER)]),
    ],
)
def test_a_warning_is_given_for_its_values_only(
    values: dict[str, Any], before: dict[str, Any], warnings: list[tuple[str, str]]
) -> None:
    assert warned(values, before) == warnings


def test_the_messages_have_the_values_in_their_units() -> None:
    update = document_of({BANG: 13, IDLE: 1, AIM: 20, BUFFER: 0.05})

    assert [each["message"] for each in warnings_of(DEFAULTS, merged(DEFAULTS, update), leaves(update))] == [
        "Position size (aim) changes from 0.2 % to 20 % of equity, by a factor of 100",
        "Position size (bang) changes from 0.5 % to 13 % of equity, by a factor of 26",
        "Position size (idle) is 1 %: a position would be held while there is no entry",
        "Position sizes do not rise from loaded over aim to bang: 0.1 %, 20 %, 13 %",
        "Levels buffer is 5 % of price, above 2 %: most entries have a level nearer than that",
    ]


def test_the_messages_have_digits_enough_to_tell_a_value_from_what_is_usual() -> None:
    update = document_of({BANG: 2.51, BUFFER: 0.0200001})

    assert [each["message"] for each in warnings_of(DEFAULTS, merged(DEFAULTS, update), leaves(update))] == [
        "Position size (bang) changes from 0.5 % to 2.51 % of equity, by a factor of 5.02",
        "Levels buffer is 2.00001 % of price, above 2 %: most entries have a level nearer than that",
    ]


def of_change(documents: dict[str, dict[str, Any]], layer: str, values: dict[str, Any]) -> list[WarningEntry]:
    assets = tuple(name for name in documents if name != GLOBAL)
    before = Layers.load(assets, {name: document_of(own) for name, own in documents.items()})
    after, problems = whole(before.changed(layer, document_of(values), frozenset(values)))
    assert problems == []
    return whole(warnings_of_change(before, after, {layer: values}))


def test_a_change_for_all_names_the_assets_for_which_only_it_is_unusual() -> None:
    """BTC inherits everything, ETH has a larger size for aim, SOL a size of its own for bang."""
    found = of_change({"BTC": {}, "ETH": {AIM: 0.45}, "SOL": {BANG: 20}}, GLOBAL, {BANG: 0.4})
    assert [(each["id"], each.get("asset")) for each in found] == [("sizes_not_rising", "ETH")]
    assert found[0]["message"].startswith("ETH: Position sizes do not rise")

    found = of_change({"BTC": {}, "SOL": {BANG: 20}}, GLOBAL, {BANG: 13})
    assert [(each["id"], each.get("asset")) for each in found] == [("size_change", None)]


def test_a_change_of_one_asset_needs_no_name() -> None:
    assert [(each["id"], "asset" in each) for each in of_change({"BTC": {}}, "BTC", {BANG: 13})] == [
        ("size_change", False)
    ]


def test_warnings_of_many_assets_are_counted() -> None:
    found = of_change({f"A{number}": {AIM: 0.45} for number in range(1_500)}, GLOBAL, {BANG: 0.4})
    assert [each["id"] for each in found] == ["sizes_not_rising"] * 20 + ["more"]
    assert found[-1]["message"] == "... and 1,480 more warnings"
