"""The rules of examples/alerts: what they send is what their receivers take.

Each receiver here requires what the real one does: freqtrade's and Hummingbot's from the models of their APIs.
"""

from __future__ import annotations

import base64
import json
import threading
from contextlib import contextmanager
from decimal import Decimal
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt, StrictStr, ValidationError

from receiver import key_of, verify
from signed_alerts import FLAT, LONG, NOW, RULES, SECRET, SHORT, Named, event_of, named, pause_of
from vivienne.alerts.happenings import happened, possible
from vivienne.alerts.reading import read_rule
from vivienne.outbox.addresses import AllowedHosts
from vivienne.outbox.secrets import Vault
from vivienne.outbox.sending import Message
from vivienne.outbox.webhook import WebhookSender

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vivienne.alerts.standing import Standing
    from vivienne.outbox.sending import Attempt
    from vivienne.wire.alert import AlertEvent

BASIC = "Basic " + base64.b64encode(b"vivienne:secret").decode()
VARIABLES = {
    "VIVIENNE_ALERT_FREQTRADE": BASIC,
    "VIVIENNE_ALERT_HUMMINGBOT": BASIC,
    "EXECUTOR_SECRET": SECRET,
}


class Strict(BaseModel):
    """The real ones pass over fields that they do not know; a slip in a name would go unnoticed."""

    model_config = ConfigDict(extra="forbid")


class ForceEnter(Strict):
    """Of freqtrade, POST /api/v1/forceenter."""

    pair: Annotated[StrictStr, Field(pattern=r"^[A-Z0-9]+/[A-Z0-9]+(:[A-Z0-9]+)?$")]
    side: Literal["long", "short"] = "long"
    price: StrictFloat | None = None
    ordertype: Literal["limit", "market"] | None = None
    stakeamount: StrictFloat | None = None
    entry_tag: StrictStr | None = None
    leverage: StrictFloat | None = None


class ForceExit(Strict):
    """Of freqtrade, POST /api/v1/forceexit."""

    tradeid: StrictInt | Literal["all"]
    ordertype: Literal["limit", "market"] | None = None
    amount: StrictFloat | None = None


class TradeRequest(Strict):
    """Of the Hummingbot API, POST /trading/orders."""

    account_name: StrictStr
    connector_name: StrictStr
    trading_pair: Annotated[StrictStr, Field(pattern=r"^[A-Z0-9]+-[A-Z0-9]+$")]
    trade_type: Literal["BUY", "SELL"]
    amount: Annotated[Decimal, Field(gt=0)]
    order_type: Literal["LIMIT", "MARKET", "LIMIT_MAKER"] = "LIMIT"
    price: Decimal | None = None
    position_action: Literal["OPEN", "CLOSE"] = "OPEN"


class Switch(Strict):
    """Of a controller of Hummingbot, which reads its configuration leniently: "true" is true."""

    manual_kill_switch: bool


class Strategy(Strict):
    """Of receivers for strategies of TradingView: numbers are numbers, names are its own."""

    ticker: StrictStr
    exchange: StrictStr
    action: Literal["buy", "sell"]
    market_position: Literal["long", "short", "flat"]
    market_position_size: StrictFloat
    price: StrictFloat
    interval: StrictStr
    time: StrictStr


PATHS: dict[str, tuple[type[BaseModel], bool]] = {
    "/api/v1/forceenter": (ForceEnter, True),
    "/api/v1/forceexit": (ForceExit, True),
    "/trading/orders": (TradeRequest, True),
    "/controllers/bots/my_bot/my_controller/config": (Switch, True),
    "/tradingview/token": (Strategy, False),
}
"""By path, what is required there, and whether Basic authentication is."""


@contextmanager
def receivers() -> Iterator[tuple[int, list[tuple[dict[str, str], bytes]]]]:
    """All receivers on one port, and the requests that they took."""
    taken: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, said = self._judged(body)
            if status is HTTPStatus.OK:
                taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(status)
            self.send_header("content-length", str(len(said.encode())))
            self.end_headers()
            self.wfile.write(said.encode())

        def _judged(self, body: bytes) -> tuple[HTTPStatus, str]:
            if self.path == "/":
                return HTTPStatus.OK, ""
            model, is_basic = PATHS[self.path]
            if is_basic and self.headers["authorization"] != BASIC:
                return HTTPStatus.UNAUTHORIZED, "Unauthorized"
            if self.headers["content-type"] != "application/json":
                return HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "not JSON"
            try:
                model.model_validate_json(body)
            except ValidationError as error:
                return HTTPStatus.UNPROCESSABLE_ENTITY, str(error)
            return HTTPStatus.OK, ""

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_port, taken
        server.shutdown()


