"""What may be wrong with an installation: settings, database, server, limits. Nothing found has a secret in it."""

from __future__ import annotations

import json
import os
import platform
import re
import resource
import shutil
import stat
from dataclasses import dataclass, field
from http.client import HTTPException
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.error import HTTPError

from vivienne.access.secrets import without_secrets
from vivienne.addresses import HIDDEN, shown_address
from vivienne.commands.database import opened
from vivienne.commands.http import ask, no_answer, read_json
from vivienne.errors import SettingsError, StoreError, VivienneError
from vivienne.settings.boot import SETTINGS, Boot
from vivienne.settings.parsing import database
from vivienne.settings.unknown import unknown_variables
from vivienne.store.holders import user_name
from vivienne.times import now, written
from vivienne.version import build_version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vivienne.store.address import PostgresUrl

_SECONDS = 5.0
_QUOTED_ADDRESS = re.compile(r"'[^']*(?:@|://)[^']*'|\"[^\"]*(?:@|://)[^\"]*\"")
"""A setting in an error, with what may be a password."""
_LEAST_FREE = 1024**3
_OTHERS = 0o077
_PARTS = ("health", "ready", "metrics")
_PACKAGES = (
    "alembic", "fastapi", "filelock", "numpy", "psycopg", "pydantic", "redis", "SQLAlchemy", "starlette", "TA-Lib",
    "uvicorn", "uvloop", "websockets",
)  # fmt: skip

Level = Literal["ok", "warning", "problem"]


@dataclass(slots=True)
class Diagnosis:
    """Findings, and the files of a bundle by name.

    Attributes:
        told: is told each finding when it is made.
    """

    findings: list[tuple[Level, str]] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    told: Callable[[Level, str], None] | None = None

    def add(self, level: Level, text: str) -> None:
        """Add a finding."""
        shown = without_secrets(text)
        self.findings.append((level, shown))
        if self.told is not None:
            self.told(level, shown)

    def keep(self, name: str, content: Any) -> None:
        """Keep a file for the bundle."""
        text = content if isinstance(content, str) else json.dumps(content, indent=2, ensure_ascii=False)
        self.files[name] = without_secrets(text) + "\n"


def diagnose(found: Diagnosis, db: Path | PostgresUrl, url: str, environment: Mapping[str, str]) -> None:
    """Look at everything.

    Args:
        found: takes what is found.
        db: the database.
        url: of the server, which need not run.
        environment: in which the settings are.
    """
    look_at_machine(found)
    _look_at_settings(found, environment)
    _look_at_files(found, db)
    _look_at_database(found, db)
    _look_at_server(found, url)


