"""Notices in the console: heard as the telephone plays them, proposed as text, approved by a second officer."""

from typing import Any

import pytest
from lxml import html
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from gateway.audit.tables import trail
from gateway.audit.tags import Tag
from gateway.clock import utc_now
from gateway.domain.notice import Purpose
from gateway.domain.rights import Everywhere, InCourt, Role
from gateway.register.proposals import Proposal
from gateway.workflows.change import at_the_command_line
from gateway.workflows.end_order import lift_order
from gateway.workflows.hear_notice import PER_MINUTE
from gateway.workflows.read_orders import SpokenNotices, read_notices
from tests.console.scene import Console, Reader, errors_of, text_of

WORDS = "Example Trading owes a judgment debt."
TEXT, RECORDING, APPROVE = "en/text", "en/recording", "en/approve"


def an_order(console: Console) -> str:
    """Have an order about an organisation approved in Lakeside, and return its id."""
    return console.registry.an_approved_order("lakeside", district="lakeside-north")


def an_order_of_a_person(console: Console) -> str:
    person = {"kind": "natural_person", "name": "Canary Person"}
    return console.registry.an_approved_order("lakeside", district="lakeside-north", subject=person)


def parsed(page: TestResponse) -> Any:  # noqa: ANN401  (lxml's trees are of many types)
    return html.fromstring(page.text)


def of(order_id: str, rest: str = "") -> str:
    return f"/orders/{order_id}/notices" + (f"/{rest}" if rest else "")


def spoken(console: Console, order_id: str) -> SpokenNotices:
    return read_notices(console.desk.office, order_id, at_the_command_line(utc_now()))


def proposed(console: Console, order_id: str) -> list[Proposal]:
    return list(spoken(console, order_id).proposed)


def told(console: Console, order_id: str, tag: Tag) -> int:
    """Return how often the trail has an entry of an order."""
    with console.desk.office.engine.connect() as connection:
        count = select(func.count()).where(trail.c.subject_id == order_id, trail.c.tag == tag.value)
        return int(connection.execute(count).scalar_one())


def sources_of(reader: Reader, path: str) -> list[str]:
    """Return where the sounds of a page are heard from, below /console."""
    page = parsed(reader.get(path))
    return [str(each).removeprefix("/console") for each in page.xpath("//audio/@src")]


@pytest.fixture
def here(sqlite_console: Console) -> Console:
    """A console over the demo on SQLite alone."""
    return sqlite_console


def test_a_page_tells_what_is_played_by_whom_it_was_made_and_how_it_sounds(console: Console) -> None:
    order_id, clerk = an_order(console), console.somebody(Role.CLERK)
    text = text_of(clerk.get(of(order_id)))
    assert "Example Trading Ltd has not complied with a court order" in text
    assert "All languages together: 1.0 s of at most 20.0 s." in text
    assert "1.0 s of at most 20.0 s: good." in text
    assert "dBFS is wanted: good." in text
    assert "Version 3 of the order" in text
    assert "Made by Somebody. Approved by Somebody" in text
    assert "callers never hear anything" not in text


def test_the_sound_is_the_very_file_that_the_telephone_plays_whole_or_in_ranges(console: Console) -> None:
    order_id, auditor = an_order(console), console.somebody(Role.AUDITOR)
    public, warning = sources_of(auditor, of(order_id))
    (part,) = spoken(console, order_id).played[Purpose.PUBLIC]
    path = console.desk.office.studio.library.path_of(part.rendition.mulaw, "wav")
    assert path is not None
    whole = auditor.get(public)
    assert (whole.status_code, whole.mimetype, whole.data) == (200, "audio/wav", path.read_bytes())
    assert whole.headers["Cache-Control"] == "no-store"
    piece = auditor.client.get("/console" + public, headers={"Range": "bytes=100-299"})
    assert (piece.status_code, piece.data) == (206, whole.data[100:300])
    assert piece.headers["Cache-Control"] == "no-store"
    assert auditor.get(warning).data != whole.data


