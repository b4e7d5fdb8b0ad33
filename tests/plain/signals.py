"""The votes of the signals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from plain.equality import EQUAL, difference, is_above, is_below, is_same, sign

if TYPE_CHECKING:
    from plain.indicators import Reading


class Vote(NamedTuple):
    """A direction, 0 for no vote, and a strength from 0 to 1."""

    direction: int
    strength: float


NO_VOTE = Vote(0, 0.0)


def _share(part: float, whole: float) -> float:
    return max(0.0, min(1.0, part / whole))


def _half_and_more(part: float, whole: float) -> float:
    return 0.5 + 0.5 * _share(part, whole)


def _in_atr(distance: float, atr: float, full: float) -> Vote:
    return Vote(sign(distance), _share(abs(distance) / atr, full)) if atr > 0 and distance else NO_VOTE


def _outside(percent_b: float) -> Vote:
    """The band beyond which a close is, and how far, in widths of the bands."""
    if percent_b < -EQUAL:
        return Vote(-1, -percent_b)
    return Vote(1, percent_b - 1) if percent_b > 1 + EQUAL else NO_VOTE


def votes(now: Reading, signals: dict[str, Any]) -> dict[str, Vote]:
    close, atr = now.bar.close, now.atr
    from_vwap = 0.0 if now.vwap is None else difference(close, now.vwap, close)
    break_side, distance = _outside(now.bands.percent_b)
    far = signals["bb_breakout_level_full_strength"]
    return {
        "ema_cross": _in_atr(now.ema_spread, atr, signals["ema_cross_full_strength"]),
        "macd": _in_atr(now.histogram, atr, signals["macd_full_strength"]),
        "rsi": _rsi(now.rsi, signals),
        "bb_bounce": _bounce(now, signals["bb_bounce_full_strength"]),
        "bb_breakout": breakout(now, signals["bb_breakout_full_strength"]),
        "ema_level": _in_atr(difference(close, now.ema_slow, close), atr, signals["ema_level_full_strength"]),
        "vwap_anchor": _in_atr(from_vwap, atr, signals["vwap_anchor_full_strength"]),
        "bb_level": _band_level(now.bands.percent_b, signals["bb_level_begin"], signals["bb_level_full_strength"]),
        "bb_breakout_level": Vote(break_side, _share(distance, far)),
        "volume_confirmation": _volume(now, signals["volume_confirmation_full_strength"]),
        "macd_level": _in_atr(now.macd, atr, signals["macd_level_full_strength"]),
        "rsi_cross": _rsi_cross(now, signals["rsi_half"], signals["rsi_cross_full_strength"]),
        "rsi_level": _rsi_level(now.rsi, signals["rsi_level_full_strength"]),
    }


def _rsi(rsi: float, signals: dict[str, Any]) -> Vote:
    begin, half, full = signals["rsi_begin"], signals["rsi_half"], signals["rsi_full"]

    def strength(depth: float) -> float:
        if depth >= half:
            return float(0.5 * (begin - depth) / (begin - half))
        return _half_and_more(half - depth, half - full)

    if is_below(rsi, begin):
        return Vote(1, strength(rsi))
    return Vote(-1, strength(100 - rsi)) if is_above(rsi, 100 - begin) else NO_VOTE


def _bounce(now: Reading, full: float) -> Vote:
    """The close before was outside a band, this one is not outside the same band, and the bar turns back."""
    side, distance = _outside(now.bands_before.percent_b)
    if not side or _outside(now.bands.percent_b).direction == side or sign(now.body) != -side:
        return NO_VOTE
    return Vote(-side, _half_and_more(distance, full))


def breakout(now: Reading, full: float) -> Vote:
    side, distance = _outside(now.bands.percent_b)
    is_wider = is_above(now.bands.width, now.bands_before.width)
    return Vote(side, _half_and_more(distance, full)) if side and is_wider else NO_VOTE


def _band_level(percent_b: float, begin: float, full: float) -> Vote:
    if is_below(percent_b, begin):
        return Vote(1, _share(begin - percent_b, full))
    return Vote(-1, _share(percent_b - 1 + begin, full)) if is_above(percent_b, 1 - begin) else NO_VOTE


def _volume(now: Reading, full: float) -> Vote:
    if not now.body or not is_above(now.bar.volume, now.mean_volume):
        return NO_VOTE
    return Vote(sign(now.body), _share(now.bar.volume / now.mean_volume - 1, full - 1))


def _rsi_cross(now: Reading, half: float, full: float) -> Vote:
    is_long = is_above(now.rsi, half) and not all(is_above(rsi, half) for rsi in now.recent_rsi)
    is_short = is_below(now.rsi, 100 - half) and not all(is_below(rsi, 100 - half) for rsi in now.recent_rsi)
    if is_long == is_short:
        return NO_VOTE
    beyond = now.rsi - half if is_long else 100 - half - now.rsi
    return Vote(1 if is_long else -1, _half_and_more(beyond, full))


def _rsi_level(rsi: float, full: float) -> Vote:
    return NO_VOTE if is_same(rsi, 50) else Vote(sign(rsi - 50), _share(abs(rsi - 50), full))
