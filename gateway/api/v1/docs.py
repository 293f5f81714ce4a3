"""`/openapi.json` and `/docs`: the specification, and the same made readable, both made once from the routes."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from apiflask import APIFlask
from flask import Response, request
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from werkzeug.http import quote_etag

from gateway.api.v1.etags import etag_of
from gateway.api.v1.problems import title_of
from gateway.domain.errors import GatewayError
from gateway.workflows.codes import OURS, STATUSES

_HERE = Path(__file__).parent
# The page loads its own style sheet and nothing else: no script, no frame, no other host.
_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A code of a problem, in words."""

    code: str
    status: int
    title: str
    text: str


class Documentation:
    """Makes the specification and the page when they are first asked for, and keeps them."""

    def __init__(self, *, specification: Callable[[], object]) -> None:
        """Keep where the specification comes from."""
        self._specification = specification
        self._lock = Lock()
        self._made: tuple[bytes, bytes] | None = None

    @property
    def specification(self) -> bytes:
        """Return the specification as JSON."""
        return self._make()[0]

    @property
    def page(self) -> bytes:
        """Return the page as HTML."""
        return self._make()[1]

    def _make(self) -> tuple[bytes, bytes]:
        with self._lock:
            if self._made is None:
                spec: Any = self._specification()
                self._made = (json.dumps(spec, separators=(",", ":")).encode(), _render(spec).encode())
            return self._made


def add_documentation(api: APIFlask, prefix: str, documentation: Documentation) -> None:
    """Add the three addresses."""

    @api.get(f"{prefix}/openapi.json", endpoint="show_specification")
    @api.doc(hide=True)
    def show_specification() -> Response:
        return _send(documentation.specification, "application/json")

    @api.get(f"{prefix}/docs", endpoint="show_documentation")
    @api.doc(hide=True)
    def show_documentation() -> Response:
        response = _send(documentation.page, "text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = _POLICY
        return response

    @api.get(f"{prefix}/docs/style.css", endpoint="show_style_sheet")
    @api.doc(hide=True)
    def show_style_sheet() -> Response:
        return _send((_HERE / "static" / "style.css").read_bytes(), "text/css; charset=utf-8")


def problem_codes() -> tuple[Explained, ...]:
    """Return every code that the API can answer with, and what it says with its details left blank."""
    texts = {kind.code: (kind.__doc__ or "").strip() for kind in kinds_of(GatewayError)}
    return tuple(
        Explained(code=code, status=status, title=title_of(code), text=texts.get(code, ""))
        for code, status in sorted(STATUSES.items())
        if code not in OURS
    )


def kinds_of(kind: type[GatewayError]) -> Iterator[type[GatewayError]]:
    """Yield every error below one."""
    for each in kind.__subclasses__():
        yield each
        yield from kinds_of(each)


def _send(content: bytes, media: str) -> Response:
    tag = etag_of(content, None)
    if request.if_none_match.contains_weak(tag):
        return Response(status=304, headers={"ETag": quote_etag(tag)})
    return Response(content, content_type=media, headers={"ETag": quote_etag(tag), "Cache-Control": "no-cache"})


def _render(spec: Mapping[str, Any]) -> str:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["resolved"] = lambda node: resolved(spec, node)
    environment.filters["shape"] = shape
    environment.filters["pretty"] = lambda value: json.dumps(value, indent=2, ensure_ascii=False)
    return environment.get_template("docs.html").render(spec=spec, sections=_sections(spec), problems=problem_codes())


def _sections(spec: Mapping[str, Any]) -> list[tuple[Mapping[str, str], list[tuple[str, str, Mapping[str, Any]]]]]:
    """Return the operations of each tag, with method and path."""
    return [
        (
            tag,
            [
                (method.upper(), path, operation)
                for path, operations in spec["paths"].items()
                for method, operation in operations.items()
                if tag["name"] in operation["tags"]
            ],
        )
        for tag in spec["tags"]
    ]


def resolved(spec: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a `$ref` within the specification."""
    found: Any = node
    while "$ref" in found:
        target: Any = spec
        for part in found["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        found = target
    result: Mapping[str, Any] = found
    return result


def shape(schema: Mapping[str, Any]) -> str:
    """Return a schema in a few words, such as `list of text`."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[-1])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(shape(each) for each in schema[key])
    if "enum" in schema:
        return " or ".join(json.dumps(each) for each in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"])
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {shape(schema.get('items', {}))}"
    words = {"string": "text", "integer": "whole number", "boolean": "true or false", "null": "null"}
    named = schema.get("format")
    return f"{words.get(kind, kind)} ({named})" if named else str(words.get(kind, kind))
