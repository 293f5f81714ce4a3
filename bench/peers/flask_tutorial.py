"""The tutorial: Flask, Twilio's RequestValidator, an ORM query on each call and VoiceResponse, as pages teach it.

Beyond the tutorials, it gets this project's gunicorn settings and a pool of connections, and logs nothing.
"""

from flask import Flask, Response, abort, request
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from bench.peers.environment import DATABASE, ORIGIN, TOKEN

application = Flask("flask_tutorial", static_folder=None)
_ENGINE = create_engine(DATABASE.replace("postgresql://", "postgresql+psycopg://", 1))
_VALIDATOR = RequestValidator(TOKEN)


class Base(DeclarativeBase):
    """The tables of this program."""


class PeerNotice(Base):
    """A notice for the callers of a line."""

    __tablename__ = "peer_notices"

    line: Mapped[str] = mapped_column(primary_key=True)
    notice_url: Mapped[str]
    in_force: Mapped[bool]


@application.post("/twilio/call")
def call() -> Response:
    """Play the notice of a line that has one, and connect."""
    if not _VALIDATOR.validate(ORIGIN + request.path, request.form, request.headers.get("X-Twilio-Signature", "")):
        abort(403)
    line = request.form["To"]
    with Session(_ENGINE) as session:
        notice = session.scalars(select(PeerNotice).where(PeerNotice.line == line, PeerNotice.in_force)).first()
    response = VoiceResponse()
    if notice is not None:
        gather = Gather(num_digits=1, timeout=1, action=f"{ORIGIN}/twilio/connect", finish_on_key="")
        gather.play(notice.notice_url)
        response.append(gather)
    dial = Dial(answer_on_bridge=True, timeout=60, action=f"{ORIGIN}/twilio/dialled")
    dial.number(line)
    response.append(dial)
    return Response(str(response), content_type="text/xml; charset=utf-8")
