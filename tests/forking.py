"""Servers that are there in a moment: forked from a process that has loaded the program already.

They do what `python -m vivienne` does. Only the loading, which takes longer than most tests, is done once.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SERVING = Path(__file__).with_name("serving.py").read_text()


class Forking:
    """The process that has loaded a program. Started when it is needed first.

    Args:
        program: reads questions from stdin, each a line of JSON, and answers so on stdout.
        environment: variables on top of the present ones, for what has to be there before the program is.
        line: leads to a process that is there already, in place of one that is started.
    """

    def __init__(
        self,
        program: str = SERVING,
        environment: Mapping[str, str] | None = None,
        line: socket.socket | None = None,
    ) -> None:
        self._program = program
        self._environment = {**os.environ, **(environment or {})}
        self._one_at_a_time = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._line = line
        self._files: tuple[IO[str], IO[str]] | None = None

    def start(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path, before: str = "") -> Forked:
        """Run `vivienne` with these arguments; what it writes to stderr is in the log, which is there already."""
        return self._started(arguments, environment, log=str(log), before=before)

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], seconds: float, before: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run `vivienne` with these arguments to its end, in which it executes something before."""
        with NamedTemporaryFile("r+") as log, NamedTemporaryFile("r+") as said:
            process = self._started(arguments, environment, log=log.name, said=said.name, before=before)
            try:
                code = process.wait(seconds)
            finally:
                process.kill()
            return subprocess.CompletedProcess(["vivienne", *arguments], code, said.read(), log.read())

    def _started(self, arguments: Sequence[str], environment: Mapping[str, str], **more: str) -> Forked:
        return Forked(self, self.ask({"arguments": list(arguments), "environment": dict(environment), **more}))

    def ask(self, question: Any) -> Any:
        """Put a question to it."""
        with self._one_at_a_time:
            self._files = self._files or self._opened()
            questions, answers = self._files
            print(json.dumps(question), file=questions, flush=True)
            return json.loads(answers.readline())

    def _opened(self) -> tuple[IO[str], IO[str]]:
        if self._line is not None:
            return self._line.makefile("w"), self._line.makefile("r")
        self._process = subprocess.Popen(
            [sys.executable, "-c", self._program],
            env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout

    def end(self) -> None:
        """No more are forked, and those that still run are killed."""
        if self._process is not None:
            self._process.communicate(timeout=10)
        if self._line is not None:
            for file in self._files or ():
                file.close()
            self._line.close()


class LoadedOnce:
    """A process that loads the program once for several processes of tests.

    Args:
        count: of them.
    """

    def __init__(self, count: int) -> None:
        pairs = [socket.socketpair() for _ in range(count)]
        given = [theirs.fileno() for _, theirs in pairs]
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVING, *map(str, given)], pass_fds=given, stdin=subprocess.DEVNULL
        )
        for _, theirs in pairs:
            theirs.close()
        self._forkings = [Forking(line=ours) for ours, _ in pairs]

    def only(self, number: int) -> Forking:
        """The one for a process, in that process; it must not keep those of the others open."""
        one = self._forkings.pop(number)
        self.leave()
        return one

    def leave(self) -> None:
        """Close those that this process has."""
        for forking in self._forkings:
            forking.end()

    def end(self) -> None:
        """End it, even if it still loads. What it has forked for a process ends with the line to that process."""
        self._process.kill()
        self._process.wait(timeout=10)


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
            self._wait_for_end(deadline - time.monotonic())
        return code

    def _wait_for_end(self, seconds: float) -> None:
        """Wait until it has ended; where the system does not say when that is, a moment."""
        if not hasattr(os, "pidfd_open"):
            time.sleep(0.005)
            return
        told = os.pidfd_open(self.pid)
        try:
            select.select([told], [], [], max(0.0, seconds))
        finally:
            os.close(told)

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)