def rule_for(name: str, port: int) -> Named:
    """A ready rule, with the address of the receivers here."""
    text = (RULES / f"{name}.json").read_text()
    for real in ("127.0.0.1:8000", "127.0.0.1:8080", "127.0.0.1:9000"):
        text = text.replace(real, f"127.0.0.1:{port}")
    return Named(read_rule(json.loads(text), assets=["BTC"]).rule)


async def send(rule: Named, event: AlertEvent) -> Attempt:
    sender = WebhookSender(Vault(None), AllowedHosts.read("127.0.0.1"), now=lambda: NOW)
    try:
        return await sender.send(Message(event["id"], event, rule.rule.channels[0]))
    finally:
        await sender.close()


@pytest.mark.parametrize(
    ("name", "before", "now", "wanted"),
    [
        ("freqtrade-entry", FLAT, LONG, {"pair": "BTC/USDT", "side": "long"}),
        ("freqtrade-entry", SHORT, LONG, {"pair": "BTC/USDT", "side": "long", "ordertype": "market"}),
        ("freqtrade-exit", LONG, FLAT, {"tradeid": "all"}),
        ("freqtrade-turn", LONG, SHORT, {"tradeid": "all"}),
        ("hummingbot-order", FLAT, SHORT, {"trading_pair": "BTC-USDT", "trade_type": "SELL", "amount": "0.001"}),
        ("hummingbot-switch", FLAT, LONG, {"manual_kill_switch": "false"}),
        ("hummingbot-switch", LONG, FLAT, {"manual_kill_switch": "true"}),
        ("tradingview", FLAT, SHORT, {"ticker": "BTCUSDT", "action": "sell", "market_position": "short"}),
        ("tradingview", SHORT, FLAT, {"action": "buy", "market_position": "flat", "market_position_size": 0.0}),
        ("executor", FLAT, LONG, {"type": "entry", "position_size": 20.0, "symbol": "BTCUSDT"}),
    ],
)
async def test_what_a_ready_rule_sends_is_taken(
    name: str, before: Standing, now: Standing, wanted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with receivers() as (port, taken):
        for variable, value in VARIABLES.items():
            monkeypatch.setenv(variable, value)
        monkeypatch.setenv("TRADINGVIEW_RECEIVER_URL", f"http://127.0.0.1:{port}/tradingview/token")
        rule = rule_for(name, port)
        attempt = await send(rule, event_of(rule, before, now))
    assert (attempt.outcome, attempt.answer) == ("delivered", "")
    [(headers, body)] = taken
    content = json.loads(body)
    assert content | wanted == content
    if name == "executor":
        assert verify(key_of(SECRET), headers, body, NOW.timestamp()) == content["id"]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("freqtrade-exit", {"tradeid": "all"}), ("hummingbot-pause", {"manual_kill_switch": "true"})],
)
async def test_a_pause_stops_bots_that_do_not_know_what_a_pause_is(
    name: str, wanted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with receivers() as (port, taken):
        for variable, value in VARIABLES.items():
            monkeypatch.setenv(variable, value)
        rule = rule_for(name, port)
        assert "pause" in rule.rule.event
        attempt = await send(rule, pause_of(rule, "paused", LONG))
    assert (attempt.outcome, attempt.answer) == ("delivered", "")
    content = json.loads(taken[0][1])
    assert content | wanted == content


def test_every_ready_rule_is_tried() -> None:
    freqtrade = {"freqtrade-entry", "freqtrade-exit", "freqtrade-turn"}
    tried = freqtrade | {"executor", "hummingbot-order", "hummingbot-pause", "hummingbot-switch", "tradingview"}
    assert {file.stem for file in RULES.iterdir()} == tried
    assert [name for name in tried if named(name).rule.problem] == []


def test_at_each_bar_freqtrade_is_told_one_thing_at_most() -> None:
    rules = [named(f"freqtrade-{name}") for name in ("entry", "exit", "turn")]
    told = {}
    for before in (FLAT, LONG, SHORT):
        for now in (FLAT, LONG, SHORT):
            kinds = possible(before, now)
            told[before.side, now.side] = [rule.rule.name for rule in rules if happened(rule.rule, before, now, kinds)]
    assert all(len(names) <= 1 for names in told.values())
    entry, out, turn = ([rule.rule.name] for rule in rules)
    assert told["none", "long"] == told["short", "long"] == entry
    assert told["long", "none"] == out
    assert told["long", "short"] == turn
