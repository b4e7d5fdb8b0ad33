"""Loads the program once, and forks a process that runs `vivienne` for each line of JSON on stdin.

Answers each line with a line: the process, or, where a line asks whether one has ended, its exit code or null. At the
end of stdin it kills those that still run: they must not outlive the tests. Where numbers of open sockets are given,
there is a process for each of them, which reads from it and writes to it.
"""

import asyncio
import atexit
import gc
import inspect
import json
import os
import signal
import sqlite3  # noqa: F401  # loaded, so that no process has to, like those below
import sys
import threading
import traceback
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from tempfile import TemporaryDirectory
from typing import Any, NoReturn, cast

import alembic.command  # noqa: F401
import anyio._backends._asyncio  # noqa: F401
import numpy.random  # noqa: F401
import psycopg  # noqa: F401
import pydantic.v1  # noqa: F401
import redis.asyncio  # noqa: F401
import uvicorn.lifespan.off  # noqa: F401

import vivienne
from vivienne.changes.service import ConfigService
from vivienne.commands.main import main
from vivienne.config.tunables import schema_document
from vivienne.server.factory import web_application
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.version import build_version


def load() -> None:
    """Every module there is, so that no process has to; but for those that run when they are loaded."""
    for module in walk_packages(vivienne.__path__, "vivienne."):
        if not module.name.endswith(("__main__", "migrations.env")):
            import_module(module.name)


async def put_together() -> None:
    """Put a database and a web application together, and leave them.

    What libraries keep of it, such as compiled regular expressions of all addresses, is there for every process: to
    make it takes a quarter of a start.
    """
    nothing = cast("Any", None)
    with TemporaryDirectory() as folder:
        service = ConfigService(SqliteRevisionStore(Path(folder) / "v.db"), ["BTC"])
        web_application(service, nothing, nothing, nothing, nothing)
        await service.close()
    inspect.getsource(web_application)  # as FastAPI does with the endpoint of a request


def divide(sockets: list[int]) -> None:
    """Go on in a process for each of these sockets, as its stdin and stdout; this one waits for them and exits."""
    for given in sockets:
        if not os.fork():
            os.dup2(given, 0)
            os.dup2(given, 1)
            break
    else:
        for given in sockets:
            os.close(given)
        for _ in sockets:
            os.wait()
        sys.exit()
    for given in sockets:
        os.close(given)


def answer(what: int | None) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def run(asked: dict[str, Any]) -> NoReturn:
    """Run `vivienne` in this process, which ends then."""
    nothing, log = os.open(os.devnull, os.O_RDWR), os.open(asked["log"], os.O_WRONLY | os.O_TRUNC)
    said = os.open(asked["said"], os.O_WRONLY | os.O_TRUNC) if "said" in asked else nothing
    for number, file in enumerate((nothing, said, log)):
        os.dup2(file, number)
    os.environ.clear()
    os.environ.update(asked["environment"])
    try:
        exec(asked.get("before", ""), {})  # noqa: S102  # what a test wants to happen in the process
        main(asked["arguments"], prog_name="vivienne")
    except SystemExit as end:
        leave(end.code)
    except BaseException:  # noqa: BLE001  # the interpreter would print it, too
        traceback.print_exc()
    leave(1)


def leave(code: Any) -> NoReturn:
    """Exit as the interpreter does, but do not take apart what was loaded: that would take as long as a start."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)


if __name__ == "__main__":
    load()
    asyncio.run(put_together())
    build_version()  # it asks git, once for all
    schema_document()
    gc.freeze()
    if len(sys.argv) > 1:
        divide([int(number) for number in sys.argv[1:]])
    running = set()
    for line in sys.stdin:
        asked = json.loads(line)
        if "ended" in asked:
            process, status = os.waitpid(asked["ended"], os.WNOHANG)
            running.discard(process)
            answer(os.waitstatus_to_exitcode(status) if process else None)
            continue
        process = os.fork()
        if process:
            running.add(process)
            answer(process)
            continue
        run(asked)
    for process in running:
        os.kill(process, signal.SIGKILL)
