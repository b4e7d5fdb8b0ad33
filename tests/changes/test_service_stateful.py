"""Whatever is asked for in whatever order, the service does what a few dictionaries and a list would do."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from making import document_of
from sizes import examples
from vivienne.changes.requests import Activate, ChangeRequest, Delete, Reset, Switch, SwitchRequest, Update
from vivienne.changes.service import ConfigService
from vivienne.config.documents import leaves
from vivienne.config.tunables import DEFAULTS, TUNABLES
from vivienne.config.validation import check_document, check_rules
from vivienne.errors import ChangeRefused, InvalidConfiguration, UnknownRevision, VersionConflict
from vivienne.store.address import PostgresUrl
from vivienne.store.postgres import PostgresRevisionStore
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from postgres_server import PostgresServer
    from vivienne.store.base import RevisionStore
    from vivienne.wire.answers import Acknowledgement, Switched

ASSETS = ("BTC", "ETH")
LAYERS = (None, *ASSETS)
Values = dict[str, Any]
"""A document as values by path."""

LOADED, AIM, BANG = (f"settings.state_threshold_{level}" for level in ("loaded", "aim", "bang"))
SQUEEZE, BREAKOUT = (f"filters.volatility.volatility_{name}_threshold" for name in ("squeeze", "breakout"))
FAST, SLOW = "indicators.ema_fast_period", "indicators.ema_slow_period"
SWITCH, NOTE = "filters.underused_alpha.enabled", "settings.description"
WEIGHTS = [path for path in TUNABLES if path.startswith("signal_weights.")]

BOUNDS = {
    **dict.fromkeys((LOADED, AIM, BANG), (0, 100)),
    **dict.fromkeys((SQUEEZE, BREAKOUT), (0, 0.4)),
    FAST: (2, 100),
    SLOW: (2, 200),
    **dict.fromkeys(WEIGHTS, (0, 1)),
}

# Values around the defaults, so that rules hold about as often as they are broken.
LEVELS = st.sampled_from([0, 40, 50, 55.5, 60, 70, 75, 80, 85.0, 100])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys((LOADED, AIM, BANG), LEVELS),
    **dict.fromkeys((SQUEEZE, BREAKOUT), st.sampled_from([0, 0.01, 0.015, 0.02, 0.025, 0.03])),
    **dict.fromkeys((FAST, SLOW), st.sampled_from([2, 9, 10.0, 21, 50])),
    **dict.fromkeys(WEIGHTS, st.sampled_from([0, 0, 0.5, 1])),
    SWITCH: st.booleans(),
    NOTE: st.sampled_from(["calm", "wild", ""]),
}
VALUE_SETS = st.one_of(
    st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=4, unique=True).flatmap(
        lambda paths: st.fixed_dictionaries({path: VALUES[path] for path in paths})
    ),
    st.just(dict.fromkeys(WEIGHTS, 0)),
)
WRONG: st.SearchStrategy[tuple[str, Any]] = st.one_of(
    st.tuples(st.sampled_from(sorted(BOUNDS)), st.sampled_from([-1, 1e9, None, "70", True, [], {"a": 1}])),
    st.tuples(st.sampled_from(["settings", "filters.volatility"]), st.sampled_from([None, 5, [], "x"])),
    st.tuples(st.sampled_from(["foo", "settings.foo", "foo.bar", NOTE]), st.sampled_from([None, 5])),
)
RESETS = st.lists(
    st.sampled_from([*VALUES, "bang_threshold", "settings", "filters", "filters.volatility", "signal_weights"]),
    max_size=3,
)
EXPECTED = st.sampled_from(["nothing", "nothing", "right", "stale"])


def layer_of(asset: str | None) -> str:
    return "global" if asset is None else asset


def flat(values: Values) -> dict[str, Any]:
    """The same with flat names where there are any."""
    notes = {path: value for path, value in values.items() if path == NOTE}
    return document_of(notes) | {TUNABLES[path].flat_name: value for path, value in values.items() if path != NOTE}


def holds(values: Values) -> bool:
    """The rules, written down once more."""
    return (
        all(low <= values[path] <= high for path, (low, high) in BOUNDS.items())
        and values[LOADED] <= values[AIM] <= values[BANG]
        and values[SQUEEZE] <= values[BREAKOUT]
        and values[FAST] < values[SLOW]
        and sum(values[path] for path in WEIGHTS) > 0
    )


@dataclass
class Entry:
    """A revision of the model."""

    version: int
    config_id: str
    layer: str
    values: Values
    deletion: bool = False
    """Or another revision that is no configuration."""
    deleted: bool = False

    @property
    def counts(self) -> bool:
        """Whether it is a configuration that was not deleted."""
        return not self.deletion and not self.deleted


@dataclass
class Model:
    """What the service should do, with everything in the open."""

    entries: list[Entry] = field(default_factory=list)
    paused: set[str] = field(default_factory=set)

    def values(self, layer: str) -> Values:
        """What a layer sets."""
        return next((entry.values for entry in reversed(self.entries) if entry.layer == layer), {})

    def effective(self, layer: str, instead: dict[str, Values] | None = None) -> Values:
        """What is in force, or would be with other values in some layers."""
        own = {name: self.values(name) for name in ("global", *ASSETS)} | (instead or {})
        return {**leaves(DEFAULTS), **own["global"], **own[layer]}

    def can(self, layer: str, values: Values) -> bool:
        """Whether a layer could set these values."""
        concerned = ("global", *ASSETS) if layer == "global" else (layer,)
        return all(holds(self.effective(each, {layer: values})) for each in concerned)

    def version(self, layer: str) -> int:
        """Of the newest revision that bears on a layer."""
        return max((entry.version for entry in self.entries if entry.layer in (layer, "global")), default=0)

    def active(self, layer: str) -> Entry | None:
        """The configuration of a layer that is in force."""
        return next((entry for entry in reversed(self.entries) if entry.layer == layer and entry.counts), None)


class ServiceMachine(RuleBasedStateMachine):
    """Drives the service and the model side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory(prefix="vivienne-service-")
        self.model = Model()
        self.told: list[int] = []
        self.service = self.opened()

    def store(self) -> RevisionStore:
        return SqliteRevisionStore(Path(self.folder.name) / "vivienne.db")

    def opened(self) -> ConfigService:
        async def opening() -> ConfigService:
            service = ConfigService(self.store(), ASSETS)
            service.listen(lambda change: self.told.append(change.revision.version))
            return service

        return self.runner.run(opening())

    def teardown(self) -> None:
        self.runner.run(self.service.close())
        self.runner.close()
        self.folder.cleanup()

    def ask(self, request: ChangeRequest) -> Acknowledgement:
        return self.runner.run(self.service.change(request))

    def change(
        self, intent: Update | Reset, asset: str | None, values: Values, expected: str, *, possible: bool = True
    ) -> None:
        """Ask for a change after which a layer should set these values."""
        layer = layer_of(asset)
        self.judge(intent, layer, values, expected, asset=asset, possible=possible)

    def judge(
        self,
        intent: Update | Reset | Activate | Delete,
        layer: str,
        values: Values,
        expected: str,
        *,
        asset: str | None = None,
        possible: bool = True,
        deletion: bool = False,
    ) -> bool:
        present = self.model.version(layer)
        version = {"nothing": None, "right": present, "stale": present - 1}[expected]
        request = ChangeRequest(intent, channel="test", asset=asset, expected_version=version)
        possible = possible and self.model.can(layer, values)
        if expected == "stale" or not possible:
            refusal = (VersionConflict, InvalidConfiguration) if expected == "stale" else InvalidConfiguration
            with pytest.raises(refusal):
                self.ask(request)
            return False
        before = self.model.effective(layer)
        answer = self.ask(request)
        number = len(self.model.entries) + 1
        self.model.entries.append(Entry(number, answer["config_id"], layer, values, deletion))
        after = self.model.effective(layer)
        assert (answer["version"], answer["previous_version"]) == (number, present)
        assert {change["path"] for change in answer["changed"]} == {
            path for path in {*before, *after} if before.get(path) != after.get(path)
        }
        assert leaves(answer["config"]) == after
        assert self.told[-1] == number
        return True

    @initialize(values=st.none() | VALUE_SETS)
    def begin(self, values: Values | None) -> None:
        if values is not None:
            self.update(values, None, as_flat=False, expected="nothing")

    @rule(values=VALUE_SETS, asset=st.sampled_from(LAYERS), as_flat=st.booleans(), expected=EXPECTED)
    def update(self, values: Values, asset: str | None, as_flat: bool, expected: str) -> None:
        document = flat(values) if as_flat else document_of(values)
        self.change(Update(document, partial=False), asset, values, expected)

    @rule(values=VALUE_SETS, asset=st.sampled_from(LAYERS), as_flat=st.booleans(), expected=EXPECTED)
    def partial_update(self, values: Values, asset: str | None, as_flat: bool, expected: str) -> None:
        document = flat(values) if as_flat else document_of(values)
        wanted = self.model.values(layer_of(asset)) | values
        self.change(Update(document, partial=True), asset, wanted, expected)

    @rule(values=VALUE_SETS, wrong=WRONG, asset=st.sampled_from(LAYERS), partial=st.booleans(), expected=EXPECTED)
    def wrong_update(
        self, values: Values, wrong: tuple[str, Any], asset: str | None, partial: bool, expected: str
    ) -> None:
        path, value = wrong
        right = {each: kept for each, kept in values.items() if not each.startswith(path)}
        document = document_of({**right, path: value})
        self.change(Update(document, partial), asset, {}, expected, possible=False)

    @rule(paths=RESETS, asset=st.sampled_from(LAYERS), expected=EXPECTED)
    def reset(self, paths: list[str], asset: str | None, expected: str) -> None:
        full = [BANG if path == "bang_threshold" else path for path in paths]
        kept = {
            path: value
            for path, value in self.model.values(layer_of(asset)).items()
            if paths and not any(path == each or path.startswith(f"{each}.") for each in full)
        }
        self.change(Reset(tuple(paths)), asset, kept, expected)

    def has_configurations(self) -> bool:
        return any(entry.counts for entry in self.model.entries)

    @precondition(has_configurations)
    @rule(data=st.data(), expected=EXPECTED)
    def activate(self, data: st.DataObject, expected: str) -> None:
        entry = data.draw(st.sampled_from([entry for entry in self.model.entries if entry.counts]))
        self.judge(Activate(entry.config_id), entry.layer, entry.values, expected)

    @precondition(has_configurations)
    @rule(data=st.data(), expected=EXPECTED, newest=st.booleans())
    def delete(self, data: st.DataObject, expected: str, newest: bool) -> None:
        choice = [entry for entry in self.model.entries if entry.counts]
        entry = choice[-1] if newest else data.draw(st.sampled_from(choice))
        values = self.model.values(entry.layer)
        if entry is self.model.active(entry.layer):
            entry.deleted = True
            left = self.model.active(entry.layer)
            entry.deleted = False
            values = {} if left is None else left.values
        if self.judge(Delete(entry.config_id), entry.layer, values, expected, deletion=True):
            entry.deleted = True

    @precondition(lambda self: any(not entry.counts for entry in self.model.entries))
    @rule(data=st.data())
    def delete_what_is_no_configuration(self, data: st.DataObject) -> None:
        entry = data.draw(st.sampled_from([entry for entry in self.model.entries if not entry.counts]))
        with pytest.raises(UnknownRevision):
            self.ask(ChangeRequest(Delete(entry.config_id), channel="test"))

    @rule(values=VALUE_SETS, asset=st.sampled_from(LAYERS), partial=st.booleans())
    def try_out(self, values: Values, asset: str | None, partial: bool) -> None:
        layer = layer_of(asset)
        wanted = self.model.values(layer) | values if partial else values
        request = ChangeRequest(Update(document_of(values), partial), channel="test", asset=asset)
        try:
            outcome = self.runner.run(self.service.validate(request))
        except ChangeRefused:
            assert not self.model.can(layer, wanted)
        else:
            assert self.model.can(layer, wanted)
            assert leaves(outcome["config"]) == self.model.effective(layer, {layer: wanted})

    @rule(switch=st.sampled_from(["pause", "resume"]), asset=st.sampled_from(LAYERS), expected=EXPECTED)
    def switch(self, switch: Switch, asset: str | None, expected: str) -> None:
        layer = layer_of(asset)
        present = self.model.version(layer)
        version = {"nothing": None, "right": present, "stale": present - 1}[expected]
        request = SwitchRequest(switch, channel="test", asset=asset, expected_version=version)
        if expected == "stale":
            with pytest.raises(VersionConflict):
                self.ask_to_switch(request)
            return
        answer = self.ask_to_switch(request)
        number = len(self.model.entries) + 1
        self.model.entries.append(Entry(number, answer["config_id"], layer, self.model.values(layer), deletion=True))
        (self.model.paused.add if switch == "pause" else self.model.paused.discard)(layer)
        assert (answer["version"], answer["previous_version"]) == (number, present)
        assert answer["status"] == "success"
        assert answer["paused"] == self.model_paused()
        assert self.told[-1] == number

    def model_paused(self) -> list[str]:
        return [asset for asset in ASSETS if self.model.paused & {"global", asset}]

    def ask_to_switch(self, request: SwitchRequest) -> Switched:
        return self.runner.run(self.service.switch(request))

    @rule()
    def restart(self) -> None:
        self.runner.run(self.service.close())
        self.service = self.opened()
        assert self.service.ignored == {}

    @invariant()
    def the_same_is_in_force(self) -> None:
        for asset in LAYERS:
            layer, active = layer_of(asset), self.service.active(asset)
            assert leaves(active.document) == self.model.effective(layer)
            assert active.version == self.model.version(layer)
            entry = self.model.active(layer) or self.model.active("global")
            assert active.config_id == (None if entry is None else entry.config_id)
            assert active.configuration.model_dump(exclude_none=True) == active.document

    @invariant()
    def the_same_is_paused(self) -> None:
        assert [*self.service.paused()] == self.model_paused()
        assert [pause.layer for pause in self.service.pauses().all()] == sorted(self.model.paused, key=str.swapcase)

    @invariant()
    def what_is_in_force_is_valid(self) -> None:
        for asset in LAYERS:
            document = self.service.active(asset).document
            assert check_document(document) == []
            assert check_rules(document, ()) == []

    @invariant()
    def sources_tell_where_values_come_from(self) -> None:
        for asset in ASSETS:
            own, common = self.model.values(asset), self.model.values("global")
            assert self.service.active(asset).sources == {
                path: "asset" if path in own else "global" if path in common else "default"
                for path in self.model.effective(asset)
            }

    @invariant()
    def the_past_is_as_it_was(self) -> None:
        history = self.runner.run(self.service.history(None, 1_000, None))["history"]
        active = {entry.config_id for layer in ("global", *ASSETS) if (entry := self.model.active(layer))}
        assert [
            (each["version"], each["config_id"], leaves(each["config"]), each["is_active"]) for each in history
        ] == [
            (entry.version, entry.config_id, entry.values, entry.config_id in active)
            for entry in reversed(self.model.entries)
        ]

    @invariant()
    def what_can_be_activated_is_listed(self) -> None:
        listed = self.runner.run(self.service.configurations(None, 1_000, None))["configurations"]
        assert [each["version"] for each in listed] == [
            entry.version for entry in reversed(self.model.entries) if entry.counts
        ]


