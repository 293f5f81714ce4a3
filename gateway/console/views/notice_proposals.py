"""Proposing what a notice says in one language: written, with a live count and to be heard first, or recorded."""

import base64
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import request, url_for
from flask_babel import gettext
from flask_wtf.file import FileField, FileRequired
from govuk_frontend_wtf.wtforms_widgets import GovFileInput, GovTextArea
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as Answer
from wtforms import TextAreaField

from gateway.audio.pace import pace_of
from gateway.audio.validate import RECORDING_LIMITS
from gateway.console import refusals
from gateway.console.form import ConsoleForm
from gateway.console.languages import lazily as _l
from gateway.console.notice_card import Card, count_lines, decimal, preview_card
from gateway.console.page import HTTP_SEE_OTHER, Page, Visit, fragment, seen_at, shown
from gateway.console.views.notices import proposal_card, values_of
from gateway.domain.errors import StaleVersionError
from gateway.domain.notice import Purpose
from gateway.domain.rights import NotAllowedError, Right
from gateway.workflows.hear_notice import TextToHear, limit_of, preview_text
from gateway.workflows.propose_as_read import propose_as_read
from gateway.workflows.publish_notice import Recording, Source, Text
from gateway.workflows.read_notice_board import NoticeBoard, demand_language, read_notice_board, template_words

# Twenty megabytes of sound, and what a form has beside it.
_LARGEST_RECORDING = 20_000_000 + 64 * 1024
_CHUNK = 64 * 1024


class TextForm(ConsoleForm):
    """What is to be spoken; what is empty or too long is refused by the room that speaks it."""

    text = TextAreaField(
        _l("What is spoken"),
        description=_l("Write it as it is to be said, with numbers and dates as words where it matters."),
        widget=GovTextArea(),
    )


class RecordingForm(ConsoleForm):
    """A recording: a file that was chosen, or what was just recorded in the browser."""

    recording = FileField(
        _l("Sound file"),
        [FileRequired(_l("Choose a sound file, or record one"))],
        description=_l("WAV, MP3, M4A, OGG, WebM or FLAC, at most 20 MB and 60 s"),
        widget=GovFileInput(),
    )


def begin_text(visit: Visit, order_id: str, language: str) -> dict[str, Any]:
    """Begin with what is proposed, else with what is played, else with the template's words."""
    board = _board(visit, order_id, language)
    present = board.proposal_in(language) or board.content_in(language)
    wants_template = request.args.get("words") == "template"
    text = present.text if present is not None and not wants_template else ""
    return {"version": board.order.version, "text": text or template_words(visit.desk.office, board, language)}


def show_text(
    visit: Visit,
    order_id: str,
    language: str,
    form: TextForm,
    preview: Card | None = None,
    *,
    meanwhile: Card | None = None,
) -> Answer:
    """Show the text with its length."""
    board = _board(visit, order_id, language)
    return shown(
        "notices/text.html",
        **values_of(visit, board),
        language=language,
        form=form,
        lines=_count(board, language, form),
        preview=preview,
        meanwhile=meanwhile,
        has_template=bool(template_words(visit.desk.office, board, language)),
    )


def send_text(visit: Visit, order_id: str, language: str, form: TextForm) -> Answer:
    """Propose the text; with one of the other buttons, show its length, or let it be heard before."""
    if "check" in request.form:
        return show_text(visit, order_id, language, form)
    if "listen" in request.form:
        return show_text(visit, order_id, language, form, _spoken(visit, order_id, language, form))
    return _proposed(visit, (order_id, language), form, Text(text=_text(form)), show_text)


def show_count(_visit: Visit, order_id: str, language: str, form: TextForm) -> Answer:  # noqa: ARG001  (every form is handed over)
    """Send who comes here without a form to where it is."""
    return redirect(url_for("propose_text", order_id=order_id, language=language), HTTP_SEE_OTHER)


def send_count(visit: Visit, order_id: str, language: str, form: TextForm) -> Answer:
    """Answer with the length of what has been typed so far."""
    return fragment("notices/count.html", lines=_count(_board(visit, order_id, language), language, form))


def begin_recording(visit: Visit, order_id: str, language: str) -> dict[str, int]:
    """Begin with the version of the order that is read now."""
    return {"version": _board(visit, order_id, language).order.version}


