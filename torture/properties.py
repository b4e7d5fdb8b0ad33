"""The property tests at their full sizes; `make test` tries a fifth of the examples."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from measuring import Figure

_PASSED = re.compile(r"(\d+) passed")
_FAILED = re.compile(r"(\d+) (?:failed|error)")


def measure(*, seed: int = 0) -> list[Figure]:
    """Run every test that Hypothesis makes examples for; with a seed those of that seed."""
    which = ["-m", "pytest", "-m", "hypothesis", "-q", *([f"--hypothesis-seed={seed}"] if seed else [])]
    done = subprocess.run(
        [sys.executable, *which, "-n", str(os.cpu_count())],
        env={**os.environ, "VIVIENNE_TEST_SIZE": "full"},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout, flush=True)
    passed, failed = _PASSED.search(done.stdout), sum(map(int, _FAILED.findall(done.stdout)))
    return [
        Figure("property tests that pass", passed[1] if passed else "0"),
        Figure("property tests that fail", str(failed), "0", done.returncode == 0),
    ]
