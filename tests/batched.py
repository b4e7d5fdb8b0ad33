"""A Redis of a test that takes messages one by one, and several at once as the real one does."""

from __future__ import annotations

from typing import Self


class Batched:
    """Takes batches of messages; `publish` takes each of them."""

    async def publish(self, channel: str, message: bytes) -> int:
        """Take one message; return how many heard it."""
        raise NotImplementedError

    def pipeline(self, *, transaction: bool) -> Batch:
        """A batch."""
        assert not transaction
        return Batch(self)


class Batch:
    """Messages that are published at once."""

    def __init__(self, redis: Batched) -> None:
        self._redis = redis
        self._messages: list[tuple[str, bytes]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        pass

    def publish(self, channel: str, message: bytes) -> None:
        """Add a message."""
        self._messages.append((channel, message))

    async def execute(self, *, raise_on_error: bool) -> list[int]:
        """Publish them."""
        assert not raise_on_error
        return [await self._redis.publish(*each) for each in self._messages]
