"""The fields of the filters above lists, as HTML: the components' macros take longer than the list itself."""

from collections.abc import Iterable, Iterator

from markupsafe import Markup, escape
from wtforms import SelectField
from wtforms.fields import Field

from gateway.console.languages import later as _l
from gateway.console.languages import text


class FixedChoices:
    """What there is to choose from where no register says it: written as HTML once, and kept with its language."""

    def __init__(self, choices: Iterable[tuple[str, str]]) -> None:
        """Write the options, none of them chosen."""
        self._choices = tuple(choices)
        self.written = "".join(_option(value, shown) for value, shown in self._choices)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Return values with what is shown for them, as WTForms asks for them."""
        return iter(self._choices)


def options(field: SelectField) -> Markup:
    """Return what there is to choose from."""
    choices, chosen = field.choices, field.data
    if isinstance(choices, FixedChoices):
        plain, marked = f'<option value="{escape(chosen)}">', f'<option value="{escape(chosen)}" selected>'
        return Markup(choices.written.replace(plain, marked, 1))  # noqa: S704  (escaped below)
    lines = (_option(value, shown, " selected" if value == chosen else "") for value, shown in choices)
    return Markup("".join(lines))  # noqa: S704  (escaped below)


def choice(field: SelectField) -> Markup:
    """Return a field to choose one of several from."""
    return Markup(  # noqa: S704  (ids and names are ours, and all else is escaped)
        f'<div class="govuk-form-group">\n{_label(field)}\n'
        f'<select class="govuk-select" id="{field.id}" name="{field.name}">\n{options(field)}</select>\n</div>'
    )


def typed(field: Field, kind: str = "text") -> Markup:
    """Return a field to type into, with its hint and with what was wrong with what was typed before."""
    described, hint, error, is_wrong = [], "", "", ""
    if field.description:
        described.append(f"{field.id}-hint")
        hint = f'<div id="{field.id}-hint" class="govuk-hint">{escape(field.description)}</div>\n'
    if field.errors:
        described.append(f"{field.id}-error")
        said, called = escape(field.errors[0]), text(_l("Error:"))
        hidden = f'<span class="govuk-visually-hidden">{called}</span>'
        error = f'<p id="{field.id}-error" class="govuk-error-message">{hidden} {said}</p>\n'
        is_wrong = " govuk-form-group--error"
    by = f' aria-describedby="{" ".join(described)}"' if described else ""
    return Markup(  # noqa: S704  (ids and names are ours, and all else is escaped)
        f'<div class="govuk-form-group{is_wrong}">\n{_label(field)}\n{hint}{error}'
        f'<input class="govuk-input{" govuk-input--error" if field.errors else ""}" id="{field.id}"'
        f' name="{field.name}" type="{kind}" autocomplete="off" spellcheck="false"'
        f' value="{escape(field._value())}"{by}>\n</div>'  # noqa: SLF001  (what WTForms' own widgets call)
    )


def _label(field: Field) -> str:
    return f'<label class="govuk-label" for="{field.id}">{escape(field.label.text)}</label>'


def _option(value: str, shown: object, mark: str = "") -> str:
    return f'<option value="{escape(value)}"{mark}>{escape(shown)}</option>\n'
