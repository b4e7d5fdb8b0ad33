from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from vivienne.cluster.heartbeats import ALIKE
from vivienne.commands.serve import _leave_to_agents, serve
from vivienne.errors import SettingsError
from vivienne.market.timeframe import Timeframe
from vivienne.settings.boot import Boot
from vivienne.settings.parsing import data_folder, exchange_url
from vivienne.store.address import PostgresUrl


def test_without_anything_it_is_the_simulated_market_of_three_assets() -> None:
    boot = Boot.read()

    assert (boot.assets, dict(boot.files), boot.speed) == (("BTC", "ETH", "SOL"), {}, 60.0)
    assert (boot.host, boot.port, boot.timeframe) == ("localhost", 8000, Timeframe.M15)


def test_the_users_data_folder_is_where_xdg_data_home_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    assert data_folder() == tmp_path / "vivienne"
    assert Boot.read().db == tmp_path / "vivienne" / "vivienne.db"


def test_a_user_without_a_name_and_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(number: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {number}")

    monkeypatch.setattr("pwd.getpwuid", unknown)
    for name in ("HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(SettingsError, match=r"no home folder .* --db, or a folder in XDG_DATA_HOME"):
        Boot.read()
    with pytest.raises(SettingsError, match="give the path without ~"):
        Boot.read(db="~/v.db")
    with pytest.raises(SettingsError, match="give the path without ~"):
        Boot.read(feed="replay", data=("BTC=~/btc.csv",))
    assert Path("/data/v.db") == Boot.read(db="/data/v.db").db


@pytest.mark.parametrize("value", [None, "", "relative/folder"])
def test_without_an_absolute_xdg_data_home_it_is_the_usual_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str | None
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    if value is None:
        monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    else:
        monkeypatch.setenv("XDG_DATA_HOME", value)

    assert data_folder() == tmp_path / ".local" / "share" / "vivienne"


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    boot = Boot.read(db="~/v.db", feed="replay", data=("BTC=~/a.csv",))

    assert boot.db == tmp_path / "v.db"
    assert boot.files == {"BTC": [tmp_path / "a.csv"]}


def test_a_database_is_a_file_or_the_address_of_a_postgresql_one() -> None:
    assert Boot.read(db="some/postgresql.db").db == Path("some/postgresql.db")

    url = Boot.read(db="postgresql://ann:s3cret@db.example/v").db
    assert isinstance(url, PostgresUrl)
    assert (url.uri, str(url)) == ("postgresql://ann:s3cret@db.example/v", "postgresql://***@db.example/v")


def test_a_database_is_the_file_that_links_lead_to(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link.db").symlink_to(tmp_path / "v.db")
    (tmp_path / "circle.db").symlink_to(tmp_path / "circle.db")

    assert tmp_path / "v.db" == Boot.read(db=str(tmp_path / "folder" / "link.db")).db
    with pytest.raises(SettingsError, match="circle"):
        Boot.read(db=str(tmp_path / "circle.db"))


def test_the_record_is_beside_the_configuration_elsewhere_or_nowhere() -> None:
    url = "postgresql://ann@db.example/v"
    assert Boot.read(db="some/btc.db").record_at == Path("some/btc-record.db")
    assert Boot.read(db=url).record_at == PostgresUrl.read(url)
    assert Boot.read(db=url, record="r.db", keep="30d").record_at == Path("r.db")
    assert Boot.read(record="off").record_at is None
    for wrong, said in (("v.db", "another file than --db"), (url, "--record is a file or off")):
        with pytest.raises(SettingsError, match=said):
            Boot.read(db="v.db", record=wrong)


def test_assets_are_upper_case_and_each_is_there_once() -> None:
    assert Boot.read(assets=" btc, ETH ,btc,,sol").assets == ("BTC", "ETH", "SOL")


def test_assets_may_be_named_as_exchanges_name_them() -> None:
    names = ("BTC/USDT", "BTC-PERP", "BTC/USDT:USDT-240628", "1000SHIB_USDT", "BRK.B")
    assert Boot.read(assets=",".join(names)).assets == names
    caps = Boot.read(feed="replay", data=("btc/usdt=a.csv",), max_position_size="25,BTC/USDT=10").caps
    assert caps.of("BTC/USDT") == 10


@pytest.mark.parametrize(
    ("given", "flag"),
    [({"assets": "BTC USDT"}, "--assets"), ({"feed": "replay", "data": ("BTC USDT=a.csv",)}, "--data")],
)
def test_a_name_that_is_not_valid_is_said_with_its_option_and_the_rule(given: dict[str, Any], flag: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Boot.read(**given)
    assert str(refused.value).startswith(f"{flag}: 'BTC USDT' is not a valid asset name; use letters and digits, with")


def test_files_of_an_asset_keep_their_order_and_name_the_assets() -> None:
    boot = Boot.read(feed="replay", data=("btc=b.csv", "ETH=e.csv", "BTC=a.csv"))

    assert boot.files == {"BTC": [Path("b.csv"), Path("a.csv")], "ETH": [Path("e.csv")]}
    assert boot.assets == ("BTC", "ETH")


def test_a_path_may_have_an_equals_sign() -> None:
    boot = Boot.read(feed="replay", data=("BTC=folder=x/a.csv",))

    assert boot.files == {"BTC": [Path("folder=x/a.csv")]}


@pytest.mark.parametrize(("text", "speed"), [("1", 1.0), ("0.5", 0.5), ("1e6", 1e6), ("max", None)])
def test_a_speed_is_a_factor_or_max(text: str, speed: float | None) -> None:
    assert Boot.read(feed="replay", data=("BTC=a.csv",), speed=text).speed == speed


@pytest.mark.parametrize("window", [1_500, 20_000])
def test_a_window_may_be_at_its_bounds(window: int) -> None:
    assert Boot.read(window=window).window == window


@pytest.mark.parametrize(
    "settings",
    [
        {"assets": "BTC;ETH"},
        {"assets": "BTC,Ä"},
        {"assets": "B" * 33},
        {"assets": "BTC/"},
        {"assets": "/BTC"},
        {"assets": "BTC//USDT"},
        {"assets": "../BTC"},
        {"assets": "BTC/../X"},
        {"assets": "-BTC"},
        {"speed": ""},
        {"speed": "inf"},
        {"speed": "1000001"},
        {"speed": "max"},
        {"window": 1_499},
        {"window": 20_001},
        {"seed": -1},
        {"seed": 2**32},
        {"price_interval": 0.0},
        {"price_interval": float("nan")},
        {"price_interval": float("inf")},
        {"db": "postgresql://ann@bob@db.example/v"},
        {"port": -1},
        {"port": 65_536},
        {"feed": "replay"},
        {"data": ("BTC=a.csv",)},
        {"feed": "replay", "data": ("a.csv",)},
        {"feed": "replay", "data": ("BTC,ETH=a.csv",)},
        {"feed": "replay", "data": ("BTC=a.csv",), "assets": "BTC,ETH"},
    ],
)
def test_a_wrong_setting_is_refused_with_its_flag(settings: dict[str, object]) -> None:
    with pytest.raises(SettingsError) as refused:
        Boot.read(**settings)

    name = list(settings)[-1].replace("_", "-")
    assert f"--{name}" in str(refused.value)


def test_boot_settings_cannot_be_changed() -> None:
    boot = Boot.read()

    with pytest.raises(AttributeError):
        boot.port = 1  # type: ignore[misc]  # that is the point


SHARED: dict[str, Any] = {"redis": "redis://localhost", "db": "postgresql://vivienne@localhost/vivienne"}
BEGIN = "2026-01-31T08:00Z"


def test_an_agent_has_its_share_and_knows_when_its_market_began() -> None:
    boot = Boot.read(role="agent", shard="2/3", market_begin=BEGIN, **SHARED)

    assert ("agent", "2/3", 1_769_846_400.0) == (boot.role, str(boot.shard), boot.market_begin)


def test_a_gateway_needs_no_market() -> None:
    assert "gateway" == Boot.read(role="gateway", **SHARED).role


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"shard": "1/2"}, "--shard goes with --role agent"),
        ({"role": "gateway", "redis": "redis://localhost"}, "--role gateway needs --db postgresql://"),
        ({"role": "gateway", **SHARED, "redis": ""}, "--role gateway needs --redis"),
        ({"role": "agent", **SHARED, "db": "v.db"}, "a SQLite file is for one process"),
        ({"role": "agent", **SHARED}, "--role agent needs --market-begin, the same for all agents"),
        ({"role": "agent", **SHARED, "market_begin": BEGIN, "shard": "3/2"}, "as in 1/2 for the first of two"),
        ({"market_begin": "yesterday"}, "as in 2026-01-31T08:00Z, not 'yesterday'"),
        ({"market_begin": "2026-01-31T08:00"}, "a time with its zone"),
        (
            {"role": "gateway", **SHARED, "feed": "replay", "data": ("BTC=a.csv",)},
            "a gateway reads no market data, it needs --assets",
        ),
    ],
)
def test_roles_that_lack_something_say_what(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(sentence)):
        Boot.read(**settings)


