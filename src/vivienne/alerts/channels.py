"""Channels of a rule: where its alerts go."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from functools import cached_property
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from vivienne.alerts.body import BodyTemplate
from vivienne.alerts.fields import FIELDS
from vivienne.alerts.secret import Secret, no_hint, origin_of, scheme_of
from vivienne.alerts.services import LOCAL_SERVICES, scheme
from vivienne.alerts.template import LONGEST_TEMPLATE, Template, TemplateError

LONGEST_URL, LONGEST_HEADER, MOST_HEADERS = 2_000, 1_000, 16
SIGNING_SECRET = "whsec_"  # noqa: S105  # the beginning of every signing secret
_SIGNING_BYTES = range(24, 65)
"""Bytes that a signing secret may have, as Standard Webhooks says."""
_SEVERAL = re.compile(r"[,;]\s*[A-Za-z][A-Za-z0-9+.-]*://")
"""Another URL after the first one: apprise would take both."""
_SERVICE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,19}://")
_OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "content-type"})


VARIABLES_OF_HEADERS = "VIVIENNE_ALERT_"
"""Begins the names of variables that a header can have: it shows its value to the receiver, whoever that is."""
_SETTINGS = frozenset({"VIVIENNE_ALERT_KEY", "VIVIENNE_ALERT_HOSTS"})
_OF_THE_SERVER = "VIVIENNE_"
"""Begins the names of variables with settings of the server."""


def sent_secret(check: Any, hint: Any, variables: str = "") -> Any:
    """The validator of a field with a secret: a text as it is sent, or a secret of a stored document.

    Args:
        check: raises a ValueError for a text that is none.
        hint: gives the part that may be shown.
        variables: begins the names of environment variables that may be used.
    """

    def read(value: Any) -> Any:
        if isinstance(value, Secret):
            return value
        if not isinstance(value, str):
            raise ValueError("a text")  # noqa: TRY004  # pydantic reads it
        found = Secret.sent(value, hint)
        if found.plain is not None:
            check(found.plain)
        elif found.env is not None:
            _check_variable(found.env, variables)
        return found

    return read


def _check_variable(name: str, begin: str) -> None:
    if not name.startswith(begin):
        raise ValueError(f"the variable {name} cannot be used in a header; use one whose name begins with {begin}")
    is_setting = name.startswith(_OF_THE_SERVER) and not name.startswith(VARIABLES_OF_HEADERS)
    if is_setting or name in _SETTINGS:
        raise ValueError(f"{name} is a setting of the server; use a variable whose name begins otherwise")


def check_web_address(text: str) -> None:
    """Check that a text is the URL of a webhook.

    Raises:
        ValueError: it is none; the message does not contain it.
    """
    if len(text) > LONGEST_URL:
        raise ValueError(f"a URL has at most {LONGEST_URL:,} characters")
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError("not a URL; write it as https://bot.example/hook") from None
    if parts.scheme not in ("https", "http") or not parts.hostname or any(c.isspace() or ord(c) < 32 for c in text):  # noqa: PLR2004  # control characters
        raise ValueError("not a URL; write it as https://bot.example/hook")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a URL with a name and a password is not accepted; send an Authorization header instead")


def check_service_address(text: str) -> None:
    """Check that a text is the URL of a service.

    Raises:
        ValueError: it is none; the message does not contain it.
    """
    if len(text) > LONGEST_URL or not _SERVICE.match(text) or any(c.isspace() for c in text) or _SEVERAL.search(text):
        raise ValueError("not a URL of a service; write it as tgram://TOKEN/CHAT, see the documentation of apprise")
    if scheme(text) in LOCAL_SERVICES:
        raise ValueError(
            f"{scheme(text)}:// acts on the machine of Vivienne and reaches nobody; choose another service"
        )


def check_signing_secret(text: str) -> None:
    """Check that a text is a signing secret.

    Raises:
        ValueError: it is none; the message does not contain it.
    """
    try:
        length = len(base64.b64decode(text.removeprefix(SIGNING_SECRET), validate=True))
    except (binascii.Error, ValueError):
        length = 0
    if not text.startswith(SIGNING_SECRET) or length not in _SIGNING_BYTES:
        raise ValueError(
            "a signing secret is whsec_ and 24 to 64 bytes in Base64; without one a secret is made and shown once"
        )


def check_header_value(text: str) -> None:
    """Check that a text can be the value of a header.

    Raises:
        ValueError: it cannot; the message does not contain it.
    """
    if len(text) > LONGEST_HEADER or not text.isascii() or not text.isprintable():
        raise ValueError(f"the value of a header has at most {LONGEST_HEADER:,} printable ASCII characters")


def _headers(found: dict[str, Secret]) -> dict[str, Secret]:
    for name in found:
        if not name or len(name) > 64 or not all(c.isalnum() or c in "-_" for c in name) or not name.isascii():  # noqa: PLR2004  # no longer name is known
            raise ValueError(f"{name[:64]!r} is not the name of a header")
        if name.lower() in _OWN_HEADERS or name.lower().startswith("webhook-"):
            raise ValueError(f"the header {name} is set by Vivienne")
        if sum(other.lower() == name.lower() for other in found) > 1:
            raise ValueError(f"the header {name} is there twice; small and capital letters are the same in its name")
    return found


def _body(value: Any) -> Any:
    if value is not None:
        try:
            BodyTemplate(value)
        except TemplateError as error:
            raise ValueError(str(error)) from None
    return value


def text_template(text: str | None) -> str | None:
    """The validator of a field with a template."""
    if text is not None:
        try:
            Template(text, FIELDS)
        except TemplateError as error:
            raise ValueError(str(error)) from None
    return text


def _stored(secret: Secret) -> Any:
    return secret.stored()


WebAddress = Annotated[Secret, BeforeValidator(sent_secret(check_web_address, origin_of)), PlainSerializer(_stored)]
ServiceAddress = Annotated[
    Secret, BeforeValidator(sent_secret(check_service_address, scheme_of)), PlainSerializer(_stored)
]
SigningSecret = Annotated[Secret, BeforeValidator(sent_secret(check_signing_secret, no_hint)), PlainSerializer(_stored)]
HeaderValue = Annotated[
    Secret, BeforeValidator(sent_secret(check_header_value, no_hint, VARIABLES_OF_HEADERS)), PlainSerializer(_stored)
]
TextTemplate = Annotated[str, Field(max_length=LONGEST_TEMPLATE), AfterValidator(text_template)]
ChannelId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{0,32}$")]


class Channel(BaseModel):
    """A channel of a rule.

    Attributes:
        id: its name within the rule; empty until one is given to it.
        coalesce_above: alerts that may wait for it as messages of their own; more are sent as one.
        drop_expired: whether an alert that could not be delivered until it expired is not sent any more.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True, ignored_types=(cached_property,)
    )

    id: ChannelId = ""
    coalesce_above: int = Field(default=10, ge=1, le=1_000)
    drop_expired: bool = False

    @property
    def target(self) -> str:
        """The receiver as it may be shown."""
        return ""


