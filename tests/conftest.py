"""What tests share: where the reference data is, a real server in a process of its own, and a real client."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from postgres_server import PostgresServer
from running import RunningServer

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARED = Path(os.environ.get("VIVIENNE_TEST_DATA", Path(__file__).parent.parent.parent / "shared"))


@pytest.fixture(scope="session")
def marketdata() -> Path:
    """Folder with real market data; tests that need it skip where it is absent."""
    return _existing(SHARED / "marketdata")


@pytest.fixture(scope="session")
def reference() -> Path:
    """Folder with independent indicator values; tests that need it skip where it is absent."""
    return _existing(SHARED / "reference")


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
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