def test_pictures_are_told_to_who_does_not_see_them_and_carry_no_styles(here: Console) -> None:
    page = parsed(here.somebody(Role.CLERK).get(of(an_order(here))))
    pictures = page.xpath("//*[local-name()='svg' and @role='img']")
    assert len(pictures) == 2
    for picture in pictures:
        named = [page.get_element_by_id(each).text for each in picture.get("aria-labelledby").split()]
        assert named[0].startswith("Waveform: ")
        assert "dBFS" in named[1]
    assert page.xpath("//@style | //script[not(@src)]") == []


def test_a_text_is_proposed_by_one_officer_and_played_once_another_approved_it(console: Console) -> None:
    order_id, clerk, judge = an_order(console), console.somebody(Role.CLERK), console.somebody(Role.APPROVER)
    before = spoken(console, order_id).played
    sent = clerk.send(of(order_id, TEXT), text=WORDS)
    assert (sent.status_code, sent.headers["Location"]) == (303, f"/console{of(order_id, 'en/proposal')}")
    assert spoken(console, order_id).played == before
    (proposal,) = proposed(console, order_id)
    page = judge.get(of(order_id, "en/proposal"))
    assert WORDS in text_of(page)
    new, old = sources_of(judge, of(order_id, APPROVE))
    assert judge.get(new).data != judge.get(old).data
    assert judge.send(of(order_id, APPROVE)).headers["Location"] == f"/console{of(order_id)}"
    assert spoken(console, order_id).played[Purpose.PUBLIC] == (proposal.part,)
    assert proposed(console, order_id) == []
    after = text_of(clerk.get(of(order_id)))
    assert WORDS in after
    assert "Notice approved: Notice to callers, English" in after


def test_the_form_begins_with_what_is_proposed_or_played_and_the_template_is_near(here: Console) -> None:
    order_id, clerk = an_order(here), here.somebody(Role.CLERK)

    def begins_with(path: str) -> str:
        return str(parsed(clerk.get(path)).get_element_by_id("text").text_content()).strip()

    template = begins_with(of(order_id, TEXT))
    assert template.startswith("Notice from Lakeside County Court.")
    clerk.send(of(order_id, TEXT), text=WORDS)
    assert begins_with(of(order_id, TEXT)) == WORDS
    assert begins_with(of(order_id, TEXT) + "?words=template") == template
    assert "法院" in begins_with(of(order_id, "zh/text"))


def test_a_text_is_counted_while_it_is_typed_and_by_a_button_too(here: Console) -> None:
    order_id, clerk = an_order(here), here.somebody(Role.CLERK)
    long = "The court orders payment of the judgment debt. " * 12
    counted = clerk.send_as_seen(of(order_id, "en/count"), clerk.get(of(order_id, TEXT)), text=long)
    assert counted.status_code == 200
    assert "<html" not in counted.text
    assert f"{len(long)} characters (about 290 fit)" in counted.text
    assert "Too long" in counted.text
    checked = clerk.send(of(order_id, TEXT), text="Short.", check="1")
    assert checked.status_code == 200
    assert "6 characters (about 290 fit)" in text_of(checked)
    assert "Too long" not in text_of(checked)
    assert proposed(here, order_id) == []
    assert clerk.get(of(order_id, "en/count")).status_code == 303


def test_the_count_takes_the_other_languages_into_account(here: Console) -> None:
    order_id, clerk = an_order(here), here.somebody(Role.CLERK)
    text = text_of(clerk.get(of(order_id, "zh/text")))
    assert "All languages together" in text
    assert "All languages together" not in text_of(clerk.get(of(order_id, TEXT)))


