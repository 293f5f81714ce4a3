"""Checkpoints: signed statements of where the trail and the evidence stood, to be kept where nobody can rewrite them.

Ed25519 (RFC 8032): who keeps a checkpoint can check it with the public key alone.
"""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.audit.daybook import Day
from gateway.domain.errors import GatewayError
from gateway.privacy.keys import Keys

_FORM = 1
_CONTEXT = b"court-notice-gateway/checkpoint/1\n"


class CheckpointError(GatewayError):
    """{source} is not a checkpoint: {why}. Give a file that `audit checkpoint` has written, as it was."""

    code = "checkpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a checkpoint says: the trail had `count` entries, the last was `seq` with `seal`; and past days' plays."""

    at: datetime
    seq: int
    seal: bytes
    count: int
    evidence: tuple[Day, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A signed statement; `text` is the whole file, `source` is where it was read."""

    statement: Statement
    key_id: str
    public_key: str
    text: str
    source: str

    @property
    def is_signed(self) -> bool:
        """Tell whether the signature fits the text and the public key in it."""
        document = json.loads(self.text)
        try:
            signature = bytes.fromhex(document.pop("signature"))
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.public_key))
            key.verify(signature, _CONTEXT + _canonical(document).encode())
        except (InvalidSignature, ValueError, KeyError, TypeError):
            return False
        return True


def public_key_of(keys: Keys) -> str:
    """Return, in hexadecimal, the public key that checks what `keys` sign."""
    return _signer(keys).public_key().public_bytes_raw().hex()


def sign(statement: Statement, keys: Keys, *, source: str) -> Checkpoint:
    """Return the signed checkpoint."""
    document: dict[str, Any] = {
        "form": _FORM,
        "at": statement.at.isoformat(),
        "seq": statement.seq,
        "seal": statement.seal.hex(),
        "count": statement.count,
        "evidence": [each.document() for each in statement.evidence],
        "key_id": keys.key_id,
        "public_key": public_key_of(keys),
    }
    document["signature"] = _signer(keys).sign(_CONTEXT + _canonical(document).encode()).hex()
    return read(_canonical(document) + "\n", source=source)


def read(text: str, *, source: str) -> Checkpoint:
    """Read a checkpoint without judging its signature. Raises CheckpointError."""
    try:
        document = json.loads(text)
        if document["form"] != _FORM:
            raise CheckpointError(
                source=source, why=f"its form is {document['form']!r}, and this release knows {_FORM}"
            )
        return Checkpoint(
            statement=_statement(document),
            key_id=str(document["key_id"]),
            public_key=str(document["public_key"]),
            text=text,
            source=source,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(source=source, why=f"{type(error).__name__}: {error}") from error


def read_file(path: Path) -> Checkpoint:
    """Read a checkpoint from a file. Raises CheckpointError, OSError."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CheckpointError(source=path.name, why="it is no text") from error
    return read(text, source=path.name)


def files_in(folder: Path) -> tuple[Path, ...]:
    """Return the checkpoint files in a folder, oldest first; none where there is no folder."""
    return tuple(sorted(folder.glob("????-??-??.json")))


def file_of(folder: Path, day: date) -> Path:
    """Return where the checkpoint of a day lies."""
    return folder / f"{day.isoformat()}.json"


def keep(checkpoint: Checkpoint, path: Path) -> None:
    """Write a new file: whole or not at all, and never over another one. Raises FileExistsError, OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("x", encoding="utf-8") as file:
            file.write(checkpoint.text)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _statement(document: Mapping[str, Any]) -> Statement:
    at = datetime.fromisoformat(document["at"])
    if at.tzinfo is None:
        raise ValueError("its time has no zone")
    return Statement(
        at=at,
        seq=int(document["seq"]),
        seal=bytes.fromhex(document["seal"]),
        count=int(document["count"]),
        evidence=tuple(Day.read(each) for each in document["evidence"]),
    )


def _signer(keys: Keys) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(keys.signing)


def _canonical(document: Mapping[str, Any]) -> str:
    """Return the one way to write a document: sorted names, no white space, ASCII (as RFC 8785 for these values)."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
