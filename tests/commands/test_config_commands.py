"""`vivienne config export` and `import`: a whole configuration moves between databases by way of a file."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from making import configurations
from revisions import filled, revision
from running import RunningServer, run_program
from sizes import examples
from vivienne.commands.config import ImportOrder, export_configuration, import_configuration
from vivienne.commands.main import main
from vivienne.errors import StoreUnavailable
from vivienne.market.types import VALID_NAME
from vivienne.store.address import PostgresUrl
from vivienne.store.opening import open_store
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from click.testing import Result

    from vivienne.wire.document import Document

WHOLE = """\
format: 1
global:
  settings:
    state_threshold_bang: 85
assets:
  BTC:
    settings:
      position_size_bang: 0.25
  ETH:
    description: by Ann
"""


def config(*arguments: object, text: str | None = None) -> Result:
    """Run `vivienne config` within this process, to save time."""
    bare = {name: None for name in os.environ if name.startswith("VIVIENNE_")}
    return CliRunner().invoke(main, ["config", *map(str, arguments)], env=bare, input=text)


def done(result: Result) -> str:
    assert 0 == result.exit_code, result.output
    return result.stdout


def refused(result: Result, code: int) -> str:
    assert code == result.exit_code, result.output
    assert isinstance(result.exception, SystemExit)
    assert "" == result.stdout
    return result.stderr.removeprefix("Error: ").rstrip("\n")


def said(text: str) -> str:
    """A file without its header."""
    assert text.startswith("# Configuration of Vivienne: ")
    return text.partition("\n")[2]


def stored(db: str | Path) -> dict[str, Document]:
    store = open_store(PostgresUrl.read(str(db)) or Path(db))
    try:
        return {head.layer: head.document for head in store.heads()}
    finally:
        store.close()


def state(folder: Path) -> dict[str, str]:
    """Everything in a folder, but for locks and journals."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.suffix not in (".lock", ".db-journal")
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "whole.yaml"
    path.write_text(WHOLE)
    return path


@pytest.fixture
def db(tmp_path: Path, file: Path) -> Path:
    """A database with the file in it."""
    path = tmp_path / "vivienne.db"
    done(config("import", file, "--db", path))
    return path


# There and back


def test_from_sqlite_to_postgresql_and_back_it_is_the_same_text(db: Path, database: str, tmp_path: Path) -> None:
    first = done(config("export", "--db", db))
    done(config("import", "-", "--db", database, text=first))
    second = done(config("export", "--db", database))
    done(config("import", "-", "--db", tmp_path / "again.db", text=second))

    assert said(first) == said(second) == said(done(config("export", "--db", tmp_path / "again.db")))
    assert stored(db) == stored(database)


LAYERS = st.dictionaries(
    st.sampled_from(["global", "BTC", "ETH", "1INCH", "NO"]),
    st.tuples(configurations(), st.text(max_size=40)).map(
        lambda drawn: {**drawn[0].model_dump(exclude_none=True), "description": drawn[1]}
    ),
    min_size=1,
)


@settings(examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LAYERS)
def test_any_configuration_moves_through_files_and_both_kinds_of_databases(
    tmp_path: Path, database: str, layers: dict[str, Document]
) -> None:
    first = tmp_path / "first.db"
    first.unlink(missing_ok=True)
    store = open_store(first)
    filled(store, *(revision(n, layer, document=each) for n, (layer, each) in enumerate(layers.items(), 1)))
    store.close()
    second = PostgresUrl.read(database)  # with what the example before left in it
    assert second is not None
    file = tmp_path / "moved.yaml"
    file.unlink(missing_ok=True)

    text = export_configuration(first, str(file))
    asyncio.run(import_configuration(second, ImportOrder(file=str(file), replace_all=True)))

    assert said(text) == said(export_configuration(second, "-"))
    assert layers == {layer: document for layer, document in stored(database).items() if document}


def test_an_export_explains_every_value(db: Path) -> None:
    assert re.fullmatch(
        r"# Configuration of Vivienne: version 3, of 20\d\d-\d\d-\d\dT[\d:.]+Z\.\n"
        r"# .*\n# .*\n"
        r"format: 1\n"
        r"global:\n"
        r"  settings:\n"
        r"    state_threshold_bang: 85  # Bang threshold \(confidence, 0 to 100\)\n"
        r"assets:\n"
        r"  BTC:\n"
        r"    settings:\n"
        r"      position_size_bang: 0\.25  # Position size \(bang\) \(percent of equity, 0 to 100\)\n"
        r"  ETH:\n"
        r'    description: "by Ann"\n',
        done(config("export", "--db", db)),
    )


