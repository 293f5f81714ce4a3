from pathlib import Path

import pytest

from gateway.domain.e164 import E164
from gateway.domain.errors import GatewayError
from gateway.domain.facts import Opaque, SipUri, Telephone
from gateway.domain.route import InvalidRouteError, RouteLoopError, Routes
from gateway.settings import DEMO_TOKEN, Settings, SettingsError, load

LINE = E164("+12025550110")


@pytest.mark.parametrize(
    "origin",
    ["", "gateway.example.org", "ftp://x", "https://x/path", "https://user:pass@x", "https://x:port", "https://x?q=1"],
)
def test_an_origin_with_more_or_less_than_an_origin_is_refused(origin: str) -> None:
    with pytest.raises(SettingsError, match="NOTICE_GATEWAY_PUBLIC_ORIGIN"):
        load(public_origin=origin)


def test_a_relative_data_folder_is_made_absolute_once_for_all_who_use_it() -> None:
    # Flask sends files from a relative path as if it began at the package.
    settings = load(data_dir="var")
    assert settings.data_dir == Path.cwd() / "var"
    assert settings.renditions_dir.is_absolute()


def test_a_trailing_slash_is_no_path() -> None:
    assert load(public_origin="https://gateway.example.org/").public_origin == "https://gateway.example.org"


def test_the_public_token_opens_the_demo_and_nothing_else(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert not settings.twilio_tokens
    settings.demo_mark.touch()
    assert list(settings.twilio_tokens) == [DEMO_TOKEN]
    assert load(data_dir=tmp_path, twilio_auth_token="own", twilio_auth_token_secondary="old").twilio_tokens == (
        "own",
        "old",
    )


def test_secrets_do_not_show(tmp_path: Path) -> None:
    assert "hush" not in repr(
        load(data_dir=tmp_path, twilio_auth_token="hush", master_key="hush", metrics_token="hush")
    )


def test_a_configuration_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "routes.toml").write_text("default = ", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"routes\.toml"):
        load(config_dir=tmp_path).routes()


def test_the_shipped_configuration_is_read() -> None:
    settings = load()
    assert settings.routes().default == "{line}"
    assert len(settings.bypass().callers) > 100


@pytest.mark.parametrize(
    "caller", ["911", "+1911", "112", "114", "122", "+86122", "12110", "988", "+1988", "999", "+44999", "+33114"]
)
def test_emergency_callers_that_public_tables_miss_are_never_delayed(caller: str) -> None:
    assert load().bypass().urgency_of(caller).value == "never_delay"


def test_an_ordinary_caller_is_ordinary() -> None:
    assert load().bypass().urgency_of("+12025550188").value == "ordinary"


@pytest.mark.parametrize(
    ("routes", "destination"),
    [
        (Routes(), Telephone(number="+12025550110")),
        (Routes(default="sip:{line}@trunk.example.net"), SipUri(uri="sip:+12025550110@trunk.example.net")),
        (Routes(byoc_trunk="BY" + "0" * 32), Telephone(number="+12025550110", trunk_sid="BY" + "0" * 32)),
        (Routes(lines={"+12025550110": "+12025550910"}), Telephone(number="+12025550910")),
        (Routes(lines={"+12025550110": "sip:a@pbx.example.net"}), SipUri(uri="sip:a@pbx.example.net")),
        (Routes(lines={"+12025550111": "+12025550910"}), Telephone(number="+12025550110")),
    ],
)
def test_a_line_is_connected_where_the_table_says(routes: Routes, destination: Telephone | SipUri) -> None:
    assert routes.destination_of(LINE) == destination


def test_what_is_no_number_is_connected_as_it_came() -> None:
    routes = Routes(default="sip:{line}@trunk.example.net")
    assert routes.destination_of(Opaque("911")) == Telephone(number="911")
    assert routes.destination_of(Opaque("sip:1001@example.net")) == SipUri(uri="sip:1001@example.net")


@pytest.mark.parametrize(
    "lines",
    [
        {"+12025550110": "+12025550110"},
        {"+12025550110": "+12025550111", "+12025550111": "+12025550110"},
        {
            "+12025550110": "+12025550111",
            "+12025550111": "+12025550112",
            "+12025550112": "+12025550111",
        },
    ],
)
def test_a_table_that_leads_in_a_circle_is_refused(lines: dict[str, str]) -> None:
    with pytest.raises(RouteLoopError, match="->"):
        Routes(lines=lines)


@pytest.mark.parametrize(
    "wrong",
    [
        {"default": "nowhere"},
        {"default": "sip:no-host"},
        {"default": "sip:{line}@x.example?Header=1"},
        {"byoc_trunk": "BY1"},
        {"lines": {"12025550110": "+12025550910"}},
        {"lines": {"+12025550110": "pbx"}},
        {"lines": {"+12025550110": 'sip:"><Play>@x'}},
    ],
)
def test_a_route_that_leads_nowhere_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(GatewayError) as refused:
        Routes(**wrong)  # type: ignore[arg-type]  # (what a TOML file may hold)
    assert isinstance(refused.value, InvalidRouteError)


@pytest.mark.parametrize("url", ["", "s3://bucket", "s3://bucket/prefix", "s3://bucket/a/b/"])
def test_a_bucket_is_named_by_its_url(url: str, tmp_path: Path) -> None:
    assert load(data_dir=tmp_path, storage_url=url).storage_url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "bucket/prefix",
        "https://bucket.example.org",
        "s3://",
        "s3:///prefix",
        "s3://key:secret@bucket/prefix",
        "s3://bucket/../other",
        "s3://bucket//prefix",
        "s3://bucket/prefix?versionId=1",
        "file:///srv/renditions",
    ],
)
def test_what_names_no_bucket_is_refused_and_not_shown(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="NOTICE_GATEWAY_STORAGE_URL") as refused:
        load(data_dir=tmp_path, storage_url=url)
    assert "secret" not in str(refused.value)


def test_the_endpoint_of_a_storage_is_an_origin_or_nothing(tmp_path: Path) -> None:
    assert load(data_dir=tmp_path, storage_endpoint="https://objects.example.org/").storage_endpoint == (
        "https://objects.example.org"
    )
    assert load(data_dir=tmp_path).storage_endpoint == ""
    with pytest.raises(SettingsError, match="NOTICE_GATEWAY_STORAGE_ENDPOINT"):
        load(data_dir=tmp_path, storage_endpoint="objects.example.org")
