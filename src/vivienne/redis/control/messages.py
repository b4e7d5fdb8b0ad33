"""Control messages from Redis: applies each one, and makes its outcome."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson

from vivienne.access.caller import ENTRY, Caller
from vivienne.changes.asked import asked_at
from vivienne.channels.envelope import LONGEST_PAUSE, open_envelope
from vivienne.channels.json import USUAL, read_object
from vivienne.channels.messages import (
    ESCAPED,
    SWITCHES,
    ConfigMessages,
    is_pause,
    is_switch,
    names_request_id,
    ordered,
    request_id_of,
)
from vivienne.channels.replies import error_reply
from vivienne.config.flat import nearest
from vivienne.errors import ChangeRefused, Defect, Malformed, NotStored, TooLarge
from vivienne.logs.defects import DEFECTS
from vivienne.redis.control.waiting import Switched
from vivienne.trace import traced
from vivienne.wire.messages import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vivienne.access.limits import MessageLimits
    from vivienne.changes.asked import Asked
    from vivienne.changes.service import ConfigService
    from vivienne.wire.messages import Message

_log = logging.getLogger(__name__)

CHANNEL = "redis"
"""Channel of changes by `config_update` in the history; `control` has one of its own."""

ALL, UNKNOWN = "", "?"
"""In place of the asset of a message: it bears on all assets, or on none that is known."""
_CALLER = Caller(names_itself=False, via=CHANNEL)
"""The caller of every message: Redis does not tell who sent one, and nothing in it is believed about its sender."""
_ENTRY = Caller(names_itself=False, via=ENTRY)
"""The same for messages that are known by the number of their entry, which no message can name."""


def _entry(stream_id: str, raw: bytes) -> Caller:
    """The caller of an entry. Its number means another entry in another stream, or with another content.

    Args:
        stream_id: of the stream; empty for one that is older than these names.
        raw: what the entry says.
    """
    if not stream_id:
        return _ENTRY
    return replace(_ENTRY, requester=f"{ENTRY} {stream_id} {hashlib.sha256(raw).hexdigest()[:16]}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a message.

    Attributes:
        document: an answer or an error, as it is published.
        unstored: the store did not take the change; the same message may be retried.
    """

    document: Mapping[str, Any]
    unstored: bool = False

    @property
    def text(self) -> str:
        """The document as JSON."""
        return encode(self.document)


@dataclass(slots=True)
class _Received:
    """Parts of a message, as far as it could be read."""

    kind: str | None = None
    request_id: str | None = None
    is_entry: bool = False