def test_a_text_is_heard_before_it_is_proposed_and_leaves_nothing_behind(here: Console) -> None:
    order_id, clerk = an_order(here), here.somebody(Role.CLERK)
    heard = clerk.send(of(order_id, TEXT), text=WORDS, listen="1")
    assert heard.status_code == 200
    (source,) = parsed(heard).xpath("//audio/@src")
    assert source.startswith("data:audio/wav;base64,UklGR")
    assert "media-src 'self' blob: data:;" in heard.headers["Content-Security-Policy"]
    assert WORDS in heard.text
    assert proposed(here, order_id) == []
    assert clerk.send_as_seen(of(order_id, TEXT), heard, text=WORDS).status_code == 303
    assert len(proposed(here, order_id)) == 1


def test_who_listens_to_too_many_texts_is_told_in_the_form_and_keeps_what_was_typed(here: Console) -> None:
    order_id, clerk = an_order(here), here.somebody(Role.CLERK)
    page = clerk.get(of(order_id, TEXT))
    answers = [clerk.send_as_seen(of(order_id, TEXT), page, text=WORDS, listen="1") for _ in range(PER_MINUTE + 1)]
    assert [each.status_code for each in answers] == [200] * PER_MINUTE + [429]
    assert "many texts" in errors_of(answers[-1])[0]
    assert WORDS in answers[-1].text


def test_what_is_wrong_with_a_text_is_said_at_the_text(here: Console) -> None:
    order_id, clerk = an_order(here), here.somebody(Role.CLERK)
    for text, why in (("", "nothing that can be spoken"), ("...", "nothing that"), ("word " * 900, "at most 3000")):
        refused = clerk.send(of(order_id, TEXT), text=text)
        assert refused.status_code == 422
        assert why in errors_of(refused)[0]
        error = parsed(refused).get_element_by_id("text-error").text_content()
        assert why in error
        assert text.strip() in refused.text
    assert proposed(here, order_id) == []


def test_a_text_is_shown_as_text_whatever_is_in_it(here: Console) -> None:
    order_id, clerk = an_order(here), here.somebody(Role.CLERK)
    nasty = 'Pay now <script>alert("1")</script> & go'
    clerk.send(of(order_id, TEXT), text=nasty)
    page = clerk.get(of(order_id, "en/proposal"))
    assert "<script>alert" not in page.text
    assert "Pay now" in text_of(page)


def test_a_form_that_is_sent_twice_proposes_and_approves_once(console: Console) -> None:
    order_id, clerk, judge = an_order(console), console.somebody(Role.CLERK), console.somebody(Role.APPROVER)
    for reader, path, tag, fields in (
        (clerk, of(order_id, TEXT), Tag.NOTICE_PROPOSED, {"text": WORDS}),
        (judge, of(order_id, APPROVE), Tag.NOTICE_APPROVED, {}),
    ):
        page = reader.get(path)
        answers = [reader.send_as_seen(path, page, fields) for _ in range(2)]
        assert [each.status_code for each in answers] == [303, 303]
        assert answers[0].headers["Location"] == answers[1].headers["Location"]
        assert told(console, order_id, tag) == 1


def test_of_two_officers_who_write_at_once_the_second_is_shown_the_others_text_first(console: Console) -> None:
    order_id, one, two = an_order(console), console.somebody(Role.CLERK), console.somebody(Role.CLERK)
    read_by_two = two.get(of(order_id, TEXT))
    assert one.send(of(order_id, TEXT), text=WORDS).status_code == 303
    late = two.send_as_seen(of(order_id, TEXT), read_by_two, text="Another text.")
    assert late.status_code == 412
    assert "Another text." in late.text
    assert "Somebody proposed this while you were at it." in text_of(late)
    assert WORDS in text_of(late)
    assert [each.part.text for each in proposed(console, order_id)] == [WORDS]
    # Having seen it, the second may decide.
    assert two.send_as_seen(of(order_id, TEXT), late, text="Another text.").status_code == 303
    assert [each.part.text for each in proposed(console, order_id)] == ["Another text."]


