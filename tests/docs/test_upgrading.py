"""The steps of docs/upgrading.md work in the order in which they are written."""

from __future__ import annotations

import re
import shlex
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner

from revisions import filled, revision, versions
from vivienne.commands.main import main
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "upgrading.md").read_text()


def run(block: str, db: str) -> None:
    """Run the commands of the program in the block of a section."""
    for line in re.findall(r"^/opt/vivienne/bin/vivienne (.*)", block, re.MULTILINE):
        words = shlex.split(line.replace("/var/lib/vivienne/vivienne.db", db), comments=True)
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 0, (words, done.output)


def test_going_back_restores_what_was_backed_up_with_the_version_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _, upgrade, *_, back = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    filled(SqliteRevisionStore(Path("v.db")), revision(1)).close()
    run(upgrade, "v.db")
    filled(SqliteRevisionStore(Path("v.db")), revision(2)).close()

    run(back, "v.db")

    with closing(SqliteRevisionStore(Path("v.db"))) as store:
        assert versions(store.heads()) == [1]
    assert "80.5" in Path("whole.yaml").read_text(), "what was changed since"
    steps = ["config export", "systemctl stop", "pip install", "vivienne restore", "systemctl start"]
    assert sorted(steps, key=back.index) == steps