def test_an_export_of_what_did_not_change_does_not_change(db: Path) -> None:
    assert done(config("export", "--db", db)) == done(config("export", "-", "--db", db))


def test_an_export_leaves_the_database_as_it_is(db: Path, tmp_path: Path) -> None:
    before = state(tmp_path)
    done(config("export", "--db", db))

    assert before == state(tmp_path)


def test_an_export_over_a_file_keeps_its_comments_its_order_and_its_permissions(db: Path, file: Path) -> None:
    file.write_text(WHOLE.replace("format: 1\n", "format: 1  # mine\n\n# All:\n").replace("85", "8.5e1  # was 80"))
    file.chmod(0o640)
    done(config("import", "-", "--db", db, text="format: 1\nassets:\n  BTC: {position_size_bang: 0.3}\n"))

    assert "" == done(config("export", file, "--db", db))

    expected = WHOLE.replace("format: 1\n", "format: 1  # mine\n\n# All:\n").replace("85", "8.5e1  # was 80")
    assert expected.replace("0.25", "0.3") == file.read_text()
    assert 0o640 == stat.S_IMODE(file.stat().st_mode)
    assert [db.name, file.name] == sorted(state(file.parent)), "and leaves nothing else behind"


def test_an_export_does_not_touch_a_file_that_is_something_else(db: Path, file: Path) -> None:
    file.write_text("a: [1, 2\n")

    assert re.search(r"whole.yaml, line 2: this is not YAML", refused(config("export", file, "--db", db), 2))
    assert "a: [1, 2\n" == file.read_text()


@pytest.mark.parametrize("name", ["missing/folder.yaml", "vivienne.db"])
def test_a_file_that_cannot_be_written_is_said(db: Path, tmp_path: Path, name: str) -> None:
    before = stored(db)

    assert name in refused(config("export", tmp_path / name, "--db", db), 2)
    assert before == stored(db)


def test_a_database_that_is_not_there_is_not_made_by_an_export(tmp_path: Path) -> None:
    message = refused(config("export", "--db", tmp_path / "none.db"), 2)

    assert f"There is no database {tmp_path / 'none.db'}; name another one with --db" == message
    assert {} == state(tmp_path)


# Import


def test_an_import_says_what_it_did(tmp_path: Path, file: Path) -> None:
    text = done(config("import", file, "--db", tmp_path / "v.db"))

    assert text.splitlines() == [
        "global (version 1)",
        "  settings.state_threshold_bang: inherited -> 85",
        "BTC (version 2)",
        "  settings.position_size_bang: inherited -> 0.25",
        "ETH (version 3)",
        '  description: inherited -> "by Ann"',
        "3 layers replaced",
    ]


def test_names_with_a_slash_and_a_colon_move_through_files(tmp_path: Path, file: Path) -> None:
    for name in ("BTC/USDT:USDT-240628", "BTC-PERP"):
        file.write_text(f"format: 1\nassets:\n  {name}: {{settings: {{position_size_aim: 0.15}}}}\n")
        done(config("import", file, "--db", tmp_path / "v.db"))
    text = done(config("export", "--db", tmp_path / "v.db"))
    file.write_text(text)

    assert {"BTC/USDT:USDT-240628", "BTC-PERP"} <= {name for name, own in stored(tmp_path / "v.db").items() if own}
    assert "Nothing to change" in done(config("import", file, "--db", tmp_path / "v.db"))


def test_an_import_warns_of_values_that_are_rarely_meant(tmp_path: Path, file: Path) -> None:
    file.write_text("format: 1\nassets:\n  BTC: {settings: {position_size_bang: 13}}\n")
    order = ("import", file, "--db", tmp_path / "v.db")
    warning = "BTC: Position size (bang) changes from 0.5 % to 13 % of equity, by a factor of 26"

    assert done(config(*order, "--dry-run")).splitlines()[-2:] == [
        f"Warning: {warning}",
        "Nothing was changed. 1 layer would be replaced",
    ]
    assert json.loads(done(config(*order, "--json")))["warnings"] == [
        {"id": "size_change", "path": "settings.position_size_bang", "message": warning, "asset": "BTC"}
    ]


