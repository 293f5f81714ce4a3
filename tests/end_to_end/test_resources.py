"""What is served besides webhooks: prompts, health and metrics, over real HTTP."""

import hashlib
import http.client
from urllib.parse import urlsplit

import httpx
import pytest

from tests.end_to_end.independent_twilio import Twilio, seconds_of
from tests.end_to_end.server import METRICS_TOKEN, Server


@pytest.fixture
def prompt(server: Server, twilio: Twilio) -> str:
    """The path of the notice that callers of +12025550110 hear."""
    del server
    return f"/prompts/{twilio.ring('+12025550110').caller_heard[0].prompt}.wav"


def status_of(server: Server, target: str) -> int:
    """Return the status for a request target as it is, which httpx would tidy up first."""
    connection = http.client.HTTPConnection(urlsplit(server.origin).netloc, timeout=15)
    connection.request("GET", target)
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_prompt_is_its_own_name_and_may_be_kept_for_ever(server: Server, prompt: str) -> None:
    response = server.get(prompt)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "audio/wav"
    sha256 = prompt.removeprefix("/prompts/").removesuffix(".wav")
    assert hashlib.sha256(response.content).hexdigest() == sha256
    assert response.headers["ETag"] == f'"{sha256}"'
    caching = {each.strip() for each in response.headers["Cache-Control"].split(",")}
    assert {"public", "immutable", "max-age=31536000"} <= caching
    assert "no-cache" not in caching
    assert seconds_of(response.content) > 3


def test_whoever_has_a_prompt_is_not_sent_it_again(server: Server, prompt: str) -> None:
    etag = server.get(prompt).headers["ETag"]
    for known in (etag, f'"another", {etag}', "*"):
        response = server.get(prompt, {"If-None-Match": known})
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["ETag"] == etag
    assert server.get(prompt, {"If-None-Match": '"another"'}).status_code == 200


@pytest.mark.parametrize(("asked", "start", "stop"), [("0-99", 0, 100), ("100-", 100, None), ("-10", -10, None)])
def test_a_prompt_is_sent_in_ranges(server: Server, prompt: str, asked: str, start: int, stop: int | None) -> None:
    whole = server.get(prompt).content
    part = server.get(prompt, {"Range": f"bytes={asked}"})
    assert part.status_code == 206
    assert part.content == whole[start:stop]
    first = start % len(whole)
    assert part.headers["Content-Range"] == f"bytes {first}-{first + len(part.content) - 1}/{len(whole)}"


def test_a_range_beyond_the_end_is_refused(server: Server, prompt: str) -> None:
    assert server.get(prompt, {"Range": "bytes=99999999-"}).status_code == 416


def test_the_head_of_a_prompt_tells_its_length_without_sending_it(server: Server, prompt: str) -> None:
    whole = server.get(prompt)
    head = httpx.head(server.origin + prompt, trust_env=False)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(whole.content))


def test_what_is_no_prompt_is_not_found_wherever_it_points(server: Server, prompt: str) -> None:
    sha256 = prompt.removeprefix("/prompts/").removesuffix(".wav")
    for target in (
        f"/prompts/{sha256}.mp3",
        f"/prompts/{sha256}",
        f"/prompts/{sha256}.wav/",
        f"/prompts/{sha256.upper()}.wav",
        f"/prompts/{'0' * 64}.wav",
        "/prompts/",
        "/prompts/../keys.json",
        "/prompts/..%2fkeys.json",
        "/prompts/..%2f..%2fkeys.json",
        "/prompts/%2e%2e/keys.json",
        f"/prompts/{sha256[:2]}%2f{sha256}.wav",
        "/prompts//etc/passwd.wav",
        "/prompts/%00.wav",
        "/keys.json",
        "/register.sqlite3",
    ):
        assert status_of(server, target) in {400, 404}, target


def test_metrics_are_for_this_machine_or_for_who_has_the_token(server: Server, twilio: Twilio) -> None:
    assert twilio.ring("+12025550199").is_plain
    here = server.get("/metrics")
    assert here.status_code == 200
    assert "notice_gateway_webhooks_total" in here.text
    # A reverse proxy on this machine comes from the loopback address too.
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        assert server.get("/metrics", {header: "203.0.113.9"}).status_code == 403
    from_outside = {"X-Forwarded-For": "203.0.113.9"}
    allowed = server.get("/metrics", {**from_outside, "Authorization": f"Bearer {METRICS_TOKEN}"})
    assert allowed.status_code == 200
    assert server.get("/metrics", {**from_outside, "Authorization": "Bearer wrong"}).status_code == 403
    assert server.get("/metrics", {**from_outside, "Authorization": "Bearer"}).status_code == 403


def test_metrics_of_all_workers_are_added_up(server: Server, twilio: Twilio) -> None:
    before = server.metric("notice_gateway_webhooks_total", event="call", reason="no_order")
    for _ in range(12):
        twilio.knock("+12025550199")
    counts = {server.metric("notice_gateway_webhooks_total", event="call", reason="no_order") for _ in range(8)}
    assert counts == {before + 12}


def test_health_is_told(server: Server) -> None:
    assert server.get("/healthz").json() == {"status": "ok"}
    ready = server.get("/readyz")
    assert ready.status_code == 200
    assert (ready.json()["status"], ready.json()["database"]) == ("ok", "reachable")


def test_an_unsigned_webhook_is_refused_and_counted_and_the_doctor_tells_of_it(server: Server) -> None:
    before = server.metric("notice_gateway_webhooks_refused_total")
    response = httpx.post(f"{server.origin}/twilio/call", data={"To": "+12025550110"}, trust_env=False)
    assert response.status_code == 403
    assert b"Response" not in response.content
    assert server.metric("notice_gateway_webhooks_refused_total") == before + 1
    assert server.get("/twilio/call").status_code == 405
