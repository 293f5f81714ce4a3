"""The entrance for every dialect: verify, read, work, render. Promise 1 is kept here: whatever fails, calls go on.

A webhook that is not authentic gets 403 and nothing of it is used. Once it is authentic, every error falls open.
It is a WSGI program below Flask, whose routing, contexts and response objects cost as much as all of a call to a line
without an order (docs/adr/0021).
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import structlog
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.wsgi import get_input_stream

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

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log: structlog.stdlib.BoundLogger = structlog.get_logger("gateway.calls")

EXPLAIN_HEADER = "X-Notice-Gateway-Explain"
_EXPLAIN_KEY = "HTTP_" + EXPLAIN_HEADER.upper().replace("-", "_")
EXPLANATION_HEADER = "X-Notice-Gateway-Explanation"
EXPLANATION_LIFETIME = timedelta(minutes=5)
_MOST_FIELDS = 100
_STATUS = {each.value: f"{each.value} {each.phrase}" for each in HTTPStatus}
Headers = tuple[tuple[str, str], ...]

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


class Entrance:
    """The webhooks `POST /<dialect>/<event>` of every dialect, as one WSGI program."""

    def __init__(self, dialects: tuple[Dialect, ...], switchboard: Switchboard, *, largest: int) -> None:
        """Answer what `dialects` send; of a body larger than `largest` bytes nothing is read."""
        self._switchboard = switchboard
        self._largest = largest
        self._webhooks = {
            f"/{dialect.name}/{event.value}": Webhook(dialect, event, switchboard)
            for dialect in dialects
            for event in Event
        }
        self.prefixes = tuple(f"/{dialect.name}/" for dialect in dialects)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        webhook = self._webhooks.get(environ.get("PATH_INFO", ""))
        if webhook is None:
            return _send(_text(404, "there is nothing at this address"), (), start_response)
        try:
            answer, headers = self._answer(webhook, environ)
        except Exception:
            # Not even verified: there is no call that could be connected. What it was is not for who asks.
            log.exception("webhook_failed", provider=webhook.dialect.name, webhook=webhook.event.value)
            answer, headers = _text(500, "an error on our side; it is in the log"), ()
        return _send(answer, headers, start_response)

    def _answer(self, webhook: "Webhook", environ: "WSGIEnvironment") -> tuple[Answer, Headers]:
        refuse = self._switchboard.metrics.refused
        if environ["REQUEST_METHOD"] != "POST":
            refuse(webhook.dialect.name, "wrong method")
            return _text(405, "webhooks are posted"), (("Allow", "POST"),)
        try:
            body = _body(environ, self._largest)
        except RequestEntityTooLarge:
            refuse(webhook.dialect.name, "too large")
            return _text(413, "the webhook is too large"), ()
        except ClientDisconnected:
            return _text(400, "the webhook ends before its end"), ()
        return webhook.answer(environ, body)


class Webhook:
    """One event of one dialect."""

    def __init__(self, dialect: Dialect, event: Event, switchboard: Switchboard) -> None:
        """Answer `event` as `dialect` tells and writes it."""
        self.dialect = dialect
        self.event = event
        self._switchboard = switchboard
        # Bound once: a logger that is looked up anew for each call costs as much as all of the decision.
        self._log = log.bind(provider=dialect.name, webhook=event.value)

    def answer(self, environ: "WSGIEnvironment", body: bytes) -> tuple[Answer, Headers]:
        """Return the answer to one webhook, and what it has beside the usual headers."""
        started = perf_counter()
        dialect, event, switchboard = self.dialect, self.event, self._switchboard
        try:
            params = dialect.verify(_delivery(self, environ, body))
        except SignatureRefusedError as error:
            switchboard.metrics.refused(dialect.name, str(error.details["why"]))
            self._log.warning("webhook_refused", why=error.details["why"])
            return _text(403, "the signature is missing or wrong"), ()
        # An arriving call has no state yet; its query is the provider's business.
        token = "" if event is Event.CALL else _token(environ)
        handled = _handle(dialect, event, params, token, switchboard)
        try:
            self._note(handled, perf_counter() - started)
            return handled.answer, _explained(handled, environ, switchboard)
        except Exception:
            # The answer stands, whatever became of counting and explaining it.
            log.exception("webhook_not_noted", provider=dialect.name, webhook=event.value)
            return handled.answer, ()

    def _note(self, handled: Handled, took: float) -> None:
        """Count an answer and log it; `took` is in seconds."""
        provider, event, decision, reason = self.dialect.name, self.event, handled.decision, handled.reason
        self._switchboard.metrics.answered(provider, event.value, decision.value, reason.value, took)
        if event is Event.CALL:
            self._switchboard.tally.count(decision)
        # A call to a line without an order is only counted: a line of the log would cost a tenth of its answer.
        tell = self._log.debug if reason is Reason.NO_ORDER else self._log.info
        tell(
            "webhook",
            decision=decision.value,
            reason=reason.value,
            order=handled.order_id,
            ms=round(took * 1000, 2),
        )


def _body(environ: "WSGIEnvironment", largest: int) -> bytes:
    """Read the body. Raises RequestEntityTooLarge, ClientDisconnected."""
    stated: str = environ.get("CONTENT_LENGTH") or ""
    if stated.isdecimal() and int(stated) <= largest:
        return bytes(environ["wsgi.input"].read(int(stated)))
    # Sent in chunks, or stated to be too large: Werkzeug counts, and cuts off what comes in chunks without a word.
    body = get_input_stream(environ, max_content_length=largest + 1).read()
    if len(body) > largest:
        raise RequestEntityTooLarge
    return body


def _delivery(webhook: Webhook, environ: "WSGIEnvironment", body: bytes) -> Delivery:
    # RAW_URI is gunicorn's: the request target as it came, before any decoding. Werkzeug's own server calls it
    # REQUEST_URI. A target in absolute form, as a proxy may send it, is cut to path and query.
    target: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or _rebuilt(environ)
    if not target.startswith("/"):
        target = "/" + target.split("://", 1)[-1].partition("/")[2]
    return Delivery(
        event=webhook.event,
        target=target,
        content_type=environ.get("CONTENT_TYPE", ""),
        signature=environ.get(webhook.dialect.signature_header, ""),
        body=body,
    )


def _rebuilt(environ: "WSGIEnvironment") -> str:
    """Put the target together from its parts, behind a server that does not keep it; our own paths need no quoting."""
    path, query = str(environ["PATH_INFO"]), str(environ.get("QUERY_STRING", ""))
    return f"{path}?{query}" if query else path


def _token(environ: "WSGIEnvironment") -> str:
    """Return the token in the query; empty where there is none, or a query that cannot be read."""
    try:
        return parse_qs(str(environ.get("QUERY_STRING", "")), max_num_fields=_MOST_FIELDS).get("t", [""])[0]
    except ValueError:
        return ""


def _text(status: int, words: str) -> Answer:
    return Answer(body=f"{status}: {words}\n".encode(), content_type="text/plain; charset=utf-8", status=status)


def _send(answer: Answer, headers: Headers, start_response: "StartResponse") -> tuple[bytes]:
    # RFC 9110, 8.6: an answer without content has no Content-Length.
    length = [] if answer.status == HTTPStatus.NO_CONTENT else [("Content-Length", str(len(answer.body)))]
    start_response(_STATUS[answer.status], [("Content-Type", answer.content_type), *length, *headers])
    return (answer.body,)


def _handle(dialect: Dialect, event: Event, params: Params, token: str, switchboard: Switchboard) -> Handled:
    """Answer an authentic webhook. Falls open: a refused token, or a defect of ours, connects in silence."""
    try:
        return _work(dialect, event, params, token, switchboard)
    except TokenRefusedError as error:
        switchboard.metrics.token_refused(dialect.name, str(error.details["why"]))
        reason = Reason.BAD_TOKEN
    except Exception:
        log.exception("webhook_failed", provider=dialect.name, webhook=event.value)
        reason = Reason.INTERNAL_ERROR
    return Handled(answer=dialect.fall_through(event, params), decision=Decision.CONNECT, reason=reason)


def _work(dialect: Dialect, event: Event, params: Params, token: str, switchboard: Switchboard) -> Handled:
    now = utc_now()
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


def _explained(handled: Handled, environ: "WSGIEnvironment", switchboard: Switchboard) -> Headers:
    asked = environ.get(_EXPLAIN_KEY)
    explanation = _explanation(handled, asked, switchboard) if asked else ""
    return ((EXPLANATION_HEADER, explanation),) if explanation else ()


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
