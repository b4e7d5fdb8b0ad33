"""Quiet hours of a rule."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:  # of an unknown one it is a KeyError
        raise ValueError("unknown zone") from error
    return name


def as_tuple(value: Any) -> Any:
    """The validator of a field with a tuple, for a list of JSON."""
    return tuple(value) if isinstance(value, list) else value


ClockTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class QuietHours(BaseModel):
    """A time of the day in which a rule sends nothing; past midnight if it ends before it begins.

    Attributes:
        begin: first minute, `HH:MM` in the zone.
        end: first minute after it. The same as `begin` is the whole day.
        zone: an IANA name such as `Europe/Berlin`.
        days: on which it begins; all without any.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    begin: ClockTime = Field(alias="from")
    end: ClockTime = Field(alias="to")
    zone: Annotated[str, AfterValidator(_zone), Field(max_length=64)] = "UTC"
    days: Annotated[tuple[Day, ...], BeforeValidator(as_tuple), Field(max_length=7)] = ()

    def cover(self, moment: datetime) -> bool:
        """Tell whether a moment lies within them."""
        local = moment.astimezone(ZoneInfo(self.zone))
        begin, end, now = _clock(self.begin), _clock(self.end), local.time()
        if begin < end:
            return begin <= now < end and self._is_on(local)
        # Past midnight, the hours belong to the day on which they began.
        return (now >= begin and self._is_on(local)) or (now < end and self._is_on(local - timedelta(days=1)))

    def _is_on(self, local: datetime) -> bool:
        return not self.days or _DAYS[local.weekday()] in self.days


def _clock(text: str) -> time:
    return time.fromisoformat(text)
