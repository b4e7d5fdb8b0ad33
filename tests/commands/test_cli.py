"""The command line: settings and where they come from, errors and exit codes, starting and stopping."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
import httpx
import pytest
from click.testing import CliRunner

from making import minutes
from running import RunningServer, run_program
from vivienne.commands.main import _COMMANDS, main
from vivienne.settings.boot import SETTINGS

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

FLAGS = {
    "host": "127.0.0.1",
    "assets": "ADA,XRP",
    "speed": "120",
    "timeframe": "5m",
    "db": "flag.db",
    "window": "1700",
    "seed": "7",
    "price-interval": "0.5",
    "log-level": "warning",
    "evaluate-on": "tick",
    "redis": "redis://127.0.0.1:1",
    "redis-control": "flag:control",
}
VARIABLES = {
    "host": "localhost",
    "assets": "DOT",
    "speed": "30",
    "timeframe": "1h",
    "db": "variable.db",
    "window": "1800",
    "seed": "9",
    "price-interval": "0.25",
    "log-level": "error",
    "evaluate-on": "close",
    "redis": "redis://127.0.0.1:2",
    "redis-control": "variable:control",
}


@contextmanager
def used_port() -> Iterator[str]:
    """A port another program listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield str(other.getsockname()[1])


def environment(values: dict[str, str]) -> dict[str, str]:
    return {f"VIVIENNE_{name.upper().replace('-', '_')}": value for name, value in values.items()}


def printed(output: str) -> dict[str, tuple[str, str]]:
    """The effective values at the start, and where each comes from."""
    rows = re.findall(r"^  ([a-z-]+) +(\S+) +\((\w+); (VIVIENNE_\w+)\)$", output, re.MULTILINE)
    for name, _, _, variable in rows:
        assert variable == f"VIVIENNE_{name.upper().replace('-', '_')}"
    return {name: (value, source) for name, value, source, _ in rows}


def refused(result: subprocess.CompletedProcess[str], code: int) -> str:
    """The one line that says what is wrong."""
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    *_, last = result.stderr.strip().splitlines()
    assert last.startswith("Error: ")
    assert result.stderr.count("Error: ") == 1
    return last.removeprefix("Error: ")


def refused_at_once(*flags: str) -> str:
    """What `serve` says to flags it refuses before it does anything, asked within this process to save time."""
    bare = {name: None for name in os.environ if name.startswith("VIVIENNE_")}
    result = CliRunner().invoke(main, ["serve", *flags], env=bare)
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    *_, last = result.stderr.strip().splitlines()
    assert last.startswith("Error: ")
    return last.removeprefix("Error: ")


class TestSettings:
    """A port in use ends each of these right after the settings are printed."""

    def test_without_anything_the_defaults_are_in_force_and_printed(self, tmp_path: Path) -> None:
        with used_port() as port:
            result = run_program("serve", "--port", port, environment={"XDG_DATA_HOME": str(tmp_path)})

        own = {
            "port": (port, "flag"),
            "assets": ("BTC,ETH,SOL", "default"),
            "data": ("-", "default"),
            "db": (str(tmp_path / "vivienne" / "vivienne.db"), "default"),
        }
        documented = {each.flag[2:]: (str(each.default) or "-", "default") for each in SETTINGS.values()}
        assert printed(result.stderr) == documented | own

    def test_every_flag_can_be_an_environment_variable(self) -> None:
        with used_port() as port:
            result = run_program("serve", environment=environment(VARIABLES | {"port": port}))

        shown = printed(result.stderr)
        assert {name: shown[name] for name in VARIABLES} == {
            name: (value, "environment") for name, value in VARIABLES.items()
        }
        assert shown["port"] == (port, "environment")

    def test_a_flag_wins_over_its_variable(self) -> None:
        flags = [part for name, value in FLAGS.items() for part in (f"--{name}", value)]
        with used_port() as port:
            result = run_program("serve", "--port", port, *flags, environment=environment(VARIABLES | {"port": "1"}))

        shown = printed(result.stderr)
        assert {name: shown[name] for name in FLAGS} == {name: (value, "flag") for name, value in FLAGS.items()}
        assert shown["port"] == (port, "flag")

    def test_feed_and_data_can_be_environment_variables(self, tmp_path: Path) -> None:
        files = {name: market_file(tmp_path / f"{name}.csv") for name in ("BTC", "ETH")}
        data = " ".join(f"{name}={path}" for name, path in files.items())
        with used_port() as port:
            result = run_program(
                "serve", "--port", port, "--db", str(tmp_path / "v.db"),
                environment=environment({"feed": "replay", "data": data, "speed": "max"}),
            )  # fmt: skip

        shown = printed(result.stderr)
        assert shown["feed"] == ("replay", "environment")
        assert shown["assets"] == ("BTC,ETH", "default")
        assert re.search(rf"^  data +{re.escape(data)} ", result.stderr, re.MULTILINE)

    def test_the_help_names_every_flag_with_its_variable(self) -> None:
        result = run_program("serve", "--help", environment={"COLUMNS": "200"})

        assert result.returncode == 0
        for name in (*FLAGS, "port", "feed", "data"):
            assert f"--{name} " in result.stdout
            assert f"VIVIENNE_{name.upper().replace('-', '_')}" in result.stdout


