"""What the tests of deploy/ read its files with."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

from ruamel.yaml import YAML

from vivienne.commands.serve import serve
from vivienne.settings.boot import SETTINGS, Boot

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
KNOWN = {setting.variable for setting in SETTINGS.values()}
"""Every variable the program reads."""


def load(path: Path) -> dict[str, Any]:
    """A YAML file, with its anchors followed."""
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text())
    return found


def assignments(path: Path) -> dict[str, str]:
    """The variables in an environment file."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Z_]+=[^\"'$]*", line) for line in lines), "the same for compose and systemd"
    return dict(line.split("=", 1) for line in lines)


def interpolated(value: object, variables: dict[str, str]) -> str:
    """A value as compose passes it on: ${NAME:-default} and ${NAME:?error}."""

    def replace(found: re.Match[str]) -> str:
        name, how, rest = found.groups()
        if variables.get(name):
            return variables[name]
        assert how != ":?", f"{name} is needed: {rest}"
        assert how == ":-", f"{found[0]} would be a warning"
        return rest

    return re.sub(r"\$\{([A-Z_]+)(:-|:\?)?([^}]*)\}", replace, str(value))


def image_environment() -> dict[str, str]:
    """The variables of the program that the last stage of the Dockerfile sets."""
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", "").rpartition("\nFROM ")[2]
    set_there = " ".join(line for line in text.splitlines() if line.startswith("ENV "))
    return dict(re.findall(r"(VIVIENNE_[A-Z]+)=(\S+)", set_there))


def documented(command: str) -> list[list[str]]:
    """The arguments that docs/deployment.md gives to the program in commands that begin so."""
    text = (ROOT / "docs" / "deployment.md").read_text()
    lines = re.findall(rf"^{re.escape(command)}([^#\n]*)", text, re.MULTILINE)
    assert lines, command
    return [shlex.split(line) for line in lines]


def is_healthy(test: list[str], port: int) -> bool:
    """Whether the health check of a container succeeds, run as the container would, but at this port."""
    command = [sys.executable if word == "python" else word.replace(":8000/", f":{port}/") for word in test]
    return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0


def boot(flags: list[str], environment: dict[str, str]) -> Boot:
    """What `vivienne serve` starts with; fails as it would."""
    with mock.patch.dict("os.environ", environment, clear=True):
        context = serve.make_context("serve", list(flags))
    return Boot.read(**context.params)
