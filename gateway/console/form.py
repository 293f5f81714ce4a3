"""The form that all forms of the console are made from."""

from collections.abc import Iterable
from secrets import token_hex

from flask import request
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import HiddenField
from wtforms.fields import Field

from gateway.console.languages import language

# What is in a form and yet was not typed.
UNTYPED = frozenset({"csrf_token", "once", "version"})


class ConsoleForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types.
    """A form against forgery (its token), against being sent twice (`once`), and against stale reading (`version`)."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]  # Flask-WTF has no types.
        """What WTForms says by itself is in the reader's language, from the files that it keeps in memory."""

        @property
        def locales(self) -> tuple[str, ...]:
            """Return the reader's language."""
            return (language(),)

    once = HiddenField()
    version = HiddenField()
    # The version that was read, where it turned out to be stale: what is sent next is decided on the present one.
    stale: int | None = None

    @property
    def expected(self) -> int | None:
        """Return the version that the form was made from."""
        text = str(self.version.data or "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None  # noqa: PLR2004

    @property
    def read_version(self) -> int | None:
        """Return the version that the reader decided on, stale or not."""
        return self.expected if self.stale is None else self.stale

    def decide_anew(self, version: object) -> None:
        """Let what is sent next be judged against `version`."""
        self.stale, self.version.data = self.expected, version

    @property
    def typed(self) -> Iterable[Field]:
        """Return the fields that a reader fills in."""
        return [field for field in self if field.name not in UNTYPED]

    def is_ours(self) -> bool:
        """Tell whether a form that was sent came from a page of ours, whatever else may be wrong with it."""
        return bool(self.csrf_token.validate(self))

    def renew(self) -> None:
        """Give the form a new mark: what is sent next is another errand."""
        self.once.data = token_hex(16)

    def refuse(self, field: str, message: str) -> None:
        """Say of a field what was wrong with it; of a field that there is not, of the form as a whole."""
        target = getattr(self, field, None) if field in self._fields else None
        if target is None:
            self.form_errors.append(message)
        else:
            target.errors = [*target.errors, message]


def sent_fields() -> list[tuple[str, str]]:
    """Return what was typed, in order, without files and without what is only for the form's own use."""
    return [(name, value) for name, value in request.form.items(multi=True) if name not in UNTYPED]


def as_formdata(fields: Iterable[tuple[str, str]]) -> MultiDict[str, str]:
    """Return fields as a form takes them."""
    return MultiDict(list(fields))
