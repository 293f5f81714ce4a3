"""Calls over TLS: from a telephone that speaks nothing else, to one whose certificate is believed."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sip.capture import Ear, capturing
from tests.sip.edge import Edge, running_edge
from tests.sip.house import CALLER, FREE
from tests.sip.phone import Phone, a_phone
from tests.sip.ports import Ports
from tests.sip.tones import CALLEE_VOICE, CALLER_VOICE


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A certification authority of the test's own."""

    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "authority.pem"

    def sign(self, name: str) -> Path:
        """Return a certificate for 127.0.0.1 with its key, in one file."""
        key, request, made = (self.folder / f"{name}.{end}" for end in ("key", "csr", "crt"))
        _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", key, "-out", request)
        signer = ("-CA", self.certificate, "-CAkey", self.folder / "authority.key", "-CAcreateserial")
        _openssl("x509", "-req", "-in", request, "-days", "2", *signer, "-out", made)
        both = self.folder / f"{name}.pem"
        both.write_text(made.read_text() + key.read_text())
        return both


def an_authority(folder: Path) -> Authority:
    folder.mkdir()
    subject = ("-subj", f"/CN={folder.name}", "-days", "2")
    files = ("-keyout", folder / "authority.key", "-out", folder / "authority.pem")
    _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject, *files)
    return Authority(folder=folder)


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """An edge that has certificates, and two places where a callee may be, the first of them tried first."""

    folder: Path
    ports: Ports
    edge: Edge
    door: int
    ours: Authority
    first: int
    second: int
    stack: ExitStack

    def caller(self) -> Phone:
        return self._phone("caller", CALLER, CALLER_VOICE, self.ours)

    def callee(self, at: int, signed_by: Authority, tone: int = CALLEE_VOICE) -> Phone:
        """Answer calls to the line without an order."""
        return self._phone(f"callee-{at}", FREE, tone, signed_by, at)

    def _phone(self, name: str, number: str, tone: int, signer: Authority, at: int | None = None) -> Phone:
        home = self.folder / name
        home.mkdir()
        return self.stack.enter_context(
            a_phone(home, self.ports, number, tone=tone, edge=self.door, sip=at, certificate=signer.sign(name))
        )


@pytest.fixture
def scene(tmp_path: Path, ports: Ports) -> Iterator[Scene]:
    ours = an_authority(tmp_path / "ours")
    certificate = ours.sign("edge")
    door = ports.one()
    (first, _), (second, _) = ports.several(2), ports.several(2)
    settings = {
        "listen_tls": f"127.0.0.1:{door}",
        "tls_certificate": str(certificate),
        "tls_key": str(certificate),
        "tls_authorities": str(ours.certificate),
        "destinations": tuple(f"sip:127.0.0.1:{at + 1};transport=tls" for at in (first, second)),
    }
    with ExitStack() as stack:
        edge = stack.enter_context(running_edge(tmp_path, ports, **settings))
        yield Scene(
            folder=tmp_path, ports=ports, edge=edge, door=door, ours=ours, first=first, second=second, stack=stack
        )


def test_a_call_between_telephones_that_speak_tls_alone(scene: Scene) -> None:
    capture = scene.stack.enter_context(capturing(scene.folder, scene.edge.sip, scene.edge.sip + 1490))
    caller, callee = scene.caller(), scene.callee(scene.first, scene.ours)
    caller.call(FREE, scene.door)
    callee.wait_for("CALL_ESTABLISHED", 10)
    time.sleep(1)
    caller.hang_up()
    callee.wait_for("CALL_CLOSED")
    datagrams = capture.datagrams()
    assert Ear.at(datagrams, *caller.rtp).heard(CALLEE_VOICE)
    assert Ear.at(datagrams, *callee.rtp).heard(CALLER_VOICE)
    assert not [each for each in datagrams if b"SIP/2.0" in each.payload]


def test_a_destination_whose_certificate_is_not_believed_gets_no_call(scene: Scene) -> None:
    impostor = scene.callee(scene.first, an_authority(scene.folder / "others"))
    caller, callee = scene.caller(), scene.callee(scene.second, scene.ours)
    caller.call(FREE, scene.door)
    # After the 5 s that a destination has to answer.
    callee.wait_for("CALL_REMOTE_SDP", 15)
    callee.wait_for("CALL_ESTABLISHED")
    caller.hang_up()
    assert impostor.program.lives
    assert "certificate verify failed" in scene.edge.kamailio.log.read_text()
    with pytest.raises(AssertionError, match="no CALL_REMOTE_SDP"):
        impostor.wait_for("CALL_REMOTE_SDP", 0.2)
