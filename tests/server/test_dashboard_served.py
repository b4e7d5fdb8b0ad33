"""The dashboard at `/`: built files with the right headers, addresses of views, and a word where it is not built."""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from fastapi import FastAPI

from running import RunningServer
from vivienne.server import dashboard, problems
from vivienne.version import build_version

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALL = 200
"""Bytes of a file that need not be packed."""
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
VIEWS = ["/", "/assets/BTC", "/assets/BTC?panel=history", "/configuration", "/history", "/logs?level=error"]
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    assert (dashboard.BUILT / "index.html").is_file(), "the dashboard is not built: make dashboard"
    with RunningServer(db=tmp_path_factory.mktemp("dashboard") / "vivienne.db") as running:
        yield running


def fetch(running: RunningServer, path: str, **headers: str) -> httpx.Response:
    return running.http.get(running.url + path, headers=headers)


def scripts(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="\.?(/static/[^"]+)"', page)


@pytest.mark.parametrize("path", VIEWS)
def test_every_view_has_an_address_that_survives_a_reload(running: RunningServer, path: str) -> None:
    answer = fetch(running, path, **HTML)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert '<div id="root">' in answer.text
    assert answer.headers["cache-control"] == "no-cache"


def test_the_page_may_load_nothing_from_elsewhere_and_run_no_script_written_into_it(running: RunningServer) -> None:
    answer = fetch(running, "/", **HTML)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert "script-src" not in policy
    assert policy["frame-ancestors"] == "'none'"
    assert not re.search(r"<script(?![^>]*\bsrc=)", answer.text)
    assert not re.search(r"https?://", answer.text)
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_the_page_loads_is_kept_for_ever_and_travels_packed(running: RunningServer) -> None:
    names = scripts(fetch(running, "/", **HTML).text)
    assert any(name.endswith(".js") for name in names)
    assert any(name.endswith(".css") for name in names)
    for name in names:
        packed = fetch(running, name, **{"Accept-Encoding": "gzip"})
        plain = fetch(running, name, **{"Accept-Encoding": "identity"})
        assert packed.status_code == plain.status_code == 200
        assert packed.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert "content-encoding" not in plain.headers
        if len(plain.content) < SMALL and "content-encoding" not in packed.headers:
            continue  # packed it would be larger
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.headers["content-type"] == plain.headers["content-type"]
        assert plain.content == packed.content
        assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])
        assert packed.headers["etag"] != plain.headers["etag"]
        assert "Accept-Encoding" in packed.headers["vary"]


def test_a_file_that_did_not_change_is_not_sent_again(running: RunningServer) -> None:
    name = scripts(fetch(running, "/", **HTML).text)[0]
    first = fetch(running, name)
    assert fetch(running, name, **{"If-None-Match": first.headers["etag"]}).status_code == 304


def test_the_icon_is_there(running: RunningServer) -> None:
    assert fetch(running, "/icon.svg").headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize(
    "path",
    ["/static/nothing.js", "/phoenix/nothing", "/ws/nothing", "/docs/x"],
)
def test_what_is_no_view_is_not_found_in_a_browser_either(running: RunningServer, path: str) -> None:
    answer = fetch(running, path, **HTML)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "path", ["/static/../../app.py", "/static/%2e%2e/%2e%2e/app.py", "/..%2fapp.py", "/%2e%2e/app.py", "//app.py"]
)
def test_nothing_beside_the_dashboard_is_given_away(running: RunningServer, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
    connection.request("GET", path)  # as it stands: other clients tidy it up first
    answer = connection.getresponse()
    assert answer.status == 404
    assert b'"code"' in answer.read()
    connection.close()


def test_a_program_that_asks_for_an_unknown_address_gets_a_problem_and_no_page(running: RunningServer) -> None:
    answer = fetch(running, "/assets/BTC", Accept="*/*")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_posting_to_a_view_is_no_way_to_the_page(running: RunningServer) -> None:
    assert running.http.post(f"{running.url}/history", headers=HTML).status_code == 404


async def test_without_a_build_the_page_says_how_to_make_one_and_the_rest_works(tmp_path: Path) -> None:
    app = FastAPI()
    problems.install(app)
    dashboard.install(app, tmp_path / "dashboard")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as browser:
        for path in ("/", "/assets/BTC"):
            page = await browser.get(path, headers=HTML)
            assert page.status_code == 200
            assert "make dashboard" in page.text
            assert "/docs" in page.text
        assert (await browser.get("/static/main.js")).status_code == 404

        # Built meanwhile: the next reload shows it.
        (tmp_path / "dashboard").mkdir()
        (tmp_path / "dashboard" / "index.html").write_text("<p>built</p>")
        assert (await browser.get("/", headers=HTML)).text == "<p>built</p>"


def test_the_wheel_contains_the_dashboard(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        sizes = {each.filename: each.file_size for each in archive.infolist()}
        page = archive.read("vivienne/dashboard/index.html").decode()
    assert wheel.name.startswith(f"vivienne-{build_version()}-"), "pip keeps a program of the same version"
    assert scripts(page)
    for name in scripts(page):
        assert f"vivienne/dashboard{name}" in names
        is_small = sizes[f"vivienne/dashboard{name}"] < SMALL
        assert is_small or f"vivienne/dashboard{name}.gz" in names
    assert not [name for name in names if name.endswith(".map")]
