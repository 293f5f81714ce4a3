"""What is kept between two requests: forms that were interrupted, and where a form that was sent led to."""

from datetime import datetime
from time import monotonic, sleep
from urllib.parse import parse_qsl, urlencode, urlsplit

from gateway.console.desk import Desk
from gateway.console.form import sent_fields
from gateway.console.page import Visit
from gateway.domain.errors import GatewayError
from gateway.errands import claims
from gateway.errands.claims import AlreadyDoneError
from gateway.errands.unfinished import FormContent
from gateway.privacy.field import FieldCipher
from gateway.workflows.keep_form import drop_form, interrupted_by, read_form

Left = tuple[tuple[str, str], ...]
KEPT = "kept"
# The twin of a form that arrives together with it waits this long for the other's answer.
_PATIENCE_SECONDS = 5.0
_PAUSE_SECONDS = 0.05


def interrupted(desk: Desk, token: str, here: str, now: datetime) -> str:
    """Keep what was typed into a form whose session has ended, and return the address where it is shown again.

    Where it cannot be kept (nobody's session, too large), the form is shown empty.
    """
    content = FormContent(path=here, fields=tuple(sent_fields()))
    try:
        form_id = interrupted_by(desk.office, token, content, now).form_id
    except GatewayError:
        return here
    parts = urlsplit(here)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != KEPT]
    return f"{parts.path}?{urlencode([*query, (KEPT, form_id)])}"


def left(visit: Visit, form_id: str, path: str) -> Left | None:
    """Return what was typed into this page's form when it was interrupted; None where nothing of this reader's was."""
    if not form_id:
        return None
    try:
        content = read_form(visit.desk.office, form_id, visit.errand).content
    except GatewayError:
        return None
    return content.fields if urlsplit(content.path).path == path else None


def let_go(visit: Visit, form_id: str) -> None:
    """Forget a form that was interrupted, once it has been sent after all."""
    if form_id:
        drop_form(visit.desk.office, form_id, visit.errand)


def answer_before(visit: Visit) -> str | None:
    """Return where this very form led to when it was sent before. Raises AlreadyDoneError, ClaimMismatchError."""
    if visit.claim is None:
        return None
    with visit.desk.office.reading.connect() as connection:
        return claims.answer_to(connection, visit.claim, FieldCipher(visit.desk.keys))


def answer_of_twin(visit: Visit, *, fallback: str) -> str:
    """Return where the same form, which is being carried out just now, leads to."""
    until = monotonic() + _PATIENCE_SECONDS
    while monotonic() < until:
        try:
            return answer_before(visit) or fallback
        except AlreadyDoneError:
            sleep(_PAUSE_SECONDS)
    return fallback


def keep_answer(visit: Visit, location: str) -> None:
    """Keep where a form led to; where the workflow changed nothing, there is no claim to keep it with."""
    if visit.claim is None:
        return
    with visit.desk.office.engine.begin() as connection:
        claims.keep_answer(connection, visit.claim, location, FieldCipher(visit.desk.keys))