def look_at_machine(found: Diagnosis) -> None:
    """Look at the versions of everything that is installed."""
    packages = {}
    for name in _PACKAGES:
        try:
            packages[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            packages[name] = "not installed"
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    about = {
        "version": build_version(),
        "time": written(now()),
        "python": platform.python_version(),
        "system": platform.platform(),
        "user": user_name(os.geteuid()),
        "open files": soft,
        "packages": packages,
    }
    found.keep("machine.json", about)
    found.add("ok", f"Vivienne {about['version']}, Python {about['python']}, {about['system']}")


def _look_at_settings(found: Diagnosis, environment: Mapping[str, str]) -> None:
    """The settings that a server would start with in this environment. Others are only named: one may be a secret."""
    texts = {name: environment[each.variable] for name, each in SETTINGS.items() if each.variable in environment}
    shown = {name: _shown(name, text) for name, text in texts.items()}
    known = {each.variable for each in SETTINGS.values()}
    others = sorted(name for name in environment if name.startswith("VIVIENNE_") and name not in known)
    found.keep("settings.json", {"set": shown, "other variables": others})
    try:
        Boot.read(**{name: _converted(name, text) for name, text in texts.items()})
    except VivienneError as error:
        found.add("problem", f"The settings in the environment are wrong: {_QUOTED_ADDRESS.sub(HIDDEN, str(error))}")
    else:
        found.add("ok", f"The settings in the environment go together ({len(texts)} are set)")
    for sentence in unknown_variables(environment):
        found.add("warning", sentence)


def _converted(name: str, text: str) -> Any:
    default = SETTINGS[name].default
    if isinstance(default, bool):
        return text.lower() in ("1", "true", "t", "yes", "y", "on")
    if isinstance(default, tuple):
        return tuple(text.split())
    try:
        return type(default)(text)
    except ValueError as error:
        raise SettingsError(f"{SETTINGS[name].variable} must be a number") from error


def _shown(name: str, value: str) -> str:
    if name == "db":
        try:
            return str(database(value))
        except SettingsError:
            return HIDDEN
    if SETTINGS[name].is_secret:
        return shown_address(value)
    return HIDDEN if "@" in value or not _is_readable(name, value) else value


def _is_readable(name: str, value: str) -> bool:
    """Whether a value is as it should be; in another one may be a secret, such as a key in place of its file."""
    try:
        found = SETTINGS[name].read(_converted(name, value))
    except VivienneError:
        return False
    return name != "alert_key" or (isinstance(found, Path) and found.exists())


def _look_at_files(found: Diagnosis, db: Path | PostgresUrl) -> None:
    if not isinstance(db, Path) or not db.parent.is_dir():
        return
    free = shutil.disk_usage(db.parent).free
    level: Level = "ok" if free >= _LEAST_FREE else "warning"
    found.add(level, f"{free / 1024**2:,.0f} MiB are free for the database in {db.parent}")
    files = {}
    for path in sorted(db.parent.glob(f"{db.name}*")):
        about = path.stat()
        mode = stat.S_IMODE(about.st_mode)
        files[path.name] = {"bytes": about.st_size, "mode": f"{mode:o}", "user": user_name(about.st_uid)}
        if mode & _OTHERS:
            found.add("warning", f"Other users have rights to {path} (mode {mode:o}); chmod 600 takes them away")
    found.keep("files.json", files)


def _look_at_database(found: Diagnosis, db: Path | PostgresUrl) -> None:
    if isinstance(db, Path) and not db.exists():
        found.add("warning", f"There is no database {db}; a server makes it")
        return
    try:
        with opened(db, "to read") as store:
            heads, tokens = store.heads(), store.tokens()
    except StoreError as error:
        found.add("problem", str(error))
        return
    version = max((head.version for head in heads), default=0)
    when = written(now())
    expired = [token.name for token in tokens if token.revoked_at is None and not token.is_valid(when)]
    about = {
        "database": str(db),
        "version": version,
        "layers": {head.layer: head.document for head in heads},
        "tokens": len(tokens),
        "expired tokens": len(expired),
    }
    found.keep("database.json", about)
    found.add("ok", f"The database {db} can be read: version {version}, {len(heads)} layers, {len(tokens)} tokens")
    if expired:
        found.add("warning", f"These tokens have expired; rotate or revoke them: {', '.join(expired)}")


def _look_at_server(found: Diagnosis, url: str) -> None:
    for part in _PARTS:
        try:
            text = ask(url, f"/{part}", seconds=_SECONDS).decode(errors="replace")
        except SettingsError as error:
            found.add("problem", str(error))
            return
        except HTTPError as error:
            body = error.read().decode(errors="replace")
            found.keep(f"{part}.txt", f"{error}\n{body}")
            found.add("problem", f"{url}/{part}: {error} {body}"[:500].rstrip())
            continue
        except (OSError, ValueError, HTTPException) as error:
            found.keep(f"{part}.txt", no_answer(error))
            found.add("warning", f"{url}/{part} cannot be read: {no_answer(error)}"[:500])
            return
        found.keep(f"{part}.txt", text)
        _judge(found, f"{url}/{part}", part, text)


def _judge(found: Diagnosis, where: str, part: str, text: str) -> None:
    if part == "metrics":
        found.add("ok", f"{where} answers")
        return
    try:
        answer = read_json(text)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        answer = {}
    if part == "ready":
        is_ready = answer.get("status") == "ready"
        found.add("ok" if is_ready else "problem", f"{where}: {text[:500]}")
    elif answer.get("version") != build_version():
        found.add("warning", f"{where}: the server runs {answer.get('version')}; restart it to run {build_version()}")
    else:
        found.add("ok", f"{where} answers")