def show_recording(
    visit: Visit, order_id: str, language: str, form: RecordingForm, *, meanwhile: Card | None = None
) -> Answer:
    """Let a file be chosen, or a recording be made."""
    board = _board(visit, order_id, language)
    return shown(
        "notices/recording.html",
        **values_of(visit, board),
        language=language,
        form=form,
        meanwhile=meanwhile,
        limit=_longest(board, language),
        beside=decimal(board.seconds_beside(language)) if _has_others(board, language) else "",
    )


def send_recording(visit: Visit, order_id: str, language: str, form: RecordingForm) -> Answer:
    """Propose the recording; it is levelled for the telephone and can then be heard as it will be played."""
    with tempfile.TemporaryDirectory(prefix="recording-") as folder:
        # What the file is called at home is nobody's business, and messages name it.
        copy = Path(folder) / gettext("The recording")
        with copy.open("wb") as target:
            shutil.copyfileobj(form.recording.data.stream, target, _CHUNK)
        source = Recording(path=copy)
        return _proposed(visit, (order_id, language), form, source, show_recording)


def _proposed(
    visit: Visit, where: tuple[str, str], form: ConsoleForm, source: Source, show: Callable[..., Answer]
) -> Answer:
    """Propose, and go on to the proposal; where another officer was faster, show what is proposed by now."""
    order_id, language = where
    try:
        propose_as_read(visit.desk.office, order_id, language, source, visit.errand, expected=visit.expected)
    except StaleVersionError as error:
        board = _board(visit, order_id, language)
        proposal = board.proposal_in(language)
        form.refuse("", refusals.message_of(error))
        # What is sent from here on is decided on what this page shows.
        form.version.data = str(board.order.version)
        answer = show(visit, order_id, language, form, meanwhile=proposal and proposal_card(proposal, order_id))
        answer.status_code = refusals.status_of(error)
        return answer
    return seen_at("show_proposal", order_id=order_id, language=language)


def _board(visit: Visit, order_id: str, language: str) -> NoticeBoard:
    """Return the board for whoever may propose. Raises UnknownEntryError, NotAllowedError."""
    board = read_notice_board(visit.desk.office, order_id, visit.errand, visit.desk.pictures)
    demand_language(board, language)
    if not board.may_draft:
        raise NotAllowedError(right=Right.ORDERS_DRAFT.value, where=f"order {order_id}")
    return board


def _longest(board: NoticeBoard, language: str) -> int:
    """Return how many whole seconds may be recorded: callers hear all languages, one after another."""
    limit = limit_of(board.content)
    if limit is None:
        return int(RECORDING_LIMITS.max_seconds)
    return max(int(RECORDING_LIMITS.min_seconds), int(limit - board.seconds_beside(language)))


def _has_others(board: NoticeBoard, language: str) -> bool:
    return board.content is Purpose.PUBLIC and board.seconds_beside(language) > 0


def _text(form: TextForm) -> str:
    return str(form.text.data or "").replace("\r\n", "\n")


def _count(board: NoticeBoard, language: str, form: TextForm) -> list[Any]:
    return list(count_lines(pace_of(_text(form), language), board, language))


def _spoken(visit: Visit, order_id: str, language: str, form: TextForm) -> Card:
    board = _board(visit, order_id, language)
    wanted = TextToHear(court_id=board.order.court_id, text=_text(form), language=language, purpose=board.content)
    heard = preview_text(visit.desk.office, visit.desk.booth, wanted, visit.errand)
    # The sound stands in the page itself: it is kept nowhere, and no address could be asked for it again.
    src = "data:audio/wav;base64," + base64.b64encode(heard.wav).decode()
    return preview_card(heard.purpose, language, src, heard.sound, heard.peaks)


_AT = "/orders/<order_id>/notices/<language>"
PAGES = (
    Page(name="propose_text", path=f"{_AT}/text", show=show_text, form=TextForm, begin=begin_text, send=send_text),
    Page(name="count_text", path=f"{_AT}/count", show=show_count, form=TextForm, send=send_count),
    Page(
        name="propose_recording",
        path=f"{_AT}/recording",
        show=show_recording,
        form=RecordingForm,
        begin=begin_recording,
        send=send_recording,
        limit=_LARGEST_RECORDING,
    ),
)
