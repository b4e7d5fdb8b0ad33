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
    commit = _git(root, "rev-parse", "HEAD")
    top = _git(root, "rev-parse", "--show-toplevel")
    if commit is None or top is None or Path(top).resolve() != root.resolve():  # a folder in the checkout of another
        return f"{RELEASE}.dev0+s{_digest(root)}"
    changed = _git(root, "status", "--porcelain", "--untracked-files=all", "--", "pyproject.toml", "src")
    if not changed and _git(root, "describe", "--exact-match", "--tags", "--match", f"v{RELEASE}"):
        return RELEASE
    found = f"{RELEASE}.dev{_git(root, 'rev-list', '--count', 'HEAD') or 0}+g{commit[:_DIGITS]}"
    return f"{found}.s{_digest(root)}" if changed else found


def _git(root: Path, *arguments: str) -> str | None:
    """The output of a git command; None where it fails, or there is no git."""
    import subprocess  # noqa: PLC0415  # most commands need no version

    try:
        done = subprocess.run(  # noqa: S603  # only arguments of this file
            ["git", "-C", str(root), *arguments],  # noqa: S607  # as the user has it
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


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
