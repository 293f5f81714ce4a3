"""What the console shows of an installation: every setting and no secret, and the doctor's findings."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from gateway.assembly import Parts
from gateway.clock import utc_now
from gateway.settings import Settings, load
from gateway.workflows.doctor import MASK, examine_gateway, settings_shown
from gateway.workflows.examine import Verdict
from tests.conftest import a_studio

CANARY = "c4n4ry-0f-4-s3cr3t"
SECRET = sorted(name for name, each in Settings.model_fields.items() if "SecretStr" in str(each.annotation))


def values(settings: Settings) -> dict[str, str]:
    return {each.name: each.value for each in settings_shown(settings)}


@pytest.mark.parametrize("name", SECRET)
def test_no_secret_is_shown_and_that_it_is_set_is(tmp_path: Path, name: str) -> None:
    before = settings_shown(Settings(data_dir=tmp_path))
    after = settings_shown(load(data_dir=tmp_path, **{name: SecretStr(CANARY)}))
    assert CANARY not in "".join(f"{each}{each.value}" for each in after)
    (row,) = (each for each in after if each.name == name)
    assert (row.value, row.is_secret, row.is_default) == (MASK, True, False)
    (row,) = (each for each in before if each.name == name)
    assert (row.value, row.is_secret, row.is_default) == ("", True, True)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            f"postgresql://court:{CANARY}@db.example.org:5432/register",
            "postgresql://court:***@db.example.org:5432/register",
        ),
        (f"postgresql://court:p/{CANARY}@db.example.org/register", "postgresql://court:***@db.example.org/register"),
        (
            f"postgresql://db.example.org/register?user=court&password={CANARY}",
            "postgresql://db.example.org/register?password=***&user=***",
        ),
        (
            f"postgresql+psycopg://{CANARY.encode().hex()}:{CANARY}@/register?host=/run/postgresql",
            f"postgresql+psycopg://{CANARY.encode().hex()}:***@/register?host=***",
        ),
        ("sqlite:////srv/gateway/register.sqlite3", "sqlite:////srv/gateway/register.sqlite3"),
    ],
)
def test_the_address_of_the_database_is_shown_without_its_password(tmp_path: Path, url: str, shown: str) -> None:
    assert values(Settings(data_dir=tmp_path, database_url=url))["database_url"] == shown


def test_every_setting_is_shown_with_the_variable_that_sets_it(tmp_path: Path) -> None:
    rows = settings_shown(Settings(data_dir=tmp_path, ring_seconds=45))
    assert [each.name for each in rows] == list(Settings.model_fields)
    assert {each.variable for each in rows} >= {"NOTICE_GATEWAY_DATA_DIR", "NOTICE_GATEWAY_OIDC_CLIENT_SECRET"}
    assert [each.name for each in rows if not each.is_default] == ["data_dir", "ring_seconds"]
    assert values(Settings(data_dir=tmp_path, ring_seconds=45))["ring_seconds"] == "45"


@pytest.mark.parametrize("works", [True, False])
def test_the_findings_are_values_with_a_cure_for_whatever_is_not_good(parts: Parts, *, works: bool) -> None:
    found = tuple(examine_gateway(parts.settings, a_studio(parts), lambda: works, utc_now()))
    verdicts = {each.subject: each.verdict for each in found}
    assert verdicts["signature"] is (Verdict.GOOD if works else Verdict.BAD)
    assert {verdicts[name] for name in ("settings", "schema", "keys", "renditions", "bypass list")} == {Verdict.GOOD}
    assert all(each.cure for each in found if each.verdict is not Verdict.GOOD)
