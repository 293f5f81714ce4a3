"""Settings of the SIP edge, from the environment and `config/sip.toml`, checked when they are read."""

import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from gateway.settings import SettingsError

PREFIX = "NOTICE_GATEWAY_EDGE_"
_HIGHEST_PORT = 65_535
_URI = re.compile(r"sips?:[A-Za-z0-9.\[\]:-]+(;transport=(udp|tcp|tls))?")


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not 0 < int(port) <= _HIGHEST_PORT:
        raise ValueError(f"{text!r} is not ADDRESS:PORT, for example 127.0.0.1:5060")
    ip_address(host.strip("[]"))
    return text


def _on_the_loopback(text: str) -> str:
    if not ip_address(_address(text).rpartition(":")[0].strip("[]")).is_loopback:
        raise ValueError(f"{text!r} can be reached from other machines, and nobody is asked who they are there")
    return text


def _network(text: str) -> str:
    return str(ip_network(text, strict=False))


def _destination(text: str) -> str:
    if _URI.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not sip:HOST or sip:HOST:PORT, with or without ;transport=tcp or tls")
    return text


def _ports(text: str) -> str:
    low, _, high = text.partition("-")
    if not (low.isdecimal() and high.isdecimal() and 1024 <= int(low) < int(high) <= _HIGHEST_PORT):  # noqa: PLR2004
        raise ValueError(f"{text!r} is not LOWEST-HIGHEST, for example 30000-40000")
    return text


Address = Annotated[str, AfterValidator(_address)]
Loopback = Annotated[str, AfterValidator(_on_the_loopback)]


class EdgeSettings(BaseSettings):
    """Everything that can be set. In the environment: NOTICE_GATEWAY_EDGE_ and the name of the field in capitals."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", validate_default=True, env_ignore_empty=True
    )

    listen: Address = "127.0.0.1:5060"
    listen_tls: Annotated[str, AfterValidator(lambda text: _address(text) if text else text)] = ""
    tls_certificate: str = ""
    tls_key: str = ""
    tls_authorities: str = "/etc/ssl/certs/ca-certificates.crt"
    health: Address = "127.0.0.1:5066"
    trunks: tuple[Annotated[str, AfterValidator(_network)], ...] = ("127.0.0.1",)
    numbers: Literal["plus", "bare", "national"] = "plus"
    country_code: str = Field(default="", pattern=r"([1-9]\d{0,2})?")
    trunk_prefix: str = Field(default="", pattern=r"\d{0,3}")
    destinations: tuple[Annotated[str, AfterValidator(_destination)], ...] = Field(
        ("sip:127.0.0.1:5070",), min_length=1
    )
    probe_seconds: int = Field(default=0, ge=0, le=3600)
    bridge: Loopback = "127.0.0.1:8448"
    decision_ms: int = Field(default=500, ge=100, le=2000)
    notice_seconds: int = Field(default=25, ge=5, le=60)
    whisper_seconds: int = Field(default=300, ge=10, le=600)
    rtpengine: Address = "127.0.0.1:2223"
    keys: Address = "127.0.0.1:8902"
    media_address: str = "127.0.0.1"
    media_ports: Annotated[str, AfterValidator(_ports)] = "30000-40000"
    calls_per_second: int = Field(default=100, ge=1, le=10_000)
    requests_per_second: int = Field(default=400, ge=1, le=100_000)
    workers: int = Field(default=4, ge=1, le=64)
    log_level: Literal["error", "warning", "notice", "info", "debug"] = "notice"
    topology_key: SecretStr | None = None

    @model_validator(mode="after")
    def _nothing_is_half(self) -> "EdgeSettings":
        if self.listen_tls and not (self.tls_certificate and self.tls_key):
            raise ValueError("listen_tls wants tls_certificate and tls_key too")
        if self.numbers == "national" and not self.country_code:
            raise ValueError('numbers = "national" wants country_code too')
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (no .env file: a secret in the tree is a leak)
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let arguments come first, then the environment, secret files, and the TOML file of the call to `load`."""
        toml = TomlConfigSettingsSource(settings_cls, settings_cls.model_config.get("toml_file"))
        return init_settings, env_settings, file_secret_settings, toml


def load_edge(config_dir: Path, **given: object) -> EdgeSettings:
    """Read the edge's settings; `given` comes before the environment. Raises SettingsError naming each wrong one."""
    path = config_dir / "sip.toml"

    class Here(EdgeSettings):
        model_config = SettingsConfigDict(toml_file=path)

    try:
        return Here(**given)  # type: ignore[arg-type]  # pydantic checks each by its field
    except ValidationError as error:
        where = ", ".join(".".join(map(str, each["loc"])) for each in error.errors())
        raise SettingsError(
            where=f"{path} {where}", why="; ".join(str(each["msg"]) for each in error.errors())
        ) from error
    except ValueError as error:
        raise SettingsError(where=path, why=error) from error
