"""The form to try a call with, and how keys are written in it."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

from flask_babel import gettext
from govuk_frontend_wtf.wtforms_widgets import GovCheckboxInput, GovTextInput
from wtforms import BooleanField, StringField
from wtforms.fields import Field
from wtforms.validators import InputRequired, Length, ValidationError

from gateway.console import refusals
from gateway.console.form import ConsoleForm
from gateway.console.languages import lazily as _l
from gateway.domain.e164 import E164
from gateway.domain.errors import InvalidNumberError
from gateway.workflows.simulate_call import KEYS, KeyPress
from gateway.workflows.try_script import LATEST_KEY_SECONDS, LONGEST_RING_SECONDS, TryScript

RING_SECONDS = 4.0
_KEY = re.compile(r"([0-9*#])\s*@\s*([0-9]{1,4}(?:[.,][0-9]{1,3})?)", re.ASCII)
_BETWEEN = re.compile(r"(?:\s*[,;]\s+|\s+)")


class TryForm(ConsoleForm):
    """Who calls whom, when, and which keys are pressed."""

    line = StringField(
        _l("Line that is called"),
        [InputRequired(_l("Enter the line that is called")), Length(max=40)],
        description=_l("The whole number with its country code, for example +442079460110"),
        widget=GovTextInput(),
    )
    caller = StringField(
        _l("Caller"),
        [Length(max=40)],
        description=_l("The whole number, or the short code of an emergency service"),
        widget=GovTextInput(),
    )
    withheld = BooleanField(_l("The caller withholds the number"), widget=GovCheckboxInput())
    keys = StringField(
        _l("Keys that are pressed"),
        [Length(max=400)],
        description=_l("Each with the second of the call, for example: 1@6 2@14. Whoever is listened to then presses."),
        widget=GovTextInput(),
    )
    day = StringField(_l("Day"), [InputRequired(_l("Enter the day of the call"))], widget=GovTextInput())
    time = StringField(_l("Time"), [InputRequired(_l("Enter the time of the call"))], widget=GovTextInput())
    zone = StringField(
        _l("Time zone"),
        [InputRequired(_l("Enter the time zone")), Length(max=64)],
        description=_l("For example Europe/London or UTC"),
        widget=GovTextInput(),
    )
    ring = StringField(
        _l("Seconds until somebody answers"),
        [InputRequired(_l("Enter how long the telephone rings")), Length(max=10)],
        description=_l("From 0 to 60"),
        widget=GovTextInput(),
    )

    def validate_line(self, field: Field) -> None:
        """Refuse what is no number."""
        _number(str(field.data or ""))

    def validate_keys(self, field: Field) -> None:
        """Refuse what cannot be read as keys."""
        keys_of(str(field.data or ""))

    def validate_zone(self, field: Field) -> None:
        """Refuse what is no time zone."""
        if str(field.data or "").strip() not in available_timezones():
            raise ValidationError(gettext("There is no such time zone; write one like Europe/London"))

    def validate_day(self, field: Field) -> None:
        """Refuse what is no day."""
        _read(str(field.data or ""), "%Y-%m-%d", gettext("Write the day as year-month-day, for example 2026-03-31"))

    def validate_time(self, field: Field) -> None:
        """Refuse what is no time."""
        _read(str(field.data or ""), "%H:%M", gettext("Write the time as hours:minutes, for example 14:30"))

    def validate_ring(self, field: Field) -> None:
        """Refuse what is no length."""
        seconds = _seconds(str(field.data or ""))
        if seconds is None or not 0 <= seconds <= LONGEST_RING_SECONDS:
            raise ValidationError(gettext("Write a number of seconds from 0 to 60"))

    def script(self) -> TryScript:
        """Return the call that the form describes, once it is valid."""
        local = datetime.fromisoformat(f"{str(self.day.data).strip()}T{str(self.time.data).strip().zfill(5)}")
        caller = "" if self.withheld.data else str(self.caller.data or "").strip()
        return TryScript(
            callee=E164.parse(str(self.line.data)).number,
            caller=caller,
            at=local.replace(tzinfo=ZoneInfo(str(self.zone.data).strip())).astimezone(UTC),
            keys=keys_of(str(self.keys.data or "")),
            ring_seconds=_seconds(str(self.ring.data)) or 0.0,
        )


def keys_of(text: str) -> tuple[KeyPress, ...]:
    """Read "1@4, 2@9.5". Raises ValidationError."""
    found = []
    for part in filter(None, _BETWEEN.split(re.sub(r"\s*@\s*", "@", text.strip().rstrip(",;")))):
        key = _KEY.fullmatch(part)
        if key is None:
            raise ValidationError(
                gettext("Write each key with its second, for example: 1@6 2@14. Keys are %(keys)s", keys=" ".join(KEYS))
            )
        at = float(key[2].replace(",", "."))
        if at > LATEST_KEY_SECONDS:
            raise ValidationError(gettext("Keys can be pressed in the first 120 seconds"))
        found.append(KeyPress(digit=key[1], at=at))
    return tuple(found)


def _number(text: str) -> None:
    try:
        E164.parse(text)
    except InvalidNumberError as error:
        raise ValidationError(refusals.message_of(error)) from error


def _read(text: str, form: str, message: str) -> None:
    try:
        datetime.strptime(text.strip(), form).replace(tzinfo=UTC)
    except ValueError as error:
        raise ValidationError(message) from error


def _seconds(text: str) -> float | None:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None
