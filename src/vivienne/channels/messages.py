"""Changes as messages: `config_update`, `pause`, `resume` and `control`. Translates; decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vivienne.changes.requests import SwitchRequest, Update
from vivienne.channels.envelope import (
    FIELDS,
    LONGEST_TEXT,
    OF_SWITCH,
    one_of,
    open_envelope,
    read_known_pause,
    refuse_unknown,
    split_envelope,
)
from vivienne.channels.replies import outcome_reply
from vivienne.config.layers import GLOBAL
from vivienne.errors import ChangeRefused, Malformed, UnknownTarget
from vivienne.wire.messages import AGENT, AGENT_NAMES, Message

if TYPE_CHECKING:
    from vivienne.access.caller import Caller
    from vivienne.changes.requests import ChangeRequest, Switch
    from vivienne.changes.service import ConfigService
    from vivienne.wire.answers import Acknowledgement, Preview, Switched

STRATEGY = "general_parameters"
CONFIG_UPDATE = ("config_update", "vivienne_config_update")
CONTROL = "control"
ESCAPED = "\\u00"
"""In the text of a message that may spell a word otherwise than with its letters."""
SWITCHES: dict[str, Switch] = {"pause": "pause", "resume": "resume"}
"""Messages that stop decisions and let them go on; by the same names, strategies of `control`."""

UNUSED = ("timestamp", "protocol_version")
"""Fields that every message may carry. Nothing is done with them, so nothing is refused because of them."""
_AROUND = ("agent", *UNUSED)
_OF_SWITCH = frozenset({"type", "strategy", "params", *_AROUND, *OF_SWITCH["resume"]})
_CONFIG = ("config", "parameters")
_MODE = ("mode", "update_type")
_MODES = ("partial", "full")


class ConfigMessages:
    """Turns messages into requests and outcomes into answers.

    Args:
        service: the door.
        channel: the name of the channel, for the record.
    """

    types = (*CONFIG_UPDATE, CONTROL, *SWITCHES)

    def __init__(self, service: ConfigService, channel: str) -> None:
        self._service = service
        self._channel = channel
        service.counts.expect(channel, CONTROL)

    async def handle(self, message: Message, caller: Caller) -> Message:
        """Carry out one message of a known type.

        Returns:
            The answer for the sender.

        Raises:
            ChangeRefused: nothing was changed.
        """
        kind, validate_only = message["type"], False
        request: ChangeRequest | SwitchRequest
        with self._service.counts.refusals(self._channel_of(message)):
            if kind in SWITCHES:
                request = self._switch(message, caller)
            elif kind == CONTROL:
                request = self._control(message, caller)
            else:
                kind = CONFIG_UPDATE[0]
                request, validate_only = self._config_update(message, caller)
        outcome: Acknowledgement | Preview | Switched
        if isinstance(request, SwitchRequest):
            outcome = await self._service.switch(request)
        else:
            outcome = await (self._service.validate(request) if validate_only else self._service.change(request))
        return outcome_reply(kind, outcome, request.request_id)

    def refuses_switch(self, message: Message, caller: Caller) -> bool:
        """Tell, without the store, whether a pause or a resumption would be refused."""
        if not _OF_SWITCH.issuperset(message):  # to say in words what was meant takes a hundred times as long
            return True
        try:
            request = self._control(message, caller) if message["type"] == CONTROL else self._switch(message, caller)
        except ChangeRefused:
            return True
        layer = GLOBAL if request.asset is None else request.asset.strip().upper()
        return request.expected_version not in (None, self._service.version(layer))

    def _config_update(self, message: Message, caller: Caller) -> tuple[ChangeRequest, bool]:
        refuse_unknown(message, ("type", *_CONFIG, *_AROUND, *FIELDS, *_MODE, "validate_only"))
        _check_agent(message)
        document = _object(one_of(message, _CONFIG), "config")
        name, mode = one_of(message, _MODE) or ("mode", "partial")
        if mode not in _MODES:
            raise Malformed(f"{name} must be partial (the values are laid over the present ones) or full", path=name)
        validate_only = message.get("validate_only", False)
        if not isinstance(validate_only, bool):
            raise Malformed("validate_only must be true or false", path="validate_only")
        return self._request(message, document, caller, partial=mode == "partial"), validate_only

    def _control(self, message: Message, caller: Caller) -> ChangeRequest | SwitchRequest:
        strategy = message.get("strategy")
        fields = OF_SWITCH[SWITCHES[str(strategy)]] if is_switch(message) else FIELDS
        refuse_unknown(message, ("type", "strategy", "params", *_AROUND, *fields))
        _check_agent(message)
        if strategy != STRATEGY and not is_switch(message):
            known = ", ".join(map(repr, (STRATEGY, *SWITCHES)))
            raise UnknownTarget(f"Unknown strategy {_shown(strategy)}; known are {known}", path="strategy")
        found = one_of(message, ("params",))
        if found is None and is_switch(message):
            found = "params", {}
        inner, document = split_envelope(_object(found, "params"))
        for name in inner:
            if name in message and message[name] != inner[name]:
                raise Malformed(f"{name!r} is in the message and in params, and differs", path=name)
        if is_switch(message):
            refuse_unknown(document, fields)
            if "pause" in message and "pause" in document and message["pause"] != document["pause"]:
                raise Malformed("'pause' is in the message and in params, and differs", path="pause")
            return _switched({**message, **inner, **document}, SWITCHES[str(strategy)], CONTROL, caller)
        return self._request({**message, **inner}, document, caller, partial=True)

    def _switch(self, message: Message, caller: Caller) -> SwitchRequest:
        switch = SWITCHES[message["type"]]
        refuse_unknown(message, ("type", *_AROUND, *OF_SWITCH[switch]))
        _check_agent(message)
        return _switched(message, switch, self._channel, caller)

    def _request(self, message: Message, document: Message, caller: Caller, *, partial: bool) -> ChangeRequest:
        fields, _ = split_envelope(message)
        return open_envelope(fields).change(Update(document, partial), channel=self._channel_of(message), caller=caller)

    def _channel_of(self, message: Message) -> str:
        return CONTROL if message["type"] == CONTROL else self._channel


def _switched(message: Message, switch: Switch, channel: str, caller: Caller) -> SwitchRequest:
    fields, _ = split_envelope(message)
    return open_envelope(fields).switch(switch, channel=channel, caller=caller, ends=read_known_pause(message))


def is_switch(message: Message) -> bool:
    """Tell whether a message pauses or resumes."""
    return ordered(message) in SWITCHES


def is_pause(message: Message) -> bool:
    """Tell whether a message pauses."""
    return ordered(message) == "pause"


def ordered(message: Message) -> str:
    """The type of a message, or the strategy of `control`; empty if that is no text."""
    kind = message.get("type")
    name = message.get("strategy") if kind == CONTROL else kind
    return name if isinstance(name, str) else ""


def request_id_of(message: Message) -> str | None:
    """The request_id of a message, at its top or in its `params`; None if it is not a text."""
    params = message.get("params")
    inner = params.get("request_id") if isinstance(params, dict) and message.get("type") == CONTROL else None
    found = message.get("request_id", inner)
    return found if isinstance(found, str) else None


def short_request_id(message: Message) -> str | None:
    """The request_id of a message that changes nothing.

    Raises:
        Malformed: it is longer than that of a change may be.
    """
    found, longest = request_id_of(message), LONGEST_TEXT["request_id"]
    if found is not None and len(found) > longest:
        raise Malformed(f"request_id has {len(found):,} characters; the limit is {longest}", path="request_id")
    return found


def names_request_id(message: Message) -> bool:
    """Tell whether a message has a request_id, valid or not."""
    params = message.get("params")
    return "request_id" in message or (isinstance(params, dict) and "request_id" in params)


def _check_agent(message: Message) -> None:
    agent = message.get("agent", AGENT)
    if not isinstance(agent, str) or agent.lower() not in AGENT_NAMES:
        raise UnknownTarget(f"Unknown agent {_shown(agent)}; known is {AGENT!r}", path="agent")


def _object(found: tuple[str, Any] | None, name: str) -> Message:
    if found is None:
        raise Malformed(f"{name} is missing: an object with the values to set", path=name)
    if not isinstance(found[1], dict):
        raise Malformed(f"{found[0]} must be an object with the values to set", path=found[0])
    return found[1]


def _shown(value: object) -> str:
    return repr(value[:100]) if isinstance(value, str) else "(not a text)"
