"""A pushed market served: from a feeder's requests to states, charts and metrics."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from websockets.typing import Subprotocol

from running import Client, RunningServer, data
from tokens import bearer, make_token, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

MINUTE_MS = 60_000
SECONDS = 60.0


@pytest.fixture(scope="module")
def tokens() -> dict[str, str]:
    return {}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, tokens: dict[str, str]) -> Iterator[RunningServer]:
    db = tmp_path_factory.mktemp("push") / "v.db"
    tokens["ada"] = make_token(db, "ada", "admin")
    flags = ["--feed", "push", "--timeframe", "1m", "--assets", "BTC,ETH,SOL,DOT,LTC,XRP", "--require-token"]
    with RunningServer(*flags, "--max-pushed-rows-per-minute", "4000", db=db) as server:
        for name, role in (("ann", "feeder"), ("bob", "feeder"), ("tim", "tuner")):
            body = {"name": name, "role": role}
            made = server.http.post(f"{server.url}/auth/tokens", json=body, headers=bearer(tokens["ada"]))
            tokens[name] = made.json()["token"]
        yield server


def this_minute() -> int:
    """Open time of the minute that is open by the clock of this machine."""
    now = round(time.time() * 1000)
    return now - now % MINUTE_MS


def candle(open_time: int, close: float = 100.0, **more: Any) -> dict[str, Any]:
    return {
        "open_time": open_time, "open": 100.0, "high": max(close, 100.0), "low": min(close, 100.0), "close": close,
        "volume": 1.0, **more,
    }  # fmt: skip


def push(running: RunningServer, token: str, kind: str, body: dict[str, Any]) -> httpx.Response:
    return running.http.post(f"{running.url}/phoenix/market/{kind}", json=body, headers=bearer(token))


def bars_of(running: RunningServer, token: str, asset: str, until: str) -> list[dict[str, Any]]:
    """The bars of an asset, once the newest one begins at a time."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        answer = running.http.get(f"{running.url}/phoenix/assets/{asset}/bars?limit=1000", headers=bearer(token)).json()
        bars: list[dict[str, Any]] = answer["bars"]
        if bars and bars[-1]["time"] == until:
            return bars
        time.sleep(0.02)
    raise TimeoutError(until)


