from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from gateway.domain.rights import Role
from gateway.errands.tables import claims
from tests.api.builders import Person, Registry, an_order, in_court


def court_of(name: str) -> dict[str, object]:
    return {"id": name, "name": "Court", "zone": "Europe/London"}


def post(person: Person, path: str, body: object, key: str) -> TestResponse:
    return person.post(path, body, **{"Idempotency-Key": key})


def code_of(answer: TestResponse) -> str:
    assert answer.json is not None
    return str(answer.json["code"])


def test_a_request_that_is_sent_again_is_answered_again_and_not_carried_out_again(registry: Registry) -> None:
    admin = registry.everybody_in_one()
    first, again = (post(admin, "/courts", court_of("meadow"), "k1") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.data == again.data
    assert (first.headers["ETag"], first.headers["Location"]) == (again.headers["ETag"], again.headers["Location"])
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"


def test_what_is_shown_once_is_the_same_when_it_is_asked_for_again(registry: Registry) -> None:
    admin = registry.everybody_in_one()
    court = registry.a_court()
    path, body = f"/courts/{court}/webhooks", {"url": "https://court.example.org/hooks"}
    first, again = (post(admin, path, body, "k1") for _ in range(2))
    assert first.json is not None
    assert first.json == again.json
    with registry.desk.reading.connect() as connection:
        kept = connection.execute(select(claims.c.answer)).scalar_one()
    assert first.json["secret"].encode() not in kept


@pytest.mark.parametrize("changed", ["body", "if_match"])
def test_a_key_belongs_to_one_request(sqlite_registry: Registry, changed: str) -> None:
    admin = sqlite_registry.everybody_in_one()
    court = sqlite_registry.a_court()
    body = {"enabled": False, "reason": "A pause."}
    path = f"/districts/{court}-one/switch"
    assert post(admin, path, body, "k1").status_code == 200
    if changed == "body":
        answer = post(admin, path, body | {"reason": "Another."}, "k1")
    else:
        answer = admin.post(path, body, **{"Idempotency-Key": "k1", "If-Match": '"v1-0000000000000000"'})
    assert (answer.status_code, code_of(answer)) == (422, "idempotency_mismatch")


def test_two_people_may_choose_the_same_key(sqlite_registry: Registry) -> None:
    one, other = sqlite_registry.everybody_in_one(), sqlite_registry.everybody_in_one()
    assert post(one, "/courts", court_of("meadow"), "k1").status_code == 201
    assert post(other, "/courts", court_of("brook"), "k1").status_code == 201


def test_a_refused_request_may_be_mended_and_sent_again_under_the_same_key(sqlite_registry: Registry) -> None:
    admin = sqlite_registry.everybody_in_one()
    assert post(admin, "/courts", court_of("meadow") | {"zone": "Mars/Base"}, "k1").status_code == 422
    assert post(admin, "/courts", court_of("meadow"), "k1").status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "ключ".encode().decode("latin-1")])
def test_a_key_that_is_not_usable_is_refused(sqlite_registry: Registry, key: str) -> None:
    admin = sqlite_registry.everybody_in_one()
    answer = post(admin, "/courts", court_of("meadow"), key)
    assert (answer.status_code, code_of(answer)) == (422, "bad_idempotency_key")


def test_twins_that_arrive_at_once_are_carried_out_once(registry: Registry) -> None:
    court = registry.a_court()
    document = registry.a_document(court)
    clerk = registry.somebody(Role.CLERK, scope=in_court(court))
    bodies = [an_order(court, document_sha256=document) for _ in range(2)]
    with ThreadPoolExecutor(4) as pool:
        sent = [
            pool.submit(post, person_of(registry, clerk), "/orders", body, str(index))
            for index, body in enumerate(bodies)
            for _ in range(3)
        ]
        answers = [each.result() for each in sent]
    assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]
    assert len({answer.data for answer in answers}) == 2
    listed = clerk.get("/orders").json
    assert listed is not None
    assert len(listed["items"]) == 2


def test_work_that_was_done_and_whose_answer_was_lost_says_so(sqlite_registry: Registry) -> None:
    admin = sqlite_registry.everybody_in_one()
    assert post(admin, "/courts", court_of("meadow"), "k1").status_code == 201
    with sqlite_registry.desk.office.engine.begin() as connection:
        connection.execute(claims.update().values(answer=None))
    answer = post(admin, "/courts", court_of("meadow"), "k1")
    assert (answer.status_code, code_of(answer)) == (409, "already_done")


def test_a_file_that_is_sent_again_is_answered_again(sqlite_registry: Registry) -> None:
    court = sqlite_registry.a_court()
    clerk = sqlite_registry.somebody(Role.CLERK)
    key = uuid4().hex

    def send(content: bytes) -> TestResponse:
        body = (
            b'--x\r\nContent-Disposition: form-data; name="document"; filename="a"\r\n\r\n' + content + b"\r\n--x--\r\n"
        )
        headers = {"Content-Type": "multipart/form-data; boundary=x", "Idempotency-Key": key}
        return clerk.send("POST", f"/courts/{court}/documents", body, headers)

    first, again, other = send(b"%PDF-1.4 a"), send(b"%PDF-1.4 a"), send(b"%PDF-1.4 b")
    assert first.data == again.data
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (other.status_code, code_of(other)) == (422, "idempotency_mismatch")


def person_of(registry: Registry, person: Person) -> Person:
    """Return the same person with a client of their own: a test client serves one thread."""
    return Person(person_id=person.person_id, token=person.token, client=registry.client)
