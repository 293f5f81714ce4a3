"""`/orders/{id}/notices`: what is spoken under an order, what is proposed to be spoken, and listening to both."""

import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pydantic import Field
from werkzeug.datastructures import FileStorage

from gateway.api.v1.fields import Input, Language, LongText, Output
from gateway.api.v1.route import Answer, Call, Route, Stream, Upload
from gateway.domain.notice import Purpose
from gateway.register.errors import UnknownEntryError
from gateway.register.notices import Part
from gateway.register.proposals import Proposal
from gateway.workflows.propose_notice import approve_notice, propose_notice
from gateway.workflows.publish_notice import Recording, Text
from gateway.workflows.read_orders import read_notices

_TAG = "Notices"
_LARGEST_RECORDING = 20_000_000
_CHUNK = 64 * 1024


class ProposalIn(Input):
    """What is to be spoken in one language; without a text, the template's words."""

    language: Language
    text: LongText | None = Field(default=None, description="At most 20 s when spoken, for an organisation.")


class RecordingForm(Input):
    """The language of a recording."""

    language: Language


class NoticeOut(Output):
    """One language of a notice. `text` is empty for a recording."""

    purpose: Purpose
    language: str
    seconds: float
    text: str
    audio: str


class ProposalOut(Output):
    """One language of a notice that waits for a second officer."""

    purpose: Purpose
    language: str
    seconds: float
    text: str
    audio: str
    proposed_by: str
    proposed_at: datetime


class NoticeList(Output):
    """What plays under an order, and what is proposed."""

    notices: list[NoticeOut]
    proposals: list[ProposalOut]


def list_notices(call: Call, order_id: str) -> Answer:
    """List an order's notices and proposals."""
    spoken = read_notices(call.desk.office, order_id, call.errand)
    return Answer(
        model=NoticeList(
            notices=[_shown(order_id, purpose, part) for purpose, parts in spoken.played.items() for part in parts],
            proposals=[_shown_proposal(each) for each in spoken.proposed],
        )
    )


def post_proposal(call: Call, order_id: str, body: ProposalIn) -> Answer:
    """Propose a text in one language; it is rendered at once, and plays once a second officer has approved it."""
    source = None if body.text is None else Text(text=body.text)
    return Answer(model=_shown_proposal(propose_notice(call.desk.office, order_id, body.language, source, call.errand)))


def post_recording(call: Call, order_id: str, file: FileStorage, form: RecordingForm) -> Answer:
    """Propose a recording in one language: WAV, MP3, FLAC or Ogg by its content, at most 20 MB."""
    with tempfile.NamedTemporaryFile(prefix="recording-") as copy:
        shutil.copyfileobj(file.stream, copy, _CHUNK)
        copy.flush()
        source = Recording(path=Path(copy.name))
        proposal = propose_notice(call.desk.office, order_id, form.language, source, call.errand)
    return Answer(model=_shown_proposal(proposal))


def post_approval(call: Call, order_id: str, language: str) -> Answer:
    """Let a proposal take the place of what plays in its language, as the second officer."""
    part = approve_notice(call.desk.office, order_id, language, call.errand)
    return Answer(model=_shown(order_id, Purpose.PUBLIC if _is_public(call, order_id) else Purpose.PRIVATE, part))


def get_notice_audio(call: Call, order_id: str, purpose: str, language: str) -> Stream:
    """Listen to a notice as callers or callees hear it: 8 kHz mu-law WAV."""
    for its_purpose, parts in read_notices(call.desk.office, order_id, call.errand).played.items():
        for part in parts:
            if its_purpose.value == purpose and part.rendition.language == language:
                return _audio(call, part)
    raise UnknownEntryError(what=f"{purpose} notice in", shown=language, cure="")


def get_proposal_audio(call: Call, order_id: str, language: str) -> Stream:
    """Listen to a proposal as it would be heard: 8 kHz mu-law WAV."""
    for each in read_notices(call.desk.office, order_id, call.errand).proposed:
        if each.language == language:
            return _audio(call, each.part)
    raise UnknownEntryError(what="proposal in", shown=language, cure="")


def _is_public(call: Call, order_id: str) -> bool:
    return Purpose.PUBLIC in read_notices(call.desk.office, order_id, call.errand).played


def _audio(call: Call, part: Part) -> Stream:
    path = call.desk.office.studio.library.path_of(part.rendition.mulaw, "wav")
    if path is None:
        raise UnknownEntryError(what="file of the rendition in", shown=part.rendition.language, cure="")
    name = f"{part.rendition.mulaw[:16]}.wav"
    return Stream(chunks=_chunks(path), media="audio/wav", filename=name, size=path.stat().st_size)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _shown(order_id: str, purpose: Purpose, part: Part) -> NoticeOut:
    language = part.rendition.language
    return NoticeOut(
        purpose=purpose,
        language=language,
        seconds=part.rendition.seconds,
        text=part.text,
        audio=f"/api/v1/orders/{order_id}/notices/{purpose.value}/{language}/audio",
    )


def _shown_proposal(proposal: Proposal) -> ProposalOut:
    return ProposalOut(
        purpose=proposal.purpose,
        language=proposal.language,
        seconds=proposal.part.rendition.seconds,
        text=proposal.part.text,
        audio=f"/api/v1/orders/{proposal.order_id}/proposals/{proposal.language}/audio",
        proposed_by=proposal.added_by,
        proposed_at=proposal.added_at,
    )


_OTHER = frozenset({410})
ROUTES = (
    Route(
        name="list_notices",
        method="GET",
        path="/orders/<id:order_id>/notices",
        handler=list_notices,
        tag=_TAG,
        answer=NoticeList,
        refusals=_OTHER,
    ),
    Route(
        name="listen_to_notice",
        method="GET",
        path="/orders/<id:order_id>/notices/<id:purpose>/<id:language>/audio",
        handler=get_notice_audio,
        tag=_TAG,
        media="audio/wav",
        refusals=_OTHER,
    ),
    Route(
        name="propose_text",
        method="POST",
        path="/orders/<id:order_id>/proposals",
        handler=post_proposal,
        tag=_TAG,
        answer=ProposalOut,
        status=201,
        body=ProposalIn,
        example={
            "language": "en",
            "text": "This is the Lakeside District Court. Example Trading owes a judgment debt.",
        },
        refusals=_OTHER,
    ),
    Route(
        name="propose_recording",
        method="POST",
        path="/orders/<id:order_id>/proposals/recording",
        handler=post_recording,
        tag=_TAG,
        answer=ProposalOut,
        status=201,
        upload=Upload(
            field="recording", limit=_LARGEST_RECORDING, what="The recording, at most 20 MB.", form=RecordingForm
        ),
        refusals=_OTHER,
    ),
    Route(
        name="listen_to_proposal",
        method="GET",
        path="/orders/<id:order_id>/proposals/<id:language>/audio",
        handler=get_proposal_audio,
        tag=_TAG,
        media="audio/wav",
        refusals=_OTHER,
    ),
    Route(
        name="approve_notice",
        method="POST",
        path="/orders/<id:order_id>/proposals/<id:language>/approve",
        handler=post_approval,
        tag=_TAG,
        answer=NoticeOut,
        refusals=_OTHER,
    ),
)
