"""Which of the processes that had messages to deliver are gone, as far as their names tell."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from vivienne.outbox.owners import gone, owner_name


def test_a_process_of_this_machine_that_has_ended_is_gone_and_others_are_not() -> None:
    asked = [sys.executable, "-c", "from vivienne.outbox.owners import owner_name; print(owner_name())"]
    ended = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60).stdout.strip()
    own = owner_name()
    place, number, _ = own.rsplit("-", 2)
    before = f"{place}-{number}-abcdef"
    assert int(number) == os.getpid()
    running = f"{place}-{os.getppid()}-abcdef"
    elsewhere = "-".join(["elsewhere", *ended.split("-")[-4:]])
    of_this_name = "-".join([socket.gethostname()[:50], "0" * 12, *ended.split("-")[-3:]])
    in_a_container = f"{place}0-{ended.rsplit('-', 2)[1]}-abcdef"
    others = [own, ended, before, running, elsewhere, of_this_name, in_a_container, "agent", "", f"{place}-x-abcdef"]

    assert gone(others, own) == [ended, before]
