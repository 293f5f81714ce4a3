"""Settings: read once, at boot, from the environment and `config/`, and checked there. Nothing else reads either."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from gateway.domain.bypass import BypassList
from gateway.domain.errors import GatewayError
from gateway.domain.route import Routes

PREFIX = "NOTICE_GATEWAY_"
DEMO_TOKEN = "demo-token"  # noqa: S105  (public by design: it opens the demo and nothing else)
_HOME = Path(__file__).resolve().parent.parent
_HIGHEST_PORT = 65_535


class SettingsError(GatewayError):
    """{where}: {why}. Mend it there and start again."""

    code = "settings"


def _origin(text: str) -> str:
    parts = urlsplit(text.rstrip("/"))
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query or parts.fragment:
        raise ValueError("write scheme, host and port only, for example https://gateway.example.org")
    if parts.username or parts.password:
        raise ValueError("leave out user and password")
    _ = parts.port  # Raises ValueError where the port is no number.
    return text.rstrip("/")


def _listener(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host.strip("[]") or not port.isdecimal() or not 0 < int(port) <= _HIGHEST_PORT:
        raise ValueError("write host and port, for example 127.0.0.1:8448")
    return text


def _folder_for_rtpengine(path: Path) -> Path:
    """Refuse a path that a command of rtpengine's cannot hold: a space or a comma would begin another flag."""
    if str(path) != "." and re.fullmatch(r"/[A-Za-z0-9._/-]*", str(path)) is None:
        raise ValueError("write a whole path of letters, digits and . _ - / only")
    return path


def _storage(text: str) -> str:
    if not text:
        return text
    parts = urlsplit(text.rstrip("/"))
    odd = [each for each in parts.path.split("/")[1:] if each in {"", ".", ".."}]
    if parts.scheme != "s3" or not parts.hostname or odd or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("write bucket and prefix only, for example s3://bucket/prefix; credentials belong elsewhere")
    return text.rstrip("/")


class _RoutesFile(BaseModel):
    """What routes.toml may hold."""

    model_config = ConfigDict(extra="forbid", strict=True)

    default: str = "{line}"
    byoc_trunk: str = ""
    lines: dict[str, str] = Field(default_factory=dict)


class _BypassFile(BaseModel):
    """What bypass.toml may hold."""

    model_config = ConfigDict(extra="forbid", strict=True)

    short_codes: list[str] = Field(default_factory=list)
    country_codes: list[str] = Field(default_factory=list)
    numbers: list[str] = Field(default_factory=list)


_File = TypeVar("_File", _RoutesFile, _BypassFile)


