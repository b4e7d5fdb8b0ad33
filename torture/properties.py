"""The tests that have a full size, property tests above all, at that size; `make test` runs them smaller."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from measuring import Figure

_PASSED = re.compile(r"(\d+) passed")
_FAILED = re.compile(r"(\d+) (?:failed|error)")


def measure(*, seed: int = 0) -> list[Figure]:
    """Run every test that Hypothesis makes examples for, and those marked `sized`; with a seed the examples of it."""
    which = ["-m", "pytest", "-m", "hypothesis or sized", "-q", *([f"--hypothesis-seed={seed}"] if seed else [])]
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
        Figure("tests that pass at full size", passed[1] if passed else "0"),
        Figure("tests that fail at full size", str(failed), "0", done.returncode == 0),
    ]
