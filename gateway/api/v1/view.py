"""From a request to a handler and back: who asks, what was asked before, the answer with its headers."""

from collections.abc import Callable, Iterator
from datetime import datetime
from http import HTTPStatus
from typing import Any

from flask import Response, g, request
from pydantic import BaseModel
from werkzeug.datastructures import FileStorage
from werkzeug.http import quote_etag

from gateway.api.v1 import etags, idempotency, pages, rights
from gateway.api.v1.actor import bearer_of
from gateway.api.v1.desk import Desk
from gateway.api.v1.route import JSON, Answer, Call, IfMatch, Route, Stream
from gateway.clock import utc_now
from gateway.domain.errors import GatewayError
from gateway.domain.rights import CALLEE, Actor
from gateway.errands.claims import AlreadyDoneError, Claim
from gateway.workflows.doors import Door, demand, need_of
from gateway.workflows.identify import identify

JSON_LIMIT = 1_000_000
# Boundaries and the heads of the parts come on top of a file.
_FORM_ALLOWANCE = 64_000
_CHUNK = 64 * 1024


class WrongContentTypeError(GatewayError):
    """The body is not {wanted}; send it so, and say so in the header Content-Type."""

    code = "wrong_content_type"


class FileMissingError(GatewayError):
    """The form has no file in the field {field!r}. Send it there as multipart/form-data: {what}."""

    code = "file_missing"


def admit(route: Route | None, endpoint: str, desk: Desk) -> None:
    """Let a request in: whom it is from, whether the right was granted at all, and what body it may have.

    Raises UnlistedRouteError, NotSignedInError, NotAllowedError, WrongContentTypeError, and what `identify` refuses.
    """
    need = need_of(rights.NEEDS, endpoint)
    g.at = utc_now()
    if need is not Door.PUBLIC:
        g.bearer = bearer_of(request.headers)
        g.actor = identify(desk.people, g.bearer, g.at)
        demand(g.actor, need)
    if route is not None:
        _limit(route)


def _limit(route: Route) -> None:
    if route.upload is not None:
        request.max_content_length = route.upload.limit + _FORM_ALLOWANCE
        if request.mimetype != "multipart/form-data":
            raise WrongContentTypeError(wanted="multipart/form-data")
    elif route.body is not None and request.mimetype != JSON:
        raise WrongContentTypeError(wanted=JSON)


def make_view(route: Route, desk: Desk) -> Callable[..., Response]:
    """Return the Flask view of a route; `json_data` and `query_data` are what APIFlask has validated."""

    def view(json_data: BaseModel | None = None, query_data: BaseModel | None = None, **path: str) -> Response:
        given: dict[str, Any] = dict(path)
        if json_data is not None:
            given["body"] = json_data
        if query_data is not None:
            given["query"] = query_data
        if route.upload is not None:
            given["file"] = _file(route)
            if route.upload.form is not None:
                given["form"] = _form(route.upload.form)
        claim = _claim(route, desk)
        if claim is None:
            return _carry_out(route, desk, None, given)
        kept = idempotency.answer_of_twin(desk.reading, claim, desk.keys)
        return _once(route, desk, claim, given) if kept is None else _replay(kept)

    view.__name__ = route.name
    view.__doc__ = route.handler.__doc__
    return view


def _once(route: Route, desk: Desk, claim: Claim, given: dict[str, Any]) -> Response:
    try:
        response = _carry_out(route, desk, claim, given)
    except AlreadyDoneError:
        kept = idempotency.answer_of_twin(desk.reading, claim, desk.keys)
        if kept is None:
            raise
        return _replay(kept)
    kept = idempotency.Kept(
        status=response.status_code,
        headers={name: value for name, value in response.headers if name in {"ETag", "Location"}},
        body=response.get_data(as_text=True),
    )
    idempotency.keep(desk.office.engine, claim, kept, desk.keys, _at())
    return response


def _replay(kept: idempotency.Kept) -> Response:
    response = Response(kept.body, status=kept.status, headers=kept.headers, content_type=JSON)
    response.headers[idempotency.REPLAYED] = "true"
    return response


def _carry_out(route: Route, desk: Desk, claim: Claim | None, given: dict[str, Any]) -> Response:
    call = Call(
        desk=desk,
        actor=_actor(),
        at=_at(),
        claim=claim,
        expected=_expected(route),
        address=request.remote_addr or "",
        bearer=g.get("bearer", ""),
    )
    answer = route.handler(call, **given)
    return _stream(answer) if isinstance(answer, Stream) else _write(route, answer)


def _write(route: Route, answer: Answer) -> Response:
    if answer.model is None:
        response = Response(status=route.status)
        response.headers.pop("Content-Type", None)
        return response
    shown = answer.model.model_dump_json(by_alias=True).encode()
    response = Response(shown, status=route.status, content_type=JSON)
    if request.method in {"GET", "HEAD", "PATCH"} or answer.version is not None:
        tag = etags.etag_of(shown, answer.version)
        response.headers["ETag"] = quote_etag(tag)
        if request.method in {"GET", "HEAD"} and request.if_none_match.contains_weak(tag):
            response = Response(status=HTTPStatus.NOT_MODIFIED, headers={"ETag": quote_etag(tag)})
            response.headers.pop("Content-Type", None)
    if answer.cursor is not None and request.method == "GET":
        response.headers["Link"] = pages.link_to(request.path, request.args.to_dict(), answer.cursor)
    if answer.location:
        response.headers["Location"] = answer.location
    return response


def _stream(answer: Stream) -> Response:
    response = Response(answer.chunks, content_type=answer.media, direct_passthrough=True)
    response.headers["Content-Disposition"] = f'attachment; filename="{answer.filename}"'
    if answer.size is not None:
        response.headers["Content-Length"] = str(answer.size)
    return response


def _expected(route: Route) -> int | None:
    if route.if_match is IfMatch.NOT_USED:
        return None
    expected = etags.expected_version(request.if_match, "It")
    if expected is None and route.if_match is IfMatch.REQUIRED:
        raise etags.VersionMissingError
    return expected


def _claim(route: Route, desk: Desk) -> Claim | None:
    key = request.headers.get(idempotency.HEADER)
    if route.method != "POST" or key is None:
        return None
    return idempotency.claim_of(key, actor_id=_whose(), path=request.path, content=_content(route), ring=desk.keys)


def _whose() -> str:
    return str(g.actor.actor_id) if "actor" in g else idempotency.anonymous(request.remote_addr or "")


def _content(route: Route) -> Iterator[bytes]:
    """Yield what the request asks for: the body, or the fields and files of its form, which stay on the disk."""
    yield request.headers.get("If-Match", "").encode() + b"\x00" + request.query_string + b"\x00"
    if route.upload is None:
        yield request.get_data(cache=True)
        return
    for name, value in sorted(request.form.items()):
        yield f"{name}\x00{value}\x00".encode()
    stream = _file(route).stream
    while chunk := stream.read(_CHUNK):
        yield chunk
    stream.seek(0)


def _file(route: Route) -> FileStorage:
    upload = route.upload
    if upload is None:
        raise FileMissingError(field="", what="a file")
    file = request.files.get(upload.field)
    if file is None:
        raise FileMissingError(field=upload.field, what=upload.what.rstrip("."))
    return file


def _form(model: type[BaseModel]) -> BaseModel:
    return model.model_validate(request.form.to_dict())


def _actor() -> Actor:
    """Return who asks; at a public door nobody, who may nothing."""
    found: Actor = g.get("actor", CALLEE)
    return found


def _at() -> datetime:
    found: datetime = g.at
    return found
