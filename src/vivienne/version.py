"""The version of this build, which no other build has.

``0.1.0`` stands for the release: a clean checkout of the tag ``v0.1.0``. Every other build of a checkout says how many
commits it has and which one it is of, as in ``0.1.0.dev312+g1a2b3c4d5``, so that a later one is a later version. Where
files differ from that commit, or there is no git, a digest of the sources follows.

Hatchling calls `build_version` too when it builds, by `pyproject.toml`, so this file imports only the standard library.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

RELEASE = "0.1.0"
"""The next release. After tagging it, write the one after it here."""
_SECONDS = 10
_DIGITS = 9


@cache
def build_version() -> str:
    """The version of this build."""
    root = Path(__file__).parents[2]
    if (root / "pyproject.toml").is_file():
        return _written_down(root) or _of_checkout(root)
    return _of_installed() or f"{RELEASE}.dev0+s{_digest(root)}"


def _of_installed() -> str | None:
    from importlib import metadata  # noqa: PLC0415  # most commands need no version

    try:
        return metadata.version("vivienne")
    except metadata.PackageNotFoundError:
        return None


def _written_down(root: Path) -> str | None:
    """The version of a source distribution."""
    try:
        lines = (root / "PKG-INFO").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((line.removeprefix("Version: ") for line in lines if line.startswith("Version: ")), None)


def _of_checkout(root: Path) -> str:
    place, changed, count, tag = _git(
        root,
        ("rev-parse", "--show-toplevel", "HEAD"),
        ("status", "--porcelain", "--untracked-files=all", "--", "pyproject.toml", "src"),
        ("rev-list", "--count", "HEAD"),
        ("tag", "--points-at", "HEAD", f"v{RELEASE}"),
    )
    top, _, commit = (place or "").partition("\n")
    if not commit or changed is None or Path(top).resolve() != root.resolve():  # or a folder in another checkout
        return f"{RELEASE}.dev0+s{_digest(root)}"
    if not changed and tag:
        return RELEASE
    found = f"{RELEASE}.dev{count or 0}+g{commit[:_DIGITS]}"
    return f"{found}.s{_digest(root)}" if changed else found


def _git(root: Path, *commands: tuple[str, ...]) -> list[str | None]:
    """The outputs of git commands, which run at once; None where one fails, or there is no git."""
    from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired  # noqa: PLC0415  # most commands need no version

    try:
        running = [
            Popen(["git", "-C", str(root), *command], stdout=PIPE, stderr=DEVNULL, text=True)  # noqa: S603, S607
            for command in commands
        ]
    except OSError:
        return [None] * len(commands)
    found: list[str | None] = []
    for each in running:
        try:
            said, _ = each.communicate(timeout=_SECONDS)
        except TimeoutExpired:
            each.kill()
            each.communicate()
            found.append(None)
        else:
            found.append(said.strip() if each.returncode == 0 else None)
    return found


def _digest(root: Path) -> str:
    """A digest of the sources."""
    import hashlib  # noqa: PLC0415  # as above

    found = hashlib.sha256()
    sources = root / "src" if (root / "src").is_dir() else Path(__file__).parent
    for path in (root / "pyproject.toml", *sorted(sources.rglob("*"))):
        if path.is_file() and "__pycache__" not in path.parts:
            found.update(f"{path.relative_to(root)}\0".encode())
            found.update(path.read_bytes())
    return found.hexdigest()[:_DIGITS]
