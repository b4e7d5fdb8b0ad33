"""What the README tells a newcomer to type works."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Any

import pytest

from executor import Executor, messages
from paper import Account
from receiver import Received, key_of, serve
from running import COMPREHENSIVE, RunningServer
from signed_alerts import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()
SECONDS = 20


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    flags = ("--assets", "BTC,ETH,SOL", "--alert-hosts", "127.0.0.1", "--speed", "1200")
    with RunningServer(*flags, db=tmp_path_factory.mktemp("readme") / "vivienne.db") as running:
        yield running


def scripts(port: int) -> list[str]:
    """The Python scripts in the README, for a server on another port."""
    found = re.findall(r"<<'END'\n(.*?)\nEND\n", README, re.DOTALL)
    return [script.replace("localhost:8000", f"127.0.0.1:{port}") for script in found]


def curls(port: int) -> list[str]:
    """The curl commands in the README, for a server on another port."""
    joined = README.replace("\\\n", " ")
    found = re.findall(r"^curl .*$", joined, re.MULTILINE)
    return [command.partition("  #")[0].replace("localhost:8000", f"127.0.0.1:{port}") for command in found]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_the_curl_commands_change_list_and_roll_back(running: RunningServer) -> None:
    def run(command: str) -> dict[str, object]:
        done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=SECONDS, check=True)
        answer: dict[str, object] = json.loads(done.stdout)
        return answer

    change, history, activate = curls(running.port)
    assert "success" == run(change)["status"]
    assert 85 == running.active("BTC")["config"]["settings"]["state_threshold_bang"]
    listed = run(history)["history"]
    assert isinstance(listed, list)
    assert "fewer, better entries" == listed[0]["reason"]
    assert "success" == run(activate.replace("CONFIG_ID", listed[0]["config_id"]))["status"]


def test_the_script_that_watches_prints_decisions(running: RunningServer) -> None:
    watch, _ = scripts(running.port)
    process = subprocess.Popen([sys.executable, "-u", "-c", watch], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert re.match(r"[A-Z]+, configuration \d+, price [\d.]+, ", process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def test_the_script_that_changes_prints_what_changed(running: RunningServer) -> None:
    _, change = scripts(running.port)
    done = subprocess.run([sys.executable, "-c", change], capture_output=True, text=True, timeout=SECONDS, check=True)
    assert "1 value changed for BTC" in done.stdout
    assert "'new': 20" in done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_the_first_alert_arrives_signed_at_the_receiver_of_the_examples(running: RunningServer) -> None:
    arrived: Queue[dict[str, Any]] = Queue()
    [command] = re.findall(r"<!-- run -->\n```sh\n(.*?)```", (ROOT / "docs" / "alerts.md").read_text(), re.DOTALL)
    with serve(0, Received(key_of(SECRET), arrived.put), print) as receiver:
        thread = threading.Thread(target=receiver.serve_forever, args=(0.01,))
        thread.start()
        here = command.replace("SECRET", SECRET).replace("127.0.0.1:9000", f"127.0.0.1:{receiver.server_port}")
        here = here.replace("localhost:8000", f"127.0.0.1:{running.port}")
        made = json.loads(subprocess.run(["bash", "-c", here], capture_output=True, timeout=SECONDS, check=True).stdout)
        try:
            alert = arrived.get(timeout=120)
        finally:
            receiver.shutdown()
            thread.join()
    assert (alert["type"], alert["alert"]["id"], alert["market"]) == ("level", made["alert_id"], "simulated")
    assert alert["text"].startswith("[simulated] ")
    assert SECRET not in running.log


def test_the_executor_of_the_examples_follows_states_of_a_server(running: RunningServer) -> None:
    told: list[str] = []
    executor = Executor(Account(10_000.0), simulated=True, tell=told.append)
    for message in messages(f"ws://127.0.0.1:{running.port}/ws/state", ["BTC", "ETH", "SOL"], None):
        if message["type"] == "asset_data":
            executor.state(message)
        if told:
            break
    [line] = told
    assert line.startswith("PAPER ")
    assert [target for target in executor.account.targets.values() if target]


def test_the_paths_it_names_exist() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    assert [] == [link for link in links if not (ROOT / link).exists()]


def test_its_endpoints_are_those_of_the_server() -> None:
    assert COMPREHENSIVE in README
