"""Carry the player's requests to the gateway: signed, retried, timed and read, as Twilio does it.

The signature is made with the standard library alone, so that the player is an independent check of the verifier.
"""

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urldefrag, urlsplit
from uuid import uuid4

import httpx

from gateway.audio.mixdown import UndecodableSoundError, decode_wav
from gateway.domain.errors import GatewayError
from gateway.providers.twilio.player_verbs import Document
from gateway.providers.twilio.twiml import UnreadableTwimlError, read_document
from gateway.workflows.simulate_call import CallRefusedError, Explanation, GatewayUnreachableError, WebhookSeen

_EXPLAIN, _EXPLANATION = "X-Notice-Gateway-Explain", "X-Notice-Gateway-Explanation"
# Anything else is error 12300, invalid Content-Type (twilio.com/docs/api/errors/12300).
_TWIML_TYPES = {"text/xml", "application/xml", "text/html"}
# The table of MIME types on the page of <Play>.
_SOUND_TYPES = {
    *("audio/mpeg", "audio/wav", "audio/wave", "audio/x-wav", "audio/aiff", "audio/x-aifc", "audio/x-aiff"),
    *("audio/x-gsm", "audio/gsm", "audio/ulaw", "audio/basic"),
}
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ApplicationError(GatewayError):
    """{what}: {why}."""

    code = "application_error"


class Explainer(Protocol):
    """Asks the gateway why it answered as it did, and opens its sealed reply."""

    def ask(self) -> str:
        """Return the header value that asks for an explanation."""
        ...

    def read(self, sealed: str) -> Explanation:
        """Open what the gateway replied. Raises GatewayError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long Twilio waits, in seconds.

    https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides: connect timeout 5 s, read timeout 15 s,
    one retry.
    """

    connect: float = 5.0
    read: float = 15.0
    retries: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A document with the gateway's explanation of it; `sealed` tells whether there was one."""

    document: Document
    explanation: Explanation
    explained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A fetched file: its SHA-256 by name (or content), its sound as 16 bit PCM at 8 kHz, and what is odd about it."""

    prompt: str
    pcm: bytes
    remark: str


def sign(token: str, url: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Return the X-Twilio-Signature of a request to `url` with form parameters `pairs`.

    https://www.twilio.com/docs/usage/security#validating-requests: take the full URL, append the POST parameters
    sorted by name, each name followed by its value without delimiters, and sign with HMAC-SHA1. Values of a repeated
    name are de-duplicated and sorted.
    """
    text = url + "".join(name + value for name, value in sorted(set(pairs)))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


