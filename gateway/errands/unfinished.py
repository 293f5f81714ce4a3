"""Unfinished forms: what somebody began to type and wants back, read by that person and by nobody else.

A draft that was put aside is never dropped silently before its time; a form that an expired session cut short gives way
to newer ones. What was typed is encrypted: it names lines and people.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, select, update

from gateway.db.scrub import overwrite_deleted
from gateway.domain.errors import GatewayError, StaleVersionError
from gateway.errands.tables import unfinished_forms as forms
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing

MOST_BYTES = 256 * 1024
MOST_FORMS = 50


class FormKind(Enum):
    """Why a form is kept."""

    DRAFT_ORDER = "draft_order"
    INTERRUPTED = "interrupted"


# Counted from the last time that the form was kept.
LIFETIMES: Mapping[FormKind, timedelta] = {
    FormKind.DRAFT_ORDER: timedelta(days=30),
    FormKind.INTERRUPTED: timedelta(days=1),
}


class UnknownFormError(GatewayError):
    """There is no unfinished form {shown!r} of yours: it was finished, dropped, or kept for too long. Begin anew."""

    code = "unknown_entry"


class FormTooLargeError(GatewayError):
    """The form has {size} bytes, and {most} at most can be kept. Shorten its texts, or finish it without a break."""

    code = "form_too_large"


class TooManyFormsError(GatewayError):
    """You have {most} unfinished forms, and more cannot be kept. Finish or drop one of them, then save this one."""

    code = "too_many_forms"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormContent:
    """What was typed: the path that the form is sent to, and its fields as (name, value), in their order."""

    path: str = field(repr=False)
    fields: tuple[tuple[str, str], ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """A form that is kept for one person; `version` counts how often, for `expected`."""

    form_id: str
    person_id: str
    kind: FormKind
    content: FormContent = field(repr=False)
    kept_at: datetime
    version: int
    expires_at: datetime


def add(
    connection: Connection, ring: KeyRing, person_id: str, kind: FormKind, content: FormContent, now: datetime
) -> Unfinished:
    """Keep a new form; where there are MOST_FORMS, the oldest that was interrupted goes.

    The caller holds a lock on the person, or two at once could keep one too many. Raises FormTooLargeError,
    TooManyFormsError.
    """
    text = _text_of(content)
    _make_room(connection, person_id, now)
    form_id = f"frm_{secrets.token_hex(12)}"
    connection.execute(
        forms.insert().values(
            form_id=form_id,
            person_id=person_id,
            kind=kind.value,
            fields=FieldCipher(ring).encrypt(text, place=place(form_id)),
            kept_at=now,
            version=1,
            expires_at=now + LIFETIMES[kind],
        )
    )
    return get(connection, ring, person_id, form_id, now)


def replace(
    connection: Connection, ring: KeyRing, before: Unfinished, content: FormContent, expected: int | None, now: datetime
) -> Unfinished:
    """Keep a form anew in its place. Raises FormTooLargeError, StaleVersionError, UnknownFormError."""
    kept = {
        "fields": FieldCipher(ring).encrypt(_text_of(content), place=place(before.form_id)),
        "kept_at": now,
        "version": forms.c.version + 1,
        "expires_at": now + LIFETIMES[before.kind],
    }
    this = _is(before.person_id, before.form_id)
    as_expected = this if expected is None else and_(this, forms.c.version == expected)
    if not connection.execute(update(forms).where(as_expected).values(**kept)).rowcount:
        get(connection, ring, before.person_id, before.form_id, now)
        raise StaleVersionError(what="This form")
    return get(connection, ring, before.person_id, before.form_id, now)


def get(connection: Connection, ring: KeyRing, person_id: str, form_id: str, now: datetime) -> Unfinished:
    """Return a form of a person. Raises UnknownFormError for any other."""
    row = connection.execute(select(forms).where(_is(person_id, form_id), forms.c.expires_at > now)).one_or_none()
    if row is None:
        raise UnknownFormError(shown=form_id)
    return _read(row, FieldCipher(ring))


def of_person(
    connection: Connection, ring: KeyRing, person_id: str, kind: FormKind | None, now: datetime
) -> tuple[Unfinished, ...]:
    """Return the forms of a person, the one that was kept last first."""
    asked = select(forms).where(forms.c.person_id == person_id, forms.c.expires_at > now)
    if kind is not None:
        asked = asked.where(forms.c.kind == kind.value)
    cipher = FieldCipher(ring)
    newest = asked.order_by(forms.c.kept_at.desc(), forms.c.form_id.desc())
    return tuple(_read(row, cipher) for row in connection.execute(newest))


def drop(connection: Connection, person_id: str, form_id: str) -> bool:
    """Remove a form of a person, and tell whether it was there."""
    overwrite_deleted(connection)
    return bool(connection.execute(delete(forms).where(_is(person_id, form_id))).rowcount)


def drop_all_of(connection: Connection, person_id: str) -> int:
    """Remove every form of a person and return how many there were."""
    overwrite_deleted(connection)
    return connection.execute(delete(forms).where(forms.c.person_id == person_id)).rowcount


def forget(connection: Connection, now: datetime) -> int:
    """Remove the forms whose time is over and return how many there were."""
    overwrite_deleted(connection)
    return connection.execute(delete(forms).where(forms.c.expires_at <= now)).rowcount


def place(form_id: str) -> str:
    """Return the place that what was typed is bound to."""
    return f"unfinished_forms.fields:{form_id}"


def _make_room(connection: Connection, person_id: str, now: datetime) -> None:
    overwrite_deleted(connection)
    mine = forms.c.person_id == person_id
    connection.execute(delete(forms).where(mine, forms.c.expires_at <= now))
    if connection.execute(select(func.count()).select_from(forms).where(mine)).scalar_one() < MOST_FORMS:
        return
    interrupted = select(forms.c.form_id).where(mine, forms.c.kind == FormKind.INTERRUPTED.value)
    oldest = connection.execute(interrupted.order_by(forms.c.kept_at, forms.c.form_id).limit(1)).scalar()
    if oldest is None:
        raise TooManyFormsError(most=MOST_FORMS)
    connection.execute(delete(forms).where(forms.c.form_id == oldest))


def _is(person_id: str, form_id: str) -> ColumnElement[bool]:
    return and_(forms.c.form_id == form_id, forms.c.person_id == person_id)


def _text_of(content: FormContent) -> str:
    """Return the JSON that is encrypted. Half a character, which no keyboard types, becomes a question mark."""
    document = {"path": content.path, "fields": content.fields}
    octets = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    if len(octets) > MOST_BYTES:
        raise FormTooLargeError(size=len(octets), most=MOST_BYTES)
    return octets.decode()


def _read(row: Row[*tuple[Any, ...]], cipher: FieldCipher) -> Unfinished:
    document = json.loads(cipher.decrypt(row.fields, place=place(row.form_id)))
    return Unfinished(
        form_id=row.form_id,
        person_id=row.person_id,
        kind=FormKind(row.kind),
        content=FormContent(path=document["path"], fields=tuple((name, value) for name, value in document["fields"])),
        kept_at=row.kept_at,
        version=row.version,
        expires_at=row.expires_at,
    )
