"""`make_api`: the API as one WSGI program, put together from the routes of all resources."""

import json
from time import perf_counter
from typing import IO, Any

import structlog
from apiflask import APIFlask, HTTPError
from flask import Request, Response, g, request
from flask.json.provider import DefaultJSONProvider
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter

from gateway.api.v1 import (
    api_keys,
    audit,
    batches,
    courts,
    disputes,
    districts,
    documents,
    enrolments,
    jobs,
    notices,
    order_life,
    orders,
    people,
    problems,
    sessions,
    statistics,
    webhooks,
)
from gateway.api.v1.desk import Desk
from gateway.api.v1.docs import Documentation, add_documentation
from gateway.api.v1.fields import ID_PATTERN
from gateway.api.v1.problems import Refusal
from gateway.api.v1.route import Route
from gateway.api.v1.spec import TAGS, Completion
from gateway.api.v1.view import JSON_LIMIT, admit, make_view
from gateway.domain.errors import GatewayError

PREFIX = "/api/v1"
ROUTES: tuple[Route, ...] = (
    *sessions.ROUTES,
    *enrolments.ROUTES,
    *people.ROUTES,
    *api_keys.ROUTES,
    *courts.ROUTES,
    *districts.ROUTES,
    *orders.ROUTES,
    *order_life.ROUTES,
    *documents.ROUTES,
    *notices.ROUTES,
    *disputes.ROUTES,
    *webhooks.ROUTES,
    *batches.ROUTES,
    *jobs.ROUTES,
    *audit.ROUTES,
    *statistics.ROUTES,
)
log: structlog.stdlib.BoundLogger = structlog.get_logger("gateway.api")

_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class MalformedJsonError(GatewayError):
    """The body is not JSON as RFC 8259 has it; send it in UTF-8, without comments, NaN or trailing commas."""

    code = "malformed_json"


class IdConverter(BaseConverter):
    """An id in a path: what cannot be one has no address, and no database is asked for it."""

    regex = ID_PATTERN


class TidyRequest(Request):
    """A request whose uploaded files are closed with it, also where their form turns out to be broken."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        stream = super()._get_file_stream(total_content_length, content_type, filename, content_length)
        g.setdefault("files", []).append(stream)
        return stream


class StrictJson(DefaultJSONProvider):
    """Reads JSON as RFC 8259 has it."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:  # noqa: ANN401  (Flask's signature)
        """Return the value. Raises MalformedJsonError, for NaN too, and for what is nested beyond all reason."""
        try:
            return json.loads(s, parse_constant=_refuse_constant, **kwargs)
        except (ValueError, RecursionError) as error:
            raise MalformedJsonError from error


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def make_api(desk: Desk, routes: tuple[Route, ...] = ROUTES) -> APIFlask:
    """Return the API; it serves everything below /api/ and nothing else."""
    api = APIFlask(
        "gateway.api.v1",
        title="Court notice gateway",
        version="1",
        static_folder=None,  # type: ignore[arg-type]  # Flask takes None for no folder.
        enable_openapi=False,
    )
    api.json = StrictJson(api)
    api.request_class = TidyRequest
    api.config.update(
        MAX_CONTENT_LENGTH=JSON_LIMIT,
        MAX_FORM_MEMORY_SIZE=JSON_LIMIT,
        MAX_FORM_PARTS=50,
        OPENAPI_VERSION="3.1.0",
        AUTO_SERVERS=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        AUTO_AUTH_ERROR_RESPONSE=False,
        AUTO_404_RESPONSE=False,
        AUTO_OPERATION_ID=False,
    )
    api.servers = [{"url": "/"}]
    api.tags = [dict(tag) for tag in TAGS]
    api.url_map.converters["id"] = IdConverter
    by_name = {route.name: route for route in routes}
    for route in routes:
        _mount(api, route, desk)
    api.spec_processor(Completion(by_name).complete)
    add_documentation(api, PREFIX, Documentation(specification=lambda: api.spec))
    _guard(api, by_name, desk)
    _catch(api)
    return api


def _mount(api: APIFlask, route: Route, desk: Desk) -> None:
    """Wrap a route in APIFlask's decorators, innermost first."""
    view: Any = make_view(route, desk)
    if route.query is not None:
        view = api.input(route.query, location="query")(view)
    if route.body is not None:
        view = api.input(route.body, example=route.example)(view)
    if route.answer is not None:
        view = api.output(route.answer, status_code=route.status)(view)
    else:
        view = api.output({}, status_code=route.status, content_type=route.media)(view)
    view = api.doc(tags=[route.tag], operation_id=route.name)(view)
    rule = PREFIX + route.path
    api.add_url_rule(rule, endpoint=route.name, view_func=view, methods=[route.method], provide_automatic_options=False)


def _guard(api: APIFlask, by_name: dict[str, Route], desk: Desk) -> None:
    @api.before_request
    def begin() -> None:
        g.started = perf_counter()
        if request.routing_exception is None and request.endpoint is not None:
            admit(by_name.get(request.endpoint), request.endpoint, desk)

    api.teardown_request(_tidy)

    @api.after_request
    def finish(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        log.info(
            "api_request",
            method=request.method,
            endpoint=request.endpoint or "",
            status=response.status_code,
            actor=g.actor.actor_id if "actor" in g else "",
            ms=round((perf_counter() - g.started) * 1000, 2) if "started" in g else 0,
        )
        return response


def _tidy(_error: BaseException | None) -> None:
    """Close what was uploaded: on the disk it is not encrypted."""
    for stream in g.pop("files", []):
        stream.close()


def _catch(api: APIFlask) -> None:
    """Make every error a problem. What is not foreseen is logged by its type and place, and shown as a 500."""

    @api.errorhandler(GatewayError)
    def gateway(error: GatewayError) -> Response:
        refusal = problems.of_gateway(error)
        if refusal.code == problems.INTERNAL[0]:
            log.error("api_failed", endpoint=request.endpoint or "", exc_info=error)
        return _respond(refusal)

    @api.errorhandler(ValidationError)
    def form(error: ValidationError) -> Response:
        return _respond(problems.of_fields(error, "form"))

    @api.errorhandler(HTTPError)
    def input_refused(error: HTTPError) -> Response:
        # APIFlask's own error says less than pydantic's, which it was raised from.
        if isinstance(error.__cause__, ValidationError):
            location = next(iter(error.detail), "json")
            return _respond(problems.of_fields(error.__cause__, location))
        return _respond(problems.of_defect())

    @api.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        return _respond(problems.of_http(error))

    @api.errorhandler(SQLAlchemyError)
    def database(error: SQLAlchemyError) -> Response:
        log.error("api_database", endpoint=request.endpoint or "", exc_info=error)
        return _respond(problems.of_outage() if _is_outage(error) else problems.of_defect())

    @api.errorhandler(Exception)
    def defect(error: Exception) -> Response:
        log.error("api_failed", endpoint=request.endpoint or "", exc_info=error)
        return _respond(problems.of_defect())


def _is_outage(error: SQLAlchemyError) -> bool:
    """Tell whether the database is away or busy, rather than what it was asked being wrong."""
    return not isinstance(error, DBAPIError) or type(error).__name__ in {"OperationalError", "InterfaceError"}


def _respond(refusal: Refusal) -> Response:
    response = Response(refusal.body(), status=refusal.status, content_type=problems.MEDIA)
    response.headers.update(refusal.headers)
    return response