def test_an_import_replaces_the_layers_it_names_and_leaves_the_others_alone(db: Path, file: Path) -> None:
    file.write_text("format: 1\nassets:\n  btc: {settings: {position_size_aim: 0.15}}\n")

    assert done(config("import", file, "--db", db)).splitlines() == [
        "BTC (version 4)",
        "  settings.position_size_bang: 0.25 -> inherited",
        "  settings.position_size_aim: inherited -> 0.15",
        "1 layer replaced",
    ]
    assert {"BTC", "ETH", "global"} == {layer for layer, document in stored(db).items() if document}

    done(config("import", file, "--db", db, "--replace-all"))
    assert {"BTC"} == {layer for layer, document in stored(db).items() if document}


def test_an_import_of_what_is_set_already_does_nothing(db: Path, file: Path) -> None:
    before = state(db.parent)

    assert "Nothing to change: every layer already sets this\n" == done(config("import", file, "--db", db))
    assert before == state(db.parent)


def test_a_dry_run_says_what_would_change_and_touches_nothing(db: Path, file: Path) -> None:
    file.write_text(WHOLE.replace("85", "87"))
    before = state(db.parent)

    assert done(config("import", file, "--db", db, "--dry-run")).splitlines() == [
        "global",
        "  settings.state_threshold_bang: 85 -> 87",
        "Nothing was changed. 1 layer would be replaced",
    ]
    assert before == state(db.parent)


def test_a_dry_run_makes_no_database(tmp_path: Path, file: Path) -> None:
    done(config("import", file, "--db", tmp_path / "none.db", "--dry-run"))

    assert [file.name] == list(state(tmp_path))


def test_who_and_why_are_in_the_history(tmp_path: Path, file: Path) -> None:
    done(config("import", file, "--db", tmp_path / "v.db", "--author", "ann", "--reason", "moved to the big machine"))

    store = open_store(tmp_path / "v.db")
    try:
        assert {("ann", "moved to the big machine", "import")} == {
            (head.author, head.reason, head.channel) for head in store.heads()
        }
    finally:
        store.close()


@pytest.mark.parametrize("flags", [("--author", "a\nb"), ("--reason", " "), ("--author", "x" * 101)])
def test_who_and_why_must_be_what_every_channel_takes(tmp_path: Path, file: Path, flags: tuple[str, str]) -> None:
    assert refused(config("import", file, "--db", tmp_path / "v.db", *flags), 2).startswith(f"{flags[0]} must be")


# Refused

AIM = "settings.state_threshold_aim"
WRONG = """\
format: 1
globl: {}
global:
  settings:
    state_threshold_bang: 105
    state_threshold_aim: on
    state_threshold_aim: 70
assets:
  BTC:
    bb_bounce_weight: .inf
    rsi_weight: 2
  "B T C": {}
  ETH:
  btc: {}
"""


@pytest.mark.parametrize("flags", [(), ("--dry-run",), ("--replace-all",)])
def test_all_that_is_wrong_is_told_with_its_line_and_nothing_is_changed(
    db: Path, file: Path, flags: tuple[str, ...]
) -> None:
    file.write_text(WRONG)
    before = state(db.parent)

    first, *lines = refused(config("import", file, "--db", db, *flags), 1).splitlines()

    assert f"{file} was refused and nothing was changed:" == first
    assert lines == [
        "  line 2, globl: Unknown name 'globl'; the nearest known name is 'global'",
        "  line 5, global, settings.state_threshold_bang: Bang threshold must be between 0 and 100",
        f"  line 6, global, {AIM}: Aim threshold must be a number, not a text (without the quotes)",
        f"  line 7, global, {AIM}: 'state_threshold_aim' is given twice, first in line 6; keep one of them",
        "  line 10, BTC, bb_bounce_weight: Numbers must be finite; .inf is not",
        "  line 11, BTC, signal_weights.rsi: Signal weight rsi must be between 0 and 1",
        f"  line 12, assets: 'B T C' is not a valid asset name; {VALID_NAME}",
        "  line 13, ETH: A layer must be an object of values; write {} for one that sets nothing",
        "  line 14, BTC: BTC is given twice, in upper and in lower case; keep one",
    ]
    assert before == state(db.parent)


