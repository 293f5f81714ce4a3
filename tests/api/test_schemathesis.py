"""The API against its own specification: no undocumented answer, and no 5xx, whatever is sent."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, CheckFunction, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.assembly import put_together
from gateway.settings import Settings
from tests.api.builders import Person, Registry, a_registry
from tests.end_to_end.server import serving

CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 5
# These would take away what the test itself is signed in with.
LEFT_OUT = {"sign_out", "sign_out_everywhere", "close_person", "take_role", "reset_credentials"}


def test_no_answer_is_undocumented_and_none_is_our_fault(sqlite_registry: Registry) -> None:
    person = sqlite_registry.everybody_in_one()
    known = things_in(sqlite_registry, person)
    explore(schemathesis.openapi.from_wsgi("/api/v1/openapi.json", sqlite_registry.api), known, person.token, EXAMPLES)


def test_the_same_holds_behind_gunicorn(sqlite_settings: Settings, tmp_path: Path) -> None:
    parts = put_together(sqlite_settings)
    registry = a_registry(parts)
    person = registry.everybody_in_one()
    known = things_in(registry, person)
    parts.close()
    with serving(sqlite_settings.data_dir, tmp_path / "home", work=False, twilio_auth_token="a-token") as server:
        schema = schemathesis.openapi.from_url(f"{server.origin}/api/v1/openapi.json")
        explore(schema, known, person.token, examples=2)


def explore(schema: BaseSchema, known: Mapping[str, str], token: str, examples: int) -> None:
    """Send made-up requests to every operation, and hold each answer against the specification."""
    visited = set()
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        name = operation.definition.raw["operationId"]
        if name not in LEFT_OUT:
            named = {
                each["name"]: known[each["name"]]
                for each in operation.definition.raw["parameters"]
                if each["in"] == "path"
            }
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                send_all(operation, mode, named, token, examples)
            visited.add(name)
    assert len(visited) > 60


def send_all(operation: Any, mode: GenerationMode, named: Mapping[str, str], token: str, examples: int) -> None:  # noqa: ANN401  (generic)
    """Send what Schemathesis makes up, half of it about things that are there."""
    cases = [operation.as_strategy(generation_mode=mode)]
    if named:
        cases.append(operation.as_strategy(generation_mode=mode, path_parameters=dict(named)))

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(cases))
    def send(case: Case[Any]) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)

    send()


def things_in(registry: Registry, person: Person) -> dict[str, str]:
    court = registry.a_court("meadow")
    order = registry.a_draft(court, person)
    hook = person.post(f"/courts/{court}/webhooks", {"url": "https://court.example.org/hooks"}).json
    document = person.upload(f"/courts/{court}/documents", "document", b"%PDF-1.4 other").json
    person.post(f"/orders/{order}/proposals", {"language": "en", "text": "This is a notice of the court."})
    assert hook is not None
    assert document is not None
    return {
        "court_id": court,
        "district_id": f"{court}-one",
        "order_id": order,
        "document_id": document["id"],
        "webhook_id": hook["webhook"]["id"],
        "person_id": registry.somebody().person_id,
        "key_id": "key_absent",
        "delivery_id": "dlv_absent",
        "dispute_id": "dis_absent",
        "batch_id": "bat_absent",
        "job_id": "job_absent",
        "language": "en",
        "purpose": "public",
    }
