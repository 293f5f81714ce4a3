"""Notices: what is played under an order, what is proposed, hearing both, and approving as the second officer."""

from typing import Any

from flask import url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as Answer

from gateway.console import refusals
from gateway.console.form import ConsoleForm
from gateway.console.notice_card import Card, card, length_of_all, tongue
from gateway.console.page import Page, Visit, seen_at, shown
from gateway.console.sound_answer import sound_answer
from gateway.domain.errors import StaleVersionError
from gateway.domain.notice import Purpose
from gateway.domain.order import OrderState
from gateway.register.errors import UnknownEntryError
from gateway.workflows.hear_notice import Played, Proposed, hear
from gateway.workflows.propose_notice import approve_notice
from gateway.workflows.read_notice_board import (
    NoticeBoard,
    ShownNotice,
    demand_language,
    is_about_a_person,
    read_notice_board,
    read_rendition,
)

_OVER = {OrderState.LIFTED, OrderState.EXPIRED}


def show_notices(visit: Visit, order_id: str) -> Answer:
    """Show all notices of an order, by purpose and language."""
    board = read_notice_board(visit.desk.office, order_id, visit.errand, visit.desk.pictures)
    played = [_played(each, order_id) for each in board.played]
    own = [each.seconds for each in board.played if each.purpose is Purpose.PUBLIC]
    going = board.content is Purpose.PUBLIC and (board.played or board.proposed)
    return shown(
        "notices/list.html",
        **values_of(visit, board),
        played={purpose: [each for each in played if each.purpose is purpose] for purpose in _purposes(board)},
        proposed=[proposal_card(each, order_id) for each in board.proposed],
        now_together=length_of_all(sum(own)) if own else None,
        then_together=length_of_all(board.seconds_beside("")) if going and board.proposed else None,
    )


def show_proposal(visit: Visit, order_id: str, language: str) -> Answer:
    """Show what is proposed in one language, beside what is played in it now."""
    return shown("notices/proposal.html", **_proposal_values(visit, order_id, language), form=None)


def begin_approval(visit: Visit, order_id: str, language: str) -> dict[str, int]:  # noqa: ARG001  (all of the path is handed over)
    """Begin with the version of the order that is read now: what is approved is what was heard.

    A form that is sent twice comes here when there is no proposal any more, and is answered as it was the first time.
    """
    return {"version": read_notice_board(visit.desk.office, order_id, visit.errand, visit.desk.pictures).order.version}


def show_approval(visit: Visit, order_id: str, language: str, form: ConsoleForm) -> Answer:
    """Let the second officer hear the proposal, and ask whether it is to be played."""
    return shown("notices/approve.html", **_proposal_values(visit, order_id, language), form=form)


def send_approval(visit: Visit, order_id: str, language: str, form: ConsoleForm) -> Answer:
    """Approve the proposal; where it was changed meanwhile, let the officer hear what it says now."""
    try:
        approve_notice(visit.desk.office, order_id, language, visit.errand, expected=visit.expected)
    except StaleVersionError as error:
        form.refuse("", refusals.message_of(error))
        form.version.data = begin_approval(visit, order_id, language)["version"]
        answer = show_approval(visit, order_id, language, form)
        answer.status_code = refusals.status_of(error)
        return answer
    return seen_at("show_notices", order_id=order_id)


def get_notice_sound(visit: Visit, order_id: str, language: str, purpose: str) -> Answer:
    """Answer with exactly what the telephone plays."""
    purposes = {each.value: each for each in Purpose}
    if purpose not in purposes:
        raise UnknownEntryError(what="notice in", shown=language, cure="")
    which = Played(purpose=purposes[purpose], language=language)
    return sound_answer(hear(visit.desk.office, order_id, which, visit.errand).wav)


def get_proposal_sound(visit: Visit, order_id: str, language: str) -> Answer:
    """Answer with exactly what the telephone will play once the proposal is approved."""
    return sound_answer(hear(visit.desk.office, order_id, Proposed(language=language), visit.errand).wav)


def get_version_sound(visit: Visit, order_id: str, rendition: str) -> Answer:
    """Answer with what was proposed or played under the order at some time."""
    return sound_answer(read_rendition(visit.desk.office, order_id, rendition, visit.errand))


def values_of(visit: Visit, board: NoticeBoard) -> dict[str, Any]:
    """Return what all pages about an order's notices show."""
    order = board.order
    return {
        "board": board,
        "order": order,
        "zone": board.court.zone,
        "at": visit.at,
        "is_over": order.state_at(visit.at) in _OVER,
        "is_about_a_person": is_about_a_person(board),
        "tongue": tongue,
        "name_of": lambda actor: name_of(board, actor),
    }


def name_of(board: NoticeBoard, actor: str) -> str:
    """Return who somebody is, as far as the reader may know."""
    ours = {
        "command-line": gettext("the command line of the gateway"),
        "gateway": gettext("the gateway"),
    }
    return str(ours.get(actor) or board.names.get(actor, actor))


def _purposes(board: NoticeBoard) -> list[Purpose]:
    return list(dict.fromkeys((board.content, *(each.purpose for each in board.played))))


def _played(notice: ShownNotice, order_id: str) -> Card:
    where = url_for("notice_sound", order_id=order_id, language=notice.language, purpose=notice.purpose.value)
    return card(notice, where)


def proposal_card(notice: ShownNotice, order_id: str) -> Card:
    """Return the card of what is proposed."""
    return card(notice, url_for("proposal_sound", order_id=order_id, language=notice.language))


def _proposal_in(board: NoticeBoard, language: str) -> ShownNotice:
    demand_language(board, language)
    proposal = board.proposal_in(language)
    if proposal is None:
        raise UnknownEntryError(what="proposal in", shown=language, cure="")
    return proposal


def _proposal_values(visit: Visit, order_id: str, language: str) -> dict[str, Any]:
    board = read_notice_board(visit.desk.office, order_id, visit.errand, visit.desk.pictures)
    proposal = _proposal_in(board, language)
    present = board.content_in(language)
    is_public = board.content is Purpose.PUBLIC
    return {
        **values_of(visit, board),
        "language": language,
        "proposed": proposal_card(proposal, order_id),
        "present": _played(present, order_id) if present else None,
        "together": length_of_all(board.seconds_beside("")) if is_public else None,
        "is_own": proposal.added_by == visit.actor.actor_id,
        "is_approved": board.order.approved_at is not None,
    }


_AT = "/orders/<order_id>/notices"
PAGES = (
    Page(name="show_notices", path=_AT, show=show_notices),
    Page(name="notice_sound", path=f"{_AT}/<language>/<purpose>.wav", show=get_notice_sound),
    Page(name="proposal_sound", path=f"{_AT}/<language>/proposal.wav", show=get_proposal_sound),
    Page(name="version_sound", path=f"{_AT}/versions/<rendition>.wav", show=get_version_sound),
    Page(name="show_proposal", path=f"{_AT}/<language>/proposal", show=show_proposal),
    Page(
        name="approve_notice",
        path=f"{_AT}/<language>/approve",
        show=show_approval,
        form=ConsoleForm,
        begin=begin_approval,
        send=send_approval,
    ),
)
