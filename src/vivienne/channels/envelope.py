"""The envelope of a change on every channel: for which asset, by whom, why, on top of which version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from vivienne.changes.alerts.requests import AlertRequest
from vivienne.changes.requests import ChangeRequest, KnownPause, SeveralRequest, SwitchRequest, UndoRequest
from vivienne.config.flat import MOST_TOLD, and_more, clip, nearest, quoted
from vivienne.errors import InvalidConfiguration, Malformed, Problem
from vivienne.wire.numbers import HIGHEST

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from vivienne.access.caller import Caller
    from vivienne.changes.alerts.requests import AlertIntent
    from vivienne.changes.requests import Intent, Switch
    from vivienne.wire.document import Document

LONGEST_TEXT = {"asset_symbol": 40, "request_id": 128, "author": 100, "reason": 1000}
_ASSET = ("asset", "asset_symbol")
FIELDS = (*_ASSET, "request_id", "author", "reason", "expected_version")
"""Names with this meaning in every message; all may be left out. `asset` is another name of `asset_symbol`."""
OF_SWITCH: Mapping[Switch, tuple[str, ...]] = {"pause": FIELDS, "resume": (*FIELDS, "pause")}
"""Names in a pause and in a resumption, likewise. That names the pause that it ends, or none."""
LONGEST_PAUSE = 16_000
"""Bytes or characters of a pause or a resumption. Every valid one is shorter, also one whose texts are written with an
escape of six or twelve characters for each.
"""
PAUSE_VALUES = 100
"""The most values in one."""


ANONYMOUS = "anonymous"
"""Author of changes without a name."""


class _Fields(TypedDict):
    channel: str
    asset: str | None
    expected_version: int | None
    request_id: str | None
    author: str
    reason: str | None
    address: str | None
    claimed_author: str | None
    caller: Caller


@dataclass(frozen=True, slots=True)
class Envelope:
    """The fields beside a change. See `vivienne.changes.requests.Request`."""

    asset: str | None = None
    request_id: str | None = None
    author: str = ANONYMOUS
    reason: str | None = None
    expected_version: int | None = None

    def change(self, intent: Intent, *, channel: str, caller: Caller) -> ChangeRequest:
        """The request for a change of this intent."""
        return ChangeRequest(intent, **self._fields(channel, caller))

    def switch(
        self, switch: Switch, *, channel: str, caller: Caller, ends: tuple[KnownPause, ...] | None = None
    ) -> SwitchRequest:
        """The request to pause or resume; see there for `ends`."""
        return SwitchRequest(switch, ends, **self._fields(channel, caller))

    def several(
        self,
        assets: tuple[str, ...],
        document: Document | None,
        source: str | None,
        *,
        channel: str,
        caller: Caller,
    ) -> SeveralRequest:
        """The request to change several assets."""
        return SeveralRequest(assets, document, source, **self._fields(channel, caller))

    def undo(self, config_id: str, *, channel: str, caller: Caller) -> UndoRequest:
        """The request to undo a change."""
        return UndoRequest(config_id, **self._fields(channel, caller))

    def alert(self, intent: AlertIntent, alert_id: str | None, *, channel: str, caller: Caller) -> AlertRequest:
        """The request to change a rule of alerts."""
        return AlertRequest(intent, alert_id, **self._fields(channel, caller))

    def _fields(self, channel: str, caller: Caller) -> _Fields:
        """The fields of a request. A caller with a token is its author, whatever the message says."""
        author = caller.token or (self.author if caller.names_itself else ANONYMOUS)
        return {
            "channel": channel,
            "asset": self.asset,
            "expected_version": self.expected_version,
            "request_id": self.request_id,
            "author": author,
            "reason": self.reason,
            "address": caller.address,
            "claimed_author": self.author if self.author not in (ANONYMOUS, author) else None,
            "caller": caller,
        }


def open_envelope(fields: dict[str, Any]) -> Envelope:
    """Read the envelope fields of a message.

    Raises:
        InvalidConfiguration: one or more have a wrong type; all are named.
    """
    problems: list[Problem] = []
    texts: dict[str, Any] = {}
    for name, longest in LONGEST_TEXT.items():
        if name not in fields:
            continue
        value = fields[name]
        if name == "asset_symbol" and value is None:
            continue  # all assets
        # All but the reason end up in log lines, which must stay one line each. PostgreSQL rejects NUL.
        is_reason = name == "reason"
        is_clean = isinstance(value, str) and ("\0" not in value if is_reason else value.isprintable())
        if is_clean and 0 < len(value.strip()) <= longest:
            texts[name] = value.strip()
        else:
            kind = "characters other than NUL" if is_reason else "printable characters"
            needed = f"{name} must be a text of 1 to {longest} {kind}"
            extra = "; it is null or left out to address all assets" if name == "asset_symbol" else ", or left out"
            problems.append(Problem(name, needed + extra))
    version = fields.get("expected_version")
    if isinstance(version, float) and version.is_integer():
        version = int(version)
    if "expected_version" in fields and not _is_version(version):
        needed = f"expected_version must be a whole number up to {HIGHEST}, or left out"
        problems.append(Problem("expected_version", needed))
    if problems:
        raise InvalidConfiguration(problems)
    if "asset_symbol" in texts:
        texts["asset"] = texts.pop("asset_symbol").upper()
    return Envelope(**texts, expected_version=version)


def read_known_pause(message: Mapping[str, Any]) -> tuple[KnownPause, ...] | None:
    """The pause that a resumption names: one that the caller knows, none, or None where it does not say.

    Raises:
        InvalidConfiguration: it is not written as pauses are.
    """
    if "pause" not in message:
        return None
    pause = message["pause"]
    if pause is None:
        return ()
    named = pause if isinstance(pause, dict) else {}
    config_id, created_at = named.get("config_id"), named.get("created_at")
    if isinstance(config_id, str) and isinstance(created_at, str):
        return (KnownPause(config_id, created_at),)
    needed = "pause must be the pause to end, with its config_id and created_at; null if none is known; or left out"
    raise InvalidConfiguration([Problem("pause", needed)])


def _is_version(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= HIGHEST


def split_envelope(message: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part a message into its envelope fields, the asset as `asset_symbol`, and the rest.

    Raises:
        Malformed: the asset is set under both its names, with different values.
    """
    envelope = {name: value for name, value in message.items() if name in FIELDS and name not in _ASSET}
    asset = one_of(message, _ASSET)
    if asset is not None:
        envelope["asset_symbol"] = asset[1]
    return envelope, {name: value for name, value in message.items() if name not in FIELDS}


def one_of(message: dict[str, Any], names: tuple[str, ...]) -> tuple[str, Any] | None:
    """The field that goes by one of several names.

    Raises:
        Malformed: it is set under two names with different values.
    """
    found = [(name, message[name]) for name in names if name in message]
    if len(found) > 1 and any(value != found[0][1] for _, value in found):
        raise Malformed(f"{found[0][0]!r} and {found[1][0]!r} mean the same and differ", path=found[1][0])
    return found[0] if found else None


def refuse_unknown(message: Iterable[str], known: Collection[str]) -> None:
    """Refuse unknown fields: a misspelt asset must not turn a change into a global one.

    Raises:
        Malformed: there are some; all are named.
    """
    unknown = [name for name in message if name not in known]
    problems = [
        Problem(clip(name), f"Unknown field {quoted(name)}; the nearest known one is {nearest(name, known)!r}")
        for name in unknown[:MOST_TOLD]
    ]
    if problems:
        raise Malformed([*problems, *and_more(unknown)])
