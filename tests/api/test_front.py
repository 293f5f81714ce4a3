import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from werkzeug.test import Client

from gateway.api.front import Front

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def saying(text: str) -> "WSGIApplication":
    def program(_environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return (text.encode(),)

    return program


class Stuck:
    """A page that comes when it is let go."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.begun = threading.Semaphore(0)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        self.begun.release()
        assert self.go_on.wait(timeout=30)
        return saying("page")(environ, start_response)


def test_a_request_goes_to_the_program_of_its_prefix() -> None:
    front = Front(saying("else"), calls={"/twilio/": saying("call")}, pages={"/api/": saying("api")}, most_pages=1)
    client = Client(front)
    assert client.post("/twilio/call").text == "call"
    assert client.get("/api/v1/orders").text == "api"
    assert client.get("/healthz").text == "else"
    # A slot is given back, whatever came before.
    assert [client.get("/api/x").status_code for _ in range(3)] == [200, 200, 200]


def test_pages_that_hang_leave_a_thread_to_calls() -> None:
    page = Stuck()
    client = Client(Front(saying("else"), calls={"/twilio/": saying("call")}, pages={"/console": page}, most_pages=2))
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(client.get, "/console/") for _ in range(2)]
        assert all(page.begun.acquire(timeout=30) for _ in waiting)
        refused = client.get("/console/")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert client.post("/twilio/call").text == "call"
        page.go_on.set()
        assert [each.result().text for each in waiting] == ["page", "page"]
    assert client.get("/console/").text == "page"


def test_a_page_that_fails_gives_its_slot_back() -> None:
    def failing(_environ: "WSGIEnvironment", _start_response: "StartResponse") -> Iterable[bytes]:
        raise RuntimeError("a defect")

    client = Client(Front(saying("else"), calls={}, pages={"/bad": failing, "/api/": saying("api")}, most_pages=1))
    for _ in range(3):
        try:
            client.get("/bad")
        except RuntimeError as error:
            assert str(error) == "a defect"  # noqa: PT017  (it is what the program raised, each time)
    assert client.get("/api/x").text == "api"
