"""deploy/compose.yaml: as far as can be told without a container engine."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import RedisError
from ruamel.yaml import YAML

from deployed import (
    DEPLOY,
    ROOT,
    assignments,
    boot,
    documented,
    image_environment,
    interpolated,
    is_healthy,
    load,
)
from redis_running import RunningRedis, eventually
from running import RunningServer, run_program
from tokens import bearer

COMPOSE = load(DEPLOY / "compose.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = assignments(DEPLOY / ".env.example")
FILLED = {**EXAMPLE, "POSTGRES_PASSWORD": "one", "REDIS_PASSWORD": "two"}
OURS = sorted(name for name, service in SERVICES.items() if "build" in service)

# What the Compose specification has, as far as it is used.
TOP = {"name", "services", "networks", "volumes"}
SERVICE = {
    "build", "cap_drop", "command", "depends_on", "environment", "healthcheck", "image", "init", "networks", "ports",
    "read_only", "restart", "security_opt", "stop_grace_period", "sysctls", "tmpfs", "volumes", "logging"}  # fmt: skip
LISTS = {"cap_drop", "networks", "ports", "security_opt", "tmpfs", "volumes"}
MAPPINGS = {"build", "depends_on", "environment", "healthcheck", "sysctls"}
HEALTHCHECK = {"test": list, "interval": str, "timeout": str, "retries": int, "start_period": str}


def test_it_has_the_shape_of_a_compose_file() -> None:
    assert set() == {name for name in COMPOSE if not name.startswith("x-")} - TOP
    for name, service in SERVICES.items():
        assert set() == set(service) - SERVICE, name
        assert all(isinstance(service[key], list) for key in LISTS & set(service)), name
        assert all(isinstance(service[key], dict) for key in MAPPINGS & set(service)), name
        assert all(isinstance(value, str) for value in service.get("environment", {}).values()), name
        assert all(isinstance(value, str) for value in service.get("command", [])), name


def test_no_service_fills_the_disk_with_its_log() -> None:
    for name, service in SERVICES.items():
        assert service["logging"] == {"driver": "local", "options": {"max-size": "20m", "max-file": "5"}}, name


def test_what_a_service_refers_to_is_there() -> None:
    for name, service in SERVICES.items():
        assert set() == set(service["networks"]) - set(COMPOSE["networks"]), name
        for other, condition in service.get("depends_on", {}).items():
            # nginx looks addresses up once.
            again = {"restart": True} if name == "balancer" else {}
            assert {"condition": "service_healthy"} | again == condition
            assert "healthcheck" in SERVICES[other], f"{name} waits for {other}"
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert (DEPLOY / source).is_file() if source.startswith("./") else source in COMPOSE["volumes"], name


def test_every_service_says_whether_it_is_well() -> None:
    for name, service in SERVICES.items():
        check = service["healthcheck"]
        assert {key: type(value) for key, value in check.items()} == HEALTHCHECK, name
        assert check["test"][0] in {"CMD", "CMD-SHELL"}
        assert all(re.fullmatch(r"[0-9]+s", check[key]) for key in ("interval", "timeout", "start_period"))
    checked = {name: service["healthcheck"]["test"][-1] for name, service in SERVICES.items()}
    assert all("/health'" in checked[f"agent-{number}"] for number in (1, 2))
    assert all("/ready'" in checked[f"gateway-{number}"] for number in (1, 2))


def test_all_processes_get_a_key_and_a_way_out_where_alerts_are_sent() -> None:
    (text,) = re.findall(r"```yaml\n(x-alerts:.*?)```", (ROOT / "docs" / "deployment.md").read_text(), re.DOTALL)
    added: dict[str, Any] = YAML(typ="safe", pure=True).load(text)["services"]
    assert sorted(added) == OURS
    for service in added.values():
        assert service["networks"] == list(COMPOSE["networks"])
        assert service["volumes"] == [f"./alert.key:{service['environment']['VIVIENNE_ALERT_KEY']}:ro"]
        assert boot([], {**FILLED, **service["environment"]}).alert_key_at == Path("/run/alert.key")


def test_only_the_balancer_can_be_reached_and_unless_asked_only_from_this_machine() -> None:
    assert {"balancer"} == {name for name, service in SERVICES.items() if "ports" in service}
    assert {"balancer"} == {name for name, service in SERVICES.items() if "outside" in service["networks"]}
    assert {"internal": True} == COMPOSE["networks"]["inside"]
    (port,) = SERVICES["balancer"]["ports"]
    assert "127.0.0.1:8000:8080" == interpolated(port, {}) == interpolated(port, FILLED)


def test_no_secret_is_in_it_and_it_does_not_start_without_them() -> None:
    text = (DEPLOY / "compose.yaml").read_text()

    for name in ("POSTGRES_PASSWORD", "REDIS_PASSWORD"):
        assert "" == EXAMPLE[name]
        assert set(re.findall(rf"\$\{{{name}[^}}]*\}}", text)) == {f"${{{name}:?set it in .env}}"}
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            if re.search("PASSWORD|AUTH", key):
                assert re.fullmatch(r"\$\{[A-Z]+_PASSWORD:\?set it in \.env\}", value), key


def test_the_example_has_every_variable_and_no_other() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text()))

    assert used == set(EXAMPLE)


@pytest.mark.parametrize("name", OURS)
def test_the_settings_of_every_process_go_together(name: str) -> None:
    environment = {key: interpolated(value, FILLED) for key, value in SERVICES[name]["environment"].items()}

    started = boot([], environment)

    assert name.partition("-")[0] == started.role
    assert ("BTC", "ETH", "SOL") == started.assets
    assert "redis://:two@redis:6379/0" == started.redis
    assert "one" == environment["PGPASSWORD"]
    assert "one" not in str(started.db)


def test_every_process_starts_and_becomes_healthy_as_the_document_says(database: str, redis: RunningRedis) -> None:
    """With the settings of the image and of the file, but addresses and ports of this machine."""
    here = {"VIVIENNE_DB": database, "VIVIENNE_REDIS": redis.url, "VIVIENNE_PORT": "0"}

    def environment(name: str) -> dict[str, str]:
        of_service = {key: interpolated(value, FILLED) for key, value in SERVICES[name]["environment"].items()}
        return {**image_environment(), **of_service, **here}

    ((_, _, service, *create), *_) = documented("docker compose run ")
    refused = run_program("serve", environment=environment(service))
    assert 2 == refused.returncode
    assert "there is no token" in refused.stderr
    made = run_program(*create, environment=environment(service))
    assert 0 == made.returncode, made.stderr
    headers = bearer(made.stdout.strip())
    with ExitStack() as open_:
        for name in OURS[:3]:
            server = open_.enter_context(RunningServer(db=database, environment=environment(name)))
            eventually(lambda: is_healthy(SERVICES[name]["healthcheck"]["test"][1:], server.port))  # noqa: B023
        gateway = server
        eventually(lambda: "ready" == gateway.http.get(f"{gateway.url}/ready", headers=headers).json()["status"])
        assert 401 == gateway.get("/phoenix/assets").status_code


def test_redis_takes_no_value_that_would_fill_the_memory() -> None:
    command = SERVICES["redis"]["command"]
    with RunningRedis(*command[1 : command.index("--requirepass")]) as redis:
        redis.client.xadd("vivienne:control:stream", {"message": "x" * 1_000_000})
        with pytest.raises(RedisError):
            redis.client.xadd("vivienne:control:stream", {"message": "x" * 17_000_000})


def test_the_agents_decide_every_asset_once() -> None:
    assert ["agent-1", "agent-2", "gateway-1", "gateway-2"] == OURS
    shards = [SERVICES[name]["environment"]["VIVIENNE_SHARD"] for name in OURS[:2]]

    assert ["1/2", "2/2"] == shards
