"""The settings page: secrets masked, findings with their cures, for who answers for the whole gateway; and quick."""

import shutil
from dataclasses import replace
from threading import Event, Thread

import pytest
from pydantic import SecretStr

from gateway.clock import utc_now
from gateway.console.app import make_console
from gateway.console.cookies import session_cookie
from gateway.domain.rights import Everywhere, NotAllowedError, Role
from gateway.workflows.change import Errand, at_the_command_line
from gateway.workflows.examine import Verdict, examine_database, examine_renditions
from gateway.workflows.read_installation import read_installation
from tests.console.scene import COMPILED, LAKESIDE, Console, text_of
from tests.people.desks import an_actor, role

CANARY = "c4n4ry-0f-4-s3cr3t"


def test_every_setting_is_shown_and_no_secret_is(sqlite_console: Console) -> None:
    desk = sqlite_console.desk
    secret = desk.settings.model_copy(
        update={"oidc_client_secret": SecretStr(CANARY), "database_url": f"postgresql://court:{CANARY}@db/register"}
    )
    client = make_console(replace(desk, settings=secret), compiled=COMPILED).test_client()
    client.set_cookie(session_cookie(desk), sqlite_console.somebody(Role.ADMINISTRATOR, scope=Everywhere()).token)
    page = client.get("/console/settings")
    assert page.status_code == 200
    assert CANARY not in page.text
    text = text_of(page)
    assert "NOTICE_GATEWAY_OIDC_CLIENT_SECRET Set, and not shown" in text
    assert "postgresql://court:***@db/register" in text


def test_the_findings_stand_there_with_their_cures(console: Console) -> None:
    text = text_of(console.somebody(Role.ADMINISTRATOR, scope=Everywhere()).get("/settings"))
    assert "auth token Take a look the demo's public token set NOTICE_GATEWAY_TWILIO_AUTH_TOKEN" in text
    assert "renditions Good 7 living orders looked through" in text
    assert "voice en Good there is one; it was not tried" in text


def test_each_voice_speaks_where_that_is_asked_for(sqlite_console: Console) -> None:
    text = text_of(sqlite_console.somebody(Role.ADMINISTRATOR, scope=Everywhere()).get("/settings?voices=1"))
    assert "voice en Good spoke for" in text


def test_whether_the_signature_works_is_told_where_somebody_can_tell(sqlite_console: Console) -> None:
    desk = sqlite_console.desk
    token = sqlite_console.somebody(Role.ADMINISTRATOR, scope=Everywhere()).token
    client = make_console(replace(desk, signature_works=lambda: False), compiled=COMPILED).test_client()
    client.set_cookie(session_cookie(desk), token)
    text = text_of(client.get("/console/settings"))
    assert "signature To be mended" in text
    assert text.index("signature") < text.index("auth token")


def test_a_courts_own_administrator_does_not_see_the_whole_installation(sqlite_console: Console) -> None:
    reader = sqlite_console.somebody(Role.ADMINISTRATOR, scope=LAKESIDE)
    assert reader.get("/settings").status_code == 403
    assert 'href="/console/settings"' not in reader.get("/account").text
    all_over = sqlite_console.somebody(Role.ADMINISTRATOR, scope=Everywhere())
    assert 'href="/console/settings"' in all_over.get("/account").text


@pytest.mark.parametrize("held", [role(Role.OPERATOR, Everywhere()), role(Role.ADMINISTRATOR, LAKESIDE)])
def test_the_workflow_itself_refuses_who_does_not_answer_for_the_whole(sqlite_console: Console, held: object) -> None:
    desk = sqlite_console.desk
    errand = Errand(actor=an_actor(held), at=utc_now())  # type: ignore[arg-type]
    with pytest.raises(NotAllowedError):
        read_installation(desk.settings, desk.office, errand, None, voices=False)


def test_looking_waits_for_no_writer_and_keeps_none_waiting(sqlite_console: Console) -> None:
    desk = sqlite_console.desk
    written, looked = Event(), Event()

    def write() -> None:
        with desk.office.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE courts SET version = version + 1")
            written.set()
            assert looked.wait(20)

    writer = Thread(target=write)
    writer.start()
    assert written.wait(20)
    found = read_installation(desk.settings, desk.office, at_the_command_line(utc_now()), None, voices=False)
    looked.set()
    writer.join(20)
    assert not any(each.verdict is Verdict.BAD for each in found.findings)


def test_few_orders_are_opened_however_many_there_are_and_all_are_counted(console: Console) -> None:
    office = console.desk.office
    (_schema, keys) = examine_database(office.reading.engine, office.keys, most=3)
    assert keys.found.endswith("opens the 3 orders that were looked at, of 9")
    studio = replace(office.studio, engine=office.reading.engine)
    (found,) = examine_renditions(studio, utc_now(), most=2)
    assert found.found == "2 of 7 living orders looked through"


def test_few_of_many_orders_without_files_are_named(sqlite_console: Console) -> None:
    office = sqlite_console.desk.office
    shutil.rmtree(sqlite_console.desk.settings.renditions_dir)
    studio = replace(office.studio, engine=office.reading.engine)
    bounded, every = (list(examine_renditions(studio, utc_now(), most=each)) for each in (500, None))
    assert [each.found for each in sorted(bounded, key=str)] == [each.found for each in sorted(every, key=str)]
    assert sum(each.verdict is Verdict.BAD for each in every) == 7