def test_a_layer_that_is_not_in_the_file_and_stands_in_its_way_is_named(db: Path, file: Path) -> None:
    done(config("import", "-", "--db", db, text="format: 1\nassets:\n  SOL: {bang_threshold: 81}\n"))
    file.write_text("format: 1\nglobal: {bang_threshold: 90, aim_threshold: 85}\n")

    assert (
        "  SOL, settings.state_threshold_bang: Aim threshold (85) must not be above bang threshold (81). SOL is not in "
        "the file and keeps what it sets: add it, or use --replace-all"
    ) == refused(config("import", file, "--db", db), 1).splitlines()[1]
    done(config("import", file, "--db", db, "--replace-all"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: The file is not a configuration"),
        ("- 1\n", "line 1: The file is not a configuration"),
        ("global: {}\n", "The format is missing; write `format: 1` at the top"),
        ("format: 2\n", "line 1, format: Format 2 is not known, only 1 is; it was written by a later version"),
        ("format: true\n", "line 1, format: Format True is not known, only 1 is; write format: 1"),
        ("format: 1\nassets: [BTC]\n", "line 2, assets: 'assets' must be an object"),
        ("format: 1\nglobal: 7\n", "line 2, global: A layer must be an object"),
        ("format: 1\nglobal: !!map {}\n", "line 2, global: Tags (!!map) are not supported; remove it"),
        ("format: 1\nglobal:\n  filters:\n    levels: 3\n", "line 4, global, filters.levels: 'filters.levels' must be"),
        ("format: 1\nglobal:\n  rsi_weight: 0.1\n  signal_weights:\n    rsi: 0.2\n", "line 3, global, rsi_weight: "),
    ],
)
def test_what_is_no_configuration_is_refused(tmp_path: Path, text: str, said: str) -> None:
    _, message, *more = refused(config("import", "-", "--db", tmp_path / "v.db", text=text), 1).splitlines()

    assert message.strip().startswith(said)
    assert [] == more
    assert {} == state(tmp_path), "and no database is made"


