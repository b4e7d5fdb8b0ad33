"""A real `redis-server` in a process of its own, and what a client of it does."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from redis import Redis
from redis.exceptions import RedisError

from ports import free_port
from vivienne.redis.client import Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from types import TracebackType

    from running import RunningServer

START_SECONDS = 10.0
ANSWER_SECONDS = 10.0
CLIENT_SECONDS = 60.0
"""Longest time for which a test uses a client."""
CONTROL, RESULTS, STREAM = "vivienne:control", "vivienne:control:results", "vivienne:control:stream"
STATE, CONFIG, LEASE = "vivienne:state:", "vivienne:config", "vivienne:control:lease"

USER, USER_PASSWORD = "vivienne", "a-password"
_ACL = re.compile(rf"redis-cli ACL SETUSER {USER} (.*?)```", re.DOTALL)

Message = dict[str, Any]


def documented_user() -> list[str]:
    """The rules of the user that docs/redis.md has for Vivienne."""
    found = _ACL.search((Path(__file__).parent.parent / "docs" / "redis.md").read_text())
    assert found is not None
    return shlex.split(found[1].replace("\\\n", ""))


class RunningRedis:
    """A Redis process on a free port; it keeps nothing on disk unless asked to.

    Without a password, `url` is that of a user with exactly the permissions that docs/redis.md gives to Vivienne.

    Args:
        flags: of ``redis-server``.
        durable: write every command to disk before it is answered.
        password: that clients must give.
    """

    def __init__(self, *flags: str, durable: bool = False, password: str = "") -> None:
        self.port = free_port()
        self.password = password
        self._flags = [*flags, *(["--appendonly", "yes", "--appendfsync", "always"] if durable else ["--save", ""])]
        self._flags += ["--requirepass", password] if password else ["--user", USER, *documented_user()]
        self._process: subprocess.Popen[bytes] | None = None
        self._open = ExitStack()
        self._folder = self._open.enter_context(tempfile.TemporaryDirectory())
        self.client: Any = Redis(
            port=self.port, password=password or None, socket_timeout=ANSWER_SECONDS, decode_responses=True
        )
        """A client that knows nothing of Vivienne."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.kill()
        finally:
            self.client.close()
            self._open.close()

    @property
    def url(self) -> str:
        """Its address, with the password."""
        who = f":{self.password}" if self.password else f"{USER}:{USER_PASSWORD}"
        return f"redis://{who}@127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start, and wait until it answers."""
        program = os.environ.get("REDIS_SERVER") or shutil.which("redis-server")
        assert program, "redis-server is not on this machine; `make redis-server` installs it"
        command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self._folder]
        self._process = subprocess.Popen([*command, *self._flags], stdout=subprocess.DEVNULL)
        eventually(self._answers, START_SECONDS)

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=START_SECONDS)
            self.client.connection_pool.disconnect()

    def pause(self) -> None:
        """SIGSTOP: it keeps its connections and says nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def cli(self, *arguments: str) -> str:
        """What `redis-cli` prints."""
        command = ["redis-cli", "-p", str(self.port), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=True)
        return done.stdout.strip()

    def listener(self, *channels: str) -> Listener:
        """A subscription; a * in a name stands for anything."""
        return Listener(self.client, channels)

    def send(self, message: Message | str) -> int:
        """Publish on the control channel; gives how many heard it."""
        heard_by: int = self.client.publish(CONTROL, text(message))
        return heard_by

    def add(self, message: Message | str) -> str:
        """Append to the control stream; gives the entry's number."""
        number: str = self.client.xadd(STREAM, {"message": text(message)})
        return number

    def message(self, key: str) -> Message:
        """The JSON under a key."""
        message: Message = json.loads(self.client.get(key))
        return message

    def state(self, asset: str) -> Message:
        """The latest state of an asset, with its decision and configuration beside the rest."""
        message = self.message(STATE + asset)
        return {**message, **message["agents"]["VivienneAgent"]}

    def is_waiting(self) -> bool:
        """Whether entries of the stream are not carried out yet."""
        group = self.client.xinfo_groups(STREAM)[0]
        return bool(group["pending"] or group["lag"])

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except RedisError:
            return False


class Listener:
    """What is said on some channels from now on."""

    def __init__(self, client: Any, channels: tuple[str, ...], *, pattern: bool = True) -> None:
        self._subscription = client.pubsub()
        subscribe = self._subscription.psubscribe if pattern else self._subscription.subscribe
        subscribe(*channels)
        for _ in channels:
            assert self._subscription.get_message(timeout=ANSWER_SECONDS)["type"] == subscribe.__name__

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._subscription.close()

    def hear(self, timeout: float = ANSWER_SECONDS) -> Message:
        """The next message."""
        return self.hear_on(timeout)[1]

    def hear_on(self, timeout: float = ANSWER_SECONDS) -> tuple[str, Message]:
        """The next message, and the channel it came on."""
        found = self._subscription.get_message(timeout=timeout)
        assert found is not None, f"nothing was heard for {timeout:g} s"
        message: Message = json.loads(found["data"])
        return found["channel"], message

    def nothing_comes(self, seconds: float) -> bool:
        """Whether nothing is said for so long."""
        return self._subscription.get_message(timeout=seconds) is None


def text(message: Message | str) -> str:
    """A message as it is sent; texts go as they are."""
    return message if isinstance(message, str) else json.dumps(message)


def eventually(check: Callable[[], object], seconds: float = ANSWER_SECONDS) -> None:
    """Wait until something is true."""
    begin = time.monotonic()
    while not check():
        waited = time.monotonic() - begin
        assert waited < seconds, f"it did not become true within {seconds:g} s"
        time.sleep(min(max(0.01, waited / 10), 0.25))  # most looks are requests, which the server has to answer


def redis_state(server: RunningServer) -> str:
    """What `/ready` says of Redis."""
    found: str = server.get("/ready").json()["redis"]
    return found


def wait_for_redis(server: RunningServer) -> None:
    """Wait until the server uses its Redis."""
    eventually(lambda: redis_state(server) == "ok")


def listens(redis: RunningRedis) -> bool:
    """Whether somebody would hear a control message."""
    return bool(redis.client.pubsub_numsub(CONTROL)[0][1])


@asynccontextmanager
async def client_of(url: str) -> AsyncIterator[Client]:
    """A client of the program, within a limit of time."""
    client = Client(url)
    try:
        async with asyncio.timeout(CLIENT_SECONDS):
            yield client
    finally:
        await client.aclose(close_connection_pool=True)
