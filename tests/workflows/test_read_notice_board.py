"""The board of an order's notices: what is played and proposed, by whom and since when, within the reader's reach."""

from datetime import timedelta

import pytest

from gateway.audit.tags import Tag
from gateway.domain.errors import StaleVersionError
from gateway.domain.notice import Purpose
from gateway.domain.rights import InCourt, Role
from gateway.register.errors import UnknownEntryError
from gateway.workflows.hear_notice import COLUMNS
from gateway.workflows.office import Office
from gateway.workflows.propose_as_read import propose_as_read
from gateway.workflows.propose_notice import approve_notice, propose_notice
from gateway.workflows.publish_notice import Text
from gateway.workflows.read_notice_board import (
    demand_language,
    is_about_a_person,
    read_notice_board,
    read_rendition,
    template_words,
)
from tests.builders_office import (
    NOON,
    OTHER_COURT,
    a_draft,
    a_person,
    an_approved_order,
    an_errand,
)

CLERK, APPROVER = an_errand(), an_errand(Role.APPROVER)
WORDS, OTHERS = Text(text="Example Haulage owes a judgment debt."), Text(text="Something else is said.")
LATER = an_errand(at=NOON + timedelta(hours=1))


def test_what_is_played_comes_with_its_officers_its_version_and_its_picture(office: Office) -> None:
    order = an_approved_order(office)
    board = read_notice_board(office, order.order_id, CLERK)
    assert [each.purpose for each in board.played] == [Purpose.PUBLIC, Purpose.WARNING]
    public = board.played[0]
    assert (public.added_by, public.approved_by) == ("per_clerk", "per_approver")
    assert (public.approved_at, public.version) == (NOON, order.version)
    assert (len(public.peaks), public.sound is not None and public.sound.is_good) == (COLUMNS, True)
    assert (board.may_draft, board.may_approve) == (True, False)
    assert board.languages == ("en", "zh")
    assert not is_about_a_person(board)


def test_a_notice_that_was_approved_by_itself_names_who_proposed_and_who_approved_it(office: Office) -> None:
    order = an_approved_order(office)
    propose_notice(office, order.order_id, "zh", WORDS, an_errand(by="per_other", at=LATER.at))
    waiting = read_notice_board(office, order.order_id, CLERK).proposal_in("zh")
    assert waiting is not None
    assert (waiting.added_by, waiting.added_at, waiting.approved_by) == ("per_other", LATER.at, "")
    approve_notice(office, order.order_id, "zh", an_errand(Role.APPROVER, by="per_judge", at=LATER.at))
    board = read_notice_board(office, order.order_id, CLERK)
    by_language = {each.language: each for each in board.played if each.purpose is Purpose.PUBLIC}
    assert (by_language["zh"].added_by, by_language["zh"].approved_by) == ("per_other", "per_judge")
    # The other language was not touched: when it was approved is told as it was.
    assert by_language["en"].approved_at == NOON
    assert [each.tag for each in board.versions] == [Tag.NOTICE_APPROVED, Tag.NOTICE_PROPOSED, Tag.ORDER_APPROVED]


def test_seconds_beside_a_language_count_proposals_as_approved(office: Office) -> None:
    order = an_approved_order(office)
    board = read_notice_board(office, order.order_id, CLERK)
    (english,) = (each for each in board.played if each.purpose is Purpose.PUBLIC)
    assert board.seconds_beside("zh") == english.seconds
    assert board.seconds_beside("en") == 0
    propose_notice(office, order.order_id, "zh", WORDS, CLERK)
    board = read_notice_board(office, order.order_id, CLERK)
    assert board.seconds_beside("") == pytest.approx(2 * english.seconds, abs=0.05)


def test_a_persons_board_has_no_public_notice(office: Office) -> None:
    order = an_approved_order(office, subject=a_person())
    board = read_notice_board(office, order.order_id, CLERK)
    assert [each.purpose for each in board.played] == [Purpose.PRIVATE, Purpose.OPENER]
    assert (board.content, is_about_a_person(board)) == (Purpose.PRIVATE, True)
    assert "Jo Bloggs" not in template_words(office, board, "en")


def test_the_board_of_another_court_does_not_exist(office: Office) -> None:
    order = an_approved_order(office)
    foreign = an_errand(scope=InCourt(court_id=OTHER_COURT))
    board = read_notice_board(office, order.order_id, CLERK)
    for read in (
        lambda: read_notice_board(office, order.order_id, foreign),
        lambda: read_rendition(office, order.order_id, board.played[0].rendition, foreign),
        lambda: read_notice_board(office, "ord_nothing", CLERK),
    ):
        with pytest.raises(UnknownEntryError):
            read()


def test_an_earlier_sound_stays_to_be_heard_and_another_orders_does_not(office: Office) -> None:
    order, other = an_approved_order(office), a_draft(office, case_number="2026-CV-8")
    first = propose_notice(office, order.order_id, "en", WORDS, CLERK).part.rendition.mulaw
    propose_notice(office, order.order_id, "en", OTHERS, CLERK)
    assert read_rendition(office, order.order_id, first, CLERK).startswith(b"RIFF")
    for order_id, rendition in ((other.order_id, first), (order.order_id, "0" * 64)):
        with pytest.raises(UnknownEntryError):
            read_rendition(office, order_id, rendition, CLERK)


def test_only_languages_with_a_wording_or_a_place_in_the_order_can_be_proposed(office: Office) -> None:
    board = read_notice_board(office, a_draft(office).order_id, CLERK)
    demand_language(board, "zh")
    with pytest.raises(UnknownEntryError):
        demand_language(board, "xx")
    assert template_words(office, board, "xx") == ""


def test_a_proposal_is_not_replaced_by_who_has_not_seen_it(office: Office) -> None:
    order = an_approved_order(office)
    read = read_notice_board(office, order.order_id, CLERK).order.version
    propose_as_read(office, order.order_id, "en", WORDS, CLERK, expected=read)
    with pytest.raises(StaleVersionError):
        propose_as_read(office, order.order_id, "en", OTHERS, LATER, expected=read)
    now = read_notice_board(office, order.order_id, CLERK).order.version
    propose_as_read(office, order.order_id, "en", OTHERS, LATER, expected=now)
    propose_as_read(office, order.order_id, "en", WORDS, LATER, expected=None)
