"""Tests in several processes that are forked from the one that has collected them: ``pytest -n 6``.

Processes that each import and collect all tests, as those of pytest-xdist do, spend an eighth of the time of all tests
on it, and more of them, so that no core waits, spend more. Tests of a file run in one process, one after the other, so
that they share what the file has started.
"""

from __future__ import annotations

import gc
import os
import signal
import time
import traceback
import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from multiprocessing import Pipe
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Self

import pytest

from forking import LoadedOnce
from running import RunningServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

END_SECONDS = 60.0
"""So long a worker that was interrupted may take to stop what its tests have started."""


def pytest_addoption(parser: pytest.Parser) -> None:
    # `_addoption` may add short ones in lower case, too.
    parser.getgroup("workers")._addoption(
        "-n", "--workers", type=int, default=0, metavar="N", help="run the tests in N processes, those of a file in one"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run the tests in workers, if there shall be several and there is something to run."""
    count = session.config.getoption("workers")
    if count < 2 or session.config.getoption("collectonly") or session.testsfailed:
        return None
    files = [list(tests) for _, tests in groupby(session.items, key=lambda item: item.path)]
    with Workers(session, files) as workers:
        workers.run(min(count, len(files)))
    return True


@dataclass
class _Worker:
    """A process that runs tests.

    Attributes:
        pid: its process.
        line: the connection to it.
        test: the last test that it has begun.
    """

    pid: int
    line: Connection
    test: str = "no test"


@dataclass
class Workers:
    """The workers of a session; gives each the next file whenever it has run one, and reports what it says.

    Args:
        session: that has collected the tests.
        files: their tests.
    """

    session: pytest.Session
    files: list[list[pytest.Item]]
    _working: dict[Connection, _Worker] = field(default_factory=dict)
    _loaded: LoadedOnce | None = None
    _broken: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Interrupt those that still work."""
        for worker in self._working.values():
            with suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGINT)
        for worker in self._working.values():
            _end(worker.pid)
        if self._loaded is not None:
            self._loaded.end()

    def run(self, count: int) -> None:
        """Run all tests in so many processes."""
        self._fork(count)
        self.session.config.pluginmanager.getplugin("terminalreporter").showfspath = False
        places = iter(range(len(self.files)))
        while self._working:
            ready = wait([*self._working])
            for worker in [worker for line, worker in self._working.items() if line in ready]:
                self._hear(worker, places)
        if self._broken:
            self.session.shouldfail = "\n".join(self._broken)
        if self.session.shouldfail:
            raise self.session.Failed(self.session.shouldfail)
        if self.session.shouldstop:
            raise self.session.Interrupted(self.session.shouldstop)

    def _fork(self, count: int) -> None:
        # Made here, so that they do not each look for a free name, and remove those of each other.
        folder = self.session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
        self._loaded = loaded = LoadedOnce(count)
        gc.collect()
        gc.freeze()
        for number in range(count):
            here, there = Pipe()
            with warnings.catch_warnings():
                # Libraries may have threads, of which a worker has none; servers are forked in the same way.
                warnings.simplefilter("ignore", DeprecationWarning)
                pid = os.fork()
            if not pid:
                for inherited in (*self._working, here):
                    inherited.close()
                RunningServer.forking = loaded.only(number)
                _work(self.session, self.files, there, folder / f"worker-{number}")
            there.close()
            self._working[here] = _Worker(pid, here)
        gc.unfreeze()
        loaded.leave()

    def _hear(self, worker: _Worker, places: Iterator[int]) -> None:
        try:
            said = worker.line.recv()
        except EOFError:
            self._gone(worker)
            return
        match said:
            case "next":
                stop = self.session.shouldfail or self.session.shouldstop
                worker.line.send(None if stop else next(places, None))
            case str(broken):
                self._broken.append(broken)
            case (test, location, reports):
                worker.test = test
                self._report(test, location, reports)

    def _gone(self, worker: _Worker) -> None:
        del self._working[worker.line]
        _, status = os.waitpid(worker.pid, 0)
        if code := os.waitstatus_to_exitcode(status):
            self._broken.append(f"a worker ended with {code}; the last test it has run is {worker.test}")

    def _report(self, test: str, location: Any, reports: list[Any]) -> None:
        config = self.session.config
        config.hook.pytest_runtest_logstart(nodeid=test, location=location)
        for data in reports:
            report = config.hook.pytest_report_from_serializable(config=config, data=data)
            config.hook.pytest_runtest_logreport(report=report)
        config.hook.pytest_runtest_logfinish(nodeid=test, location=location)


class _Reports:
    """What a worker reports of a test.

    Args:
        config: of the session.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.made: list[Any] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self.made.append(data)


def _work(session: pytest.Session, files: list[list[pytest.Item]], line: Connection, folder: Any) -> None:
    """Run one file after the other in this process, which ends then."""
    code = 1
    try:
        reports = _settle(session.config, folder)
        try:
            _run_files(session, files, line, reports)
        finally:
            session._setupstate.teardown_exact(None)
        # What was not closed is noticed when it is collected.
        gc.collect()
        session.config.pluginmanager.getplugin("unraisableexception").collect_unraisable(session.config)
        code = 0
    except (KeyboardInterrupt, BrokenPipeError):
        pass
    except BaseException:  # noqa: BLE001  # it is said by the process that waits for this one
        with suppress(OSError):
            line.send(traceback.format_exc())
    finally:
        os._exit(code)


def _settle(config: pytest.Config, folder: Any) -> _Reports:
    """Separate this process from the one it was forked from."""
    # Where it was ignored, as in the background of a shell, nothing else would end this process soon.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    plugins = config.pluginmanager
    plugins.unregister(name="terminalreporter")
    capturing = plugins.getplugin("capturemanager")
    # The files that take what tests print have one position, which both processes would move.
    capturing.stop_global_capturing()
    capturing.start_global_capturing()
    capturing.suspend_global_capture()
    folder.mkdir(mode=0o700)
    config._tmp_path_factory._basetemp = folder  # type: ignore[attr-defined]
    reports = _Reports(config)
    plugins.register(reports)
    return reports


def _run_files(session: pytest.Session, files: list[list[pytest.Item]], line: Connection, reports: _Reports) -> None:
    line.send("next")
    while (place := line.recv()) is not None:
        # After the last test of a file, all that is left is what the session has.
        for test, following in pairwise([*files[place], session]):
            assert isinstance(test, pytest.Item)
            session.config.hook.pytest_runtest_protocol(item=test, nextitem=following)
            line.send((test.nodeid, test.location, reports.made))
            reports.made = []
            if session.shouldfail or session.shouldstop:
                return
        line.send("next")


def _end(pid: int) -> None:
    """Wait until a worker has ended, not for ever."""
    late = time.monotonic() + END_SECONDS
    while time.monotonic() < late:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
