"""One suite for every way in - REST, WebSocket, Redis: they give the same results and the same problems."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from running import Client, RunningServer, config
from ways_in import WAYS, Unmoved, by_path, recorded_author

if TYPE_CHECKING:
    from collections.abc import Callable

    from ways_in import Channel, Problems


def change(path: str, old: Any, new: Any) -> dict[str, Any]:
    return {"path": path, "old": old, "new": new}


BANG, AIM, LOADED = (f"settings.state_threshold_{level}" for level in ("bang", "aim", "loaded"))
SQUEEZE = "filters.volatility.volatility_squeeze_threshold"

VALID = {
    "a nested value": ('{"settings": {"state_threshold_bang": 85}}', [change(BANG, 80, 85)]),
    "a flat value": ('{"bang_threshold": 75.0}', [change(BANG, 80, 75.0)]),
    "the own name of a value, flat": ('{"state_threshold_bang": 85.5}', [change(BANG, 80, 85.5)]),
    "flat and nested at once": (
        '{"aim_threshold": 71, "settings": {"state_threshold_bang": 81}}',
        [change(BANG, 80, 81), change(AIM, 70, 71)],
    ),
    "flat and nested saying the same": (
        '{"bang_threshold": 81, "settings": {"state_threshold_bang": 81}}',
        [change(BANG, 80, 81)],
    ),
    "thresholds at their bounds": (
        '{"bang_threshold": 100, "loaded_threshold": 0}',
        [change(BANG, 80, 100), change(LOADED, 50, 0)],
    ),
    "thresholds that are equal": ('{"aim_threshold": 80}', [change(AIM, 70, 80)]),
    "a size of percent": ('{"position_size_bang": 13}', [change("settings.position_size_bang", 0.5, 13)]),
    "a switch": (
        '{"enable_trend_filter_for_entry": false}',
        [change("filters.trend.enable_trend_filter_for_entry", old=True, new=False)],
    ),
    "a weight inside signal_weights": (
        '{"signal_weights": {"rsi": 0}}',
        [change("signal_weights.rsi", 0.5, 0)],
    ),
    "a filter's threshold, flat": (
        '{"volatility_squeeze_threshold": 0.01425}',
        [change(SQUEEZE, 0.015, 0.01425)],
    ),
    "a whole number written with a point": (
        '{"indicators": {"rsi_period": 21.0}}',
        [change("indicators.rsi_period", 14, 21.0)],
    ),
    "a number with an exponent": ('{"levels_buffer_percent": 4e-3}', [change("filters.levels.levels_buffer_percent",
                                                                           0.003, 0.004)]),
    "a note": (
        '{"description": "Z\\u00fcrich \\u00b7 \\ud83d\\ude80"}',
        [{"path": "description", "new": "Zürich · 🚀"}],
    ),
    "values that are in force already": ('{"settings": {"state_threshold_bang": 80}}', []),
}  # fmt: skip


@pytest.mark.usefixtures("pristine")
@pytest.mark.parametrize(("document", "changed"), VALID.values(), ids=VALID.keys())
def test_a_valid_change_has_the_same_result_and_makes_the_same_revision_everywhere(
    running: RunningServer, client: Client, channels: dict[str, Channel], document: str, changed: list[dict[str, Any]]
) -> None:
    """But for its numbers and times, and the channel it came by."""
    revisions = {}
    for name, channel in channels.items():
        running.reset("BTC")
        before = running.active("BTC")["version"]
        verdict = channel.send(channel.frame(document, asset_symbol="btc", author="ada", reason="a try"))
        assert verdict.accepted, (name, verdict.problems)
        check_answer(verdict.answer, before, changed)
        active = running.active("BTC")
        assert (active["config_id"], active["version"]) == (verdict.answer["config_id"], verdict.answer["version"])
        assert active["config"] == verdict.answer["config"]
        assert config(client.state("BTC", version=active["version"])) == active["config"]
        assert running.active("ETH")["config"] != active["config"] or not changed
        newest = running.newest()
        assert newest
        assert (newest["channel"], newest["reason"]) == (channel.recorded_as, "a try")
        assert (newest["author"], newest.get("claimed_author")) == recorded_author(channel, "ada")
        assert (newest["config_id"], newest["changed"]) == (active["config_id"], verdict.answer["changed"])
        # Redis does not say from where.
        assert newest["address"] == (None if "redis" in name else "127.0.0.1")
        own = {"config_id", "version", "created_at", "request_id", "trace_id"}
        own |= {"channel", "address", "author", "claimed_author"}
        revisions[name] = {field: value for field, value in newest.items() if field not in own}

    assert dict.fromkeys(WAYS, revisions["rest"]) == revisions


def check_answer(answer: dict[str, Any], before: int, changed: list[dict[str, Any]]) -> None:
    """What is answered to a change of BTC that was made."""
    by_path = sorted(changed, key=lambda item: item["path"])
    assert sorted(answer["changed"], key=lambda item: item["path"]) == by_path
    assert answer["status"] == "success"
    assert answer["asset_symbol"] == "BTC"
    assert answer["assets"] == (["BTC"] if changed else [])
    assert answer["previous_version"] == before
    assert answer["version"] > before


@pytest.mark.usefixtures("pristine")
def test_an_unusual_value_is_warned_of_and_in_force(running: RunningServer, channel: Channel) -> None:
    verdict = channel.send(channel.frame('{"position_size_bang": 13, "position_size_idle": 1}', asset="BTC"))

    warned = [(each["id"], each["path"]) for each in verdict.answer["warnings"]]
    assert warned == [("size_change", "settings.position_size_bang"), ("idle_size", "settings.position_size_idle")]
    assert running.active("BTC")["config"]["settings"]["position_size_bang"] == 13


@pytest.mark.usefixtures("pristine")
def test_a_change_without_an_asset_is_for_all(running: RunningServer, client: Client, channel: Channel) -> None:
    verdict = channel.send(channel.frame('{"bang_threshold": 91}'))

    assert verdict.answer["asset_symbol"] is None
    assert verdict.answer["assets"] == ["BTC", "ETH", "SOL"]
    for asset in ("BTC", "ETH", "SOL"):
        assert running.active(asset)["config"]["settings"]["state_threshold_bang"] == 91
        state = client.state(asset, version=verdict.answer["version"])
        assert config(state)["settings"]["state_threshold_bang"] == 91


def between(title: str, path: str, low: str = "0", high: str = "100", hint: str = "") -> Problems:
    return [{"path": path, "message": f"{title} must be between {low} and {high}{hint}"}]


NOTHING = [{"path": "", "message": "The message sets nothing; name at least one value, or reset the layer"}]
PRICE_HINT = " (it is a fraction: 1.5 % is 0.015)"

INVALID: dict[str, tuple[str, Problems]] = {
    "an empty object": ("{}", NOTHING),
    "an empty section": ('{"settings": {}, "filters": {"volatility": {}}}', NOTHING),
    "a text for a number": (
        '{"settings": {"state_threshold_bang": "75"}}',
        [{"path": BANG, "message": "Bang threshold must be a number, not a text (without the quotes)"}],
    ),
    "true for 1": (
        '{"signal_weights": {"rsi": true}}',
        [{"path": "signal_weights.rsi", "message": "Signal weight rsi must be a number, not a truth value (true)"}],
    ),
    "1 for true": (
        '{"enable_trend_filter_for_entry": 1}',
        [
            {
                "path": "filters.trend.enable_trend_filter_for_entry",
                "message": "Trend filter must be true or false, not a number",
            }
        ],
    ),
    "null": (
        '{"settings": {"state_threshold_bang": null}}',
        [
            {
                "path": BANG,
                "message": "Bang threshold must be a number, not null; to go back to the inherited value, reset it",
            }
        ],
    ),
    "a list for a number": (
        '{"bang_threshold": [85]}',
        [{"path": BANG, "message": "Bang threshold must be a number, not a list"}],
    ),
    "below 0": ('{"loaded_threshold": -5}', between("Loaded threshold", LOADED)),
    "just above 100": ('{"bang_threshold": 100.0001}', between("Bang threshold", BANG)),
    "a size above 100": (
        '{"position_size_bang": 100.0001}',
        between("Position size (bang)", "settings.position_size_bang"),
    ),
    "a weight above 1": (
        '{"signal_weights": {"macd": 1.0001}}',
        between("Signal weight macd", "signal_weights.macd", high="1"),
    ),
    "a negative bandwidth": (
        '{"volatility_squeeze_threshold": -0.1}',
        between("Volatility squeeze threshold", SQUEEZE, high="0.4", hint=PRICE_HINT),
    ),
    "a percentage for a fraction": (
        '{"levels_buffer_percent": 0.5}',
        between("Levels buffer", "filters.levels.levels_buffer_percent", high="0.1",
                hint=" (it is a fraction: 0.3 % is 0.003)"),
    ),
    "a part of a bar": (
        '{"indicators": {"rsi_period": 14.5}}',
        [{"path": "indicators.rsi_period", "message": "RSI period must be a whole number, not 14.5"}],
    ),
    "a misspelt flat name": (
        '{"bang_treshold": 85}',
        [{"path": "bang_treshold",
          "message": "Unknown name 'bang_treshold'; the nearest known name is 'bang_threshold'"}],
    ),
    "a misspelt nested name": (
        '{"settings": {"state_threshold_bnag": 85}}',
        [{"path": "settings.state_threshold_bnag",
          "message": "Unknown name 'state_threshold_bnag' in 'settings'; the nearest known name is "
          "'state_threshold_bang'"}],
    ),
    "an unknown signal": (
        '{"signal_weights": {"ema_crossing": 0.5}}',
        [{"path": "signal_weights.ema_crossing",
          "message": "Unknown name 'ema_crossing' in 'signal_weights'; the nearest known name is 'ema_cross'"}],
    ),
    "a known name in the wrong place": (
        '{"filters": {"volatility": {"levels_buffer_percent": 0.003}}}',
        [{"path": "filters.volatility.levels_buffer_percent",
          "message": "Unknown name 'levels_buffer_percent' in 'filters.volatility'; it is "
          "'filters.levels.levels_buffer_percent'"}],
    ),
    "a number for a section": (
        '{"settings": 5}',
        [{"path": "settings", "message": "'settings' must be an object with the names of its values, not a number"}],
    ),
    "null for a section": (
        '{"filters": {"volatility": null}}',
        [{"path": "filters.volatility",
          "message": "'filters.volatility' must be an object with the names of its values, not null"}],
    ),
    "a note that is a number": (
        '{"settings": {"description": 5}}',
        [{"path": "settings.description",
          "message": "Description must be a text of at most 500 characters, not a number"}],
    ),
    "a note that is too long": (
        json.dumps({"description": "x" * 501}),
        [{"path": "description", "message": "Description must be a text of at most 500 characters"}],
    ),
    "a note that is null": (
        '{"description": null}',
        [{"path": "description",
          "message": "Description must be a text, not null; to go back to the inherited value, reset it"}],
    ),
    "aim above bang": (
        '{"aim_threshold": 90}',
        [{"path": AIM, "message": "Aim threshold (90) must not be above bang threshold (80)"}],
    ),
    "bang below aim": (
        '{"bang_threshold": 60}',
        [{"path": BANG, "message": "Aim threshold (70) must not be above bang threshold (60)"}],
    ),
    "squeeze above breakout": (
        '{"volatility_squeeze_threshold": 0.03}',
        [{"path": SQUEEZE,
          "message": "Volatility squeeze threshold (0.03) must not be above volatility breakout threshold (0.025)"}],
    ),
    "a fast average as slow as the slow one": (
        '{"ema_fast_period": 21}',
        [{"path": "indicators.ema_fast_period", "message": "EMA fast (21) must be below EMA slow (21)"}],
    ),
    "all weights 0": (
        '{"signal_weights": {"ema_cross": 0, "macd": 0, "rsi": 0, "bb_bounce": 0, "bb_breakout": 0}}',
        [{"path": "signal_weights",
          "message": "At least one signal weight must be above 0: with none, nothing ever votes"}],
    ),
    "a flat and a nested value that differ": (
        '{"bang_threshold": 85, "settings": {"state_threshold_bang": 86}}',
        [{"path": "bang_threshold",
          "message": "'bang_threshold' stands for 'settings.state_threshold_bang', which the message sets as well"}],
    ),
}  # fmt: skip


def refused(
    running: RunningServer, channels: dict[str, Channel], text: Callable[[Channel], str]
) -> dict[str, tuple[str | None, Problems]]:
    """Code and problems that each channel answers to a message; none of them changes anything or closes."""
    unmoved = Unmoved(running)
    verdicts = {name: channel.send(text(channel)) for name, channel in channels.items()}
    assert [name for name, verdict in verdicts.items() if verdict.accepted] == []
    titles = {name: title_of(verdict.answer) for name, verdict in verdicts.items()}
    assert titles == dict.fromkeys(WAYS, titles["rest"])
    unmoved.check()
    assert [name for name, channel in channels.items() if not channel.still_open()] == []
    return {name: (verdict.code, by_path(verdict.problems)) for name, verdict in verdicts.items()}


def title_of(answer: dict[str, Any]) -> str:
    title: str = answer["title"] if "title" in answer else answer["message"].partition(":")[0]
    return title


def everywhere(code: str, problems: Problems) -> dict[str, tuple[str | None, Problems]]:
    return dict.fromkeys(WAYS, (code, by_path(problems)))


def beginnings(answers: dict[str, tuple[str | None, Problems]], length: int) -> set[tuple[str | None, str]]:
    """Codes and beginnings of the only problem of each answer."""
    return {(code, problem["message"][:length]) for code, [problem] in answers.values()}


@pytest.mark.usefixtures("pristine")
@pytest.mark.parametrize(("document", "problems"), INVALID.values(), ids=INVALID.keys())
def test_an_invalid_change_is_refused_with_the_same_words_everywhere(
    running: RunningServer, channels: dict[str, Channel], document: str, problems: Problems
) -> None:
    answers = refused(running, channels, lambda channel: channel.frame(document, asset_symbol="BTC"))

    assert answers == everywhere("invalid_configuration", problems)


@pytest.mark.usefixtures("pristine")
def test_everything_that_is_wrong_is_said_at_once(running: RunningServer, channels: dict[str, Channel]) -> None:
    document = {
        "bang_threshold": "75",
        "stake_amuont": 1,
        "signal_weights": {"rsi": -1, "supertrend": 0.5},
        "filters": {"volatility": {"volatility_squeeze_threshold": 0.2}},
    }

    answers = refused(running, channels, lambda channel: channel.frame(json.dumps(document), asset_symbol="BTC"))

    _, problems = answers["rest"]
    assert answers == everywhere("invalid_configuration", problems)
    assert {problem["path"] for problem in problems} == {
        BANG, "stake_amuont", "signal_weights.rsi", "signal_weights.supertrend", SQUEEZE,
    }  # fmt: skip
    unknown = next(problem["message"] for problem in problems if problem["path"] == "stake_amuont")
    assert unknown.startswith("Unknown name 'stake_amuont'; the nearest known name is ")


BROKEN = {
    "not a number": ('{"bang_threshold": NaN}', "This is not JSON: numbers must be finite"),
    "infinity": ('{"bang_threshold": Infinity}', "This is not JSON: numbers must be finite"),
    "minus infinity": ('{"bang_threshold": -Infinity}', "This is not JSON: numbers must be finite"),
    "a number too large": ('{"bang_threshold": 1e999}', "This is not JSON: numbers must be finite"),
    "a number too small": ('{"bang_threshold": -1e999}', "This is not JSON: numbers must be finite"),
    "a name twice": (
        '{"bang_threshold": 85, "bang_threshold": 86}',
        "The name 'bang_threshold' appears twice in one object",
    ),
    "endless nesting": (
        '{"settings": ' + '{"a": ' * 400 + "1" + "}" * 401,
        "Objects and lists are nested deeper than 16 levels",
    ),
    "a comma too many": ('{"bang_threshold": 85,, "aim_threshold": 70}', "This is not JSON: "),
}


@pytest.mark.parametrize(("document", "beginning"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_no_strict_json_is_refused_with_a_reason(
    running: RunningServer, channels: dict[str, Channel], document: str, beginning: str
) -> None:
    answers = refused(running, channels, lambda channel: channel.frame(document, asset_symbol="BTC"))

    assert beginnings(answers, len(beginning)) == {("malformed", beginning)}


WHOLE = {
    "nothing": ("", "This is not JSON: "),
    "a text that is no JSON": ("bang_threshold=85", "This is not JSON: "),
    "a list": ('[{"bang_threshold": 85}]', "A JSON object is needed, not a list"),
    "a number": ("85", "A JSON object is needed, not a number"),
    "a text": ('"bang_threshold"', "A JSON object is needed, not a text"),
    "null": ("null", "A JSON object is needed, not null"),
    "true": ("true", "A JSON object is needed, not a truth value"),
}


@pytest.mark.parametrize(("text", "beginning"), WHOLE.values(), ids=WHOLE.keys())
def test_a_message_that_is_no_object_is_refused_with_a_reason(
    running: RunningServer, channels: dict[str, Channel], text: str, beginning: str
) -> None:
    answers = refused(running, channels, lambda _: text)

    assert beginnings(answers, len(beginning)) == {("malformed", beginning)}


@pytest.mark.parametrize("left", [1, 2, 20])
def test_a_truncated_message_is_refused(running: RunningServer, channels: dict[str, Channel], left: int) -> None:
    def truncated(channel: Channel) -> str:
        return channel.frame('{"bang_threshold": 85}', asset_symbol="BTC")[:-left]

    answers = refused(running, channels, truncated)

    beginning = "This is not JSON: "
    assert beginnings(answers, len(beginning)) == {("malformed", beginning)}


def test_a_megabyte_is_refused_as_too_large(running: RunningServer, channels: dict[str, Channel]) -> None:
    document = json.dumps({"description": "x" * 1_000_000})

    answers = refused(running, channels, lambda channel: channel.frame(document, asset_symbol="BTC"))

    assert {code for code, _ in answers.values()} == {"too_large"}
    assert all("262,144" in problems[0]["message"] for _, problems in answers.values())


def test_an_unknown_asset_is_refused_with_the_known_ones(running: RunningServer, channels: dict[str, Channel]) -> None:
    answers = refused(running, channels, lambda channel: channel.frame('{"bang_threshold": 85}', asset_symbol="DOGE"))

    expected = [{"path": "asset_symbol", "message": "Unknown asset 'DOGE'; known are BTC, ETH, SOL"}]
    assert answers == everywhere("unknown_target", expected)


def test_a_null_asset_is_all_assets(running: RunningServer, channel: Channel) -> None:
    verdict = channel.send(channel.frame('{"bang_threshold": 86}', asset_symbol=None))

    assert verdict.accepted
    assert verdict.answer["asset_symbol"] is None
    assert running.active()["config"]["settings"]["state_threshold_bang"] == 86


@pytest.mark.parametrize("asset", ["", "   ", 5, ["BTC"], "B" * 41, "global"])
def test_a_wrong_asset_never_makes_a_change_for_all(
    running: RunningServer, channels: dict[str, Channel], asset: Any
) -> None:
    answers = refused(running, channels, lambda channel: channel.frame('{"bang_threshold": 85}', asset_symbol=asset))

    assert {problem["path"] for _, problems in answers.values() for problem in problems} == {"asset_symbol"}


@pytest.mark.parametrize(
    ("name", "value"),
    [("author", 5), ("author", ""), ("reason", "x" * 1001), ("request_id", ""), ("request_id", None),
     ("expected_version", "3"), ("expected_version", True), ("expected_version", -1), ("expected_version", 1.5)],
)  # fmt: skip
def test_a_wrong_field_around_the_values_is_named(
    running: RunningServer, channels: dict[str, Channel], name: str, value: Any
) -> None:
    answers = refused(running, channels, lambda channel: channel.frame('{"bang_threshold": 85}', **{name: value}))

    assert [(code, [problem["path"] for problem in problems]) for code, problems in answers.values()] == [
        ("invalid_configuration", [name])
    ] * len(WAYS)


@pytest.mark.usefixtures("pristine")
def test_a_stale_version_is_a_conflict_and_the_present_one_is_not(running: RunningServer, channel: Channel) -> None:
    channel.send(channel.frame('{"bang_threshold": 90}', asset_symbol="BTC"))
    present = running.active("BTC")["version"]
    unmoved = Unmoved(running)

    stale = channel.send(channel.frame('{"bang_threshold": 91}', asset_symbol="BTC", expected_version=present - 1))

    assert stale.code == "version_conflict"
    message = f"The configuration is at version {present}, not {present - 1}; read it again and repeat the change"
    assert stale.problems == [{"path": "expected_version", "message": message}]
    unmoved.check()
    fresh = channel.send(channel.frame('{"bang_threshold": 91}', asset_symbol="BTC", expected_version=present))
    assert fresh.accepted


@pytest.mark.usefixtures("pristine")
def test_a_repeated_request_is_answered_as_the_first_time_and_made_once(
    request: pytest.FixtureRequest, running: RunningServer, channel: Channel
) -> None:
    name = f"again-{request.node.callspec.id}"
    text = channel.frame('{"bang_threshold": 92}', asset_symbol="BTC", request_id=name)
    first = channel.send(text)
    channel.send(channel.frame('{"bang_threshold": 93}', asset_symbol="BTC"))
    unmoved = Unmoved(running)

    again = channel.send(text)

    assert {**again.answer, "timestamp": None} == {**first.answer, "timestamp": None}
    unmoved.check()


@pytest.mark.usefixtures("pristine")
def test_a_request_id_does_not_serve_for_another_change(
    request: pytest.FixtureRequest, running: RunningServer, channel: Channel
) -> None:
    name = f"reused-{request.node.callspec.id}"
    channel.send(channel.frame('{"bang_threshold": 92}', asset_symbol="BTC", request_id=name))
    unmoved = Unmoved(running)

    other = channel.send(channel.frame('{"bang_threshold": 94}', asset_symbol="BTC", request_id=name))

    assert other.code == "request_id_reused"
    assert [problem["path"] for problem in other.problems] == ["request_id"]
    unmoved.check()


@pytest.mark.usefixtures("pristine")
def test_a_request_that_its_caller_repeats_over_another_channel_is_made_once(channels: dict[str, Channel]) -> None:
    document, envelope = '{"bang_threshold": 95}', {"asset_symbol": "BTC", "request_id": "every way"}

    versions = {name: way.send(way.frame(document, **envelope)).answer["version"] for name, way in channels.items()}

    # Redis does not tell who sends: everybody there is one caller, and not the one of the other ways.
    over_redis = {version for name, version in versions.items() if "redis" in name}
    others = {version for name, version in versions.items() if "redis" not in name}
    assert (1, 1) == (len(over_redis), len(others))
    assert not over_redis & others


@pytest.mark.usefixtures("pristine")
def test_a_global_change_that_one_asset_cannot_take_names_the_asset(running: RunningServer, channel: Channel) -> None:
    assert running.post("partial-update", {"asset_symbol": "ETH", "aim_threshold": 79}).is_success
    unmoved = Unmoved(running)

    verdict = channel.send(channel.frame('{"bang_threshold": 75}'))

    assert verdict.code == "invalid_configuration"
    message = "ETH: Aim threshold (79) must not be above bang threshold (75)"
    assert verdict.problems == [{"path": BANG, "message": message, "asset": "ETH"}]
    unmoved.check()
    assert channel.still_open()
