"""What is acknowledged was synced before. The long form is `make torture ARGS=syncs`."""

from __future__ import annotations

import pytest

from torture import syncs
from torture.short import missed

TRACE = """\
7 pwrite64(12</v/v.db-journal>, "..."..., 512, 0) = 512
7 fdatasync(12</v/v.db-journal> <unfinished ...>
5 write(9</v/log>, "a line", 6) = 6
7 <... fdatasync resumed>) = 0
7 pwrite64(11</v/v.db>, "..."..., 4096, 0) = 4096
7 fdatasync(11</v/v.db>) = 0
5 sendto(14<socket:[1]>, "{\\"message\\":\\"Configuration updated: 1 value", 20, 0, NULL, 0) = 20
"""


def test_every_acknowledgement_follows_a_sync() -> None:
    figures = syncs.measure(changes=4)
    if figures[0].met is None:
        pytest.skip(figures[0].value)

    assert [] == missed(figures)


@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        (TRACE, (1, 0)),
        (TRACE.replace("7 fdatasync(11</v/v.db>) = 0\n", ""), (1, 1)),
        (TRACE.replace("fdatasync(11</v/v.db>) = 0", "fdatasync(11</v/v.db>) = -1 EIO"), (1, 1)),
        (TRACE.replace("7 <... fdatasync resumed>) = 0\n", ""), (1, 1)),
        (TRACE + TRACE.splitlines()[-1], (2, 1)),
    ],
)
def test_an_acknowledgement_without_a_sync_is_noticed(trace: str, expected: tuple[int, int]) -> None:
    assert expected == syncs._read(trace.splitlines(), "v.db")
