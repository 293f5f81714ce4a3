"""Completing the specification: what every operation has in common is written once, here."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from gateway.api.v1.fields import ID_PATTERN, Problem
from gateway.api.v1.idempotency import HEADER, KEY_PATTERN, REPLAYED
from gateway.api.v1.problems import DOCS, MEDIA
from gateway.api.v1.rights import NEEDS
from gateway.api.v1.route import IfMatch, Route
from gateway.domain.rights import Right
from gateway.workflows.doors import Door, Need

TAGS: tuple[Mapping[str, str], ...] = (
    {"name": "Sessions", "description": "Signing in, enrolling, signing out."},
    {"name": "People", "description": "Who works with the gateway, and in which roles."},
    {"name": "API keys", "description": "What programs present; scoped, expiring, revocable."},
    {"name": "Courts", "description": "The courts whose orders this gateway carries out."},
    {"name": "Districts", "description": "The tree of districts; switching one off silences everything below it."},
    {"name": "Orders", "description": "From draft to lift: two officers to begin, one to end."},
    {"name": "Documents", "description": "Authority documents, kept encrypted."},
    {"name": "Notices", "description": "What is spoken: proposed by one officer, heard, approved by another."},
    {"name": "Disputes", "description": "What people said by pressing 3 or 9 on a call."},
    {"name": "Webhooks", "description": "Standard Webhooks to a court's own systems; at least once, in no order."},
    {"name": "Files of orders", "description": "Imports and their batches, exports, disclosures, and their jobs."},
    {"name": "Audit", "description": "What was done and what was heard: append-only, sealed, verifiable."},
    {"name": "Statistics", "description": "Counts, which name nobody."},
)
_REASONS: Mapping[int, str] = {
    400: "The request cannot be read.",
    401: "Nobody is signed in, or no longer.",
    403: "The right for it was not granted.",
    404: "There is no such thing, or it lies outside of what you may see.",
    409: "It contradicts the present state.",
    410: "The personal data was purged.",
    412: "Somebody else changed it since it was read.",
    413: "The body is too large.",
    415: "The body is of another content type.",
    422: "Fields were refused; `errors` names each and its cure.",
    428: "If-Match is missing.",
    429: "Too many attempts.",
    502: "The identity provider did not answer as it should.",
    500: "The fault is ours.",
    503: "The register cannot be reached just now.",
}
_DESCRIPTION = f"""\
Courts work with the register of orders through this API. {DOCS} explains signing in, versions, repeated requests,
pages and problems."""


class Completion:
    """Adds to APIFlask's specification what follows from the table of routes and the table of rights."""

    def __init__(self, routes: Mapping[str, Route]) -> None:
        """Keep the routes by name."""
        self._routes = routes

    def complete(self, spec: dict[str, Any] | str) -> dict[str, Any] | str:
        """Return the specification with security, headers and problems on every operation."""
        if isinstance(spec, str):
            return spec  # YAML, which is not asked for.
        spec["info"] |= {"description": _DESCRIPTION, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}}
        components = spec.setdefault("components", {})
        components["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer", "description": "The token of a session, or an API key."}
        }
        components.setdefault("schemas", {})["Problem"] = _problem_schema()
        components["headers"] = _headers()
        components["responses"] = {f"Problem{status}": _problem(status) for status in _REASONS}
        for operations in spec["paths"].values():
            for operation in operations.values():
                self._complete(operation)
        return spec

    def _complete(self, operation: dict[str, Any]) -> None:
        route = self._routes[operation["operationId"]]
        need = NEEDS.get(route.name)
        operation["security"] = [] if need is Door.PUBLIC else [{"bearer": []}]
        if isinstance(need, Right):
            operation["description"] = f"Needs the right `{need.value}` for the court or district concerned."
        parameters = operation["parameters"]
        for each in parameters:
            _tidy(each)
        parameters.extend(_header_parameters(route))
        if route.body is not None:
            operation["requestBody"]["required"] = True
        if route.upload is not None:
            operation["requestBody"] = _multipart(route)
        responses = operation["responses"]
        _dress(responses[str(route.status)], route)
        if route.method == "GET" and route.answer is not None:
            responses["304"] = {"description": "It has not changed.", "headers": {"ETag": _header_ref("ETag")}}
        for status in sorted(statuses_of(route, need)):
            responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}


def statuses_of(route: Route, need: Need | None) -> frozenset[int]:
    """Return every status that a problem of this route can have."""
    found = {500, 503, *route.refusals}
    if need is not Door.PUBLIC:
        found.add(401)
    if isinstance(need, Right):
        found.add(403)
    if "<" in route.path:
        found.add(404)
    if route.query is not None:
        found.add(422)
    if route.body is not None or route.upload is not None:
        found |= {400, 413, 415, 422}
    if route.method == "POST":
        found |= {409, 422}
    if route.if_match is not IfMatch.NOT_USED:
        found.add(412)
    if route.if_match is IfMatch.REQUIRED:
        found.add(428)
    return frozenset(found)