def test_a_change_that_breaks_a_rule_is_refused_with_its_error_and_no_record_of_the_log(tmp_path: Path) -> None:
    path, db = tmp_path / "f.yaml", str(tmp_path / "v.db")
    for value, code in ((85, 0), (10, 1)):
        path.write_text(f"format: 1\nglobal:\n  settings:\n    state_threshold_bang: {value}\n")
        result = run_program("config", "import", str(path), "--db", db)
        assert code == result.returncode

    first, *findings = result.stderr.splitlines()
    assert first == f"Error: {path} was refused and nothing was changed:"
    assert 1 == len(findings)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "it cannot be read: No such file"), (b"a: \xff\n", "line 1: the text is not UTF-8"),
     (b"a: [\n", "line 2: this is not YAML"), (b"a: &b 1\n", "line 1: anchors"), (b"\xef\xbb\xbf", "")],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_another_failure(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "f.yaml"
    if content is not None:
        path.write_bytes(content)

    assert said in refused(config("import", path, "--db", tmp_path / "v.db"), 2 if said else 1)


def test_a_device_is_no_file_of_a_configuration(tmp_path: Path) -> None:
    """Nor is a pipe, which may never end."""
    message = refused(config("import", "/dev/null", "--db", tmp_path / "v.db"), 2)
    assert "it cannot be read: it is not a regular file" in message


def test_a_database_in_use_is_left_to_who_uses_it(tmp_path: Path, file: Path) -> None:
    with RunningServer("--assets", "BTC", db=tmp_path / "v.db") as server:
        assert "in which everything is at its default" in done(config("export", "--db", tmp_path / "v.db"))
        for command in (["import", file], ["import", file, "--dry-run"]):
            message = refused(config(*command, "--db", tmp_path / "v.db"), 75)
            assert f"is in use by another Vivienne, process {server.process.pid} (" in message
            assert "; stop that one, or name another database with --db" in message
        assert [] == server.history()


EMPTY_INDEX = bytes([10, 0, 0, 0, 0, 16, 0, 0])
"""The header of a page of an index in which there is nothing: layers are looked for in it."""


def test_a_damaged_database_is_not_exported_as_if_everything_were_at_its_default(db: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(db)) as connection:
        page = "SELECT rootpage FROM sqlite_master WHERE name = 'revisions_by_layer'"
        ((number,), (size,)) = connection.execute(page).fetchone(), connection.execute("PRAGMA page_size").fetchone()
    raw = bytearray(db.read_bytes())
    for name in ("document.db", "page.db"):
        (tmp_path / name).write_bytes(raw)
    with closing(sqlite3.connect(tmp_path / "document.db", isolation_level=None)) as connection:
        connection.execute("UPDATE revisions SET document = CAST('{' AS BLOB)")
    with (tmp_path / "page.db").open("r+b") as file, closing(SqliteRevisionStore(tmp_path / "page.db")):
        file.seek((number - 1) * size)  # while a server has it open, its pages are not checked
        file.write(b"\xa5" * size)
        file.flush()
        assert "is damaged; restore a copy" in refused(config("export", "--db", tmp_path / "page.db"), 2)
    raw[(number - 1) * size : number * size] = EMPTY_INDEX.ljust(size, b"\0")
    db.write_bytes(raw)
    (tmp_path / "empty.db").touch()

    assert "is damaged and was not exported" in refused(config("export", "--db", db), 2)
    assert "is damaged; restore a copy" in refused(config("export", "--db", tmp_path / "document.db"), 2)
    assert "has no tables of Vivienne" in refused(config("export", "--db", tmp_path / "empty.db"), 2)


def test_a_database_that_does_not_answer_is_said(file: Path, unused_port: int) -> None:
    db = f"postgresql://vivienne@127.0.0.1:{unused_port}/vivienne"
    for command in (["import", file], ["import", file, "--dry-run"], ["export"]):
        assert "cannot be reached: nothing listens there" in refused(config(*command, "--db", db), 75)


def test_a_database_that_does_not_take_it_is_no_fault_of_the_file(
    db: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StoreUnavailable("the disk is full")

    file.write_text(WHOLE.replace("85", "87"))
    monkeypatch.setattr(SqliteRevisionStore, "append", fail)

    assert "Nothing was changed: the disk is full" == refused(config("import", file, "--db", db), 1)
    result = config("import", file, "--db", db, "--json")
    assert (1, {"status": "failed", "message": "Nothing was changed: the disk is full", "errors": []}) == (
        result.exit_code,
        json.loads(result.stdout),
    )


# For programs


def test_programs_are_answered_in_json(db: Path, file: Path) -> None:
    def answer(code: int, *flags: str) -> dict[str, Any]:
        result = config("import", file, "--db", db, "--json", *flags)
        assert code == result.exit_code
        assert "" == result.stderr
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    assert {"status": "unchanged", "version": 3, "layers": [], "assets": [], "warnings": []} == {
        name: value for name, value in answer(0).items() if name != "message"
    }
    file.write_text(WHOLE.replace("85", "87"))
    change = {"path": "settings.state_threshold_bang", "old": 85, "new": 87}
    assert [{"asset_symbol": None, "changed": [change]}] == answer(0, "--dry-run")["layers"]
    made = answer(0)
    assert ("success", 4, ["BTC", "ETH"]) == (made["status"], made["version"], made["assets"])
    assert stored(db)["global"] == {"settings": {"state_threshold_bang": 87}}
    file.write_text(WHOLE.replace("85", "105"))
    found = answer(1)
    assert "refused" == found["status"]
    assert [
        {
            "layer": "global", "path": "settings.state_threshold_bang", "line": 4,
            "message": "Bang threshold must be between 0 and 100",
        }
    ] == found["errors"]  # fmt: skip
    file.unlink()
    assert ("failed", []) == (answer(2)["status"], answer(2)["errors"])


def test_the_commands_run_as_programs_whatever_the_locale_is(db: Path, tmp_path: Path) -> None:
    done(config("import", "-", "--db", db, text="format: 1\nassets:\n  ETH: {description: nächtlich 🚀}\n"))

    result = run_program("config", "export", environment={"VIVIENNE_DB": str(db), "LC_ALL": "C", "PYTHONUTF8": "1"})
    assert 'description: "nächtlich 🚀"' in result.stdout
    assert "" == result.stderr
    (tmp_path / "f.yaml").write_text(result.stdout)
    again = run_program("config", "import", str(tmp_path / "f.yaml"), environment={"VIVIENNE_DB": str(db)})
    assert (0, "Nothing to change: every layer already sets this\n") == (again.returncode, again.stdout)
