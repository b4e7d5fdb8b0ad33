"""Every claim of docs/security.md names a test, and there is such a test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
TEXT = (TESTS.parent / "docs" / "security.md").read_text()
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", TEXT)))
ROWS = [line for line in TEXT.splitlines() if line.startswith("| ") and not line.endswith("| test |")]


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_test_that_is_named_is_there(file: str, name: str) -> None:
    assert re.search(rf"^ *(async )?def {name}\(", (TESTS / file).read_text(), re.MULTILINE)


def test_every_claim_names_a_test() -> None:
    assert len(ROWS) > 40
    assert [] == [row for row in ROWS if "::" not in row]
