"""What deploy/ names, the program has."""

from __future__ import annotations

import re

import pytest

from deployed import DEPLOY, KNOWN, ROOT
from vivienne.commands.serve import serve

FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
FLAGS = {option for parameter in serve.params for option in parameter.opts}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_every_variable_and_flag_is_one_the_program_reads(path: object) -> None:
    text = DEPLOY.joinpath(str(path)).read_text()
    started = re.findall(r"vivienne serve(.*)", text)

    assert set() == set(re.findall(r"VIVIENNE_[A-Z_]+", text)) - KNOWN
    assert set() == {flag for line in started for flag in re.findall(r"--[a-z-]+", line)} - FLAGS


def test_the_document_names_settings_and_files_there_are() -> None:
    text = (ROOT / "docs" / "deployment.md").read_text()

    assert set() == set(re.findall(r"VIVIENNE_[A-Z_]+", text)) - KNOWN
    named = re.findall(r"deploy/[\w./@*-]*\w", text)
    assert named
    assert [] == [name for name in named if not list(ROOT.glob(name))]
