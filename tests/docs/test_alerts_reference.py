"""docs/alerts.md and docs/execution.md tell the truth: rules are read, snippets run, and tables complete."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import httpx
import pytest
from apprise import Apprise
from standardwebhooks import Webhook

from comparing import differences
from signed_alerts import FLAT, LONG, SECRET, Named, event_of, signed_headers
from vivienne.alerts.channels import AnyChannel
from vivienne.alerts.reading import read_rule
from vivienne.alerts.rule import Rule
from vivienne.changes.service import ConfigService
from vivienne.outbox.secrets import Vault
from vivienne.server.factory import web_application
from vivienne.store.opening import open_store
from vivienne.stream.hub import Hub
from vivienne.stream.logs import LogStream
from vivienne.stream.state import StateBoard
from vivienne.wire.alert import AlertEvent, ChannelType, DeliveryStatus, EventType

if TYPE_CHECKING:
    from vivienne.live.view import MarketView

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
README = (ROOT / "examples" / "README.md").read_text()
ALERTS = (DOCS / "alerts.md").read_text()
EXECUTION = (DOCS / "execution.md").read_text()
SECONDS = 30
BODY = json.dumps({"type": "test", "text": "\u00e4"}).encode()


def examples(role: str, text: str = ALERTS) -> list[str]:
    """The content of every example with this role."""
    return re.findall(rf"<!-- {role} -->\n+```\w+\n(.*?)```", text, re.DOTALL)


def rows(head: str) -> list[list[str]]:
    """The cells of the table whose first column has this title."""
    lines = ALERTS[ALERTS.index(f"\n| {head} |") + 1 :].split("\n\n")[0].splitlines()
    return [re.split(r" (?<!\\)\| ", line.strip("| ")) for line in lines[2:]]


def names(cells: list[str]) -> set[str]:
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


@pytest.mark.parametrize("text", [*examples("rule"), *examples("rule", EXECUTION)])
def test_a_rule_of_the_reference_is_accepted(text: str) -> None:
    assert read_rule(json.loads(text), assets=["BTC"]).warnings == []


async def test_the_requests_of_the_first_alert_are_answered(tmp_path: Path) -> None:
    requests = [*examples("run"), *re.findall(r"```sh\n(curl .*?)```", README, re.DOTALL)]
    assert len(requests) == 2
    service = ConfigService(open_store(tmp_path / "v.db", "alone"), ["BTC"], seal=Vault(tmp_path / "v.key").seal)
    hub = Hub(service.metrics)
    app = web_application(service, cast("MarketView", None), hub, StateBoard(hub), LogStream())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:8000") as client:
        for request in requests:
            [(path, body)] = re.findall(r"curl -s http://localhost:8000(\S+) .*?-d '?(.*?)'?\n$", request, re.DOTALL)
            text = (ROOT / body[1:]).read_text() if body.startswith("@") else body.replace("SECRET", SECRET)
            answer = await client.post(path, content=text, headers={"content-type": "application/json"})
            assert answer.status_code == httpx.codes.CREATED, answer.text
            assert answer.json()["alert_id"]
    await service.close()


def test_the_example_of_an_alert_is_one() -> None:
    [text] = examples("event entry")
    rule: Any = {"name": "bang", "assets": ["*"], "event": "entry", "channels": [{"type": "browser"}]}
    made = event_of(Named(read_rule(rule, assets=["BTC"]).rule), FLAT, LONG)
    example = json.loads(text)
    assert [] == list(differences(example, made))
    assert (example["text"], example["bar_time"]) == (made["text"], made["bar_time"])


def test_every_field_of_a_rule_an_alert_and_a_channel_is_in_a_table() -> None:
    assert names([row[0] for row in rows("field")]) == Rule.model_fields.keys() - {"problem"}
    described = ALERTS[ALERTS.index("## What a webhook gets") :]
    table = described[described.index("\n| field |") :].split("\n\n")[0]
    assert AlertEvent.__required_keys__ <= names([line.split(" | ")[0] for line in table.splitlines()])
    channels = {name: fields for name, _, fields in rows("type")}
    for kind in get_args(get_args(AnyChannel)[0]):
        own = kind.model_fields.keys() - {"id", "type", "coalesce_above", "drop_expired"}
        assert own == names([channels[f"`{get_args(kind.model_fields['type'].annotation)[0]}`"]])
    assert len(channels) == len(get_args(ChannelType))


def test_every_event_and_status_is_in_a_table() -> None:
    events = re.findall(
        r"^\| `(\w+)` \|", ALERTS[ALERTS.index("### Events") : ALERTS.index("### Conditions")], re.MULTILINE
    )
    assert sorted(events) == sorted(get_args(EventType))
    assert names([row[0] for row in rows("status")]) == set(get_args(DeliveryStatus))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of a service that nobody asked for
def test_addresses_of_services_are_those_that_apprise_knows() -> None:
    addresses = {row[0]: re.findall(r"`(\w+://[^`]+)`", row[1])[-1] for row in rows("service")}
    assert len(addresses) == 6
    assert [name for name, address in addresses.items() if Apprise.instantiate(address) is None] == []


@pytest.mark.parametrize("filters", [row[0] for row in rows("filter")])
def test_a_filter_of_the_reference_is_one(filters: str) -> None:
    for text in re.findall(r"`(\{\{.*?\}\})`", filters):
        rule: Any = {
            "name": "x", "assets": ["*"], "event": "level", "channels": [{"type": "browser"}],
            "text": text.replace("\\|", "|"),
        }  # fmt: skip
        assert read_rule(rule, assets=["BTC"]).rule.text


def test_a_webhook_is_verified_with_python() -> None:
    [snippet] = examples("verify python")
    scope: dict[str, Any] = {}
    exec(snippet, scope)  # noqa: S102  # it is ours
    now = datetime.now(UTC)
    assert scope["is_genuine"](SECRET, signed_headers("evt_1", BODY, now), BODY)
    assert not scope["is_genuine"](SECRET, signed_headers("evt_1", BODY, now), BODY + b" ")


def test_a_webhook_is_verified_with_javascript(tmp_path: Path) -> None:
    [snippet] = examples("verify js")
    now = datetime.now(UTC)
    headers = signed_headers("evt_1", BODY, now)
    other = Webhook("whsec_" + "REVG" * 8).sign("evt_1", now, BODY.decode())
    several = {**headers, "webhook-signature": f"{other} {headers['webhook-signature']}"}
    old = signed_headers("evt_1", BODY, datetime.fromtimestamp(now.timestamp() - 400, UTC))
    tries = [headers, several, {**headers, "webhook-signature": other}, {**headers, "webhook-id": "evt_2"}, old, {}]
    calls = f"""
