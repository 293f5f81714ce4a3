"""One blueprint for every dialect: verify, read, work, render. Promise 1 is kept here: whatever fails, calls go on.

A webhook that is not authentic gets 403 and nothing of it is used. Once it is authentic, every error falls open.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter

import structlog
from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from gateway.clock import utc_now
from gateway.domain.facts import CallFacts
from gateway.domain.plan import CallPlan, Decision, PlayToCallee, PlayToCaller, Reason
from gateway.metrics import Metrics
from gateway.privacy.errors import TokenRefusedError
from gateway.privacy.token import TokenSealer
from gateway.providers.dialect import Answer, Delivery, Dialect, Event, Params, SignatureRefusedError
from gateway.workflows.answer_call import answer_call
from gateway.workflows.call_desk import CallDesk
from gateway.workflows.count_calls import Tally
from gateway.workflows.end_call import end_call, note_ending
from gateway.workflows.take_key import take_key

log: structlog.stdlib.BoundLogger = structlog.get_logger("gateway.calls")

EXPLAIN_HEADER = "X-Notice-Gateway-Explain"
_EXPLAIN_KEY = "HTTP_" + EXPLAIN_HEADER.upper().replace("-", "_")
EXPLANATION_HEADER = "X-Notice-Gateway-Explanation"
EXPLANATION_LIFETIME = timedelta(minutes=5)

_WORKFLOWS: dict[Event, Callable[[CallDesk, CallFacts, datetime], CallPlan]] = {
    Event.CALL: answer_call,
    Event.WHISPER: answer_call,
    Event.HEARD: take_key,
    Event.KEY: take_key,
    Event.DIALLED: end_call,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Switchboard:
    """What the views of all dialects share."""

    desk: CallDesk
    metrics: Metrics
    sealer: TokenSealer
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """An answer, with what is counted and explained about it."""

    answer: Answer
    decision: Decision
    reason: Reason
    order_id: str = ""
    prompts: tuple[tuple[str, str], ...] = ()


def make_blueprint(dialects: tuple[Dialect, ...], switchboard: Switchboard) -> Blueprint:
    """Return the routes `POST /<dialect>/<event>` of every dialect."""
    blueprint = Blueprint("providers", __name__)
    for dialect in dialects:
        for event in Event:
            blueprint.add_url_rule(
                f"/{dialect.name}/{event.value}",
                endpoint=f"{dialect.name}_{event.value}",
                view_func=_view(dialect, event, switchboard),
                methods=["POST"],
            )
    names = frozenset(dialect.name for dialect in dialects)
    # A wrong method is found while routing, before any blueprint has the request: its handler is the application's.
    blueprint.register_error_handler(RequestEntityTooLarge, _counted(names, "too large", switchboard.metrics))
    blueprint.app_errorhandler(MethodNotAllowed)(_counted(names, "wrong method", switchboard.metrics))
    return blueprint


def _counted(names: frozenset[str], why: str, metrics: Metrics) -> Callable[[HTTPException], HTTPException]:
    """Return a handler that counts what is refused before any view or signature, and answers as usual."""

    def handle(error: HTTPException) -> HTTPException:
        name = request.path.split("/")[1]
        if name in names:
            metrics.refused(name, why)
        return error

    return handle


def _view(dialect: Dialect, event: Event, switchboard: Switchboard) -> Callable[[], Response]:
    # Bound once: a logger that is looked up anew for each call costs as much as all of the decision.
    record = log.bind(provider=dialect.name, webhook=event.value)

    def view() -> Response:
        started = perf_counter()
        try:
            params = dialect.verify(_delivery(dialect, event))
        except SignatureRefusedError as error:
            switchboard.metrics.refused(dialect.name, str(error.details["why"]))
            record.warning("webhook_refused", why=error.details["why"])
            return Response("403: the signature is missing or wrong\n", status=403, content_type="text/plain")
        handled = _handle(dialect, event, params, switchboard)
        took = perf_counter() - started
        switchboard.metrics.answered(dialect.name, event.value, handled.decision.value, handled.reason.value, took)
        if event is Event.CALL:
            switchboard.tally.count(handled.decision)
        # A call to a line without an order is only counted: neither number nor call id is written anywhere.
        record.info(
            "webhook",
            decision=handled.decision.value,
            reason=handled.reason.value,
            order=handled.order_id,
            ms=round(took * 1000, 2),
        )
        return _respond(handled, switchboard)

    return view


def _delivery(dialect: Dialect, event: Event) -> Delivery:
    environ = request.environ
    # RAW_URI is gunicorn's: the request target as it came, before any decoding. Werkzeug's own server calls it
    # REQUEST_URI. A target in absolute form, as a proxy may send it, is cut to path and query.
    target: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or request.full_path.rstrip("?")
    if not target.startswith("/"):
        target = "/" + target.split("://", 1)[-1].partition("/")[2]
    return Delivery(
        event=event,
        target=target,
        content_type=environ.get("CONTENT_TYPE", ""),
        signature=environ.get(dialect.signature_header, ""),
        body=request.get_data(cache=False, parse_form_data=False),
    )


def _handle(dialect: Dialect, event: Event, params: Params, switchboard: Switchboard) -> Handled:
    """Answer an authentic webhook. Falls open: a refused token, or a defect of ours, connects in silence."""
    try:
        return _work(dialect, event, params, switchboard, utc_now())
    except TokenRefusedError as error:
        switchboard.metrics.token_refused(dialect.name, str(error.details["why"]))
        reason = Reason.BAD_TOKEN
    except Exception:
        log.exception("webhook_failed", provider=dialect.name, webhook=event.value)
        reason = Reason.INTERNAL_ERROR
    return Handled(answer=dialect.fall_through(event, params), decision=Decision.CONNECT, reason=reason)


def _work(dialect: Dialect, event: Event, params: Params, switchboard: Switchboard, now: datetime) -> Handled:
    # An arriving call has no state yet; its query is the provider's business.
    token = "" if event is Event.CALL else request.args.get("t", "")
    facts = dialect.read(event, params, token, now)
    if event is Event.STATUS:
        return _take_status(dialect, event, params, facts, switchboard)
    plan = _WORKFLOWS[event](switchboard.desk, facts, now)
    return Handled(
        answer=dialect.render(plan, facts, now),
        decision=plan.decision,
        reason=plan.reason,
        order_id=plan.order_id,
        prompts=_prompts(plan),
    )


def _take_status(dialect: Dialect, event: Event, params: Params, facts: CallFacts, switchboard: Switchboard) -> Handled:
    outcome = dialect.ending_of(params)
    if outcome is not None:
        switchboard.metrics.ended(dialect.name, outcome.value)
        note_ending(switchboard.desk, facts, outcome.value)
    return Handled(answer=dialect.fall_through(event, params), decision=Decision.END, reason=Reason.DIAL_ENDED)


def _prompts(plan: CallPlan) -> tuple[tuple[str, str], ...]:
    return tuple(
        (rendition.mulaw, step.notice.purpose.value)
        for step in plan.steps
        if isinstance(step, PlayToCaller | PlayToCallee)
        for rendition in step.notice.renditions
    )


def _respond(handled: Handled, switchboard: Switchboard) -> Response:
    answer = handled.answer
    response = Response(answer.body, status=answer.status, content_type=answer.content_type)
    asked = request.environ.get(_EXPLAIN_KEY)
    if asked:
        explanation = _explanation(handled, asked, switchboard)
        if explanation:
            response.headers[EXPLANATION_HEADER] = explanation
    return response


def _explanation(handled: Handled, asked: str, switchboard: Switchboard) -> str:
    """Tell a try-out why, sealed, and only to who proves with a token that it has the keys; empty for anybody else.

    The answer to a provider's own webhook never carries it: no response on the caller's leg hints at a case.
    """
    now = utc_now()
    try:
        switchboard.sealer.open(asked, use="explain", now=now)
    except TokenRefusedError:
        return ""
    state = {
        "decision": handled.decision.value,
        "reason": handled.reason.value,
        "order": handled.order_id,
        "prompts": json.dumps(dict(handled.prompts)),
    }
    return switchboard.sealer.seal(state, use="explanation", now=now, lifetime=EXPLANATION_LIFETIME)