class Webhook(Channel):
    """A request to a program.

    Attributes:
        url: receives a POST.
        secret: signs it.
        headers: sent with it.
        body: a JSON value of templates; None for the alert itself.
    """

    type: Literal["webhook"]
    url: WebAddress
    secret: SigningSecret | None = None
    headers: Annotated[dict[str, HeaderValue], Field(max_length=MOST_HEADERS), AfterValidator(_headers)] = Field(
        default_factory=dict
    )
    body: Annotated[Any, AfterValidator(_body)] = None
    coalesce_above: int = Field(default=1_000, ge=1, le=1_000)

    @property
    def target(self) -> str:
        """See `Channel`."""
        return self.url.shown()

    @cached_property
    def body_template(self) -> BodyTemplate | None:
        """The body, read."""
        return None if self.body is None else BodyTemplate(self.body)


class Apprise(Channel):
    """A message to people, through a service such as Telegram.

    Attributes:
        url: of the service, as apprise has it.
        title: of the message.
    """

    type: Literal["apprise"]
    url: ServiceAddress
    title: TextTemplate | None = None
    coalesce_above: int = Field(default=3, ge=1, le=1_000)

    @property
    def target(self) -> str:
        """See `Channel`."""
        return self.url.shown()


class Browser(Channel):
    """A notification in the dashboard."""

    type: Literal["browser"]
    sound: bool = True


class ToRedis(Channel):
    """An entry of the stream `vivienne:alerts` in Redis, and a message of the channel of the same name."""

    type: Literal["redis"]
    coalesce_above: int = Field(default=1_000, ge=1, le=1_000)


AnyChannel = Annotated[Webhook | Apprise | Browser | ToRedis, Field(discriminator="type")]


def made_secret() -> Secret:
    """A new signing secret."""
    return Secret(plain=SIGNING_SECRET + base64.b64encode(secrets.token_bytes(32)).decode())