const body = Buffer.from({json.dumps(BODY.decode())})
const found = {json.dumps(tries)}.map((headers) => isGenuine({json.dumps(SECRET)}, headers, body))
console.log(JSON.stringify(found))
"""
    (tmp_path / "verify.mjs").write_text(snippet + calls)
    done = subprocess.run(
        ["node", tmp_path / "verify.mjs"], capture_output=True, text=True, timeout=SECONDS, check=True
    )  # fmt: skip
    assert json.loads(done.stdout) == [True, True, False, False, False, False]


@pytest.mark.parametrize(("added", "said"), [(b"", "genuine\n"), (b" ", "")])
def test_a_webhook_is_verified_with_a_shell(tmp_path: Path, added: bytes, said: str) -> None:
    [snippet] = examples("verify sh")
    headers = signed_headers("evt_1", BODY)
    (tmp_path / "body").write_bytes(BODY + added)
    variables = {name.replace("-", "_").upper(): value for name, value in headers.items()}
    done = subprocess.run(
        ["sh", "-c", snippet], capture_output=True, text=True, timeout=SECONDS, cwd=tmp_path, check=False,
        env={**variables, "SECRET": SECRET, "PATH": "/usr/local/bin:/usr/bin:/bin"},
    )  # fmt: skip
    assert (done.stdout, done.stderr) == (said, "")


def test_the_executor_of_the_reference_follows_targets() -> None:
    [snippet] = examples("targets", EXECUTION)
    done = subprocess.run(
        [sys.executable, "-c", snippet], capture_output=True, text=True, timeout=SECONDS, check=True
    )  # fmt: skip
    assert done.stdout.splitlines() == examples("prints", EXECUTION)[0].splitlines()


@pytest.mark.parametrize("name", ["alerts.md", "execution.md", "../examples/README.md"])
def test_its_links_lead_somewhere(name: str) -> None:
    page = DOCS / name
    for link, anchor in re.findall(r"\]\((?!http)([^)#]*)(?:#([^)]*))?\)", page.read_text()):
        target = page if not link else (page.parent / link)
        assert target.exists(), link
        if anchor:
            heads = [
                re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-")
                for head in re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            ]
            assert anchor in heads, anchor
