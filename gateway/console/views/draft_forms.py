"""The form that all steps of a draft are made from: each step keeps its own fields of it, judged by the domain."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask_babel import gettext
from govuk_frontend_wtf.wtforms_widgets import GovFileInput, GovRadioInput, GovSelect, GovTextArea, GovTextInput
from werkzeug.datastructures import FileStorage
from wtforms import (
    FieldList,
    FileField,
    Form,
    FormField,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields import Field
from wtforms.fields.choices import SelectChoice
from wtforms.validators import AnyOf, DataRequired, Length, Regexp, ValidationError

from gateway.console import refusals
from gateway.console.form import ConsoleForm
from gateway.console.languages import lazily as _l
from gateway.console.views.draft_steps import (
    MOST_LINES,
    TypedLine,
    line_of,
    validity_of,
)
from gateway.domain.errors import GatewayError, LegalFormError
from gateway.domain.subject import Scheme, SubjectKind
from gateway.register.errors import UnknownZoneError
from gateway.register.identifiers import read_identifier

NEXT, SAVE, ADD, REMOVE, GO = "next", "save", "add", "remove", "go"
_FIELDS_OF: Mapping[str, frozenset[str]] = {
    "court": frozenset({"district"}),
    "subject": frozenset({"case_number", "kind", "name", "scheme", "identifier", "legal_form"}),
    "lines": frozenset({"lines"}),
    "authority": frozenset({"legal_basis", "document"}),
    "validity": frozenset({"valid_days", "languages"}),
    "check": frozenset({"order_version"}),
}
_EVERY = frozenset[str]().union(*_FIELDS_OF.values())
_ONE_LINE = Regexp(
    re.compile(r"[^\x00-\x1f\x7f]*\Z"), message=_l("Write this in one line, without characters that nobody sees")
)


class LineForm(Form):  # type: ignore[misc]  # WTForms has no types.
    """One line: its number, where it is, and where the organisation publishes it."""

    number = StringField(_l("Number"), [Length(max=40), _ONE_LINE])
    zone = StringField(_l("Time zone"), [Length(max=64), _ONE_LINE])
    evidence = StringField(_l("Where the organisation publishes it, and when that was seen"), [Length(max=1000)])
    needs_evidence = False
    may_be_blank = False

    @property
    def typed(self) -> TypedLine:
        """Return what was typed."""
        return TypedLine(**{name: str(self[name].data or "").strip() for name in ("number", "zone", "evidence")})

    def validate_number(self, field: Field) -> None:
        """Refuse what is no subscriber's number; a row in which nothing stands is passed over."""
        if self.typed.is_blank and self.may_be_blank:
            return
        try:
            line_of(replace(self.typed, zone=""))
        except GatewayError as error:
            raise ValidationError(refusals.message_of(error)) from error
        finally:
            field.data = str(field.data or "").strip()

    def validate_zone(self, field: Field) -> None:  # noqa: ARG002  (WTForms hands the field over)
        """Refuse a zone that there is not."""
        try:
            line_of(TypedLine(number="+442079460110", zone=self.typed.zone))
        except UnknownZoneError as error:
            raise ValidationError(refusals.message_of(error)) from error

    def validate_evidence(self, field: Field) -> None:  # noqa: ARG002  (WTForms hands the field over)
        """Refuse an organisation's line that nothing shows to be its own."""
        if self.needs_evidence and not self.typed.evidence and not (self.typed.is_blank and self.may_be_blank):
            raise ValidationError(gettext("State where the organisation publishes this line, and when that was seen"))


