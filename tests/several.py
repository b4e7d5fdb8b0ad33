"""Two agents, and as a rule two gateways, over a real PostgreSQL and a real Redis."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from psycopg.errors import DuplicateObject

from redis_running import STATE, eventually
from running import RunningServer, data
from vivienne.cluster.shards import Shard
from vivienne.store.tables import alerts

if TYPE_CHECKING:
    from types import TracebackType

    from postgres_server import PostgresServer
    from redis_running import RunningRedis

ASSETS = ("BTC", "ETH", "SOL", "XRP")
_READER = "reader"


class Several:
    """The processes.

    Args:
        database: address of a PostgreSQL database.
        redis: over which they talk.
        flags: for the agents, beyond what they need.
        everywhere: flags for all.
        gateways: how many.
    """

    def __init__(
        self, database: str, redis: RunningRedis, *flags: str, everywhere: tuple[str, ...] = (), gateways: int = 2
    ) -> None:
        self._open = ExitStack()
        self._database = database
        self._common = ("--redis", redis.url, "--assets", ",".join(ASSETS), *everywhere)
        begin = datetime.now(UTC) - timedelta(minutes=5)
        self.market = ("--market-begin", begin.isoformat(), *flags)
        self.agents = [self.agent(1), self.agent(2)]
        self.gateways = [self._server("--role", "gateway") for _ in range(gateways)]

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


class Two:
    """An agent, whose user of the database may be locked out, and a gateway."""

    assets = ("BTC", "ETH")

    def __init__(self, postgres: PostgresServer, redis: RunningRedis) -> None:
        self._open = ExitStack()
        self._postgres, self._redis = postgres, redis
        self.database = postgres.database()
        flags = ("--redis", redis.url, "--assets", ",".join(self.assets), "--timeframe", "1m", "--window", "1500")
        self.gateway = RunningServer(*flags, "--role", "gateway", db=self.database)
        begin = ("--market-begin", (datetime.now(UTC) - timedelta(minutes=5)).isoformat())
        agents_own = postgres.url(self.database.rpartition("/")[2], user=_READER, password=_READER)
        self.agent = RunningServer(*flags, "--role", "agent", "--shard", "1/1", *begin, db=agents_own)

    def grant(self) -> None:
        self._postgres.execute(f"GRANT ALL ON revisions TO {_READER}", url=self.database)

    def revoke(self) -> None:
        """Lock the agent out, and wait until it has noticed."""
        self._postgres.execute(f"REVOKE ALL ON revisions FROM {_READER}", url=self.database)
        eventually(lambda: self.agent.get("/ready").status_code == 503)

    def published(self) -> set[str]:
        """The status of the assets as the agent publishes them, without a gateway between."""
        states = [self._redis.message(STATE + asset) for asset in self.assets]
        return {data(state)["status"] for state in states}

    def resume(self) -> None:
        """And wait until all is live."""
        assert "success" == self.gateway.post("resume", {}).json()["status"]
        eventually(lambda: self.published() == {"live"})
        wait_until_ready(self.gateway)

    def __enter__(self) -> Self:
        with suppress(DuplicateObject):
            self._postgres.execute(f"CREATE ROLE {_READER} LOGIN PASSWORD '{_READER}'")
        self._open.enter_context(self.gateway)
        for table in ("tokens", "alembic_version", "tickets", *(table.name for table in alerts)):
            self._postgres.execute(f"GRANT ALL ON {table} TO {_READER}", url=self.database)
        self.grant()
        self._open.enter_context(self.agent)
        wait_until_ready(self.gateway)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()


def wait_until_ready(server: RunningServer, seconds: float = 10.0) -> None:
    """Wait until every part works."""
    eventually(lambda: server.get("/ready").json()["status"] == "ready", seconds)


def wait_for_version(server: RunningServer, asset: str, version: int) -> None:
    """Wait until a server knows of a version."""
    eventually(lambda: server.active(asset)["version"] == version)
