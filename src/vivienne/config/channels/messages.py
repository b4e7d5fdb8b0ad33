"""Changes as messages: `config_update` and `control`. Translates; decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vivienne.config.channels.envelope import FIELDS, one_of, open_envelope, refuse_unknown, split_envelope
from vivienne.config.requests import Update
from vivienne.errors import Malformed, UnknownTarget
from vivienne.stream.messages import AGENT, Message

if TYPE_CHECKING:
    from vivienne.config.requests import Request
    from vivienne.config.service import ConfigService

STRATEGY = "general_parameters"
CONFIG_UPDATE = ("config_update", "vivienne_config_update")
CONTROL = "control"

_CONFIG = ("config", "parameters")
_MODES = ("partial", "full")


class ConfigMessages:
    """Turns messages into requests and outcomes into answers.

    Args:
        service: the door.
        channel: the name of the channel, for the record.
    """

    types = (*CONFIG_UPDATE, CONTROL)

    def __init__(self, service: ConfigService, channel: str) -> None:
        self._service = service
        self._channel = channel

    async def handle(self, message: Message, address: str | None) -> Message:
        """Carry out one message of a known type.

        Returns:
            The answer for the sender.

        Raises:
            ChangeRefused: nothing was changed.
        """
        with self._service.counting_refusals(CONTROL if message["type"] == CONTROL else self._channel):
            if message["type"] == CONTROL:
                request, validate_only = self._control(message, address), False
            else:
                request, validate_only = self._config_update(message, address)
        outcome = await (self._service.validate(request) if validate_only else self._service.change(request))
        kind = "control_response" if message["type"] == CONTROL else "config_update_response"
        answer = {"type": kind, "agent": AGENT, "asset": outcome["asset_symbol"], **outcome}
        if request.request_id is not None:
            answer["request_id"] = request.request_id
        return answer

    def _config_update(self, message: Message, address: str | None) -> tuple[Request, bool]:
        refuse_unknown(message, ("type", "agent", *_CONFIG, *FIELDS, "mode", "validate_only"))
        _check_agent(message)
        document = _object(one_of(message, _CONFIG), "config")
        mode = message.get("mode", "partial")
        if mode not in _MODES:
            raise Malformed("mode must be partial (the values are laid over the present ones) or full", path="mode")
        validate_only = message.get("validate_only", False)
        if not isinstance(validate_only, bool):
            raise Malformed("validate_only must be true or false", path="validate_only")
        return self._request(message, document, address, partial=mode == "partial"), validate_only

    def _control(self, message: Message, address: str | None) -> Request:
        refuse_unknown(message, ("type", "agent", "strategy", "params", *FIELDS))
        _check_agent(message)
        strategy = message.get("strategy")
        if strategy != STRATEGY:
            raise UnknownTarget(f"Unknown strategy {_shown(strategy)}; known is {STRATEGY!r}", path="strategy")
        params = _object(one_of(message, ("params",)), "params")
        inner, document = split_envelope(params)
        for name in inner:
            if name in message and message[name] != inner[name]:
                raise Malformed(f"{name!r} is in the message and in params, and differs", path=name)
        return self._request({**message, **inner}, document, address, partial=True)

    def _request(self, message: Message, document: Message, address: str | None, *, partial: bool) -> Request:
        fields, _ = split_envelope(message)
        channel = CONTROL if message["type"] == CONTROL else self._channel
        return open_envelope(fields).request(Update(document, partial), channel=channel, address=address)


def request_id_of(message: Message) -> str | None:
    """The request_id a message brings, around the change or in its `params`; None where there is no text there."""
    params = message.get("params")
    inner = params.get("request_id") if isinstance(params, dict) and message.get("type") == CONTROL else None
    found = message.get("request_id", inner)
    return found if isinstance(found, str) else None


def names_request_id(message: Message) -> bool:
    """Whether a message brings a request_id, be it a wrong one."""
    params = message.get("params")
    return "request_id" in message or (isinstance(params, dict) and "request_id" in params)


def _check_agent(message: Message) -> None:
    agent = message.get("agent", AGENT)
    if agent != AGENT:
        raise UnknownTarget(f"Unknown agent {_shown(agent)}; known is {AGENT!r}", path="agent")


def _object(found: tuple[str, Any] | None, name: str) -> Message:
    if found is None:
        raise Malformed(f"{name} is missing: an object with the values to set", path=name)
    if not isinstance(found[1], dict):
        raise Malformed(f"{found[0]} must be an object with the values to set", path=found[0])
    return found[1]


def _shown(value: object) -> str:
    return repr(value[:100]) if isinstance(value, str) else "of another type than text"
