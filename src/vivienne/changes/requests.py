"""Requests: everything that can be asked of the configuration."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

import orjson

from vivienne import trace
from vivienne.access.caller import ENTRY, Caller
from vivienne.changes.asked import Asked, asked_now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vivienne.wire.document import Document


@dataclass(frozen=True, slots=True)
class Update:
    """Set values. Full: the layer sets these and nothing else. Partial: these are laid over what it sets."""

    document: Document
    partial: bool


@dataclass(frozen=True, slots=True)
class Reset:
    """Take values out of a layer, so that they are inherited again; without paths, all of them."""

    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Activate:
    """Put a former configuration of a layer in force again; a deleted one too, which undoes its deletion in effect."""

    config_id: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a configuration; if it is the active one, the one before it is in force."""

    config_id: str


Intent = Update | Reset | Activate | Delete
"""A change of a configuration."""
Switch = Literal["pause", "resume"]
"""Stop decisions, or let them go on. Resuming an asset does not end the pause of all assets, nor the reverse."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """Replace what several layers set, as one change.

    Attributes:
        documents: by layer, everything it sets afterwards; flat names too.
        empty_others: whether layers that are not among them are emptied; otherwise they stay as they are.
        alerts: by alert_id, rules of alerts as they are sent; None leaves all rules as they are.
    """

    documents: Mapping[str, Document]
    empty_others: bool = False
    author: str = "anonymous"
    reason: str | None = None
    alerts: Mapping[str, Document] | None = None


_NOBODY = Caller()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(ABC):
    """The fields every request has.

    Attributes:
        channel: how it came in.
        asset: whom it is for, in any case; None for the global layer.
        expected_version: refuse unless this is the version in force.
        request_id: a repetition by the same caller is answered as the first time and not made again; not so a pause.
        author: the name of the caller's token, or without one what the caller says.
        claimed_author: what a caller with a token says, where it is something else.
        trace_id: of the request or message that it came with.
        caller: who asks.
    """

    channel: str
    asset: str | None = None
    expected_version: int | None = None
    request_id: str | None = None
    author: str = "anonymous"
    reason: str | None = None
    address: str | None = None
    claimed_author: str | None = None
    trace_id: str | None = field(default_factory=trace.trace_id.get)
    caller: Caller = _NOBODY

    @property
    def requester(self) -> str:
        """Whose the request_id is: nobody answers for, or uses up, one of somebody else."""
        return self.caller.requester or self.caller.key

    def digest(self) -> str:
        """Tells whether two requests ask for the same. It is stored, so its input must stay as it is."""
        asset = None if self.asset is None else self.asset.upper()
        name, asked = self._asked()
        content = [name, asset, self.expected_version, self.reason, asked]
        return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()

    @abstractmethod
    def _asked(self) -> tuple[str, object]:
        """The name and the content of what is asked for."""


@dataclass(frozen=True, slots=True)
class ChangeRequest(Request):
    """A request to change a configuration."""

    intent: Intent

    def _asked(self) -> tuple[str, object]:
        return type(self.intent).__name__, self.intent


@dataclass(frozen=True, slots=True)
class SeveralRequest(Request):
    """A request to change several assets as one change.

    Attributes:
        assets: in any case.
        document: laid over what each of them sets; flat names too.
        source: instead, the asset whose own values each of them sets afterwards, and no others.
    """

    assets: tuple[str, ...]
    document: Document | None = None
    source: str | None = None

    def _asked(self) -> tuple[str, object]:
        source = None if self.source is None else self.source.upper()
        return "Several", [sorted({asset.upper() for asset in self.assets}), self.document, source]


@dataclass(frozen=True, slots=True)
class UndoRequest(Request):
    """A request to undo a change, in every layer that it changed.

    Attributes:
        config_id: of any configuration that it made.
    """

    config_id: str

    def _asked(self) -> tuple[str, object]:
        return "Undo", self.config_id


class KnownPause(NamedTuple):
    """A pause as a caller knows it.

    Attributes:
        config_id: names it.
        created_at: as it was told. The entry of a pause that is repeated again and again gets another time.
    """

    config_id: str
    created_at: str


@dataclass(frozen=True, slots=True)
class SwitchRequest(Request):
    """A request to pause or resume an asset, or all of them.

    Attributes:
        switch: which of the two.
        ends: of a resumption, the pause that the caller knows, or none; others are not ended. None for whatever is
            there when it is asked for.
        asked: when; what came over another channel since may be in force already. None for now.
    """

    switch: Switch
    ends: tuple[KnownPause, ...] | None = None
    asked: Asked | None = field(default_factory=asked_now, kw_only=True)

    @property
    def is_once(self) -> bool:
        """True if a repetition is answered as the first time.

        A pause is none: it is never refused, or taken for done, because of its name. Unless that is the number of an
        entry of the control stream, which nobody else can use.
        """
        return self.request_id is not None and (self.switch == "resume" or self.caller.via == ENTRY)

    def _asked(self) -> tuple[str, object]:
        return self.switch.capitalize(), {} if self.ends is None else {"pause": [[*each] for each in self.ends]}