def _tidy(parameter: dict[str, Any]) -> None:
    """Write a parameter as it is sent: text has no null, and an id in a path has its pattern."""
    schema = parameter["schema"]
    if parameter["in"] == "path":
        parameter["required"] = True
        schema["pattern"] = f"^{ID_PATTERN}$"
        return
    choices = [each for each in schema.get("anyOf", []) if each.get("type") != "null"]
    if len(choices) == 1:
        schema.pop("anyOf")
        schema.update(choices[0])
    if schema.get("default", "") is None:
        schema.pop("default")
    schema.pop("title", None)
    if "description" in schema:
        parameter["description"] = schema.pop("description")


def _header_parameters(route: Route) -> list[dict[str, Any]]:
    found = []
    if route.method == "POST":
        schema = {"type": "string", "pattern": KEY_PATTERN, "examples": ["8e03978e-40d5-43dd-bc93-6894a57f9324"]}
        text = "Sent again with the same key within 24 hours, the request is answered as before and not carried out."
        found.append({"name": HEADER, "in": "header", "required": False, "schema": schema, "description": text})
    if route.if_match is not IfMatch.NOT_USED:
        required = route.if_match is IfMatch.REQUIRED
        text = "The ETag of what the change was decided on."
        found.append(
            {"name": "If-Match", "in": "header", "required": required, "schema": _etag_schema(), "description": text}
        )
    if route.method == "GET" and route.answer is not None:
        text = "The ETag of what you have; 304 says that it still holds."
        found.append(
            {"name": "If-None-Match", "in": "header", "required": False, "schema": _etag_schema(), "description": text}
        )
    return found


def _etag_schema() -> dict[str, Any]:
    return {"type": "string", "pattern": '^(\\*|"[!#-~]{1,100}")$', "examples": ['"v3-9b2cf535f27731c9"']}


def _dress(response: dict[str, Any], route: Route) -> None:
    headers: dict[str, Any] = {}
    if route.answer is not None and (route.method in {"GET", "PATCH"} or route.if_match is not IfMatch.NOT_USED):
        headers["ETag"] = _header_ref("ETag")
    if route.answers_pages:
        headers["Link"] = _header_ref("Link")
    if route.method == "POST":
        headers[REPLAYED] = _header_ref(REPLAYED)
    if headers:
        response["headers"] = headers
    if route.answer is None and route.status != HTTPStatus.NO_CONTENT:
        response["content"] = {route.media: {"schema": {"type": "string", "format": "binary"}}}
    if route.status == HTTPStatus.NO_CONTENT:
        response.pop("content", None)


def _header_ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/headers/{name}"}


def _headers() -> dict[str, Any]:
    return {
        "ETag": {"description": "The version of what is shown.", "schema": {"type": "string"}},
        "Link": {
            "description": 'The next page, rel="next" (RFC 8288); absent on the last.',
            "schema": {"type": "string"},
        },
        "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string", "pattern": "^[0-9]+$"}},
        REPLAYED: {"description": "`true` where an earlier answer is given again.", "schema": {"type": "string"}},
    }


def _problem(status: int) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": _REASONS[status],
        "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        response["headers"] = {"Retry-After": _header_ref("Retry-After")}
    if status == HTTPStatus.UNAUTHORIZED:
        response["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return response


def _problem_schema() -> dict[str, Any]:
    schema = Problem.model_json_schema(ref_template="#/components/schemas/Problem.{model}")
    schema["properties"]["errors"]["items"] = schema.pop("$defs")["FieldProblem"]
    schema["required"] = ["type", "title", "status", "detail", "code", "errors"]
    schema["examples"] = [
        {
            "type": f"{DOCS}#warning_days",
            "title": "Warning days",
            "status": 422,
            "detail": "A warning period of 90 days is not possible; give 1 to 60.",
            "code": "warning_days",
            "errors": [
                {
                    "field": "/warning_days",
                    "message": "A warning period of 90 days is not possible.",
                    "cure": "Give 1 to 60.",
                }
            ],
        }
    ]
    return schema


def _multipart(route: Route) -> dict[str, Any]:
    upload = route.upload
    if upload is None:
        return {}
    schema: dict[str, Any] = {"type": "object", "properties": {}, "required": []}
    if upload.form is not None:
        schema = upload.form.model_json_schema()
        schema.setdefault("required", [])
    schema["properties"][upload.field] = {"type": "string", "format": "binary", "description": upload.what}
    schema["required"].append(upload.field)
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
