"""A rule: which events of which assets are sent where, and under which conditions."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from vivienne.agent.filters import FILTER
from vivienne.alerts.channels import AnyChannel, Channel, TextTemplate, Webhook, made_secret
from vivienne.alerts.fields import FIELDS
from vivienne.alerts.patterns import Patterns
from vivienne.alerts.quiet import QuietHours, as_tuple
from vivienne.alerts.secret import Secret
from vivienne.alerts.template import Template
from vivienne.wire.alert import EventType, MarketKind
from vivienne.wire.explanation import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vivienne.wire.document import Document

LONGEST_NAME = 64
MOST_CHANNELS, MOST_ASSETS, MOST_QUIET = 8, 1_000, 8
LONGEST_COOLDOWN = 30 * 86_400.0
LONGEST_EXPIRY = 86_400.0
BAR_EVENTS: frozenset[EventType] = frozenset({"level", "entry", "exit", "size", "side", "held", "confidence"})
"""Events that a closed bar can cause."""
ASSET_EVENTS: frozenset[EventType] = BAR_EVENTS | {"data"}
"""Events that concern one asset."""
MARKETS: tuple[MarketKind, ...] = ("real", "simulated", "replay")


def _one_line(text: str) -> str:
    text = text.strip()
    if not text or not text.isprintable():
        raise ValueError("a name is one line of text, such as: BTC bangs")
    return text


def _upper(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.upper() for name in names))


def _known_filters(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in FILTER:
            raise ValueError(f"Unknown filter {name[:40]!r}; known are {', '.join(FILTER)}")
    return names


def _events(value: Any) -> Any:
    return (value,) if isinstance(value, str) else as_tuple(value)


_List = BeforeValidator(as_tuple)
Pattern = Annotated[str, Field(pattern=r"^[A-Za-z0-9._*?-]{1,32}$")]
ShortText = Annotated[str, Field(min_length=1, max_length=100)]


class Rule(BaseModel):
    """A rule of alerts.

    Attributes:
        name: for people; need not be unique.
        enabled: whether it fires.
        assets: names or patterns with `*` and `?`, upper case.
        event: kinds of events, in the order in which one is preferred if a bar causes several.
        levels: those that an asset reaches or leaves (`when`).
        filters: those that hold an entry back; any without one.
        above, below: number that the confidence crosses.
        authors, paths: of a changed configuration; patterns with `*`; any without one.
        side: only with this side.
        min_size: only with at least this target size, in percent of equity.
        min_confidence: only with at least this confidence.
        markets: kinds of markets.
        cooldown: least time between two alerts of one asset, in seconds. Of bars it is time of the market.
        once_per_bar: at most one alert for each asset and bar.
        quiet: hours in which nothing is sent.
        text: template of the text; None for the sentence of the event.
        expires_after: seconds after the event until which it may be acted on; None for the length of a bar.
        channels: where alerts go.
        problem: why it was switched off by itself; None otherwise.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, ignored_types=(cached_property,))

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(_one_line)]
    enabled: bool = True
    assets: Annotated[tuple[Pattern, ...], _List, AfterValidator(_upper), Field(min_length=1, max_length=MOST_ASSETS)]
    event: Annotated[tuple[EventType, ...], BeforeValidator(_events), Field(min_length=1, max_length=12)]
    levels: Annotated[tuple[Level, ...], _List, Field(min_length=1, max_length=4)] | None = None
    when: Literal["reaches", "leaves"] | None = None
    filters: Annotated[tuple[str, ...], _List, AfterValidator(_known_filters), Field(max_length=20)] | None = None
    above: Annotated[float, Field(ge=0, le=1)] | None = None
    below: Annotated[float, Field(ge=0, le=1)] | None = None
    authors: Annotated[tuple[ShortText, ...], _List, Field(max_length=50)] | None = None
    paths: Annotated[tuple[ShortText, ...], _List, Field(max_length=50)] | None = None
    side: Literal["long", "short"] | None = None
    min_size: Annotated[float, Field(ge=0, le=100)] | None = None
    min_confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    markets: Annotated[tuple[MarketKind, ...], _List, Field(min_length=1, max_length=3)] = MARKETS
    cooldown: float = Field(default=0.0, ge=0, le=LONGEST_COOLDOWN)
    once_per_bar: bool = True
    quiet: Annotated[tuple[QuietHours, ...], _List, Field(max_length=MOST_QUIET)] = ()
    text: TextTemplate | None = None
    expires_after: Annotated[float, Field(ge=1, le=LONGEST_EXPIRY)] | None = None
    channels: Annotated[tuple[AnyChannel, ...], _List, Field(min_length=1, max_length=MOST_CHANNELS)]
    problem: Annotated[str, Field(max_length=300)] | None = None

    @classmethod
    def load(cls, document: Mapping[str, Any]) -> Rule:
        """The rule of a stored document.

        Raises:
            ValueError: it is none that this version knows.
        """
        return cls.model_validate(with_secrets(document, lambda value, _place: Secret.load(value)))

    def document(self) -> Document:
        """The rule as it is stored: without what is at its default, with encrypted secrets.

        Raises:
            ValueError: a secret is not encrypted yet.
        """
        found = self._plain()
        return with_secrets(found, lambda secret, _place: secret.stored())

    def shown(self) -> Document:
        """The rule as it is shown: all values that bear on it, with masked secrets."""
        found = {**_OFTEN, **self._plain()}
        if "level" in self.event:
            found |= {"levels": list(self.watched_levels), "when": self.when or "reaches"}
        return with_secrets(found, lambda secret, _place: secret.shown())

    def sealed(self, seal: Callable[[str], str]) -> Rule:
        """The rule with secrets encrypted by a function."""
        return self._with_secrets(lambda secret, _place: secret.sealed(seal))

    def with_made_secrets(self) -> tuple[Rule, dict[str, str]]:
        """The rule with a signing secret for each webhook that has none, and by channel the new ones."""
        made: dict[str, str] = {}
        channels = list[Channel]()
        for channel in self.channels:
            if isinstance(channel, Webhook) and channel.secret is None:
                secret = made_secret()
                made[channel.id] = secret.plain or ""
                channels.append(channel.model_copy(update={"secret": secret}))
            else:
                channels.append(channel)
        return self.model_copy(update={"channels": tuple(channels)}), made

    def switched_off(self, problem: str) -> Rule:
        """The rule, switched off for a reason."""
        return self.model_copy(update={"enabled": False, "problem": problem[:300]})

    @property
    def watched_levels(self) -> tuple[Level, ...]:
        """The levels that it watches."""
        return self.levels or ("aim", "bang")

    @cached_property
    def template(self) -> Template | None:
        """The template of the text."""
        return None if self.text is None else Template(self.text, FIELDS)

    @property
    def wanted_assets(self) -> Patterns:
        """The assets that it is for. They are asked for rarely, and a thousand need a lot of memory."""
        return Patterns(self.assets, has_one=True)

    @cached_property
    def wanted_authors(self) -> Patterns:
        """The authors of changes that it wants."""
        return Patterns(self.authors or ("*",))

    @cached_property
    def wanted_paths(self) -> Patterns:
        """The paths of changed values that it wants."""
        return Patterns(self.paths or ("*",))

    def _with_secrets(self, change: Callable[[Any, str], Any]) -> Rule:
        return Rule.model_validate(with_secrets(self._plain(), change))

    def _plain(self) -> dict[str, Any]:
        """All values that are not at their default, as JSON, but for secrets."""
        found = self.model_dump(mode="python", by_alias=True, exclude_defaults=True, exclude={"channels"})
        found["event"] = self.event[0] if len(self.event) == 1 else list(self.event)
        channels = [_channel(channel) for channel in self.channels]
        return {**{name: _listed(value) for name, value in found.items()}, "channels": channels}


