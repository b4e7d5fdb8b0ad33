"""Recorded configurations, for deciding anew."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from pydantic import ValidationError

from vivienne.agent.schema import Configuration

if TYPE_CHECKING:
    from vivienne.record.reader import RecordReader

NOT_RECORDED = "their configuration is not recorded"
NOT_VALID = "their configuration is not valid in this version of the program"
_MOST = 256


class Configurations:
    """Configurations of a record; those used last are kept.

    Attributes:
        altered: ids of those that are not what was recorded.
    """

    def __init__(self, reader: RecordReader) -> None:
        self._reader = reader
        self._kept: OrderedDict[int, Configuration | str] = OrderedDict()
        self.altered: set[int] = set()

    def get(self, number: int) -> Configuration | str:
        """The configuration, or the reason why there is none."""
        found = self._kept.pop(number, None)
        self._kept[number] = found = self._read(number) if found is None else found
        while len(self._kept) > _MOST:
            self._kept.popitem(last=False)
        return found

    def _read(self, number: int) -> Configuration | str:
        try:
            document, is_as_recorded = self._reader.checked_configuration(number)
            if not is_as_recorded:
                self.altered.add(number)
            return Configuration.model_validate(document)
        except LookupError:
            return NOT_RECORDED
        except ValidationError:
            return NOT_VALID