ServiceMachine.TestCase.settings = settings(
    examples(60), stateful_step_count=30, suppress_health_check=list(HealthCheck)
)
TestServiceAgainstModel = ServiceMachine.TestCase


class SharingMachine(ServiceMachine):
    """Two services share a PostgreSQL database; whichever is asked behaves as the only one would."""

    postgres: ClassVar[PostgresServer]

    def __init__(self) -> None:
        url = PostgresUrl.read(self.postgres.database())
        assert url is not None
        self.url = url
        super().__init__()
        self.other = self.opened()
        self.asks_other = False

    def store(self) -> RevisionStore:
        return PostgresRevisionStore(self.url)

    def teardown(self) -> None:
        self.runner.run(self.other.close())
        super().teardown()

    def ask(self, request: ChangeRequest) -> Acknowledgement:
        self.turn()
        return super().ask(request)

    def ask_to_switch(self, request: SwitchRequest) -> Switched:
        self.turn()
        return super().ask_to_switch(request)

    def turn(self) -> None:
        # Here and not in the rule, so that the other one is left to what it remembers until it is asked.
        if self.asks_other:
            self.service, self.other = self.other, self.service
            self.asks_other = False

    @rule()
    def ask_the_other_next(self) -> None:
        self.asks_other = True


SharingMachine.TestCase.settings = settings(
    examples(20), stateful_step_count=30, suppress_health_check=list(HealthCheck)
)


class TestSharingServicesAgainstModel(SharingMachine.TestCase):  # type: ignore[misc,valid-type]  # made by Hypothesis
    @pytest.fixture(autouse=True)
    def _server(self, postgres: PostgresServer) -> None:
        SharingMachine.postgres = postgres
