"""Defaults lie under what is set for all, and that under what an asset sets itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivienne.config.documents import leaves, merged
from vivienne.config.layers import GLOBAL, Layers
from vivienne.config.tunables import DEFAULTS, TUNABLES
from vivienne.slices import whole

ASSETS = ("BTC", "ETH")
NOTHING: frozenset[str] = frozenset()
NO_DEADLINE = settings(deadline=None)  # a busy machine is no failure
BANG, AIM = "settings.state_threshold_bang", "settings.state_threshold_aim"


def thresholds(**values: object) -> dict[str, Any]:
    return {"settings": {f"state_threshold_{level}": value for level, value in values.items()}}


def in_force(layers: Layers, layer: str, path: str = BANG) -> Any:
    return leaves(layers.effective(layer))[path]


def test_without_any_layer_the_defaults_are_in_force() -> None:
    layers = Layers.load(ASSETS, {})

    assert layers.effective(GLOBAL) == layers.effective("BTC") == DEFAULTS
    assert set(layers.sources("BTC").values()) == {"default"}
    assert layers.document("BTC") == {}


def test_an_asset_wins_over_all_and_all_over_the_defaults() -> None:
    layers = Layers.load(ASSETS, {GLOBAL: thresholds(bang=85, aim=75), "BTC": thresholds(bang=90)})

    assert [in_force(layers, "BTC", path) for path in (BANG, AIM)] == [90, 75]
    assert [in_force(layers, "ETH", path) for path in (BANG, AIM)] == [85, 75]
    assert [in_force(layers, GLOBAL, path) for path in (BANG, AIM)] == [85, 75]
    assert in_force(layers, "BTC", "settings.state_threshold_loaded") == 50


def test_every_value_says_where_it_comes_from() -> None:
    layers = Layers.load(ASSETS, {GLOBAL: thresholds(bang=85, aim=75), "BTC": thresholds(bang=90)})

    btc, eth = layers.sources("BTC"), layers.sources("ETH")
    assert (btc[BANG], btc[AIM], btc["settings.state_threshold_loaded"]) == ("asset", "global", "default")
    assert (eth[BANG], eth[AIM]) == ("global", "global")
    assert set(btc) == set(leaves(layers.effective("BTC")))


def test_a_value_set_to_what_it_is_anyway_is_set_here() -> None:
    layers = Layers.load(ASSETS, {"BTC": thresholds(bang=80)})

    assert layers.sources("BTC")[BANG] == "asset"
    assert in_force(layers, "BTC") == 80


DOCUMENTS = st.dictionaries(st.sampled_from([path for path, t in TUNABLES.items() if t.bounds == (0, 1)]), st.just(0.4))


@NO_DEADLINE
@given(DOCUMENTS, DOCUMENTS)
def test_the_source_of_a_value_is_the_uppermost_layer_that_sets_it(
    below: dict[str, float], above: dict[str, float]
) -> None:
    def document(values: dict[str, float]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for path, value in values.items():
            inner: Any = value
            for name in reversed(path.split(".")):
                inner = {name: inner}
            found = merged(found, inner)
        return found

    layers = Layers.load(ASSETS, {GLOBAL: document(below), "BTC": document(above)})

    assert layers.ignored == {}
    assert layers.sources("BTC") == {
        path: "asset" if path in above else "global" if path in below else "default" for path in leaves(DEFAULTS)
    }


# Changing a layer


def test_a_change_makes_new_layers_and_leaves_the_old_ones() -> None:
    before = Layers.load(ASSETS, {})

    after, problems = whole(before.changed("BTC", thresholds(bang=90), frozenset({BANG})))

    assert problems == []
    assert (in_force(before, "BTC"), in_force(after, "BTC"), in_force(after, "ETH")) == (80, 90, 80)


def test_a_change_of_one_asset_is_judged_with_what_it_inherits() -> None:
    layers = Layers.load(ASSETS, {GLOBAL: thresholds(bang=85, aim=84)})

    _, problems = whole(layers.changed("BTC", thresholds(bang=83), frozenset({BANG})))

    assert [(problem.path, problem.asset) for problem in problems] == [(BANG, None)]


def test_a_global_change_one_asset_cannot_take_names_that_asset() -> None:
    layers = Layers.load(ASSETS, {"ETH": thresholds(aim=75)})

    _, problems = whole(layers.changed(GLOBAL, thresholds(bang=74, aim=60), frozenset({BANG, AIM})))

    assert [problem.asset for problem in problems] == ["ETH"]
    assert problems[0].path in {BANG, AIM}
    assert problems[0].message.startswith("ETH: Aim threshold (75) must not be above")


def test_a_global_change_names_every_asset_that_cannot_take_it() -> None:
    layers = Layers.load(ASSETS, {"BTC": thresholds(aim=78), "ETH": thresholds(aim=75)})

    _, problems = whole(layers.changed(GLOBAL, thresholds(bang=72), frozenset({BANG})))

    assert [(problem.path, problem.asset) for problem in problems] == [(BANG, "BTC"), (BANG, "ETH")]


def test_a_global_change_that_is_wrong_in_itself_is_not_blamed_on_assets() -> None:
    layers = Layers.load(ASSETS, {"BTC": thresholds(aim=78)})

    _, problems = whole(layers.changed(GLOBAL, thresholds(bang=60), frozenset({BANG})))

    assert [(problem.path, problem.asset) for problem in problems] == [(BANG, None)]


def test_values_and_rules_are_reported_together() -> None:
    layers = Layers.load(ASSETS, {})

    _, problems = whole(layers.changed("BTC", {**thresholds(bang=60), "signal_weights": {"rsi": 2}}, frozenset({BANG})))

    assert {problem.path for problem in problems} == {BANG, "signal_weights.rsi"}


# Stored layers that do not hold any more


@pytest.mark.parametrize(
    ("broken", "path"),
    [
        (thresholds(bang=101), BANG),
        (thresholds(bang=60), BANG),
        ({"settings": {"gone": 1}}, "settings.gone"),
        ({"settings": None}, "settings"),
    ],
)
@pytest.mark.parametrize("layer", [GLOBAL, "BTC"])
def test_a_stored_layer_that_does_not_hold_is_left_out_and_said(layer: str, broken: Any, path: str) -> None:
    layers = Layers.load(ASSETS, {layer: broken, "ETH": thresholds(bang=90)})

    assert [problem.path for problem in layers.ignored[layer]] == [path]
    assert set(layers.ignored) == {layer}
    assert layers.effective(layer) == DEFAULTS
    assert set(layers.sources(layer).values()) == {"default"}
    assert in_force(layers, "ETH") == 90
    assert layers.document(layer) == broken, "it is kept, so that it can be repaired"


def test_an_asset_that_only_holds_on_a_global_layer_left_out_is_left_out_too() -> None:
    layers = Layers.load(ASSETS, {GLOBAL: thresholds(bang=101, aim=40), "BTC": thresholds(bang=60)})

    assert set(layers.ignored) == {GLOBAL, "BTC"}
    assert layers.effective("BTC") == DEFAULTS


def test_a_layer_left_out_is_in_force_again_once_it_is_repaired() -> None:
    layers = Layers.load(ASSETS, {"BTC": thresholds(bang=101)})

    repaired, problems = whole(layers.changed("BTC", thresholds(bang=95), frozenset({BANG})))

    assert problems == []
    assert repaired.ignored == {}
    assert in_force(repaired, "BTC") == 95


def test_an_asset_left_out_is_in_force_again_once_what_it_inherits_suits_it() -> None:
    layers = Layers.load(ASSETS, {"BTC": thresholds(bang=60)})
    assert set(layers.ignored) == {"BTC"}

    repaired, problems = whole(layers.changed(GLOBAL, thresholds(aim=55), frozenset({AIM})))

    assert problems == []
    assert repaired.ignored == {}
    assert (in_force(repaired, "BTC"), in_force(repaired, "BTC", AIM)) == (60, 55)


def test_an_asset_left_out_does_not_stand_in_the_way_of_a_global_change() -> None:
    layers = Layers.load(ASSETS, {"BTC": thresholds(bang=101)})

    changed, problems = whole(layers.changed(GLOBAL, thresholds(bang=90), frozenset({BANG})))

    assert problems == []
    assert set(changed.ignored) == {"BTC"}
    assert in_force(changed, "BTC") == 90


def test_a_change_that_leaves_the_fault_in_a_layer_is_refused() -> None:
    layers = Layers.load(ASSETS, {"BTC": {"settings": {"gone": 1}}})

    _, problems = whole(layers.changed("BTC", {"settings": {"gone": 1, "state_threshold_bang": 90}}, frozenset({BANG})))

    assert [problem.path for problem in problems] == ["settings.gone"]


def test_other_assets_can_be_changed_while_a_layer_is_left_out() -> None:
    layers = Layers.load(ASSETS, {GLOBAL: thresholds(bang=101), "BTC": thresholds(aim=75)})

    changed, problems = whole(layers.changed("ETH", thresholds(bang=90), NOTHING))

    assert problems == []
    assert set(changed.ignored) == {GLOBAL}
    assert (in_force(changed, "ETH"), in_force(changed, "BTC"), in_force(changed, "BTC", AIM)) == (90, 80, 75)


def test_assets_that_are_not_decided_any_more_disturb_nobody() -> None:
    layers = Layers.load(ASSETS, {"DOGE": thresholds(bang=101)})

    assert layers.ignored == {}
    assert whole(layers.changed(GLOBAL, thresholds(bang=90), frozenset({BANG})))[1] == []