_OFTEN: Mapping[str, Any] = {
    "enabled": True,
    "markets": list(MARKETS),
    "cooldown": 0.0,
    "once_per_bar": True,
    "quiet": [],
    "text": None,
    "expires_after": None,
    "problem": None,
}
"""Values that are shown at their default too."""
SECRET_FIELDS = {"webhook": ("url", "secret"), "apprise": ("url",)}
"""By type of channel, the fields with secrets; values of headers are secrets too."""


def with_secrets(document: Mapping[str, Any], change: Callable[[Any, str], Any]) -> dict[str, Any]:
    """A document of a rule with its secrets replaced.

    Args:
        document: of any shape; what is not understood stays as it is.
        change: gives what stands in the place of a secret; called with it and its path within the channel.
    """
    channels = document.get("channels")
    if not isinstance(channels, (list, tuple)):
        return dict(document)
    return {**document, "channels": [_changed(channel, change) for channel in channels]}


def _changed(channel: Any, change: Callable[[Any, str], Any]) -> Any:
    if not isinstance(channel, dict):
        return channel
    found = dict(channel)
    for name in SECRET_FIELDS.get(str(channel.get("type")), ()):
        if found.get(name) is not None:
            found[name] = change(found[name], name)
    headers = found.get("headers")
    if isinstance(headers, dict):
        found["headers"] = {name: change(value, f"headers.{name}") for name, value in headers.items()}
    return found


def _channel(channel: Any) -> dict[str, Any]:
    """A channel as a document; its secrets stay as they are."""
    names = [name for name in type(channel).model_fields if name in channel.model_fields_set or name in ("id", "type")]
    found = {name: getattr(channel, name) for name in names}
    return {"type": found.pop("type"), **{name: value for name, value in found.items() if value is not None}}


def _listed(value: Any) -> Any:
    return [_listed(each) for each in value] if isinstance(value, tuple) else value
