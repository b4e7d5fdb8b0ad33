"""Messages that must not be taken: made of good ones, each broken in one way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

Message = dict[str, Any]

GOOD: tuple[Message, ...] = (
    {"type": "config_update", "asset": "BTC", "config": {"bang_threshold": 81, "settings": {"position_size_aim": 3.5}}},
    {"type": "config_update", "asset": "BTC", "mode": "full", "config": {"filters": {"trend": {"note": "caf\u00e9"}}}},
    {"type": "control", "strategy": "general_parameters", "params": {"asset_symbol": "BTC", "aim_threshold": 61}},
    {"type": "control", "strategy": "pause", "params": {"asset_symbol": "BTC", "reason": "a try"}},
)
"""Each would be carried out. None subscribes, so that every broken one is about a change."""
TOO_LONG = 256 * 1024
_DEEP = 100_000


def truncated(good: Message, chance: random.Random) -> str:
    """Cut off somewhere."""
    text = json.dumps(good)
    return text[: chance.randrange(len(text))]


def deep(good: Message, chance: random.Random) -> str:
    """A value nested deeper than anybody needs; sometimes so deep that a recursive reader dies of it."""
    levels = chance.choice((20, 200, 2_000, _DEEP)) if chance.random() < 0.02 else chance.randint(20, 60)
    text = json.dumps({**good, "params" if "params" in good else "config": "?"})
    opening, closing = ("[", "]") if chance.random() < 0.5 else ('{"a":', "}")
    return text.replace('"?"', opening * levels + "1" + closing * levels)


def doubled(good: Message, chance: random.Random) -> str:
    """A name twice in one object, with two values."""
    text = json.dumps(good)
    name = chance.choice(("type", "params" if "params" in good else "config"))
    return f'{{"{name}": {json.dumps(chance.choice(("x", 1, None, {})))}, {text[1:]}'


def half_a_character(good: Message, chance: random.Random) -> str:
    """A surrogate by itself, as text and as a name."""
    half = f"\\ud{chance.choice('89abcdef')}{chance.randrange(256):02x}"
    text = json.dumps({**good, "reason": "?"})
    return text.replace('"?"', f'"{half}"') if chance.random() < 0.5 else text.replace('"reason"', f'"{half}"')


def no_number(good: Message, chance: random.Random) -> str:
    """A number that is none, or that nothing can hold."""
    text = json.dumps(
        {**good, "params" if "params" in good else "config": {"asset_symbol": "BTC", "bang_threshold": 0}}
    )
    wrong = chance.choice(
        ("1e999", "-1e999", "NaN", "Infinity", "-Infinity", "0x10", "+1", "01", "1.", ".5", "1e", "--1")
    )
    return text.replace('"bang_threshold": 0', f'"bang_threshold": {wrong}')


def no_object(_good: Message, chance: random.Random) -> str:
    """JSON, but no object; or nothing."""
    return chance.choice(("", " ", "null", "true", "12", '"text"', "[]", "[{}]", "\ufeff{}", "{}{}", "\x00"))


def noise(_good: Message, chance: random.Random) -> str:
    """Anything."""
    return "".join(chr(chance.choice((chance.randrange(1, 128), chance.randrange(0xA0, 0xD7FF)))) for _ in range(40))


def followed(good: Message, chance: random.Random) -> str:
    """A good message with something behind it."""
    return json.dumps(good) + chance.choice(("x", "}", json.dumps(good), "\x00", ",", "//"))


def mistyped(good: Message, chance: random.Random) -> str:
    """A field that has another type than it may have."""
    wrong: Any = chance.choice((None, True, 7, -1.5, "x", [], ["BTC"], {"a": 1}, 10**30))
    name = "params" if "params" in good else "config"
    if isinstance(wrong, dict):
        return json.dumps({**good, name: {**good[name], "no_such_name": wrong}})
    return json.dumps({**good, name: wrong}) if wrong is not None else json.dumps({**good, "type": wrong})


def out_of_bounds(good: Message, chance: random.Random) -> str:
    """A value no rule allows."""
    values: dict[str, Any] = {
        "bang_threshold": chance.choice((-1, 101, 1e300, -0.001, 10**25, "80", True, None, [80], {}))
    }
    if "params" in good:
        return json.dumps({**good, "strategy": "general_parameters", "params": {"asset_symbol": "BTC", **values}})
    return json.dumps({**good, "config": values})


def unknown(good: Message, chance: random.Random) -> str:
    """A field, a type, a strategy or an asset there is not."""
    alien = f"n{chance.randrange(10**9)}"
    return json.dumps(
        chance.choice(
            (
                {**good, alien: 1},
                {**good, "type": alien},
                {"type": "control", "strategy": alien, "params": {}},
                {"type": "config_update", "asset": alien, "config": {"bang_threshold": 80}},
                {**good, "agent": alien},
            )
        )
    )


def control_character(good: Message, chance: random.Random) -> str:
    """A control character inside a text, where JSON wants it written out."""
    return json.dumps({**good, "reason": "?"}).replace('"?"', f'"a{chr(chance.randrange(0x20))}b"')


def too_long(good: Message, _chance: random.Random) -> str:
    """More than is read."""
    return json.dumps({**good, "reason": "x" * TOO_LONG})


KINDS: dict[str, Callable[[Message, random.Random], str]] = {
    "truncated": truncated,
    "nested deep": deep,
    "a name twice": doubled,
    "half a character": half_a_character,
    "no number": no_number,
    "no object": no_object,
    "noise": noise,
    "more behind it": followed,
    "wrong type": mistyped,
    "out of bounds": out_of_bounds,
    "unknown": unknown,
    "control character": control_character,
}
"""Each gives one broken message. One that is too long comes rarely, see `broken`."""
_RARE = 1 / 2_000


def broken(chance: random.Random) -> tuple[str, str]:
    """A message that must be refused, and in which way it is broken."""
    good = chance.choice(GOOD)
    if chance.random() < _RARE:
        return "too long", too_long(good, chance)
    kind = chance.choice(tuple(KINDS))
    return kind, KINDS[kind](good, chance)
