"""From the answers to the form of a step and back, with what its buttons want done to the rows."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gateway.console.views.draft_forms import ADD, REMOVE, DraftForm
from gateway.console.views.draft_steps import MOST_LINES, Answers, TypedLine, in_another_court


def values_of(answers: Answers) -> dict[str, Any]:
    """Return what the form begins with."""
    return {
        "district": answers.district,
        "case_number": answers.case_number,
        "kind": answers.kind,
        "name": answers.name,
        "scheme": answers.scheme,
        "identifier": answers.identifier,
        "legal_form": answers.legal_form,
        "lines": [{"number": each.number, "zone": each.zone, "evidence": each.evidence} for each in answers.lines],
        "legal_basis": answers.legal_basis,
        "valid_days": answers.valid_days,
        "languages": list(answers.languages),
        "order_version": answers.order_version,
    }


def typed_in(form: DraftForm, step: str, before: Answers, court_of: Mapping[str, str]) -> Answers:
    """Return the answers with what was typed in one step; `court_of` tells whose each district is."""
    match step:
        case "court":
            district = str(form.district.data or "")
            return in_another_court(before, court_of.get(district, ""), district)
        case "subject":
            names = ("case_number", "kind", "name", "scheme", "identifier", "legal_form")
            typed: dict[str, Any] = {name: str(form[name].data or "").strip() for name in names}
            return replace(before, **typed)
        case "lines":
            return replace(before, lines=_rows(form))
        case "authority":
            return replace(before, legal_basis=str(form.legal_basis.data or "").strip())
        case _:
            chosen = dict.fromkeys(str(each.data) for each in form.languages.entries if each.data)
            return replace(before, valid_days=str(form.valid_days.data or "").strip(), languages=tuple(chosen))


def _rows(form: DraftForm) -> tuple[TypedLine, ...]:
    """Return the rows as the button wants them: one more, one fewer, or without those that were left empty."""
    rows = [entry.form.typed for entry in form.lines.entries]
    if form.asked == REMOVE and form.target.isdigit() and int(form.target) < len(rows):
        del rows[int(form.target)]
    if form.asked == ADD and len(rows) < MOST_LINES:
        return (*rows, TypedLine())
    return tuple(rows) if form.asked in {ADD, REMOVE} else tuple(row for row in rows if not row.is_blank)
