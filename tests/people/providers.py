"""Identity providers: a real one in a process of its own, and one that lies as it is told."""

import base64
import hashlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

REDIRECT = "https://gateway.example.org/api/v1/sessions/oidc"
CLIENT_ID, CLIENT_SECRET = "court gateway", "s3cr:t&%"


@contextmanager
def real_provider(*users: Mapping[str, object], token_seconds: int = 3600) -> Iterator[str]:
    """Run `oidc-provider-mock`, an OpenID provider, and yield its issuer; each user is the claims of one."""
    port = _free_port()
    issuer = f"http://127.0.0.1:{port}"
    known = [part for user in users for part in ("--user-claims", json.dumps(user))]
    options = ["--port", str(port), "--require-nonce", "true", "--token-max-age", str(token_seconds)]
    command = [sys.executable, "-m", "oidc_provider_mock", *options, *known]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _wait_for(process, f"{issuer}/.well-known/openid-configuration")
        yield issuer
    finally:
        process.terminate()
        process.communicate(timeout=20)


def consent(url: str, subject: str) -> dict[str, str]:
    """Sign in at the real provider as a person does with a browser, and return what it puts into the address."""
    with httpx.Client(trust_env=False) as browser:
        answer = browser.post(url, data={"sub": subject})
    assert answer.status_code == 302, answer.text
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    return {name: values[0] for name, values in query.items()}


@dataclass(slots=True, kw_only=True)
class Lies:
    """What the lying provider says otherwise than a good one would; empty, it is one."""

    claims: dict[str, Any] = field(default_factory=dict)
    without: frozenset[str] = frozenset()
    header: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    signs_with: RSAKey | None = None
    unsigned: bool = False
    userinfo: dict[str, Any] | None = None
    status: int = 200
    methods: tuple[str, ...] = ("client_secret_basic",)


class LyingProvider:
    """A provider that checks PKCE and the client's secret, and lies in its answers as `lies` says."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.issuer = f"http://127.0.0.1:{server.server_port}"
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.lies = Lies()
        self.seen: list[dict[str, str]] = []
        self._asked: dict[str, str] = {}

    def authorize(self, url: str) -> dict[str, str]:
        """Take what the browser brings, and return what it brings back."""
        self._asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        return {"state": self._asked["state"], "code": "the-code"}

    def answer(self, path: str, body: str, headers: Mapping[str, str]) -> tuple[int, object]:
        if self.lies.status != 200:
            return self.lies.status, {}
        if path == "/.well-known/openid-configuration":
            return 200, self._document() | self.lies.document
        if path == "/keys":
            return 200, KeySet([self.key]).as_dict(private=False)
        if path == "/userinfo":
            assert headers["Authorization"] == "Bearer the-access-token"
            return 200, self.lies.userinfo
        assert path == "/token"
        return self._token({name: values[0] for name, values in parse_qs(body).items()}, headers)

    def _document(self) -> dict[str, Any]:
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        names |= {"userinfo_endpoint": "userinfo"} if self.lies.userinfo is not None else {}
        endpoints = {name: f"{self.issuer}/{path}" for name, path in names.items()}
        return {"issuer": self.issuer, **endpoints, "token_endpoint_auth_methods_supported": list(self.lies.methods)}

    def _token(self, form: dict[str, str], headers: Mapping[str, str]) -> tuple[int, object]:
        self.seen.append(form)
        given = (form.get("client_id", ""), form.get("client_secret", ""))
        if "Authorization" in headers:
            pair = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode()
            given = (unquote(pair.partition(":")[0]), unquote(pair.partition(":")[2]))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        good = (
            form["code"] == "the-code"
            and given == (CLIENT_ID, CLIENT_SECRET)
            and form["redirect_uri"] == self._asked["redirect_uri"]
            and challenge.decode() == self._asked["code_challenge"]
            and self._asked["code_challenge_method"] == "S256"
        )
        if not good:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "the-access-token", "token_type": "Bearer", "id_token": self._id_token()}

    def _id_token(self) -> str:
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": "subject-1",
            "aud": CLIENT_ID,
            "iat": int(time.time()),
            "exp": int(time.time()) + 300,
            "nonce": self._asked["nonce"],
            **self.lies.claims,
        }
        claims = {name: value for name, value in claims.items() if name not in self.lies.without}
        if self.lies.unsigned:
            parts = ({"alg": "none"}, claims)
            encoded = (base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in parts)
            return ".".join(encoded) + "."
        return jwt.encode({"alg": "RS256", "kid": "one", **self.lies.header}, claims, self.lies.signs_with or self.key)


@contextmanager
def lying_provider() -> Iterator[LyingProvider]:
    """Run the lying provider on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def _answer(self, body: str) -> None:
            status, document = provider.answer(urlsplit(self.path).path, body, dict(self.headers))
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = LyingProvider(server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join(timeout=20)
        server.server_close()


def _wait_for(process: "subprocess.Popen[bytes]", url: str) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            if httpx.get(url, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        assert process.poll() is None, "the provider stopped"
        assert time.monotonic() < until, "the provider did not start"
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