class DraftForm(ConsoleForm):
    """All fields of all steps; `narrow` leaves those of one. `act` is the button that was pressed."""

    act = StringField()
    order_version = HiddenField()
    district = SelectField(_l("District"), validate_choice=False, widget=GovSelect())
    case_number = StringField(
        _l("Case number"),
        [DataRequired(_l("Enter the court's docket number")), Length(max=200), _ONE_LINE],
        description=_l("The court's docket number, for example 2026-CV-0417"),
        widget=GovTextInput(),
    )
    kind = RadioField(
        _l("Whom does the order concern?"),
        [AnyOf([kind.value for kind in SubjectKind], message=_l("Choose whom the order concerns"))],
        validate_choice=False,
        choices=[SelectChoice(kind.value) for kind in SubjectKind],
        widget=GovRadioInput(),
    )
    name = StringField(
        _l("Name"),
        [DataRequired(_l("Enter the name as the judgment has it")), Length(max=200), _ONE_LINE],
        description=_l("As the judgment has it"),
        widget=GovTextInput(),
    )
    scheme = SelectField(_l("Register"), validate_choice=False, widget=GovSelect())
    identifier = StringField(
        _l("Number in the register"),
        [Length(max=200), _ONE_LINE],
        description=_l("Copied from the register's extract; its check digits are verified"),
        widget=GovTextInput(),
    )
    legal_form = StringField(
        _l("Legal form"),
        [Length(max=200), _ONE_LINE],
        description=_l("As the register's extract has it, for example Inc. or SARL; needed for LEI, SIREN and EIN"),
        widget=GovTextInput(),
    )
    lines = FieldList(FormField(LineForm), min_entries=1, max_entries=MOST_LINES)
    legal_basis = TextAreaField(
        _l("Legal basis"),
        [Length(max=4000)],
        description=_l("The law that allows this order, as you would cite it"),
        widget=GovTextArea(),
    )
    document = FileField(
        _l("Authority document"),
        description=_l("The signed order as a PDF, at most 50 MB. It is kept encrypted as soon as it has arrived."),
        widget=GovFileInput(),
    )
    valid_days = StringField(
        _l("Valid for how many days"),
        [Length(max=10)],
        description=_l("Counted from the approval; 366 at most"),
        widget=GovTextInput(),
    )
    languages = FieldList(SelectField(validate_choice=False, widget=GovSelect()), min_entries=1, max_entries=8)

    def narrow(self, step: str) -> None:
        """Leave the fields of one step."""
        for name in _EVERY - _FIELDS_OF[step]:
            del self[name]

    @property
    def asked(self) -> str:
        """Return what is to be done: the button's word, `next` where Enter was pressed in a field."""
        return str(self.act.data or NEXT).partition(":")[0]

    @property
    def target(self) -> str:
        """Return what the button names beside its word: a step, or a row."""
        return str(self.act.data or "").partition(":")[2]

    @property
    def upload(self) -> FileStorage | None:
        """Return the file that was chosen, if one was."""
        file = self.document.data if self.document is not None else None
        return file if isinstance(file, FileStorage) and file.filename else None

    def validate(self, extra_validators: Mapping[str, Sequence[Any]] | None = None) -> bool:
        """Judge what goes on to the next step; what is only put aside is kept as it is."""
        if self.asked in {SAVE, ADD, REMOVE, GO}:
            return self.is_ours()
        if self.lines is not None:
            for entry in self.lines.entries[1:]:
                entry.form.may_be_blank = True
        is_valid = bool(super().validate(extra_validators))
        return is_valid and (self.lines is None or self._are_different())

    def validate_district(self, field: Field) -> None:
        """Refuse a district that was not among those to choose from."""
        if not field.data or field.data not in {choice.value for choice in field.choices}:
            raise ValidationError(gettext("Choose the district"))

    def validate_identifier(self, field: Field) -> None:  # noqa: ARG002  (WTForms hands the field over)
        """Let the register's rules judge the identifier, where one is needed."""
        if self.kind.data == SubjectKind.ORGANISATION.value:
            if self.scheme.data not in {scheme.value for scheme in Scheme}:
                raise ValidationError(gettext("Choose the register, and enter the organisation's number in it"))
            refusal = self._refusal()
            if refusal is not None and not isinstance(refusal, LegalFormError):
                raise ValidationError(refusals.message_of(refusal))

    def validate_legal_form(self, field: Field) -> None:  # noqa: ARG002  (WTForms hands the field over)
        """Ask for the legal form where sole traders have such numbers too."""
        if self.kind.data == SubjectKind.ORGANISATION.value:
            refusal = self._refusal()
            if isinstance(refusal, LegalFormError):
                raise ValidationError(refusals.message_of(refusal))

    def validate_valid_days(self, field: Field) -> None:
        """Refuse what no order may be valid for."""
        try:
            validity_of(str(field.data or ""))
        except GatewayError as error:
            raise ValidationError(refusals.message_of(error)) from error

    def _refusal(self) -> GatewayError | None:
        fields = (self.scheme, self.identifier, self.legal_form)
        try:
            read_identifier(*(str(field.data or "").strip() for field in fields))
        except GatewayError as error:
            return error
        return None

    def _are_different(self) -> bool:
        """Refuse a number that stands in two rows, beside the second."""
        seen: set[str] = set()
        for entry in self.lines.entries:
            typed = entry.form.typed
            number = "" if typed.is_blank else line_of(replace(typed, zone="")).number.number
            if number in seen:
                entry.form.number.errors = [gettext("This number stands above already")]
                self.lines.errors = [each.errors for each in self.lines.entries]
                return False
            seen.update({number} - {""})
        return True


def choices_of(none: str, names: Mapping[str, str]) -> list[SelectChoice]:
    """Return what there is to choose from; `none` is what it is called to choose nothing, empty where one must."""
    return [*([SelectChoice("", none)] if none else []), *(SelectChoice(value, name) for value, name in names.items())]
