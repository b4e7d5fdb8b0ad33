"""What tests share: reference data, real servers in processes of their own, real clients, and every way in."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from forking import Forking
from ports import free_port
from postgres_server import PostgresServer
from redis_running import RESULTS, RunningRedis, redis_state, wait_for_redis
from running import Client, RunningServer
from sizes import examples
from vivienne.changes.service import ConfigService
from vivienne.store.address import PostgresUrl
from vivienne.store.sqlite import SqliteRevisionStore
from ways_in import WAYS, Channel, Conversation, Messages, OverRedis, Rest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

pytest_plugins = ["workers", "spoiled_record"]

settings.register_profile("sizes", examples())
settings.load_profile("sizes")

# Tests leave little behind that needs collecting, and looking for it takes a seventh of their time.
gc.set_threshold(100_000, 50, 100)

# Nothing here is known to an authority of the system, and to read their certificates takes an eighth of each start.
os.environ.pop("SSL_CERT_FILE", None)
os.environ["SSL_CERT_DIR"] = str(Path(__file__).parent)

SHARED = Path(os.environ.get("VIVIENNE_TEST_DATA", Path(__file__).parent.parent.parent / "shared"))


# These have the longest tests: begun first, they do not keep a single worker busy at the end.
FIRST = (
    "exchange",
    "cluster",
    "over_redis",
    "contract",
    "torture",
    "commands",
    "server",
    "changes",
    "store",
    "live",
    "docs",
    "deploy",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort tests by their folder, those that wait longest first."""
    order = {folder: place for place, folder in enumerate(FIRST)}
    items.sort(key=lambda item: order.get(item.path.parent.name, len(order)))


@pytest.fixture(scope="session", autouse=True)
def _forking() -> Iterator[None]:
    """Servers are forked."""
    # A worker has been given one.
    forking = RunningServer.forking = RunningServer.forking or Forking()
    yield
    forking.end()


@pytest.fixture(scope="session")
def marketdata() -> Path:
    """Folder with real market data; tests that need it skip where it is absent."""
    return _existing(SHARED / "marketdata")


@pytest.fixture(scope="session")
def reference() -> Path:
    """Folder with independent indicator values; tests that need it skip where it is absent."""
    return _existing(SHARED / "reference")


@pytest.fixture(scope="session")
def exchanges() -> Path:
    """Folder with answers of exchanges; tests that need it skip where it is absent."""
    return _existing(SHARED / "exchanges")


@pytest.fixture(scope="session")
def shared_cases() -> Path:
    """Folder with small inputs that once went wrong; tests that need it skip where it is absent."""
    return _existing(SHARED / "cases")


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        pytest.skip(f"the reference data is not on this machine (looked for {folder})")
    return folder


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    """A fresh `vivienne serve` on the simulated market, on a free port, with a database of its own."""
    with RunningServer("--assets", "BTC,ETH,SOL", db=tmp_path / "vivienne.db") as running:
        yield running


@pytest.fixture(scope="session")
def postgres_process() -> Iterator[PostgresServer]:
    """A PostgreSQL server for all tests of this run; use `postgres`."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def postgres(postgres_process: PostgresServer) -> PostgresServer:
    """A running PostgreSQL server, whatever the test before did to it."""
    postgres_process.start()
    return postgres_process


@pytest.fixture
def database(postgres: PostgresServer) -> str:
    """The address of a fresh PostgreSQL database."""
    return postgres.database()


@pytest.fixture
def unused_port() -> int:
    """A port of this machine that nobody listens on."""
    return free_port()


# A server that is reached in every way; one for a module, as are its clients.


@pytest.fixture(scope="module")
def redis() -> Iterator[RunningRedis]:
    with RunningRedis() as running:
        yield running


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, redis: RunningRedis) -> Iterator[RunningServer]:
    flags = ("--assets", "BTC,ETH,SOL", "--redis", redis.url)
    with RunningServer(*flags, db=tmp_path_factory.mktemp("channels") / "v.db") as server:
        wait_for_redis(server)
        yield server


@pytest.fixture(scope="module")
def client(running: RunningServer) -> Iterator[Client]:
    """One connection for the whole module: a message that cost it would fail every test after it."""
    with running.client() as connected:
        yield connected


@pytest.fixture
def conversations(running: RunningServer, client: Client, redis: RunningRedis) -> Iterator[dict[str, Conversation]]:
    """Every way messages may take."""
    assert redis_state(running) == "ok"
    with redis.listener(RESULTS) as results:
        yield {
            "websocket": client,
            "redis channel": OverRedis(redis.send, results),
            "redis stream": OverRedis(redis.add, results),
        }


@pytest.fixture
def channels(running: RunningServer, conversations: dict[str, Conversation]) -> dict[str, Channel]:
    """Every way in."""
    return {
        name: Rest(running) if way == "rest" else Messages(conversations[way], kind, recorded_as)
        for name, (way, kind, recorded_as) in WAYS.items()
    }


@pytest.fixture(params=WAYS)
def channel(request: pytest.FixtureRequest, channels: dict[str, Channel]) -> Channel:
    return channels[request.param]


@pytest.fixture(params=["websocket", "redis channel", "redis stream"])
def conversation(request: pytest.FixtureRequest, conversations: dict[str, Conversation]) -> Conversation:
    return conversations[request.param]


@pytest.fixture
def pristine(running: RunningServer) -> None:
    """Everything at its default again."""
    for asset in (None, "BTC", "ETH", "SOL"):
        sources = running.active(asset)["sources"]
        if sources != dict.fromkeys(sources, "default"):
            running.reset(asset)


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ConfigService]:
    """The door of two assets, over a new file."""
    made = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ["BTC", "ETH"])
    yield made
    await made.close()


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Path | PostgresUrl:
    """Where a record is to be made, in either engine."""
    if request.param == "sqlite":
        return tmp_path / "v-record.db"
    url = PostgresUrl.read(request.getfixturevalue("database"))
    assert url is not None
    return url
