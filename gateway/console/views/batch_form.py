"""The form that a file of orders is sent with."""

from flask_babel import gettext
from govuk_frontend_wtf.wtforms_widgets import GovFileInput, GovRadioInput, GovSelect, GovTextArea
from werkzeug.datastructures import FileStorage
from wtforms import FileField, RadioField, SelectField, TextAreaField
from wtforms.fields import Field
from wtforms.fields.choices import SelectChoice
from wtforms.validators import AnyOf, Length, ValidationError

from gateway.console.form import ConsoleForm
from gateway.console.languages import lazily as _l
from gateway.workflows.import_orders import Mode

CHECK = "check"


class ImportForm(ConsoleForm):
    """A file of orders, and how to go about it."""

    court = SelectField(_l("Court"), validate_choice=False, widget=GovSelect())
    orders = FileField(
        _l("File of orders"),
        description=_l("CSV or Excel workbook (.xlsx), at most 200 MB. Of a workbook, the first sheet is read."),
        widget=GovFileInput(),
    )
    how = RadioField(
        _l("What is to be done?"),
        [AnyOf([CHECK, *(mode.value for mode in Mode)], message=_l("Choose what is to be done"))],
        validate_choice=False,
        choices=[
            SelectChoice(CHECK, _l("Check only: tell what would be refused, and write nothing")),
            SelectChoice(Mode.ALL_OR_NOTHING.value, _l("Import, but nothing of it if a row is refused")),
            SelectChoice(Mode.PER_ROW.value, _l("Import all rows that are not refused")),
        ],
        widget=GovRadioInput(),
    )
    legal_basis = TextAreaField(
        _l("Legal basis"),
        [Length(max=4000)],
        description=_l("For rows that state none"),
        widget=GovTextArea(),
    )
    document = FileField(
        _l("Authority document"),
        description=_l("For rows that name none: the signed order as a PDF, at most 50 MB"),
        widget=GovFileInput(),
    )

    def validate_court(self, field: Field) -> None:
        """Refuse a court that was not among those to choose from."""
        if not field.data or field.data not in {choice.value for choice in field.choices}:
            raise ValidationError(gettext("Choose the court"))

    def validate_orders(self, field: Field) -> None:
        """Ask for the file."""
        if chosen(field) is None:
            raise ValidationError(gettext("Choose the file of orders"))


def chosen(field: Field) -> FileStorage | None:
    """Return the file that was chosen, if one was."""
    return field.data if isinstance(field.data, FileStorage) and field.data.filename else None