def iso(milliseconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(milliseconds // 1000))


def test_pushed_candles_are_bars_and_states_of_a_market_of_its_own_kind(
    running: RunningServer, tokens: dict[str, str]
) -> None:
    begin = this_minute()
    rows = [candle(begin - MINUTE_MS * number, 100 + number % 3, closed=True) for number in range(400, 0, -1)]
    answer = push(running, tokens["ann"], "candles", {"asset": "BTC", "candles": rows})
    assert answer.status_code == 200
    assert answer.json()["accepted"] == 400
    assert {"deciding": True, "closed_until": iso(begin)} == answer.json()["assets"]["BTC"]

    bars = bars_of(running, tokens["ann"], "BTC", iso(begin - MINUTE_MS))
    assert [(row["close"], "pushed") for row in rows] == [(bar["close"], bar["source"]) for bar in bars]
    offered = [Subprotocol("vivienne"), Subprotocol(f"vivienne.token.{tokens['ann']}")]
    with Client(f"ws://127.0.0.1:{running.port}/ws/state", subprotocols=offered) as client:
        while (state := data(client.state("BTC", timeout=SECONDS)))["status"] != "live":
            client.receive(SECONDS)
    assert ("push", None, None) == (state["feed"], state["exchange"], state["symbol"])
    metrics = running.http.get(f"{running.url}/metrics", headers=bearer(tokens["ann"])).text
    assert 'vivienne_pushed_rows_total{asset="BTC",result="accepted"} 400.0' in metrics


def test_a_feeder_that_was_killed_pushes_again_from_its_last_answer(
    running: RunningServer, tokens: dict[str, str]
) -> None:
    begin = this_minute()
    rows = [candle(begin - MINUTE_MS * number, closed=True) for number in range(10, 0, -1)]
    first = push(running, tokens["ann"], "candles", {"asset": "ETH", "candles": rows[:7], "history": False}).json()
    # The answer to the rest was lost with the feeder: it begins after what the answer to an empty push says.
    push(running, tokens["ann"], "candles", {"asset": "ETH", "candles": rows[7:9]})
    said = push(running, tokens["ann"], "candles", {"asset": "ETH", "candles": []}).json()["assets"]["ETH"]
    assert (iso(rows[7]["open_time"]), iso(rows[9]["open_time"])) == (
        first["assets"]["ETH"]["closed_until"], said["closed_until"],
    )  # fmt: skip
    again = push(running, tokens["ann"], "candles", {"asset": "ETH", "candles": rows[5:]}).json()
    assert (1, 4, 0) == (again["accepted"], again["doubled"], again["late"])


def test_two_feeders_of_one_asset_count_once(running: RunningServer, tokens: dict[str, str]) -> None:
    begin = this_minute()
    trades = [
        {"id": number, "time": begin - 240_000 + number * 6_000, "price": 100 + number, "amount": 1}
        for number in range(40)
    ]
    for place in range(0, 40, 8):
        one = push(running, tokens["ann"], "trades", {"asset": "SOL", "trades": trades[max(0, place - 3) : place + 8]})
        other = push(running, tokens["bob"], "trades", {"asset": "SOL", "trades": trades[place : place + 8]})
        assert (200, 200, 0) == (one.status_code, other.status_code, other.json()["accepted"])
    bars = bars_of(running, tokens["ann"], "SOL", iso(begin - 2 * MINUTE_MS))
    # The minute of the first trade may not be whole, and the last one is open.
    assert [10.0, 10.0] == [bar["volume"] for bar in bars]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_the_examples_of_the_document_push(running: RunningServer, tokens: dict[str, str]) -> None:
    text = (Path(__file__).parent.parent.parent / "docs" / "markets.md").read_text()
    curl, script = (
        example.replace("localhost:8000", f"127.0.0.1:{running.port}").replace("ETH", "LTC")
        for example in re.findall(r"<!-- push -->\n```(?:sh|python)\n(.*?)```", text, re.DOTALL)
    )
    environment = os.environ | {"TOKEN": tokens["bob"]}
    for command in (["bash", "-c", curl], [sys.executable, "-c", script]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True, env=environment)
        if command[0] == "bash":
            answer = json.loads(done.stdout)
            assert (0, 1) == (answer["refused"], answer["accepted"] + answer["late"])
        else:
            assert done.stdout.startswith("2 accepted; {'deciding': True, 'closed_until': '20")


def test_wrong_rows_are_named_and_the_others_are_taken(running: RunningServer, tokens: dict[str, str]) -> None:
    begin = this_minute()
    rows = [candle(begin - MINUTE_MS, closed=True), candle(begin, -1.0), candle(begin + 60 * MINUTE_MS)]
    answer = push(running, tokens["ann"], "candles", {"asset": "DOT", "candles": [*rows, {"asset": "NO"}]})
    assert refusal(answer) == (422, "invalid_rows")
    found = answer.json()
    assert (1, 3) == (found["accepted"], found["refused"])
    assert {"candles[1].low", "candles[2].open_time", "candles[3].asset"} == {each["path"] for each in found["errors"]}
    assert "row 1: low is -1.0; it must be a number above 0" in found["detail"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"asset": "BTC", "candles": [{"open": NaN}]}', 400, "malformed"),
        (b'{"asset": "BTC", "candles": [{"open": 1, "open": 2}]}', 400, "malformed"),
        (b'{"candle": []}', 400, "malformed"),
        (b'{"candles": [' + b"{}," * 1_000 + b"{}]}", 413, "too_large"),
        (b'{"candles": [' + b'{"asset": "BTC"},' * 999_999 + b"{}]}", 413, "too_large"),
    ],
)
def test_what_is_no_push_is_refused(
    running: RunningServer, tokens: dict[str, str], body: bytes, status: int, code: str
) -> None:
    headers = bearer(tokens["bob"]) | {"Content-Type": "application/json"}
    answer = running.http.post(f"{running.url}/phoenix/market/candles", content=body, headers=headers)
    assert refusal(answer) == (status, code)


def test_who_tunes_does_not_push_and_who_pushes_does_not_tune(running: RunningServer, tokens: dict[str, str]) -> None:
    answer = push(running, tokens["tim"], "trades", {"asset": "XRP", "trades": []})
    assert refusal(answer) == (403, "forbidden")
    assert "needs the role feeder" in answer.json()["detail"]
    assert push(running, tokens["ada"], "trades", {"asset": "XRP", "trades": []}).status_code == 200
    changed = running.post("partial-update", {"bang_threshold": 85}, headers=bearer(tokens["ann"]))
    assert refusal(changed) == (403, "forbidden")


def test_a_caller_may_push_so_many_rows_a_minute(running: RunningServer, tokens: dict[str, str]) -> None:
    begin = this_minute()
    rows = [candle(begin - MINUTE_MS * number) for number in range(1_000)]
    answers = [push(running, tokens["ada"], "candles", {"asset": "XRP", "candles": rows}) for _ in range(6)]
    assert refusal(answers[-1]) == (429, "too_many_requests")
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert push(running, tokens["bob"], "candles", {"asset": "XRP", "candles": rows[:1]}).status_code == 200
