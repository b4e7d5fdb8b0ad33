"""Floods of frames and of bad messages keep no pause waiting. The long form is `make torture ARGS=frames`."""

from __future__ import annotations

from torture import frames
from torture.short import missed


def test_floods_of_frames_refuse_no_pause_and_leave_no_traceback() -> None:
    assert [] == missed(frames.measure(seconds=0.4, sockets=2, kinds="pongs,fragments of two bytes,malformed messages"))