class Settings(BaseSettings):
    """Everything that can be set. In the environment: NOTICE_GATEWAY_ and the name of the field in capitals."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", validate_default=True, env_ignore_empty=True
    )

    data_dir: Annotated[Path, AfterValidator(Path.resolve)] = Path("./var")
    database_url: str = ""
    database_screens_url: str = ""
    database_connections: int = Field(default=12, ge=2, le=100)
    database_prepares: bool = True
    public_origin: Annotated[str, AfterValidator(_origin)] = "http://127.0.0.1:8080"
    twilio_auth_token: SecretStr | None = None
    twilio_auth_token_secondary: SecretStr | None = None
    master_key: SecretStr | None = None
    master_keys_previous: SecretStr | None = None
    metrics_token: SecretStr | None = None
    storage_url: Annotated[str, AfterValidator(_storage)] = ""
    storage_endpoint: Annotated[str, AfterValidator(lambda text: _origin(text) if text else text)] = ""
    storage_cache_megabytes: int = Field(default=1024, ge=16, le=1_000_000)
    config_dir: Path = _HOME / "config"
    prompts_dir: Path = _HOME / "prompts"
    ring_seconds: int = Field(default=60, ge=5, le=600)
    token_seconds: int = Field(default=900, ge=120, le=86_400)
    screen_poll_seconds: float = Field(default=0.2, gt=0, le=60)
    retention_days: int = Field(default=365, ge=30, le=3650)
    trusted_proxies: int = Field(default=0, ge=0, le=10)
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr | None = None
    oidc_redirect_uri: str = ""
    sip_secret: SecretStr | None = Field(default=None, min_length=16)
    sip_secret_secondary: SecretStr | None = Field(default=None, min_length=16)
    sip_gateway_url: Annotated[str, AfterValidator(_origin)] = "http://127.0.0.1:8080"
    sip_screen: bool = True
    sip_evapi: Annotated[str, AfterValidator(_listener)] = "127.0.0.1:8448"
    sip_rtpengine: Annotated[str, AfterValidator(_listener)] = "127.0.0.1:2223"
    sip_dtmf_listen: Annotated[str, AfterValidator(_listener)] = "127.0.0.1:8902"
    sip_metrics_listen: Annotated[str, AfterValidator(lambda text: _listener(text) if text else text)] = ""
    sip_sounds_dir: Annotated[Path, AfterValidator(_folder_for_rtpengine)] = Path()
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (no .env file: a secret in the tree is a leak)
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let arguments come first, then the environment, secret files, and the TOML file."""
        config_dir = init_settings().get("config_dir") or env_settings().get("config_dir") or _HOME / "config"
        toml = TomlConfigSettingsSource(settings_cls, Path(config_dir) / "default.toml")
        return init_settings, env_settings, file_secret_settings, toml

    @property
    def sqlite_path(self) -> Path:
        """The embedded database."""
        return self.data_dir / "register.sqlite3"

    @property
    def database(self) -> str:
        """The database URL in use."""
        return self.database_url or f"sqlite:///{self.sqlite_path.resolve()}"

    @property
    def database_of_screens(self) -> str:
        """The URL that screens are read from: a replica's, where one is set."""
        return self.database_screens_url or self.database

    @property
    def key_file(self) -> Path:
        """The master key's file."""
        return self.data_dir / "keys.json"

    @property
    def renditions_dir(self) -> Path:
        """The folder of encoded notices; not used with object storage."""
        return self.data_dir / "renditions"

    @property
    def renditions_cache_dir(self) -> Path:
        """The folder of copies of what lies in the object storage; it may be emptied at any time."""
        return self.data_dir / "cache"

    @property
    def vault_dir(self) -> Path:
        """The folder of authority documents, encrypted; with object storage, of those being sent and fetched."""
        return self.data_dir / "vault"

    @property
    def checkpoints_dir(self) -> Path:
        """The folder of the trail's signed checkpoints."""
        return self.data_dir / "checkpoints"

    @property
    def screen_dir(self) -> Path:
        """The folder of the saved copy of the screen, which the workers of this machine share."""
        return self.data_dir / "screen"

    @property
    def demo_mark(self) -> Path:
        """The file that says that this folder holds nothing but the demo."""
        return self.data_dir / "DEMO"

    @property
    def is_demo(self) -> bool:
        """Tell whether the data folder is the demo's."""
        return self.demo_mark.exists()

    @property
    def twilio_tokens(self) -> tuple[str, ...]:
        """The auth tokens that may sign, primary first; the demo has one of its own; empty refuses every call."""
        given = [token for token in (self.twilio_auth_token, self.twilio_auth_token_secondary) if token is not None]
        tokens = tuple(token.get_secret_value() for token in given if token.get_secret_value())
        return tokens or ((DEMO_TOKEN,) if self.is_demo else ())

    @property
    def sip_secrets(self) -> tuple[str, ...]:
        """The secrets that the bridge to Kamailio may sign with, primary first; empty leaves SIP off."""
        given = (self.sip_secret, self.sip_secret_secondary)
        return tuple(secret.get_secret_value() for secret in given if secret is not None)

    @property
    def sounds_dir(self) -> Path:
        """The folder of what rtpengine plays, which it must be able to read; made by the bridge."""
        return self.data_dir / "sounds" if self.sip_sounds_dir == Path() else self.sip_sounds_dir

    @property
    def uses_demo_token(self) -> bool:
        """Tell whether webhooks are accepted with the demo's public token."""
        return self.twilio_tokens == (DEMO_TOKEN,)

    def routes(self) -> Routes:
        """Read `routes.toml`. Raises SettingsError, or what is wrong with a route."""
        return Routes(**self._read("routes.toml", _RoutesFile).model_dump())

    def bypass(self) -> BypassList:
        """Read `bypass.toml`. Raises SettingsError, or InvalidNumberError."""
        return BypassList.of(**self._read("bypass.toml", _BypassFile).model_dump())

    def _read(self, name: str, kind: type[_File]) -> _File:
        path = self.config_dir / name
        try:
            return kind.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return kind()
        except ValidationError as error:
            raise SettingsError(where=path, why=_sentences(error)) from error
        except (OSError, ValueError) as error:
            raise SettingsError(where=path, why=error) from error


def load(**given: Any) -> Settings:  # noqa: ANN401  (pydantic checks each by its field)
    """Read the settings; `given` comes before the environment. Raises SettingsError naming each wrong one."""
    try:
        return Settings(**given)
    except ValidationError as error:
        where = ", ".join(PREFIX + str(each["loc"][0]).upper() for each in error.errors())
        why = "; ".join(str(each["msg"]) for each in error.errors())
        raise SettingsError(where=where, why=why) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(where="default.toml", why=error) from error


def _sentences(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