class Wire:
    """One call's connection to the gateway; `webhooks` grows with every request."""

    def __init__(self, token: str, explainer: Explainer, http: httpx.Client, patience: Patience) -> None:
        """Keep the collaborators; nothing is sent yet."""
        self._token, self._explainer, self._http = token, explainer, http
        self._patience = patience
        self._sounds: dict[str, Sound] = {}
        self.webhooks: list[WebhookSeen] = []

    def open(self, url: str, form: Mapping[str, str]) -> Answer:
        """Announce the call and fetch its first document.

        Raises GatewayUnreachableError or CallRefusedError where nobody plays along, else ApplicationError as `fetch`.
        """
        try:
            response = self._deliver("POST", url, form)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise GatewayUnreachableError(url=url, why=str(error) or type(error).__name__) from error
        except httpx.HTTPError as error:
            raise _failed(url, error) from error
        if response.status_code == httpx.codes.FORBIDDEN:
            raise CallRefusedError(url=url)
        return self._read(url, response)

    def fetch(self, method: str, url: str, form: Mapping[str, str]) -> Answer:
        """Fetch the next document. Raises ApplicationError for anything that Twilio would not execute."""
        try:
            response = self._deliver(method, url, form)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _failed(url, error) from error
        return self._read(url, response)

    def notify(self, method: str, url: str, form: Mapping[str, str]) -> None:
        """Deliver a status callback, whose answer Twilio ignores. Raises ApplicationError where it was not taken."""
        try:
            response = self._deliver(method, url, form)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _failed(url, error) from error
        if not response.is_success:
            raise ApplicationError(what=f"status callback {_path(url)}", why=f"answered {response.status_code}")

    def sound(self, url: str) -> Sound:
        """Fetch what <Play> names, once per call; unsigned, as <Play> sends no call parameters."""
        if url not in self._sounds:
            self._sounds[url] = self._fetch_sound(url)
        return self._sounds[url]

    def _deliver(self, method: str, url: str, form: Mapping[str, str]) -> httpx.Response:
        target = httpx.URL(urldefrag(url).url)
        if method == "GET":
            # The parameters of a GET request go into its query, and the URL alone is signed.
            target, form = target.copy_merge_params(dict(form)), {}
        request = self._http.build_request(
            method,
            target,
            data=dict(form) or None,
            headers={
                "X-Twilio-Signature": sign(self._token, str(target), form.items()),
                "I-Twilio-Idempotency-Token": str(uuid4()),
                _EXPLAIN: self._explainer.ask(),
                "User-Agent": "TwilioProxy/1.1",
            },
            timeout=httpx.Timeout(self._patience.read, connect=self._patience.connect),
        )
        for _ in range(self._patience.retries):
            try:
                return self._send(request)
            except (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError):
                # The very same request is sent again: idempotency token, signature and all.
                continue
        return self._send(request)

    def _send(self, request: httpx.Request) -> httpx.Response:
        began, status = time.perf_counter(), 0
        try:
            response = self._http.send(request, follow_redirects=False)
            status = response.status_code
            return response
        finally:
            ms = round((time.perf_counter() - began) * 1000, 1)
            self.webhooks.append(WebhookSeen(path=request.url.path, status=status, ms=ms))

    def _read(self, url: str, response: httpx.Response) -> Answer:
        if not response.is_success:
            raise ApplicationError(what=_path(url), why=f"answered {response.status_code}")
        kind = _content_type(response)
        if kind not in _TWIML_TYPES:
            raise ApplicationError(what=_path(url), why=f"answered with content type {kind or 'none'}, not text/xml")
        try:
            document = read_document(response.content, url)
        except UnreadableTwimlError as error:
            raise ApplicationError(what=_path(url), why=str(error).rstrip(".")) from error
        sealed = response.headers.get(_EXPLANATION, "")
        silent = Explanation(decision="", reason="", order="", prompts={})
        explanation = self._explainer.read(sealed) if sealed else silent
        return Answer(document=document, explanation=explanation, explained=bool(sealed))

    def _fetch_sound(self, url: str) -> Sound:
        try:
            response = self._http.get(url, follow_redirects=False, timeout=self._patience.read)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _failed(url, error) from error
        if response.status_code != httpx.codes.OK:
            raise ApplicationError(what=f"<Play> {_path(url)}", why=f"answered {response.status_code}")
        if (kind := _content_type(response)) not in _SOUND_TYPES:
            raise ApplicationError(what=f"<Play> {_path(url)}", why=f"content type {kind or 'none'} cannot be played")
        try:
            pcm = decode_wav(response.content)
        except UndecodableSoundError as error:
            raise ApplicationError(what=f"<Play> {_path(url)}", why=str(error).rstrip(".")) from error
        return _named(url, response.content, pcm)


def _named(url: str, body: bytes, pcm: bytes) -> Sound:
    """Name a rendition after its file, as renditions are addressed by content; say where the content is another."""
    digest = hashlib.sha256(body).hexdigest()
    name = _path(url).rpartition("/")[2].partition(".")[0]
    if _SHA256.fullmatch(name) is None:
        return Sound(prompt=digest, pcm=pcm, remark="")
    remark = "" if name == digest else f"{_path(url)} does not hold what its name says: its SHA-256 is {digest}"
    return Sound(prompt=name, pcm=pcm, remark=remark)


def _content_type(response: httpx.Response) -> str:
    header: str = response.headers.get("Content-Type", "")
    return header.partition(";")[0].strip().lower()


def _path(url: str) -> str:
    return urlsplit(url).path or "/"


def _failed(url: str, error: Exception) -> ApplicationError:
    return ApplicationError(what=_path(url), why=f"no answer ({str(error) or type(error).__name__})")
