"""Every endpoint against what the OpenAPI document promises of it: Schemathesis, all checks, stateful."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import Figure
from running import RunningServer
from tokens import make_token

_FLAGS = ("--assets", "BTC,ETH", "--timeframe", "1m", "--window", "1500", "--max-changes-per-minute", "10000000")
_SETTINGS = Path(__file__).with_name("schemathesis.toml")
_CASES = re.compile(r"([\d,]+) generated")
_FAILURE = re.compile(r"❌ (?P<name>[A-Z]+\d+ .+?): (?P<count>\d+)")
_UNDOCUMENTED = ("ST103", "ST104", "ST105", "ST106", "ST107", "ST108")
"""Status, media type, headers, schema of an answer."""


def measure(*, examples: int = 200, seed: int = 0, phases: str = "examples,coverage,fuzzing,stateful") -> list[Figure]:
    """Ask everything, with tokens demanded, as somebody who may do everything."""
    seed = seed or secrets.randbelow(2**31)
    print(f"  the seed is {seed}: seed={seed} asks the same", flush=True)
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        db = Path(folder) / "api.db"
        token = make_token(db, "api", "admin")
        with RunningServer(*_FLAGS, "--require-token", db=db) as server:
            sizes = ("--max-examples", str(examples), "--seed", str(seed), "--phases", phases)
            report = _run(server, token, Path(folder), sizes)
            tracebacks, is_up = server.log.count("Traceback"), server.process.poll() is None
    return _figures(report, tracebacks, is_up=is_up)


def _run(server: RunningServer, token: str, folder: Path, sizes: tuple[str, ...]) -> str:
    program = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(_SETTINGS), "run"]
    asked = [f"{server.url}/openapi.json", "--checks", "all", *sizes]
    found = subprocess.run(
        [*program, *asked, "--continue-on-failure", "--header", f"Authorization: Bearer {token}"],
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200"},
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if _CASES.search(found.stdout) is None:
        raise RuntimeError(f"Schemathesis did not come to an end:\n{found.stdout[-2000:]}")
    Path("torture-api.txt").unlink(missing_ok=True)
    if found.returncode:
        Path("torture-api.txt").write_text(found.stdout)
        print("  what failed, and how to repeat it: torture-api.txt", flush=True)
    return found.stdout


def _figures(report: str, tracebacks: int, *, is_up: bool) -> list[Figure]:
    cases = _CASES.search(report)
    failures = {found["name"]: int(found["count"]) for found in _FAILURE.finditer(report)}
    errors = sum(count for name, count in failures.items() if "Server error" in name)
    undocumented = sum(count for name, count in failures.items() if name.startswith(_UNDOCUMENTED))
    others = sum(failures.values()) - errors - undocumented
    named = "; ".join(f"{name}: {count}" for name, count in failures.items())
    return [
        Figure("requests", cases[1] if cases else "0"),
        Figure("server errors", f"{errors}", "0", errors == 0),
        Figure("undocumented answers", f"{undocumented}", "0", undocumented == 0),
        Figure("other checks that failed", f"{others} {named}".strip(), "0", others == 0),
        Figure("crashes and tracebacks", f"{int(not is_up)} and {tracebacks}", "0 and 0", is_up and not tracebacks),
    ]
