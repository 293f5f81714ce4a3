import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from gateway.api.v1.app import ROUTES
from gateway.api.v1.docs import resolved
from gateway.api.v1.rights import NEEDS
from gateway.workflows.codes import OURS, STATUSES
from gateway.workflows.doors import Door
from tests.api.builders import Registry


@pytest.fixture
def spec(sqlite_registry: Registry) -> dict[str, Any]:
    answer = sqlite_registry.client.get("/api/v1/openapi.json")
    assert answer.content_type == "application/json"
    found: dict[str, Any] = json.loads(answer.data)
    return found


def operations(spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_every_operation_is_described(spec: dict[str, Any]) -> None:
    assert spec["openapi"] == "3.1.0"
    tags = {tag["name"] for tag in spec["tags"]}
    found = {operation["operationId"] for _, operation in operations(spec)}
    assert found == {route.name for route in ROUTES}
    for where, operation in operations(spec):
        assert operation["summary"].endswith("."), where
        assert set(operation["tags"]) <= tags, where
        assert operation["security"] == ([] if NEEDS[operation["operationId"]] is Door.PUBLIC else [{"bearer": []}])
        assert {"500", "503"} <= set(operation["responses"]), where


def test_every_post_takes_an_idempotency_key(spec: dict[str, Any]) -> None:
    for where, operation in operations(spec):
        names = {parameter["name"] for parameter in operation["parameters"]}
        assert ("Idempotency-Key" in names) is where.startswith("POST"), where


def test_every_reference_leads_somewhere(spec: dict[str, Any]) -> None:
    for reference in set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(spec))):
        assert resolved(spec, {"$ref": reference}), reference


def test_every_input_refuses_what_it_does_not_know(spec: dict[str, Any]) -> None:
    for where, operation in operations(spec):
        for media, content in operation.get("requestBody", {}).get("content", {}).items():
            if media == "application/json":
                assert resolved(spec, content["schema"])["additionalProperties"] is False, where
                assert "example" in content, where


def test_every_problem_is_of_one_form(spec: dict[str, Any]) -> None:
    for where, operation in operations(spec):
        for status, answer in operation["responses"].items():
            if status >= "400":
                content = resolved(spec, answer)["content"]
                assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}, (
                    where
                )


class Page(HTMLParser):
    """The ids, links and loaded resources of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            assert name != "style"
            assert not name.startswith("on")
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                (self.loaded if tag == "link" else self.links).append(value or "")
            if name == "src":
                self.loaded.append(value or "")


def test_the_documentation_is_one_page_that_loads_nothing_from_elsewhere(sqlite_registry: Registry) -> None:
    answer = sqlite_registry.client.get("/api/v1/docs")
    assert answer.content_type == "text/html; charset=utf-8"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    page = Page()
    page.feed(answer.text)
    assert page.tags.isdisjoint({"script", "iframe", "img"})
    assert page.loaded == ["/api/v1/docs/style.css"]
    assert sqlite_registry.client.get(page.loaded[0]).content_type == "text/css; charset=utf-8"
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        assert link.removeprefix("#") in page.ids or link == "/api/v1/openapi.json", link
    assert {route.name for route in ROUTES} <= set(page.ids)
    assert set(STATUSES) - OURS <= set(page.ids)


def test_the_specification_is_not_sent_twice(sqlite_registry: Registry) -> None:
    first = sqlite_registry.client.get("/api/v1/openapi.json")
    again = sqlite_registry.client.get("/api/v1/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