def test_a_name_at_the_exchange_of_an_asset_that_is_not_followed_is_refused() -> None:
    given: dict[str, Any] = {"feed": "exchange", "exchange": "kraken", "assets": "BTC,ETH"}
    assert Boot.read(**given, symbol=("eth=ETH/EUR",)).symbols == {"ETH": "ETH/EUR"}
    with pytest.raises(SettingsError, match=r"--symbol BCT=\.\.\.: BCT is not among --assets BTC,ETH"):
        Boot.read(**given, symbol=("BCT=XBT/EUR",))


def test_two_names_at_the_exchange_of_one_asset_are_refused() -> None:
    given: dict[str, Any] = {"feed": "exchange", "exchange": "kraken", "assets": "BTC,ETH"}
    with pytest.raises(SettingsError, match="--symbol names BTC twice, XBT/USD and XBT/EUR; give one"):
        Boot.read(**given, symbol=("BTC=XBT/USD", "btc=XBT/EUR"))


@pytest.mark.parametrize("address", ["HTTP://Exchange.example:8000/", "hTTps://EXCHANGE.example"])
def test_an_address_of_an_exchange_may_be_in_any_case(address: str) -> None:
    assert exchange_url(address) == address.lower().rstrip("/")


def test_an_address_of_an_exchange_with_a_password_is_refused_without_it() -> None:
    with pytest.raises(SettingsError, match="--exchange-url: the address must be a scheme and a host alone") as error:
        exchange_url("https://ana:s3cret@host")
    assert "s3cret" not in str(error.value)


