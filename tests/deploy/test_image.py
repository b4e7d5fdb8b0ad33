"""deploy/Dockerfile: as far as can be told without a container engine."""

from __future__ import annotations

import json
import re
import subprocess
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from deployed import DEPLOY, ROOT, boot, documented, image_environment, is_healthy
from running import COMPREHENSIVE, RunningServer, run_program
from tokens import bearer

if TYPE_CHECKING:
    from pathlib import Path

TEXT = (DEPLOY / "Dockerfile").read_text().replace("\\\n", "")
INSTRUCTIONS = [line.split(None, 1) for line in TEXT.splitlines() if line and not line.startswith("#")]
LAST_STAGE = INSTRUCTIONS[max(n for n, (name, _) in enumerate(INSTRUCTIONS) if name == "FROM") :]
IGNORED = [line for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] not in ("#", "")]


def copied() -> list[str]:
    """What comes from the checkout."""
    found = [rest.split()[:-1] for name, rest in INSTRUCTIONS if name == "COPY" and "--from" not in rest]
    return [source for sources in found for source in sources]


def test_what_is_copied_is_there_and_is_sent_to_the_engine() -> None:
    assert copied()
    for source in copied():
        assert (ROOT / source).exists()
        assert any(fnmatch(source, rule[1:]) or source.startswith(f"{rule[1:]}/") for rule in IGNORED if rule[0] == "!")
    assert "*" == IGNORED[0], "nothing else is"


def test_stages_take_from_stages_before_them() -> None:
    stages: set[str] = set()
    for name, rest in INSTRUCTIONS:
        if taken := re.search(r"--from=(\S+)", rest):
            assert taken[1] in stages
        if name == "FROM" and " AS " in rest:
            stages.add(rest.split(" AS ")[1])
    assert {"dashboard", "wheel"} == stages


def test_it_runs_as_a_user_that_is_not_root() -> None:
    (user,) = [rest for name, rest in LAST_STAGE if name == "USER"]
    after = [name for name, _ in LAST_STAGE[[name for name, _ in LAST_STAGE].index("USER") :]]

    assert "10001:10001" == user
    assert "RUN" not in after
    assert any("useradd --uid 10001" in rest for name, rest in LAST_STAGE if name == "RUN")


def test_it_starts_with_settings_that_go_together() -> None:
    started = boot([], image_environment())

    assert ("0.0.0.0", 8000) == (started.host, started.port)  # noqa: S104  # within the container
    assert [rest for name, rest in LAST_STAGE if name == "VOLUME"] == [str(started.db).rpartition("/")[0]]
    assert ['["vivienne"]', '["serve"]'] == [rest for name, rest in LAST_STAGE if name in ("ENTRYPOINT", "CMD")]


def test_it_starts_as_the_document_says_once_there_is_a_token(tmp_path: Path) -> None:
    """With the settings of the image, but a folder and a port of this machine."""
    environment = {**image_environment(), "VIVIENNE_DB": str(tmp_path / "vivienne.db"), "VIVIENNE_PORT": "0"}
    create, start = (words[words.index("vivienne") + 1 :] for words in documented("docker run "))
    (check,) = [json.loads(rest.partition("CMD ")[2]) for name, rest in LAST_STAGE if name == "HEALTHCHECK"]

    refused = run_program("serve", *start, environment=environment)
    assert 2 == refused.returncode
    assert "vivienne token create" in refused.stderr
    made = run_program(*create, environment=environment)
    assert 0 == made.returncode, made.stderr
    with RunningServer(*start, db=tmp_path / "vivienne.db", environment=environment) as server:
        assert is_healthy(check, server.port)
        assert 401 == server.get(f"{COMPREHENSIVE}/active").status_code
        headers = bearer(made.stdout.strip())
        assert 200 == server.http.get(f"{server.url}{COMPREHENSIVE}/active", headers=headers).status_code


def test_the_versions_that_are_tested_are_installed() -> None:
    (command,) = [rest for name, rest in INSTRUCTIONS if name == "RUN" and rest.startswith("sed")]
    script = command.replace(" > constraints.txt", "").replace("requirements.lock", str(ROOT / "requirements.lock"))
    lines = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=10, check=True).stdout

    pinned = [Requirement(line) for line in lines.splitlines()]
    locked = re.findall(r"^[A-Za-z0-9]\S*==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert len(locked) == len(pinned)
    assert {"psycopg", "redis", "ruamel-yaml", "uvicorn"} <= {each.name for each in pinned}
    assert all(str(each.specifier).startswith("==") for each in pinned)
