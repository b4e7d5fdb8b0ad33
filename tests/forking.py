"""Servers that are there in a moment: forked from a process that has loaded the program already.

They do what `python -m vivienne` does. Only the loading, which takes longer than most tests, is done once.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SERVING = """
import gc, json, os, sys
import alembic.command, psycopg, redis.asyncio, vivienne.roles.serving
import vivienne.commands.serve, vivienne.roles.all, vivienne.roles.agent, vivienne.roles.gateway
from vivienne.commands.main import main

gc.freeze()
for line in sys.stdin:
    asked = json.loads(line)
    if "ended" in asked:
        process, status = os.waitpid(asked["ended"], os.WNOHANG)
        print(json.dumps(os.waitstatus_to_exitcode(status) if process else None), flush=True)
        continue
    process = os.fork()
    if process:
        print(process, flush=True)
        continue
    nothing, log = os.open(os.devnull, os.O_RDWR), os.open(asked["log"], os.O_WRONLY | os.O_TRUNC)
    for number, file in enumerate((nothing, nothing, log)):
        os.dup2(file, number)
    os.environ.clear()
    os.environ.update(asked["environment"])
    main(asked["arguments"], prog_name="vivienne")
"""


class Forking:
    """The process that has loaded a program. Started when it is needed first.

    Args:
        program: reads questions from stdin, each a line of JSON, and answers so on stdout.
    """

    def __init__(self, program: str = SERVING) -> None:
        self._program = program
        self._one_at_a_time = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def start(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Forked:
        """Run `vivienne` with these arguments; what it writes to stderr is in the log, which is there already."""
        return Forked(self, self.ask({"arguments": list(arguments), "environment": dict(environment), "log": str(log)}))

    def ask(self, question: Any) -> Any:
        """Put a question to it."""
        with self._one_at_a_time:
            if self._process is None:
                self._process = subprocess.Popen(
                    [sys.executable, "-c", self._program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            print(json.dumps(question), file=self._process.stdin, flush=True)
            return json.loads(self._process.stdout.readline())

    def end(self) -> None:
        """No more are forked; those that were go on."""
        if self._process is not None:
            self._process.communicate(timeout=10)


class Forked:
    """A process with what tests need of `subprocess.Popen`."""

    def __init__(self, forking: Forking, pid: int) -> None:
        self.pid = pid
        self._forking = forking
        self._code: int | None = None

    def poll(self) -> int | None:
        """The exit code, None while it runs."""
        if self._code is None:
            self._code = self._forking.ask({"ended": self.pid})
        return self._code

    def wait(self, timeout: float) -> int:
        """Wait until it has ended."""
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("vivienne", timeout)
            time.sleep(0.005)  # it ends on its own; nothing here is told when
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)
