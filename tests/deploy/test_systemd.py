"""deploy/systemd: units that systemd takes, of processes that start."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from deployed import DEPLOY, ROOT, assignments, boot
from vivienne.commands.failure import WRONG

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = DEPLOY / "systemd"
UNITS = ("vivienne.service", "vivienne-agent@.service", "vivienne-gateway@.service")
SEVERAL = assignments(FOLDER / "several.env.example")
PROGRAM = "/opt/vivienne/bin/vivienne"
EXPOSURE = 20
"""Tenths; systemd calls what is below 50 fine."""
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")


def settings(unit: str) -> list[tuple[str, str]]:
    """What a unit sets."""
    lines = (FOLDER / unit).read_text().splitlines()
    return [
        (name, value) for line in lines if line[:1] not in ("", "#", "[") for name, _, value in [line.partition("=")]
    ]


def flags(unit: str, instance: str, environment: dict[str, str]) -> list[str]:
    """The flags a unit starts the program with."""
    (command,) = [value for name, value in settings(unit) if name == "ExecStart"]
    program, serve, *given = command.replace("%i", instance).split()
    assert (PROGRAM, "serve") == (program, serve)
    return [re.sub(r"\$\{([A-Z]+)\}", lambda found: environment[found[1]], flag) for flag in given]


def checked(tmp_path: Path, unit: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Ask systemd about a unit, with a program that is there in the place of ours."""
    path = tmp_path / unit.replace("@", "@1")
    path.write_text((FOLDER / unit).read_text().replace(PROGRAM, "/bin/true"))
    return subprocess.run(
        ["systemd-analyze", *command, str(path)], capture_output=True, text=True, timeout=60, check=False
    )


@needs_systemd
@pytest.mark.parametrize("unit", UNITS)
def test_systemd_understands_every_line(tmp_path: Path, unit: str) -> None:
    result = checked(tmp_path, unit, "verify", "--man=no")

    assert 0 == result.returncode, result.stderr
    assert unit.partition(".")[0].rstrip("@") not in result.stderr


@needs_systemd
@pytest.mark.parametrize("unit", UNITS)
def test_a_process_can_reach_little_of_its_machine(tmp_path: Path, unit: str) -> None:
    result = checked(tmp_path, unit, "security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE}")

    assert 0 == result.returncode, result.stdout


@pytest.mark.parametrize("unit", UNITS)
def test_it_starts_again_after_a_failure_but_not_with_wrong_settings(unit: str) -> None:
    found = settings(unit)

    assert ("Restart", "on-failure") in found
    assert ("RestartPreventExitStatus", str(WRONG)) in found
    assert ("RestartForceExitStatus", "SIGHUP") in found  # a reload before the program is loaded
    assert ("StartLimitIntervalSec", "0") in found  # whatever passes by itself may take long
    assert ("DynamicUser", "yes") in found


def test_one_process_starts_with_the_example() -> None:
    (given,) = [value for name, value in settings("vivienne.service") if name == "Environment"]
    name, _, db = given.partition("=")

    started = boot(flags("vivienne.service", "", {}), {name: db, **assignments(FOLDER / "vivienne.env.example")})

    assert "all" == started.role
    assert "/var/lib/vivienne/vivienne.db" == str(started.db)
    assert ("StateDirectory", "vivienne") in settings("vivienne.service")


def test_the_first_token_is_made_by_the_user_of_the_unit_where_the_unit_looks_for_it() -> None:
    text = (ROOT / "docs" / "deployment.md").read_text().replace("\\\n", " ")
    command, of_several = re.findall(r"^systemd-run (.*)#", text, re.MULTILINE)
    found = settings("vivienne.service")

    given = dict(word.split("=", 1) for word in command.split() if "=" in word)
    assert ("User", "vivienne") == ("User", given.pop("User"))  # the name of a dynamic user is that of the unit
    db = given.pop("VIVIENNE_DB")
    assert ("Environment", f"VIVIENNE_DB={db}") in found
    assert set() == set(given.items()) - set(found)
    for each in (command, of_several):
        assert each.split()[-6:] == [PROGRAM, "token", "create", "ana", "--role", "admin"]
    names = dict(word.split("=", 1) for word in of_several.split() if "=" in word)
    for unit in ("vivienne-agent@.service", "vivienne-gateway@.service"):
        assert set() == set(names.items()) - set(settings(unit))
    assert "EnvironmentFile" in names, "systemd reads it, to which an & in an address is nothing special"


def test_a_wheel_is_installed_with_its_extras_by_the_commands_of_the_document(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "deployment.md").read_text()
    (name,) = re.findall(r"^wheel=.*", text, re.MULTILINE)
    installed = re.findall(r"pip install (\"[^\"]*\"|[^\s`]*)", text)
    wheel = "dist/vivienne-0.1.0.dev3+g1a2b3c4d5-py3-none-any.whl"
    (tmp_path / "dist").mkdir()
    (tmp_path / wheel).touch()

    said = subprocess.run(
        ["sh", "-c", f"{name}\nprintf '%s ' {' '.join(installed)}"],
        cwd=tmp_path, capture_output=True, text=True, timeout=10, check=True,
    ).stdout.split()  # fmt: skip
    assert [wheel, f"{wheel}[alerts,postgres,redis]"] == said


@pytest.mark.parametrize("unit", UNITS)
def test_a_process_can_read_what_its_metrics_need(unit: str) -> None:
    """Prometheus' client computes all of process_* from /proc/stat, which ProcSubset=pid would hide."""
    assert "ProcSubset" not in dict(settings(unit))
    assert ("ExecReload", "/bin/kill -HUP $MAINPID") in settings(unit)


def test_several_processes_start_with_the_example() -> None:
    agents = [boot(flags("vivienne-agent@.service", number, SEVERAL), SEVERAL) for number in ("1", "2")]
    gateways = [boot(flags("vivienne-gateway@.service", port, SEVERAL), SEVERAL) for port in ("8001", "8002")]

    assert [("agent", "1/2", 9101), ("agent", "2/2", 9102)] == [(e.role, str(e.shard), e.port) for e in agents]
    assert [("gateway", 8001), ("gateway", 8002)] == [(e.role, e.port) for e in gateways]
    assert 1 == len({(str(each.db), each.redis, each.assets) for each in (*agents, *gateways)})
    # nginx.conf listens on all addresses: with it in --proxies, gateways do not start without a token.
    assert {("127.0.0.1/32",)} == {each.proxies for each in gateways}
