"""The answers of a draft in words, what is missing in them, and how far they differ from what the order says now."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from babel import Locale, UnknownLocaleError
from flask_babel import format_decimal, get_locale, gettext

from gateway.console import refusals
from gateway.console.views.draft_places import DraftingPlace
from gateway.console.views.draft_steps import STEPS, Answers, TypedLine, demand_step, same_in
from gateway.console.words import word
from gateway.domain.errors import GatewayError, NoDocumentError
from gateway.domain.subject import Scheme, SubjectKind
from gateway.workflows.draft_order import NothingStatedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An answer: its name, and its lines of text; `before` is what the order says now where that is something else."""

    name: str
    shown: tuple[str, ...]
    before: tuple[str, ...] = ()


def summary_of(
    answers: Answers, places: Mapping[str, DraftingPlace], beside: Answers | None = None
) -> dict[str, tuple[Row, ...]]:
    """Return the answers by step; `beside` is what the order says now, for whoever edited it before it was changed."""
    found = {}
    for step in STEPS[:-1]:
        rows = tuple(Row(name=name, shown=shown) for name, shown in _rows(step, answers, places))
        if beside is not None and not same_in(step, answers, beside):
            now = dict(_rows(step, beside, places))
            rows = tuple(
                Row(
                    name=row.name,
                    shown=row.shown,
                    before=now.get(row.name, ()) if now.get(row.name) != row.shown else (),
                )
                for row in rows
            )
        found[step] = rows
    return found


def problems_of(answers: Answers, *, submitting: bool = True) -> dict[str, str]:
    """Return what is missing or wrong, by step; a draft may lack the evidence that submitting it takes."""
    found: dict[str, str] = {}
    for step in STEPS[:-1]:
        try:
            demand_step(answers, step)
        except (NothingStatedError, NoDocumentError):
            found[step] = gettext("Something is missing here")
        except GatewayError as error:
            found[step] = refusals.message_of(error)
    unproven = answers.is_organisation and any(not each.evidence for each in answers.lines)
    if submitting and unproven and "lines" not in found:
        found["lines"] = gettext("State of each line where the organisation publishes it, and when that was seen")
    return found


def name_of_language(tag: str) -> str:
    """Return what a language (BCP 47) is called in the reader's own."""
    try:
        return Locale.parse(tag, sep="-").get_display_name(get_locale()) or tag
    except (ValueError, UnknownLocaleError):
        return tag


def size_of(octets: str) -> str:
    """Return a file's size in words; empty where it is not known."""
    if not octets.isdigit():
        return ""
    kilobytes = max(int(octets) / 1000, 0.1)
    return str(gettext("%(number)s kB", number=format_decimal(round(kilobytes, 1))))


def _rows(step: str, answers: Answers, places: Mapping[str, DraftingPlace]) -> Iterator[tuple[str, tuple[str, ...]]]:
    match step:
        case "court":
            place = places.get(answers.district)
            yield gettext("Court"), (place.court_name if place else answers.court,)
            yield gettext("District"), (place.district_name if place else answers.district,)
        case "subject":
            yield from _subject(answers)
        case "lines":
            yield gettext("Lines"), tuple(_line(each) for each in answers.lines if not each.is_blank)
        case "authority":
            yield gettext("Legal basis"), (answers.legal_basis,)
            named = (answers.document_name, size_of(answers.document_size))
            sha256 = gettext("SHA-256 %(sha256)s", sha256=answers.document_sha256) if answers.document_sha256 else ""
            yield gettext("Authority document"), tuple(each for each in (*named, sha256) if each)
        case _:
            yield gettext("Valid for"), (gettext("%(days)s days from the approval", days=answers.valid_days),)
            yield gettext("Languages"), tuple(name_of_language(each) for each in answers.languages)


def _subject(answers: Answers) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield gettext("Case number"), (answers.case_number,)
    kinds = {kind.value: word(kind) for kind in SubjectKind}
    yield gettext("Concerns"), (kinds.get(answers.kind, ""),)
    yield gettext("Name"), (answers.name,)
    if answers.is_organisation:
        schemes = {scheme.value: word(scheme) for scheme in Scheme}
        yield gettext("Register"), (schemes.get(answers.scheme, ""),)
        yield gettext("Number in the register"), (answers.identifier,)
        if answers.legal_form:
            yield gettext("Legal form"), (answers.legal_form,)


def _line(typed: TypedLine) -> str:
    return " · ".join(each for each in (typed.number, typed.zone, typed.evidence) if each)
