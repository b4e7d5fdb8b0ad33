"""Two agents and two gateways over a real PostgreSQL and a real Redis."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from redis_running import eventually
from running import RunningServer
from vivienne.cluster.shards import Shard

if TYPE_CHECKING:
    from types import TracebackType

    from redis_running import RunningRedis

ASSETS = ("BTC", "ETH", "SOL", "XRP")


class Several:
    """The processes.

    Args:
        database: address of a PostgreSQL database.
        redis: over which they talk.
        flags: for the agents, beyond what they need.
        everywhere: flags for all.
    """

    def __init__(self, database: str, redis: RunningRedis, *flags: str, everywhere: tuple[str, ...] = ()) -> None:
        self._open = ExitStack()
        self._database = database
        self._common = ("--redis", redis.url, "--assets", ",".join(ASSETS), *everywhere)
        begin = datetime.now(UTC) - timedelta(minutes=5)
        self.market = ("--market-begin", begin.isoformat(), *flags)
        self.agents = [self.agent(1), self.agent(2)]
        self.gateways = [self._server("--role", "gateway") for _ in range(2)]

    def __enter__(self) -> Self:
        for server in (*self.agents, *self.gateways):
            self._open.enter_context(server)
        for server in self.gateways:
            wait_until_ready(server)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def agent(self, number: int) -> RunningServer:
        """An agent, not started yet: the first or the second of two."""
        return self._server("--role", "agent", "--shard", f"{number}/2", *self.market)

    def agent_of(self, asset: str) -> RunningServer:
        """The agent that decides an asset."""
        return next(agent for number, agent in enumerate(self.agents, 1) if Shard(number, 2).share(ASSETS).count(asset))

    def replace(self, agent: RunningServer) -> RunningServer:
        """Start another agent in the place of one."""
        place = self.agents.index(agent)
        self.agents[place] = self._open.enter_context(self.agent(place + 1))
        return self.agents[place]

    def _server(self, *flags: str) -> RunningServer:
        return RunningServer(*self._common, *flags, db=self._database)


def wait_until_ready(server: RunningServer, seconds: float = 10.0) -> None:
    """Wait until every part works."""
    eventually(lambda: server.get("/ready").json()["status"] == "ready", seconds)


def wait_for_version(server: RunningServer, asset: str, version: int) -> None:
    """Wait until a server knows of a version."""
    eventually(lambda: server.active(asset)["version"] == version)