def market_file(path: Path, count: int = 200) -> Path:
    rows = [",".join(map(str, [candle.open_time, *candle[1:6]])) for candle in minutes(count)]
    path.write_text("open_time,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    return path


class TestWrongSettings:
    """Each ends with one line and exit code 2."""

    def test_a_port_in_use_is_named(self, tmp_path: Path) -> None:
        with used_port() as port:
            result = run_program("serve", "--port", port, "--db", str(tmp_path / "v.db"))

        assert f"Port {port} on localhost is in use" in refused(result, 75), "it may be free later"
        assert not (tmp_path / "v.db").exists()

    @pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1"])
    def test_a_host_that_is_none_of_this_machine_is_named(self, tmp_path: Path, host: str) -> None:
        result = run_program("serve", "--port", "0", "--db", str(tmp_path / "v.db"), "--host", host)

        assert f"--host '{host}'" in refused(result, 2)

    @pytest.mark.parametrize(
        ("flags", "words"),
        [
            (["--assets", "BTC,E TH"], ["--assets", "'E TH'"]),
            (["--assets", "../BTC"], ["--assets", "'../BTC'"]),
            (["--speed", "fast"], ["--speed", "'fast'"]),
            (["--speed", "0"], ["--speed", "above 0"]),
            (["--speed", "-1"], ["--speed", "above 0"]),
            (["--speed", "nan"], ["--speed", "above 0"]),
            (["--speed", "max"], ["--speed max", "--feed replay"]),
            (["--window", "1499"], ["--window", "1,500", "20,000"]),
            (["--window", "20001"], ["--window", "1,500", "20,000"]),
            (["--price-interval", "0"], ["--price-interval", "0.01"]),
            (["--price-interval", "nan"], ["--price-interval", "0.01"]),
            (["--seed", "-1"], ["--seed"]),
            (["--port", "65536"], ["--port", "65,535"]),
            (["--port", "-1"], ["--port", "65,535"]),
            (["--feed", "replay"], ["--feed replay", "--data"]),
            (["--data", "BTC=x.csv"], ["--data", "--feed replay"]),
            (["--feed", "replay", "--data", "x.csv"], ["--data", "ASSET=PATH"]),
            (["--feed", "replay", "--data", "=x.csv"], ["--data", "ASSET=PATH"]),
            (["--feed", "replay", "--data", "BTC="], ["--data", "ASSET=PATH"]),
            (["--feed", "replay", "--data", "BTC=x.csv", "--assets", "ETH"], ["--assets", "--data"]),
        ],
    )
    def test_a_wrong_setting_is_named_with_what_would_be_right(
        self, tmp_path: Path, flags: list[str], words: list[str]
    ) -> None:
        message = refused_at_once("--port", "0", "--db", str(tmp_path / "v.db"), *flags)

        for word in words:
            assert word in message

    @pytest.mark.parametrize(
        "flags",
        [["--timeframe", "7m"], ["--feed", "live"], ["--log-level", "loud"], ["--port", "http"], ["--window", "1.5"],
         ["--no-such-flag"]],
    )  # fmt: skip
    def test_a_value_outside_the_choice_is_named(self, flags: list[str]) -> None:
        assert flags[0] in refused_at_once(*flags)

    def test_a_wrong_variable_is_named_as_well(self) -> None:
        result = run_program("serve", environment={"VIVIENNE_TIMEFRAME": "7m"})

        assert "'7m'" in refused(result, 2)


class TestData:
    """Data and databases that cannot be used end the program with one line and exit code 1."""

    def replay(self, tmp_path: Path, data: Path, *flags: str) -> str:
        result = run_program(
            "serve", "--port", "0", "--db", str(tmp_path / "v.db"), "--feed", "replay", "--data", f"BTC={data}", *flags
        )
        message = refused(result, 2)
        assert str(data) in message
        return message

    def test_a_missing_file(self, tmp_path: Path) -> None:
        assert "does not exist" in self.replay(tmp_path, tmp_path / "missing.csv")

    def test_a_folder(self, tmp_path: Path) -> None:
        assert "folder" in self.replay(tmp_path, tmp_path)

    @pytest.mark.parametrize(
        "content",
        [b"", bytes(range(256)) * 20, b"PK\x03\x04 no zip", b"open_time,open,high,low,close,volume\n"],
        ids=["empty", "binary", "broken zip", "header only"],
    )
    def test_garbage(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "garbage.csv"
        path.write_bytes(content)

        assert self.replay(tmp_path, path)

    def test_a_wrong_line_is_named(self, tmp_path: Path) -> None:
        path = market_file(tmp_path / "market.csv")
        lines = path.read_text().splitlines()
        lines[30] = lines[30].replace(",", ",x", 1)
        path.write_text("\n".join(lines))

        assert "line 31" in self.replay(tmp_path, path)

    def test_a_file_that_may_not_be_read(self, tmp_path: Path, unprivileged: str) -> None:
        path = market_file(tmp_path / "secret.csv")
        path.chmod(0)

        result = run_program(
            "serve", "--port", "0", "--db", str(tmp_path / "v.db"), "--feed", "replay", "--data", f"BTC={path}",
            before=unprivileged,
        )  # fmt: skip

        assert "permission to read the file is denied" in refused(result, 2)


@pytest.fixture
def unprivileged() -> str:
    """What a process executes so that permissions of files hold for it, even if it is root's."""
    if os.geteuid() != 0:
        return ""
    if sys.platform != "linux":
        pytest.skip("root may write everywhere, and only Linux has capabilities that can be taken away")
    return _GIVE_UP_CAPABILITIES


# Of `<linux/capability.h>`: version 3, this process, its effective, permitted and inheritable ones; CAP_DAC_OVERRIDE
# and CAP_DAC_READ_SEARCH are 1 and 2.
_GIVE_UP_CAPABILITIES = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
header, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
assert libc.capget(header, sets) == 0
for place in range(3):
    sets[place] &= ~0b110
assert libc.capset(header, sets) == 0
"""


class TestDatabase:
    def start(self, db: Path, before: str = "", code: int = 2) -> str:
        message = refused(run_program("serve", "--port", "0", "--db", str(db), before=before), code)
        assert str(db) in message
        return message

    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.txt"
        path.write_text("no database at all, just some notes\n" * 100)

        assert "not a SQLite database" in self.start(path)
        assert path.read_text().startswith("no database at all")

    def test_the_database_of_another_program_is_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "other.db"
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE photos (name TEXT)")
        connection.close()

        assert "another program" in self.start(path)
        connection = sqlite3.connect(path)
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("photos",)]
        connection.close()

    def test_a_folder(self, tmp_path: Path) -> None:
        assert self.start(tmp_path)

    def test_a_place_that_cannot_be(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")

        assert self.start(tmp_path / "file" / "v.db")

    def test_a_read_only_database(self, tmp_path: Path, unprivileged: str) -> None:
        folder = tmp_path / "locked"
        folder.mkdir()
        with RunningServer("--assets", "BTC", db=folder / "v.db"):
            pass
        for path in folder.iterdir():
            path.chmod(0o444)
        folder.chmod(0o555)
        try:
            self.start(folder / "v.db", unprivileged)
        finally:
            folder.chmod(0o755)

    def test_a_read_only_file_in_a_folder_that_may_be_written(self, tmp_path: Path, unprivileged: str) -> None:
        db = tmp_path / "v.db"
        with RunningServer("--assets", "BTC", db=db):
            pass
        db.chmod(0o444)

        assert "read-only" in self.start(db, unprivileged)

    def test_one_that_another_server_uses(self, tmp_path: Path) -> None:
        with RunningServer("--assets", "BTC", db=tmp_path / "v.db") as server:
            message = self.start(tmp_path / "v.db", code=75)

            assert "in use by another Vivienne" in message
            assert server.post("partial-update", {"bang_threshold": 90}).status_code == 200


class TestRunning:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_ends_it_cleanly_with_clients_connected(self, tmp_path: Path, number: signal.Signals) -> None:
        with RunningServer("--assets", "BTC", "--speed", "3000", db=tmp_path / "v.db") as server:
            reading, idle, logs = server.client(), server.slow_client(), server.log_client()
            reading.receive()

            code = server.stop(number)

            assert code == 0
            assert "Traceback" not in server.log
            for client in (reading, idle, logs):
                client.close()

    def test_it_starts_again_on_the_same_port_and_database_after_it_ended(self, tmp_path: Path) -> None:
        with RunningServer("--assets", "BTC", db=tmp_path / "v.db") as server, server.client() as client:
            client.receive()
            port = server.port
            assert server.stop() == 0

            server.start()

            assert server.port == port
            assert server.get("/health").status_code == 200

    def test_localhost_is_both_addresses(self, tmp_path: Path) -> None:
        if not socket.has_ipv6 or not _has_ipv6_loopback():
            pytest.skip("this machine has no ::1")
        with RunningServer("--assets", "BTC", db=tmp_path / "v.db") as server:
            for host in ("127.0.0.1", "[::1]"):
                assert httpx.get(f"http://{host}:{server.port}/health", trust_env=False).status_code == 200
                with server.client(host) as client:
                    assert client.receive()["type"] == "asset_data"

    def test_an_address_of_ipv6_is_printed_as_a_browser_takes_it(self, tmp_path: Path) -> None:
        if not socket.has_ipv6 or not _has_ipv6_loopback():
            pytest.skip("this machine has no ::1")
        with RunningServer("--assets", "BTC", "--host", "::1", db=tmp_path / "v.db") as server:
            assert f"Vivienne listens on http://[::1]:{server.port} " in server.log
            assert server.get("/health").status_code == 200

    def test_a_replay_needs_no_assets(self, tmp_path: Path) -> None:
        path = market_file(tmp_path / "ada.csv")
        flags = ["--feed", "replay", "--speed", "max", "--timeframe", "1m", "--data", f"ada={path}"]
        with RunningServer(*flags, db=tmp_path / "v.db") as server:
            assert server.get("/ready").json()["feeds"] == {"ADA": "ok"}

    def test_the_folder_of_the_database_is_made(self, tmp_path: Path) -> None:
        db = tmp_path / "a" / "b" / "v.db"
        with RunningServer("--assets", "BTC", db=db):
            assert db.exists()

    def test_without_a_database_named_it_is_in_the_users_data_folder(self, tmp_path: Path) -> None:
        with used_port() as port:
            result = run_program("serve", "--port", port, environment={"XDG_DATA_HOME": str(tmp_path)})

        assert printed(result.stderr)["db"] == (str(tmp_path / "vivienne" / "vivienne.db"), "default")


def _has_ipv6_loopback() -> bool:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True


def test_the_schema_is_printed_as_json() -> None:
    result = run_program("schema")

    assert result.returncode == 0
    schema = json.loads(result.stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {"settings", "filters", "signal_weights"} <= set(schema["properties"])


def test_without_a_command_it_says_which_there_are() -> None:
    result = run_program("--help")

    assert result.returncode == 0
    assert "serve" in result.stdout
    assert "schema" in result.stdout


@pytest.mark.parametrize("name", _COMMANDS)
def test_the_list_of_commands_says_of_each_what_its_help_begins_with(name: str) -> None:
    command = main.get_command(click.Context(main), name)

    assert command is not None
    assert command.get_short_help_str(200) == _COMMANDS[name].summary


def test_a_variable_that_is_nearly_a_setting_is_warned_of_at_the_start(tmp_path: Path) -> None:
    with RunningServer(db=tmp_path / "v.db", environment={"VIVIENNE_MAX_POSITION_SIZES": "5"}) as server:
        assert "VIVIENNE_MAX_POSITION_SIZES is not a setting, and is ignored; the nearest one is" in server.log
