"""Pages from elsewhere neither read nor change anything; pages of this machine may, WebSockets included.

The long form, with every case at every endpoint, is `make torture ARGS=origins`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from websockets.sync.client import connect

from origin_matrix import CASES, DESK, FLAGS, Case, wrong
from running import COMPREHENSIVE, RunningServer
from tokens import ENDPOINTS, EVERYTHING, make_token

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVERYWHERE = ("--host", "0.0.0.0", "--allow-anyone-on-this-network")  # noqa: S104
REFUSED = tuple(case for case in CASES if not case.is_allowed)
ONE_OF = 3
"""Of so many endpoints each case is sent to one; and so each endpoint gets a third of the cases."""
ALLOWED = tuple(case for case in CASES if case.is_allowed)
CHANGE = {"asset_symbol": "BTC", "bang_threshold": 85}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(*FLAGS, db=tmp_path_factory.mktemp("origins") / "vivienne.db") as running:
        yield running


def test_pages_from_elsewhere_are_refused_everywhere_and_change_nothing(running: RunningServer) -> None:
    count, found = wrong(running.port, REFUSED, one_of=ONE_OF)

    assert [] == found
    assert count > len(ENDPOINTS) * len(REFUSED) / ONE_OF
    assert running.newest() is None


def test_pages_of_this_machine_and_allowed_ones_get_in_everywhere(running: RunningServer) -> None:
    _, found = wrong(running.port, ALLOWED, one_of=ONE_OF)

    assert [] == found


def test_a_matrix_that_is_not_met_is_noticed(tmp_path: Path) -> None:
    """With another origin than the settings allow."""
    with RunningServer(*FLAGS, "--origins", "https://other.example", db=tmp_path / "v.db") as other:
        _, found = wrong(other.port, (Case(True, (DESK,)), Case(False, ("https://other.example",))))

    assert 4 * len(EVERYTHING) == len(found)


@pytest.mark.parametrize("origin", ["http://localhost:5173", DESK])
def test_allowed_pages_may_change_and_read(running: RunningServer, origin: str) -> None:
    headers = {"Origin": origin}
    answer = running.post("partial-update", CHANGE, headers=headers)
    assert 200 == answer.status_code
    assert origin == answer.headers["access-control-allow-origin"]
    assert "etag" in answer.headers["access-control-expose-headers"].lower()
    with connect(f"ws://127.0.0.1:{running.port}/ws/state", additional_headers=headers) as client:
        assert client.recv(10)


def test_the_host_of_an_allowed_origin_may_come_through_a_proxy(running: RunningServer) -> None:
    headers = {"Host": "desk.example", "Origin": DESK}
    assert running.http.get(f"{running.url}/health", headers=headers).status_code == 200


def test_programs_send_no_origin_and_are_not_concerned(running: RunningServer) -> None:
    assert running.post("partial-update", CHANGE).status_code == 200


def own_page(host: str) -> dict[str, str]:
    return {"Host": host, "Origin": f"http://{host}"}


def test_where_tokens_are_needed_any_name_will_do_and_foreign_pages_get_nowhere(tmp_path: Path) -> None:
    make_token(tmp_path / "v.db", "ann", "viewer")
    with RunningServer("--host", "0.0.0.0", db=tmp_path / "v.db") as server:  # noqa: S104
        for headers, status in (
            ({"Host": "desk.internal"}, 200),
            (own_page("desk.internal"), 200),
            ({"Host": "desk.internal", "Origin": "https://desk.internal"}, 403),
            ({"Host": "desk.internal", "Origin": "http://evil.example"}, 403),
        ):
            assert status == server.http.get(f"{server.url}/health", headers=headers).status_code
        # A name somebody pointed at this server: the page may ask, and has no token.
        pointed = server.http.get(f"{server.url}{COMPREHENSIVE}/active", headers=own_page("evil.example"))
        assert 401 == pointed.status_code


def test_where_nobody_needs_one_no_name_is_taken_that_somebody_could_point_here(tmp_path: Path) -> None:
    named = ("--origins", "http://desk.internal")
    with RunningServer(*EVERYWHERE, *named, db=tmp_path / "v.db") as server:
        for headers, status in (
            (own_page("10.0.0.1:8000"), 200),
            (own_page("[2001:db8::1]"), 200),
            (own_page("desk.internal"), 200),
            (own_page("evil.example"), 421),
            ({"Host": "evil.example"}, 421),
            ({"Host": "10.0.0.1", "Origin": "http://10.0.0.2"}, 403),
        ):
            assert status == server.http.get(f"{server.url}/health", headers=headers).status_code, headers


def test_a_page_of_another_site_loads_nothing_of_the_server_unread(running: RunningServer) -> None:
    """Browsers say no origin with what a page may not read anyway, such as a picture."""
    for site, mode, status in (
        ("cross-site", "no-cors", 403),
        ("cross-site", "navigate", 200),
        ("same-origin", "cors", 200),
        ("none", "navigate", 200),
    ):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
        assert status == running.http.get(f"{running.url}/health", headers=headers).status_code, (site, mode)


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/health", "/nothing", f"{COMPREHENSIVE}/active"])
def test_nothing_is_shown_within_a_page_of_others(running: RunningServer, path: str) -> None:
    headers = running.get(path).headers

    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "nosniff" == headers["x-content-type-options"]
