"""Two builds that differ have different versions, so that an upgrade takes place and it is known what runs."""

from __future__ import annotations

import shutil
import subprocess
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING

from click.testing import CliRunner
from packaging.version import Version

from vivienne import version
from vivienne.commands.main import main

if TYPE_CHECKING:
    from pathlib import Path

ONE_WHO_COMMITS = ("-c", "user.name=ann", "-c", "user.email=ann@desk.example", "-c", "commit.gpgsign=false")


def version_in(checkout: Path) -> Version:
    """The version that the checkout's own code gives."""
    spec = spec_from_file_location("version_in_checkout", checkout / "src" / "vivienne" / "version.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return Version(module.build_version())


def test_every_build_has_a_version_of_its_own_and_a_later_commit_a_later_one(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", "-C", tmp_path, *ONE_WHO_COMMITS, *arguments], check=True, capture_output=True)

    package = tmp_path / "src" / "vivienne"
    package.mkdir(parents=True)
    shutil.copy(version.__file__, package)
    (tmp_path / "pyproject.toml").write_text("")

    bare = version_in(tmp_path)
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    first = version_in(tmp_path)
    (package / "new.py").write_text("")
    changed = version_in(tmp_path)
    git("add", ".")
    git("commit", "-m", "second")
    second = version_in(tmp_path)
    git("tag", f"v{version.RELEASE}")
    assert version_in(tmp_path) == Version(version.RELEASE)
    shutil.rmtree(tmp_path / ".git")
    exported = version_in(tmp_path)

    assert len({bare, first, changed, second, exported}) == 5
    assert second > first
    assert all(each < Version(version.RELEASE) for each in (bare, first, changed, second, exported))
    (tmp_path / "PKG-INFO").write_text(f"Metadata-Version: 2.4\nVersion: {second}\n")
    assert version_in(tmp_path) == second


def test_the_command_says_which_build_it_is() -> None:
    assert CliRunner().invoke(main, ["--version"]).output == f"vivienne {version.build_version()}\n"