def test_a_gateway_ignores_what_the_environment_of_all_processes_says_to_agents(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared = {**SHARED, "assets": "BTC,ETH", "feed": "replay", "data": "BTC=a.csv", "market_begin": BEGIN}
    for name, value in {**shared, "max_position_size": "25,BTC=10"}.items():
        monkeypatch.setenv(f"VIVIENNE_{name.upper()}", value)

    def boot(*flags: str) -> Boot:
        context = serve.make_context("serve", list(flags))
        _leave_to_agents(context)
        return Boot.read(**context.params)

    assert ("gateway", "100", {}) == ((found := boot("--role", "gateway")).role, str(found.caps), found.files)
    with pytest.raises(SettingsError, match="BTC,ETH and --data for BTC differ"):  # an agent does not
        boot("--role", "agent")
    with pytest.raises(SettingsError, match="--max-position-size goes with --role agent"):
        boot("--role", "gateway", "--max-position-size", "5")


def test_what_all_agents_should_have_alike_is_known_to_gateways() -> None:
    feeds: tuple[dict[str, Any], ...] = ({}, {"feed": "exchange", "exchange": "kraken"}, {"feed": "push"})
    assert {flag for feed in feeds for flag in Boot.read(**feed).of_all_agents()} == ALIKE
    assert Boot.read(max_position_size="25,ETH=5,BTC=10").of_all_agents()["--max-position-size"] == "25,BTC=10,ETH=5"


def test_the_key_of_alert_rules_is_beside_the_database() -> None:
    assert Boot.read(db="/data/vivienne.db").alert_key_at == Path("/data/vivienne.db.key")
    assert Boot.read(db="/data/vivienne.db", alert_key="/keys/one").alert_key_at == Path("/keys/one")
    assert Boot.read(db="postgresql://desk@db.example/vivienne").alert_key_at is None


def test_alert_hosts_are_hosts() -> None:
    assert Boot.read(alert_hosts="127.0.0.1,bot.internal").alert_hosts.names == {"bot.internal"}
    with pytest.raises(SettingsError, match=r"--alert-hosts: 'http://bot' is not a host"):
        Boot.read(alert_hosts="127.0.0.1,http://bot")
