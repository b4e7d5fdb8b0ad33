"""Events that no closed bar causes: each is noticed once, when it begins and when it ends."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from vivienne.alerts.names import Names
from vivienne.alerts.rulebook import Rulebook
from vivienne.changes.pause.state import PauseInForce, Pauses, PausesInForce
from vivienne.live.trouble import Trouble
from vivienne.market.feeds.base import Contact
from vivienne.outbox.watching import DataWatch, FeedWatch, PartWatch, PauseWatch, of_revision
from vivienne.slices import whole
from vivienne.store.revision import AppliedRevision, Revision

if TYPE_CHECKING:
    from vivienne.alerts.rule import Rule
    from vivienne.live.asset import LiveAsset
    from vivienne.wire.answers import Action

SILENT = Trouble("no_minute_closed", "no minute has closed for 3 min")


@dataclass
class Seen:
    trouble: Trouble | None = None
    contact: Contact | None = None


@dataclass(frozen=True)
class Named:
    rule: Rule


def looked(watch: DataWatch | FeedWatch, *, asset: str = "BTC", **values: Any) -> list[str]:
    live = cast("LiveAsset", Seen(**values))
    return [str(noticed.happening.details["status"]) for noticed in watch.look(asset, live, "now")]


def test_data_is_no_event_until_it_was_reliable_once() -> None:
    watch = DataWatch()
    assert looked(watch, trouble=SILENT) == []
    assert looked(watch) == []
    assert looked(watch, trouble=SILENT) == ["stale"]
    assert looked(watch, trouble=Trouble("behind", "another reason")) == []
    assert looked(watch) == ["live"]
    assert looked(watch) == []


def test_a_feed_is_connected_again_once_all_its_assets_are() -> None:
    watch, connected = FeedWatch(), Contact("connected")
    lost = Contact("reconnecting", "the connection broke")
    assert looked(watch, contact=Contact("connecting")) == []
    assert looked(watch, contact=connected) == []  # a start is no event
    assert looked(watch, asset="ETH", contact=connected) == []
    assert looked(watch, contact=lost) == ["reconnecting"]
    assert looked(watch, asset="ETH", contact=lost) == []
    assert looked(watch, contact=connected) == []
    assert looked(watch, asset="ETH", contact=connected) == ["connected"]


def test_a_feed_without_an_exchange_is_told_of_when_it_fails() -> None:
    watch = FeedWatch()
    assert looked(watch) == []
    assert looked(watch, trouble=Trouble("feed_failed", "the feed broke")) == ["failed"]
    assert looked(watch) == ["connected"]


def test_a_part_is_told_of_when_its_trouble_begins_and_ends() -> None:
    troubles: dict[str, str | None] = {"store": None, "redis": None}
    watch = PartWatch({name: partial(troubles.get, name) for name in troubles}, "host-1")

    def told() -> list[tuple[str, str]]:
        return [
            (noticed.happening.details["part"], noticed.happening.details["status"]) for noticed in watch.look("now")
        ]

    assert told() == []
    troubles["store"] = "the disk is full"
    assert told() == [("store", "trouble")]
    assert told() == []
    troubles |= {"store": None, "redis": "Redis is out of reach"}
    assert told() == [("store", "ok"), ("redis", "trouble")]


def revised(action: Action, layer: str, paths: tuple[str, ...] = (), author: str = "ana") -> AppliedRevision:
    revision = Revision(
        7, "id", layer, action, {}, [{"path": path, "new": 1} for path in paths], author, "rest",
        "2026-11-29T12:00:00.000Z", reason="too few entries",
    )  # fmt: skip
    return AppliedRevision(revision, ["BTC", "ETH"] if layer == "global" else [layer], made_here=True)


def wanted(change: AppliedRevision, **conditions: Any) -> bool:
    from vivienne.alerts.reading import read_rule  # noqa: PLC0415  # so that the fixture of a rule stays small

    rule: Rule = read_rule(
        {"name": "a", "assets": ["BTC"], "event": ["config", "pause"], "channels": [{"type": "browser"}], **conditions},
        assets=("BTC", "ETH"),
    ).rule
    book = Rulebook([Named(rule)], "simulated", Names(("BTC", "ETH")))
    return any(
        whole(noticed.wants(named.rule))
        for noticed in of_revision(change)
        for named in whole(book.watching(noticed.happening.type, noticed.bears_on))
    )


def test_a_change_is_told_by_asset_author_and_path() -> None:
    change = revised("partial_update", "global", ("settings.state_threshold_bang",))
    assert wanted(change)
    assert wanted(change, paths=["settings.*"], authors=["a*"])
    assert not wanted(change, paths=["filters.*"])
    assert not wanted(change, authors=["bob"])
    assert not wanted(revised("partial_update", "ETH", ("settings.state_threshold_bang",)))
    assert not wanted(revised("partial_update", "BTC"))  # nothing is different


def test_a_pause_is_told_with_its_author_and_reason() -> None:
    [noticed] = of_revision(revised("pause", "BTC"))
    assert noticed.asset == "BTC"
    assert noticed.happening.details == {
        "action": "paused", "author": "ana", "channel": "rest", "reason": "too few entries",
    }  # fmt: skip


def held(name: str, layer: str = "BTC") -> PauseInForce:
    """A pause that the store has not taken."""
    return PauseInForce(name, layer, None, "2026-01-01T00:00:00.000Z", "bob", None, "rest", None)


def test_of_pauses_that_wait_one_of_each_asset_is_told_and_the_others_are_when_they_are_stored() -> None:
    """A resumption may be stored between two of them; then the last one was told to nobody."""
    watch, waiting = PauseWatch(), PausesInForce(held=Pauses([held("1"), held("2"), held("3", "ETH")]))

    def told() -> list[str]:
        return [noticed.key for noticed in watch.look(waiting, lambda layer: [layer])]

    assert told() == []  # they may be stored in a moment
    assert told() == ["pause 1", "pause 3"]
    assert told() == []
    stored = [
        Revision(number, each.config_id, each.layer, "pause", {}, [], "bob", "rest", each.created_at)
        for number, each in enumerate(waiting.held, 1)
    ]
    assert [watch.has_told(each) for each in stored] == [True, False, True]
