"""The files that Kamailio and rtpengine read, written from the edge's settings."""

from pathlib import Path

from gateway.edge.processes import modules_folder
from gateway.edge.settings import EdgeSettings

_LEVELS = {"error": -1, "warning": 0, "notice": 1, "info": 2, "debug": 3}


def write_edge_files(edge: EdgeSettings, config_dir: Path, folder: Path) -> None:
    """Write into `folder` what Kamailio and rtpengine are started with; both may be started again at any time.

    kamailio.cfg (definitions, and the inclusion of `config_dir`/kamailio/kamailio.cfg), trunks.list, destinations.list,
    tls.cfg where TLS is wanted, and rtpengine.conf. Only the owner may read them: one may hold a key.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "kamailio.cfg", _kamailio(edge, config_dir, folder))
    _write(folder / "trunks.list", "".join(map(_trunk, edge.trunks)))
    _write(folder / "destinations.list", _destinations(edge))
    if edge.listen_tls:
        _write(folder / "tls.cfg", _tls(edge))
    _write(folder / "rtpengine.conf", _rtpengine(edge, config_dir))


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o640)
    path.write_text(text, encoding="utf-8")


def _kamailio(edge: EdgeSettings, config_dir: Path, folder: Path) -> str:
    words: dict[str, str] = {
        "EDGE_LISTEN_UDP": f"udp:{edge.listen}",
        "EDGE_LISTEN_TCP": f"tcp:{edge.listen}",
        "EDGE_LISTEN_HEALTH": f"tcp:{edge.health}",
    }
    texts: dict[str, str] = {
        "EDGE_MODULES": f"{modules_folder()}/",
        "EDGE_CONTROL": f"unix:{folder / 'control'}",
        "EDGE_TRUNKS": str(folder / "trunks.list"),
        "EDGE_DESTINATIONS": str(folder / "destinations.list"),
        "EDGE_BRIDGE": edge.bridge,
        "EDGE_RTPENGINE": f"udp:{edge.rtpengine}",
    }
    numbers: dict[str, int] = {
        "EDGE_LOG_LEVEL": _LEVELS[edge.log_level],
        "EDGE_WORKERS": edge.workers,
        "EDGE_HEALTH_PORT": int(edge.health.rpartition(":")[2]),
        "EDGE_CALLS_PER_SECOND": edge.calls_per_second,
        "EDGE_REQUESTS_IN_TWO_SECONDS": edge.requests_per_second * 2,
        "EDGE_DECISION_MS": edge.decision_ms,
        "EDGE_NOTICE_MS": edge.notice_seconds * 1000,
        "EDGE_WHISPER_MS": edge.whisper_seconds * 1000,
    }
    if edge.numbers == "bare":
        texts["EDGE_NUMBERS_BARE"] = "yes"
    if edge.numbers == "national":
        texts["EDGE_COUNTRY_CODE"] = f"+{edge.country_code}"
        texts["EDGE_NATIONAL"] = f"^{edge.trunk_prefix}[1-9][0-9]{{4,}}$"
        numbers["EDGE_TRUNK_PREFIX_LENGTH"] = len(edge.trunk_prefix)
    if edge.listen_tls:
        words["EDGE_LISTEN_TLS"] = f"tls:{edge.listen_tls}"
        texts["EDGE_TLS_CONFIG"] = str(folder / "tls.cfg")
    if edge.probe_seconds:
        numbers["EDGE_PROBE_SECONDS"] = edge.probe_seconds
    if edge.topology_key is not None:
        texts["EDGE_TOPOLOGY_KEY"] = edge.topology_key.get_secret_value()
        texts["EDGE_TOPOLOGY_ADDRESS"] = edge.listen.rpartition(":")[0]
    lines = [
        "#!KAMAILIO",
        "# Written by `notice-gateway sip render` from config/sip.toml; change that and write it again.",
    ]
    lines += [f"#!define {name} {value}" for name, value in {**words, **numbers}.items()]
    lines += [f'#!define {name} "{value}"' for name, value in texts.items()]
    return "\n".join([*lines, f'include_file "{config_dir.resolve() / "kamailio" / "kamailio.cfg"}"', ""])


def _trunk(network: str) -> str:
    """Write a line of the permissions module's file: group, address, length of the network."""
    address, _, length = network.partition("/")
    return f"1 {f'[{address}]' if ':' in address else address} {length}\n"


def _destinations(edge: EdgeSettings) -> str:
    """Write the dispatcher's list: set, address, flags, priority; the highest priority is called first."""
    first = len(edge.destinations)
    return "".join(f"1 {each} 0 {first - place}\n" for place, each in enumerate(edge.destinations))


def _tls(edge: EdgeSettings) -> str:
    return (
        "[server:default]\nmethod = TLSv1.2+\nverify_certificate = no\nrequire_certificate = no\n"
        f"private_key = {edge.tls_key}\ncertificate = {edge.tls_certificate}\n"
        "[client:default]\nmethod = TLSv1.2+\nverify_certificate = yes\nrequire_certificate = yes\n"
        f"ca_list = {edge.tls_authorities}\n"
    )


def _rtpengine(edge: EdgeSettings, config_dir: Path) -> str:
    low, _, high = edge.media_ports.partition("-")
    return (config_dir / "rtpengine" / "rtpengine.conf").read_text(encoding="utf-8") + (
        f"# From config/sip.toml.\ninterface = {edge.media_address}\nlisten-ng = {edge.rtpengine}\n"
        f"dtmf-log-dest = {edge.keys}\nport-min = {low}\nport-max = {high}\n"
    )