def test_an_approval_is_of_what_was_heard_and_of_nothing_that_came_later(console: Console) -> None:
    order_id, clerk, judge = an_order(console), console.somebody(Role.CLERK), console.somebody(Role.APPROVER)
    clerk.send(of(order_id, TEXT), text=WORDS)
    heard = judge.get(of(order_id, APPROVE))
    clerk.send(of(order_id, TEXT), text="Another text.")
    late = judge.send_as_seen(of(order_id, APPROVE), heard)
    assert late.status_code == 412
    assert "Another text." in text_of(late)
    assert told(console, order_id, Tag.NOTICE_APPROVED) == 0
    assert judge.send_as_seen(of(order_id, APPROVE), late).status_code == 303


def test_who_proposed_a_notice_cannot_approve_it(here: Console) -> None:
    order_id, both = an_order(here), here.somebody(Role.CLERK, Role.APPROVER)
    both.send(of(order_id, TEXT), text=WORDS)
    page = both.get(of(order_id, "en/proposal"))
    assert "a second officer must approve it" in text_of(page)
    assert "/en/approve" not in page.text
    refused = both.send(of(order_id, APPROVE))
    assert refused.status_code == 409
    assert "cannot approve it too" in errors_of(refused)[0]


def test_a_draft_has_its_notice_approved_with_it(here: Console) -> None:
    order_id = here.registry.a_draft("lakeside", district="lakeside-north")
    clerk, judge = here.somebody(Role.CLERK), here.somebody(Role.APPROVER)
    assert "Nothing yet." in text_of(clerk.get(of(order_id)))
    clerk.send(of(order_id, TEXT), text=WORDS)
    assert "approves this notice with it" in text_of(judge.get(of(order_id, "en/proposal")))
    refused = judge.send(of(order_id, APPROVE))
    assert refused.status_code == 409
    assert "approve the order" in errors_of(refused)[0]


def test_a_natural_persons_order_says_that_callers_hear_nothing_of_it(here: Console) -> None:
    order_id, clerk = an_order_of_a_person(here), here.somebody(Role.CLERK)
    clerk.send(of(order_id, TEXT), text="Please contact the court.")
    for rest in ("", TEXT, RECORDING, "en/proposal"):
        text = text_of(clerk.get(of(order_id, rest)))
        assert "callers never hear anything of it" in text
        assert "Notice to callers" not in text
        assert "All languages together" not in text
    assert clerk.get(of(order_id, "en/public.wav")).status_code == 404


def test_another_courts_order_has_no_notices_and_no_sounds(console: Console) -> None:
    order_id, clerk = an_order(console), console.somebody(Role.CLERK)
    clerk.send(of(order_id, TEXT), text=WORDS)
    (proposal,) = proposed(console, order_id)
    console.registry.a_court("hillside")
    foreign = console.somebody(Role.CLERK, Role.APPROVER, scope=InCourt(court_id="hillside"))
    sounds = ("en/public.wav", "en/proposal.wav", f"versions/{proposal.part.rendition.mulaw}.wav")
    for rest in ("", TEXT, RECORDING, APPROVE, "en/proposal", *sounds):
        answer = foreign.get(of(order_id, rest))
        assert answer.status_code == 404, rest
        assert answer.mimetype == "text/html"
        assert WORDS not in answer.text
    for rest in sounds:
        assert clerk.get(of(order_id, rest)).status_code == 200


def test_an_earlier_version_is_heard_at_its_own_order_alone(here: Console) -> None:
    order_id, other, clerk = an_order(here), an_order(here), here.somebody(Role.CLERK)
    # The voice of the tests hums few pitches: what the other order happens to hum too is no proof.
    hummed = {part.rendition.mulaw for parts in spoken(here, other).played.values() for part in parts}
    first = next(iter(hummed))
    for word in ("one", "two", "three", "four"):
        if first in hummed:
            clerk.send(of(order_id, TEXT), text=f"{WORDS} {word}")
            first = proposed(here, order_id)[0].part.rendition.mulaw
    clerk.send(of(order_id, TEXT), text="Another text.")
    assert clerk.get(of(order_id, f"versions/{first}.wav")).status_code == 200
    assert clerk.get(of(other, f"versions/{first}.wav")).status_code == 404
    assert clerk.get(of(order_id, f"versions/{'0' * 64}.wav")).status_code == 404
    assert clerk.get(of(order_id, "versions/..%2F..%2Fkeys.wav")).status_code == 404


