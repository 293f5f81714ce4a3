"""`notice-gateway sip`, and what it writes, as Kamailio and systemd read it."""

import signal
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from gateway.edge.errors import ProgramMissingError
from gateway.edge.files import write_edge_files
from gateway.edge.processes import require_programs
from gateway.edge.settings import load_edge
from gateway.settings import SettingsError
from tests.end_to_end.server import PROGRAM, environment, run
from tests.sip.edge import ROOT
from tests.sip.ports import Ports
from tests.sip.wire import an_endpoint

CONFIG = ROOT / "config"


def kamailio_accepts(folder: Path) -> bool:
    done = subprocess.run(
        ["/usr/sbin/kamailio", "-c", "-f", str(folder / "kamailio.cfg")], capture_output=True, text=True, check=False
    )
    assert "warning" not in done.stderr.lower(), done.stderr
    return done.returncode == 0


def test_what_is_rendered_is_what_kamailio_reads(tmp_path: Path) -> None:
    done = run(environment(tmp_path, data_dir=tmp_path / "data"), "sip", "render", str(tmp_path / "edge"))
    assert done.returncode == 0, done.stderr
    assert kamailio_accepts(tmp_path / "edge")
    assert "interface = 127.0.0.1" in (tmp_path / "edge" / "rtpengine.conf").read_text()
    assert {each.stat().st_mode & 0o007 for each in (tmp_path / "edge").iterdir()} == {0}


def test_tls_trunks_and_probing_are_what_kamailio_reads_too(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=edge", "-days", "2"]
    subprocess.run([*made, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    edge = load_edge(
        CONFIG,
        listen_tls="127.0.0.1:5061",
        tls_certificate=str(certificate),
        tls_key=str(key),
        trunks=("192.0.2.0/24", "2001:db8::/32", "198.51.100.7"),
        destinations=("sip:192.0.2.1;transport=tls", "sip:192.0.2.2:5080"),
        probe_seconds=10,
        topology_key="a key of the tests' own",
    )
    write_edge_files(edge, CONFIG, tmp_path / "edge")
    assert kamailio_accepts(tmp_path / "edge")
    assert (tmp_path / "edge" / "trunks.list").read_text().splitlines() == [
        "1 192.0.2.0 24",
        "1 [2001:db8::] 32",
        "1 198.51.100.7 32",
    ]
    assert (tmp_path / "edge" / "destinations.list").read_text().splitlines() == [
        "1 sip:192.0.2.1;transport=tls 0 2",
        "1 sip:192.0.2.2:5080 0 1",
    ]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("listen", "everywhere", "is not ADDRESS:PORT"),
        ("listen", "127.0.0.1:0", "is not ADDRESS:PORT"),
        ("bridge", "0.0.0.0:8448", "can be reached from other machines"),
        ("trunks", ("example.org",), "example.org"),
        ("destinations", (), "at least 1"),
        ("destinations", ("sip:a b",), "is not sip:HOST"),
        ("media_ports", "400-300", "is not LOWEST-HIGHEST"),
        ("listen_tls", "127.0.0.1:5061", "tls_certificate"),
        ("decision_ms", 60_000, "decision_ms"),
        ("hold_music", "loud", "hold_music"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(name: str, value: object, said: str) -> None:
    with pytest.raises(SettingsError, match=r"sip\.toml") as refused:
        load_edge(CONFIG, **{name: value})
    assert said in str(refused.value)


def test_a_missing_program_is_named_with_its_package() -> None:
    with pytest.raises(ProgramMissingError, match="package kamailio"):
        require_programs(load_edge(CONFIG), path="/nowhere")


def test_it_runs_until_it_is_told_to_stop_and_leaves_nothing(tmp_path: Path, ports: Ports) -> None:
    sip, health, evapi, ng, keys, caller = (ports.one() for _ in range(6))
    callee, media = ports.one(), ports.several(40)
    env = environment(
        tmp_path,
        data_dir=tmp_path / "data",
        sip_secret="the tests' own shared secret",
        sip_evapi=f"127.0.0.1:{evapi}",
        sip_rtpengine=f"127.0.0.1:{ng}",
        sip_dtmf_listen=f"127.0.0.1:{keys}",
        edge_listen=f"127.0.0.1:{sip}",
        edge_health=f"127.0.0.1:{health}",
        edge_media_ports=f"{media[0]}-{media[1]}",
        edge_destinations=f'["sip:127.0.0.1:{callee}"]',
    )
    process = subprocess.Popen([PROGRAM, "sip", "up"], env=env, stderr=subprocess.PIPE, text=True)
    try:
        _wait_for(f"http://127.0.0.1:{health}/healthz", '"bridge":"here"')
        with an_endpoint(caller, sip) as calls, an_endpoint(callee, sip):
            answer = calls.response(calls.invite("+12025550199"), 200)
        # rtpengine has it from the first call on.
        assert media[0] <= answer.audio_port <= media[1]
        assert "did not respond" not in (tmp_path / "data" / "edge" / "kamailio.log").read_text()
        children = _children(process.pid)
        assert len(children) == 3
    finally:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert "Stop with Ctrl-C" in said
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


def test_a_port_that_is_taken_is_said_before_anything_starts(tmp_path: Path, ports: Ports) -> None:
    sip = ports.one()
    env = environment(tmp_path, data_dir=tmp_path / "data", sip_secret="x" * 16, edge_listen=f"127.0.0.1:{sip}")
    with an_endpoint(sip, sip):
        done = run(env, "sip", "up")
    assert done.returncode == 1
    assert f"listen = 127.0.0.1:{sip}: Address already in use" in done.stderr


def _wait_for(url: str, text: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if text in httpx.get(url, trust_env=False, timeout=2).text:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{url} did not say {text}")


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
