"""Every way in which a change may come, with the same face for all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from redis_running import Listener
    from running import RunningServer

Problems = list[dict[str, Any]]

STATUS = {
    "malformed": 400,
    "request_id_reused": 409,
    "version_conflict": 412,
    "too_large": 413,
    "invalid_configuration": 422,
    "unknown_target": 422,
}


@dataclass
class Verdict:
    """What a channel answered, in the same terms for all."""

    accepted: bool
    code: str | None
    problems: Problems
    answer: dict[str, Any]


class Channel(Protocol):
    """A way in. Documents are JSON texts, so that what is no JSON can be sent as well."""

    recorded_as: str
    names_itself: bool
    """Whether the author that a message names counts as its name; over Redis it is only what somebody claims."""

    def frame(self, document: str, **envelope: Any) -> str: ...

    def send(self, text: str) -> Verdict: ...

    def switch(self, kind: str, **envelope: Any) -> Verdict:
        """`pause` or `resume`."""
        ...

    def still_open(self) -> bool: ...


def _members(fields: dict[str, Any]) -> str:
    return "".join(f", {json.dumps(name)}: {json.dumps(value)}" for name, value in fields.items())


class Rest:
    recorded_as = "rest"
    names_itself = True

    def __init__(self, server: RunningServer) -> None:
        self._server = server

    def frame(self, document: str, **envelope: Any) -> str:
        inner = document.strip()[1:-1].strip()
        fields = _members(envelope).removeprefix(", ")
        return "{" + ", ".join(part for part in (inner, fields) if part) + "}"

    def send(self, text: str) -> Verdict:
        return self._judged(self._server.post_text("partial-update", text))

    def switch(self, kind: str, **envelope: Any) -> Verdict:
        return self._judged(self._server.post(kind, envelope))

    def _judged(self, response: httpx.Response) -> Verdict:
        answer = response.json()
        if response.status_code == 200:
            return Verdict(accepted=True, code=None, problems=[], answer=answer)
        assert response.headers["content-type"] == "application/problem+json"
        assert STATUS[answer["code"]] == response.status_code == answer["status"]
        return Verdict(accepted=False, code=answer["code"], problems=answer["errors"], answer=answer)

    def still_open(self) -> bool:
        return self._server.get("/health").status_code == 200


class Messages:
    """Messages of one kind, sent in whatever way."""

    def __init__(self, conversation: Conversation, kind: str, recorded_as: str) -> None:
        self._conversation = conversation
        self._kind = kind
        self.recorded_as = recorded_as
        self.names_itself = not isinstance(conversation, OverRedis)

    def frame(self, document: str, **envelope: Any) -> str:
        if self._kind == "control":
            strategy = '"strategy": "general_parameters"'
            return f'{{"type": "control", {strategy}, "params": {document}{_members(envelope)}}}'
        return f'{{"type": "config_update", "config": {document}{_members(envelope)}}}'

    def send(self, text: str) -> Verdict:
        return self._judged(self._conversation.ask(text), self._kind)

    def switch(self, kind: str, **envelope: Any) -> Verdict:
        if self._kind == "control":
            return self._judged(self._conversation.ask({"type": "control", "strategy": kind, **envelope}), "control")
        return self._judged(self._conversation.ask({"type": kind, **envelope}), kind)

    def _judged(self, answer: dict[str, Any], kind: str) -> Verdict:
        if answer["type"] == "error":
            return Verdict(accepted=False, code=answer["code"], problems=answer["errors"], answer=answer)
        assert answer["type"] == f"{kind}_response"
        return Verdict(accepted=True, code=None, problems=[], answer=answer)

    def still_open(self) -> bool:
        answer = self._conversation.ask({"type": "config_update", "config": {"rsi_weight": 0.5}, "validate_only": True})
        return bool(answer["status"] == "valid")


class Conversation(Protocol):
    """Something that takes messages and answers each."""

    def ask(self, message: Any) -> dict[str, Any]: ...


class OverRedis:
    """Sends messages by way of Redis; their outcomes are on the channel of results."""

    def __init__(self, send: Callable[[str], object], results: Listener) -> None:
        self._send = send
        self._results = results

    def ask(self, message: Any) -> dict[str, Any]:
        self._send(message if isinstance(message, str) else json.dumps(message))
        return self._results.hear()


WAYS = {
    "rest": ("rest", "", "rest"),
    "config_update by websocket": ("websocket", "config_update", "websocket"),
    "control by websocket": ("websocket", "control", "control"),
    "config_update by redis channel": ("redis channel", "config_update", "redis"),
    "control by redis channel": ("redis channel", "control", "control"),
    "config_update by redis stream": ("redis stream", "config_update", "redis"),
    "control by redis stream": ("redis stream", "control", "control"),
}


def by_path(problems: Problems) -> Problems:
    return sorted(problems, key=lambda item: (item["path"], item["message"]))


def recorded_author(channel: Channel, name: str) -> tuple[str, str | None]:
    """The author of a revision, and the claimed one, of a message that names an author."""
    return (name, None) if channel.names_itself else ("anonymous", name)


class Unmoved:
    """What is in force and what was recorded, to see that nothing moved."""

    def __init__(self, server: RunningServer) -> None:
        self._server = server
        self._before = self._look()

    def _look(self) -> Any:
        return [self._server.active(asset) for asset in (None, "BTC", "ETH", "SOL")], self._server.newest()

    def check(self) -> None:
        assert self._look() == self._before
