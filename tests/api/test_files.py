import json
import resource
import socket
from threading import Thread

import pytest
from werkzeug.serving import make_server

from gateway.domain.rights import Role
from tests.api.builders import PDF, Registry, in_court

FORM = {"Content-Type": "multipart/form-data; boundary=x"}
HEAD = b'--x\r\nContent-Disposition: form-data; name="document"; filename="a"\r\n\r\n'


def test_a_document_comes_back_as_it_was_sent_and_lies_encrypted(registry: Registry) -> None:
    court = registry.a_court()
    clerk = registry.somebody(Role.CLERK, scope=in_court(court))
    content = PDF + b"Canary Person" * 20_000
    uploaded = clerk.upload(f"/courts/{court}/documents", "document", content)
    assert uploaded.status_code == 201, uploaded.text
    answer = clerk.client.get(uploaded.headers["Location"], headers={"Authorization": f"Bearer {clerk.token}"})
    assert (answer.content_type, answer.data) == ("application/pdf", content)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    for file in registry.parts.settings.vault_dir.rglob("*"):
        assert b"Canary" not in file.read_bytes()


@pytest.mark.parametrize(
    ("field", "content", "status", "code"),
    [
        ("document", b"MZ\x90\x00", 422, "not_a_pdf"),
        ("document", b"", 422, "not_a_pdf"),
        ("other", PDF, 422, "file_missing"),
    ],
)
def test_what_is_no_document_is_refused(
    sqlite_registry: Registry, field: str, content: bytes, status: int, code: str
) -> None:
    court = sqlite_registry.a_court()
    clerk = sqlite_registry.somebody(Role.CLERK)
    answer = clerk.upload(f"/courts/{court}/documents", field, content)
    assert answer.json is not None
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert list(sqlite_registry.parts.settings.vault_dir.rglob("doc_*")) == []


@pytest.mark.parametrize("body", [b"", b"--x", b"--x--", HEAD, HEAD + PDF, b"\x00" * 100])
def test_a_form_that_is_broken_is_refused(sqlite_registry: Registry, body: bytes) -> None:
    court = sqlite_registry.a_court()
    answer = sqlite_registry.somebody(Role.CLERK).send("POST", f"/courts/{court}/documents", body, FORM)
    assert answer.status_code in {400, 422}, answer.text


def test_a_file_that_is_too_large_is_refused_before_it_is_read(sqlite_registry: Registry) -> None:
    court = sqlite_registry.a_court()
    clerk = sqlite_registry.somebody(Role.CLERK)
    with serving(sqlite_registry) as port:
        request = (
            f"POST /api/v1/courts/{court}/documents HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n"
            f"Authorization: Bearer {clerk.token}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
            "Content-Length: 60000000\r\n\r\n"
        ).encode()
        with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
            line.sendall(request + HEAD)
            answer = line.makefile("rb").read()
    assert b" 413 " in answer.splitlines()[0]
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "too_large"


def test_a_large_file_is_not_held_in_memory(sqlite_registry: Registry) -> None:
    court = sqlite_registry.a_court()
    clerk = sqlite_registry.somebody(Role.CLERK)
    body = HEAD + PDF + bytes(40_000_000) + b"\r\n--x--\r\n"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = clerk.send("POST", f"/courts/{court}/documents", body, FORM)
    assert answer.status_code == 201, answer.text
    # In kB. The request itself is held by the test; a copy of it by the gateway would show.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


def test_a_notice_is_proposed_heard_and_approved_by_another(registry: Registry) -> None:
    court = registry.a_court()
    order = registry.an_approved_order(court)
    clerk, approver = registry.somebody(Role.CLERK), registry.somebody(Role.APPROVER)
    proposed = clerk.post(f"/orders/{order}/proposals", {"language": "en", "text": "A new text of the court."})
    assert proposed.status_code == 201, proposed.text
    assert proposed.json is not None
    heard = approver.get(proposed.json["audio"].removeprefix("/api/v1"))
    assert (heard.content_type, heard.data[:4]) == ("audio/wav", b"RIFF")
    assert clerk.post(f"/orders/{order}/proposals/en/approve").status_code == 403
    approved = approver.post(f"/orders/{order}/proposals/en/approve")
    assert approved.status_code == 200, approved.text
    listed = approver.get(f"/orders/{order}/notices").json
    assert listed is not None
    assert {(each["purpose"], each["language"]) for each in listed["notices"]} == {("public", "en"), ("warning", "en")}
    assert listed["proposals"] == []
    public = next(each for each in listed["notices"] if each["purpose"] == "public")
    assert public["text"] == "A new text of the court."
    assert approver.get(public["audio"].removeprefix("/api/v1")).data == heard.data


@pytest.mark.parametrize("content", [b"", b"RIFF....WAVE", b"not a sound at all" * 100])
def test_what_is_no_recording_is_refused(sqlite_registry: Registry, content: bytes) -> None:
    court = sqlite_registry.a_court()
    clerk = sqlite_registry.somebody(Role.CLERK)
    order = sqlite_registry.a_draft(court, clerk)
    answer = clerk.upload(f"/orders/{order}/proposals/recording", "recording", content, {"language": "en"})
    assert answer.json is not None
    assert (answer.status_code, answer.json["code"]) == (422, "recording_refused"), answer.text
    assert "/tmp" not in answer.text  # noqa: S108


class serving:  # noqa: N801  (reads as a phrase)
    """Serve an API on a free port of this machine."""

    def __init__(self, registry: Registry) -> None:
        self._server = make_server("127.0.0.1", 0, registry.api)
        self._thread = Thread(target=self._server.serve_forever)

    def __enter__(self) -> int:
        self._thread.start()
        return int(self._server.server_port)

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
