"""Plans that are worked out before the turn of their change. Pauses wait for that turn, so it must be short."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from vivienne.errors import ChangeRefused, StoreUnavailable, VersionConflict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_T = TypeVar("_T")


class Ahead(Generic[_T]):
    """A plan that holds as long as no configuration has changed since. Otherwise it is worked out again in the turn.

    Args:
        basis: gives what it is worked out on: another object after each change.
        plan: works it out.
    """

    def __init__(self, basis: Callable[[], object], plan: Callable[[], Awaitable[_T]]) -> None:
        self._basis = basis
        self._plan = plan
        self._found: tuple[object, _T | ChangeRefused] | None = None

    async def work_out(self) -> None:
        """Work it out, and keep what came of it, a refusal too. The turn tells of it."""
        basis = self._basis()
        found: _T | ChangeRefused
        try:
            found = await self._plan()
        except (StoreUnavailable, VersionConflict):  # it may be otherwise in the turn, without any change
            return
        except ChangeRefused as refused:
            found = refused
        self._found = basis, found
        del found  # its traceback refers to this frame

    async def result(self) -> _T:
        """The plan. Called within the turn.

        Raises:
            ChangeRefused: all problems with it.
            StoreUnavailable: a former revision could not be looked up.
        """
        if self._found is None or self._found[0] is not self._basis():
            return await self._plan()
        found = self._found[1]
        if not isinstance(found, ChangeRefused):
            return found
        self._found = None  # if it is asked for again, something has changed
        try:
            raise found
        finally:
            del found  # its traceback refers to this frame, and garbage of thousands of refusals would add up