def test_each_page_is_open_to_who_has_the_right_alone(here: Console) -> None:
    order_id = an_order(here)
    here.somebody(Role.CLERK).send(of(order_id, TEXT), text=WORDS)
    for role, open_to, closed in (
        (Role.AUDITOR, ("", "en/proposal", "en/public.wav", "en/proposal.wav"), (TEXT, RECORDING, APPROVE)),
        (Role.CLERK, ("", "en/proposal", "en/public.wav", TEXT, RECORDING), (APPROVE,)),
        (Role.APPROVER, ("", "en/proposal", "en/public.wav", APPROVE), (TEXT, RECORDING)),
        (Role.OPERATOR, (), ("", "en/proposal", "en/public.wav", "en/proposal.wav", TEXT, RECORDING, APPROVE)),
    ):
        reader = here.somebody(role)
        assert [reader.get(of(order_id, rest)).status_code for rest in open_to] == [200] * len(open_to)
        assert [reader.get(of(order_id, rest)).status_code for rest in closed] == [403] * len(closed)
    assert here.anybody.get(f"/console{of(order_id, 'en/public.wav')}").status_code == 303


def test_who_drafts_in_another_court_alone_proposes_nothing_where_he_only_reads(here: Console) -> None:
    order_id = an_order(here)
    here.registry.a_court("hillside")
    somebody = here.somebody(Role.AUDITOR)
    both = here.somebody(Role.CLERK, scope=InCourt(court_id="hillside"))
    assert somebody.get(of(order_id, TEXT)).status_code == 403
    assert both.get(of(order_id, TEXT)).status_code == 404


def test_a_language_that_no_notice_can_have_is_nowhere(here: Console) -> None:
    order_id, clerk = an_order(here), here.somebody(Role.CLERK)
    for language in ("xx", "..", "%3Cscript%3E", "en_US"):
        for rest in ("text", "recording", "proposal"):
            answer = clerk.get(of(order_id, f"{language}/{rest}"))
            assert answer.status_code == 404
            assert "<script>" not in answer.text
    assert clerk.get(of(order_id, "en/proposal")).status_code == 404
    assert clerk.get(of(order_id, "en/nothing.wav")).status_code == 404


def test_an_order_that_is_over_is_heard_and_nothing_is_proposed_for_it(here: Console) -> None:
    order_id, clerk = an_order(here), here.somebody(Role.CLERK)
    page = clerk.get(of(order_id, TEXT))
    office = here.desk.office
    lift_order(office.engine, office.keys, order_id, at_the_command_line(utc_now()))
    shown = clerk.get(of(order_id))
    assert "nothing is played under it any more" in text_of(shown)
    assert "/en/text" not in shown.text
    late = clerk.send_as_seen(of(order_id, TEXT), page, text=WORDS, version="")
    assert late.status_code == 409
    assert "nothing can be proposed" in errors_of(late)[0]


def test_a_sound_whose_file_is_gone_is_said_and_costs_no_page(here: Console) -> None:
    order_id, clerk = an_order(here), here.somebody(Role.CLERK)
    for file in here.desk.office.studio.library.root.rglob("*.wav"):
        file.unlink()
    page = clerk.get(of(order_id))
    assert "The sound file is missing" in text_of(page)
    assert "<audio" not in page.text
    assert clerk.get(of(order_id, "en/public.wav")).status_code == 404


def test_the_pages_speak_the_readers_language_of_languages(here: Console) -> None:
    order_id, reader = an_order(here), here.somebody(Role.CLERK, scope=Everywhere())
    reader.client.set_cookie("language", "zh", path="/console")
    text = text_of(reader.get(of(order_id)))
    assert "英语" in text
    assert "中文" in text
