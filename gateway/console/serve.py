"""From a request to a page and back: who asks, what was typed, what was sent before."""

import hmac
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Response, g, redirect, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as Answer

from gateway.clock import utc_now
from gateway.console import kept, refusals, rights
from gateway.console.cookies import session_cookie
from gateway.console.desk import Desk
from gateway.console.form import UNTYPED, ConsoleForm, as_formdata
from gateway.console.page import HTTP_SEE_OTHER, Page, Visit
from gateway.db.snapshot import Snapshot
from gateway.domain.errors import GatewayError, StaleVersionError
from gateway.domain.rights import CALLEE
from gateway.errands.claims import AlreadyDoneError, Claim, ClaimMismatchError
from gateway.people.errors import NotSignedInError, SessionExpiredError
from gateway.workflows.doors import Door, demand, need_of
from gateway.workflows.identify import identify

_UNPROCESSABLE, _CONFLICT = 422, 409


def make_view(page: Page, desk: Desk) -> Callable[..., Answer]:
    """Return the Flask view of a page."""

    def view(**path: str) -> Answer:
        if request.method == "POST":
            # What is read after a change has to show it.
            return _answered(page, desk, path)
        with Snapshot(desk.office.reading.engine) as moment:
            return _answered(page, desk.at(moment), path)

    view.__name__ = page.name
    view.__doc__ = page.show.__doc__
    return view


def _answered(page: Page, desk: Desk, path: dict[str, str]) -> Answer:
    try:
        visit = _visit(page, desk)
    except (NotSignedInError, SessionExpiredError) as error:
        return _to_sign_in(page, desk, error)
    if page.form is None:
        return page.show(visit, **path)
    return _sent(page, visit, path) if request.method == "POST" else _begun(page, visit, path)


def _visit(page: Page, desk: Desk) -> Visit:
    """Return the visit. Raises NotSignedInError, SessionExpiredError, NotAllowedError, UnlistedRouteError."""
    need = need_of(rights.NEEDS, page.name)
    request.max_content_length = page.limit
    now, token, actor = utc_now(), request.cookies.get(session_cookie(desk), ""), CALLEE
    if need is not Door.PUBLIC:
        actor = identify(desk.people, token, now)
        g.actor = actor
        demand(actor, need)
    return Visit(desk=desk, actor=actor, at=now, address=request.remote_addr or "", token=token)


def _to_sign_in(page: Page, desk: Desk, error: GatewayError) -> Answer:
    """Send the reader to sign in and back here; what was typed is kept for whose session it was."""
    here = request.full_path.rstrip("?")
    if request.method == "POST" and page.form is not None and page.form().is_ours():
        here = kept.interrupted(desk, request.cookies.get(session_cookie(desk), ""), here, utc_now())
    where = url_for("sign_in", next=here, ended="1" if isinstance(error, SessionExpiredError) else None)
    if "HX-Request" in request.headers:
        # A part of a page cannot hold the page to sign in on; htmx is told to leave the page as a whole.
        return Response(status=204, headers={"HX-Redirect": where})
    return redirect(where, HTTP_SEE_OTHER)


def _begun(page: Page, visit: Visit, path: dict[str, str]) -> Answer:
    """Show an empty form, or one as it was left."""
    values = dict(page.begin(visit, **path)) if page.begin is not None else {}
    left = kept.left(visit, request.args.get(kept.KEPT, ""), request.path)
    form = _form(page, left, values)
    _make_ready(page, visit, form, path)
    form.renew()
    if left is not None:
        # The version may have moved on since; what is sent now is decided on what is shown now.
        form.version.data = values.get("version", "")
        g.note = gettext("This is what you had typed. It was not sent: check it, and send it.")
    return page.show(visit, form=form, **path)


def _form(page: Page, left: kept.Left | None, values: dict[str, Any]) -> ConsoleForm:
    kind = page.form or ConsoleForm
    return kind(formdata=as_formdata(left), data=values) if left is not None else kind(formdata=None, data=values)


def _make_ready(page: Page, visit: Visit, form: ConsoleForm, path: dict[str, str]) -> None:
    if page.ready is not None:
        page.ready(visit, form, **path)


def _sent(page: Page, visit: Visit, path: dict[str, str]) -> Answer:
    """Carry a form out, or show it again with what was wrong and all that was typed."""
    values = dict(page.begin(visit, **path)) if page.begin is not None else {}
    form = (page.form or ConsoleForm)(data=values)
    _make_ready(page, visit, form, path)
    if not form.validate():
        return _again(page, visit, form, path)
    claim = _claim(visit, form)
    visit = replace(visit, claim=claim, expected=form.expected)
    try:
        earlier = kept.answer_before(visit) if claim is not None else None
        if earlier is not None:
            return redirect(earlier, HTTP_SEE_OTHER)
        return _carried_out(page, visit, form, path)
    except AlreadyDoneError:
        return redirect(kept.answer_of_twin(visit, fallback=request.path), HTTP_SEE_OTHER)
    except ClaimMismatchError:
        form.renew()
        form.form_errors.append(
            gettext("This form was sent before, with something else in it. Send it again to do this as well.")
        )
        return _again(page, visit, form, path, _CONFLICT)
    except GatewayError as error:
        if not refusals.is_for_the_form(error):
            raise
        if isinstance(error, StaleVersionError):
            # What is sent next is decided on what the page shows now.
            form.decide_anew(dict(page.begin(visit, **path)).get("version", "") if page.begin is not None else "")
        form.refuse(refusals.field_of(error), refusals.message_of(error))
        return _again(page, visit, form, path, refusals.status_of(error))


def _carried_out(page: Page, visit: Visit, form: ConsoleForm, path: dict[str, str]) -> Answer:
    if page.send is None:
        raise NotImplementedError(page.name)
    answer = page.send(visit, form=form, **path)
    kept.let_go(replace(visit, claim=None), request.args.get(kept.KEPT, ""))
    if visit.claim is not None and answer.status_code == HTTP_SEE_OTHER:
        kept.keep_answer(visit, answer.headers["Location"])
    return answer


def _again(page: Page, visit: Visit, form: ConsoleForm, path: dict[str, str], status: int = _UNPROCESSABLE) -> Answer:
    answer = page.show(visit, form=form, **path)
    answer.status_code = status
    return answer


def _claim(visit: Visit, form: ConsoleForm) -> Claim | None:
    """Return the claim of a form that was sent: its mark, and a keyed hash of everything in it."""
    if visit.actor is CALLEE or not form.once.data:
        return None
    digest = hmac.new(visit.desk.keys.active.secrets, digestmod="sha256")
    for name, value in sorted(request.form.items(multi=True)):
        if name not in UNTYPED or name == "version":
            digest.update(f"{name}\x00{value}\x00".encode())
    for name, file in sorted(request.files.items(multi=True)):
        digest.update(f"{name}\x00{file.filename}\x00".encode())
        while chunk := file.stream.read(64 * 1024):
            digest.update(chunk)
        file.stream.seek(0)
    return Claim.of(
        actor_id=visit.actor.actor_id,
        method="POST",
        path=request.path,
        key=str(form.once.data)[:64],
        content=digest.digest(),
    )