class ControlMessages:
    """Turns messages into outcomes; never raises, except when cancelled.

    Args:
        service: takes changes.
        limits: of a message.
    """

    def __init__(self, service: ConfigService, limits: MessageLimits = USUAL) -> None:
        self._limits = limits
        self._assets = frozenset(service.assets)
        self._changes = ConfigMessages(service, CHANNEL)
        self.made = 0
        """Changes that came into force since the start, over any channel."""
        service.listen(self._count)

    async def carry_out(
        self, raw: bytes, request_id: str | None = None, asked: Asked | None = None, stream_id: str = ""
    ) -> Outcome:
        """Apply one message.

        Args:
            raw: as received.
            request_id: for a message without one.
            asked: when it was sent, or received, if it waited.
            stream_id: for an entry, the name of its stream.
        """
        with traced("a program on Redis"), asked_at(asked):
            return await self._carried_out(raw, request_id, stream_id)

    async def _carried_out(self, raw: bytes, request_id: str | None, stream_id: str) -> Outcome:
        received = _Received()
        try:
            message = self._read(raw, request_id, received)
            caller = _entry(stream_id, raw) if received.is_entry else _CALLER
            document: Mapping[str, Any] = await self._changes.handle(message, caller)
        except ChangeRefused as refused:
            return self._refused(refused, received)
        except Exception as error:  # noqa: BLE001  # a defect must not cost the channel its listener
            DEFECTS.tell(_log, "redis", "A message of type %s failed", received.kind, error=error)
            return self._refused(Defect(), received)
        if received.is_entry:
            document = {**document, "request_id": received.request_id}
        # A pause that is not stored yet is in force all the same; the stream repeats it until it is stored.
        return Outcome(document, unstored=document["status"] == "not_stored_yet")

    def switched(self, raw: bytes) -> Switched | None:
        """What a message pauses or resumes: an asset, `ALL` or `UNKNOWN`. None for another message."""
        may_be = any(name.encode() in raw for name in SWITCHES) or ESCAPED.encode() in raw
        if len(raw) > LONGEST_PAUSE or not may_be:
            return None
        try:
            message = orjson.loads(raw)  # how it is read matters only where it is applied
        except orjson.JSONDecodeError:
            return None
        if not isinstance(message, dict) or (name := ordered(message)) not in SWITCHES:
            return None
        return Switched(self._asset_of(message), "pauses" if SWITCHES[name] == "pause" else "resumptions")

    def refuses_switch(self, raw: bytes) -> bool:
        """Tell whether what `switched` takes for a pause or a resumption would be refused."""
        try:
            return self._changes.refuses_switch(read_object(raw, self._limits), _CALLER)
        except ChangeRefused:
            return True

    def _asset_of(self, message: Message) -> str:
        inner = message.get("params")
        both = (message, inner if isinstance(inner, dict) else {})
        named = (fields[name] for fields in both for name in ("asset", "asset_symbol") if name in fields)
        asset = next(named, None)
        if asset is None:
            return ALL
        known = asset.strip().upper() if isinstance(asset, str) else UNKNOWN
        return known if known in self._assets else UNKNOWN

    def refuse(self, refused: ChangeRefused, request_id: str | None) -> Outcome:
        """The outcome of something that is not taken for a message."""
        return self._refused(refused, _Received(request_id=request_id))

    def refuse_message(self, refused: ChangeRefused, raw: bytes) -> Outcome:
        """The outcome of a message that is not looked at any closer."""
        received = _Received()
        try:
            received.request_id = request_id_of(read_object(raw, self._limits))
        except ChangeRefused as malformed:  # a name for it here would keep it, and with its traceback the message
            return self._refused(malformed, received)
        return self._refused(refused, received)

    def _read(self, raw: bytes, request_id: str | None, received: _Received) -> Message:
        """The message; fills in `received` as far as it gets."""
        received.request_id = request_id
        message = read_object(raw, self._limits)
        if isinstance(message.get("type"), str):
            received.kind = message["type"]
        own = request_id_of(message)
        received.request_id = own or request_id
        if own is None and request_id is not None and not names_request_id(message):
            message["request_id"] = request_id
            received.is_entry = True
        elif own is not None and request_id is not None and is_pause(message):
            # A pause is made again when its request_id is used again; an entry that is read again is the same pause.
            open_envelope({"request_id": own})
            message = _renamed(message, request_id)
            received.is_entry = True
        self._check_type(received.kind)
        if len(raw) > LONGEST_PAUSE and is_switch(message):
            # It was not taken for one, so when it was asked for is not known.
            raise TooLarge(f"A pause or a resumption has at most {LONGEST_PAUSE:,} bytes; this one has {len(raw):,}")
        return message

    def _check_type(self, kind: str | None) -> None:
        known = self._changes.types
        if kind is None:
            raise Malformed(f"The message has no type; known types are {', '.join(known)}", path="type")
        if kind not in known:
            guess = nearest(kind[:100], known)
            raise Malformed(f"Unknown type {kind[:100]!r}; the nearest known one is {guess!r}", path="type")

    def _refused(self, refused: ChangeRefused, received: _Received) -> Outcome:
        document = error_reply(refused, in_reply_to=received.kind, request_id=received.request_id)
        return Outcome(document, unstored=isinstance(refused, NotStored))

    def _count(self, *_change: object) -> None:
        self.made += 1


def _renamed(message: Message, request_id: str) -> Message:
    """A message with another request_id, wherever it has one."""
    params = message.get("params")
    if isinstance(params, dict) and "request_id" in params:
        message = {**message, "params": {name: value for name, value in params.items() if name != "request_id"}}
    return {**message, "request_id": request_id}
