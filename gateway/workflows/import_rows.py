"""What one row of a file of orders says, or everything that is wrong with it and how to mend it.

The rules are those of a draft that a clerk puts in by hand: `Line`, `read_identifier` and the subject's own types make
them. What is quicker here (numbers whose country and length are known, zones seen before) only ever says yes.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from difflib import get_close_matches

from gateway.audio.speech import clean
from gateway.domain.e164 import E164
from gateway.domain.errors import GatewayError
from gateway.domain.order import LONGEST_VALIDITY, Authority
from gateway.domain.subject import NaturalPerson, Organisation, Subject, SubjectKind
from gateway.register.errors import UnknownZoneError
from gateway.register.lines import Line
from gateway.register.possible_lines import PossibleLines
from gateway.register.quick_identifiers import QuickIdentifiers
from gateway.workflows.import_columns import TEXT, Header, unguarded

USUAL_DAYS = 90.0
MOST_LINES = 500
LONGEST_CELL = 4_000
_NUMBER, _DATE = "\x00n", "\x00d"
# A number begins with + or 00; a space within one separates nothing. Chinese input writes wide separators.
_BETWEEN_LINES = re.compile(r"[;\uff1b\r\n]|\s+(?=\+|00)")
_BETWEEN_LANGUAGES = re.compile(r"[\s;\uff1b,\uff0c]+")
_COMMAS = ",\uff0c\u3001"
_BETWEEN_EVIDENCE = "||"
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+")
_NO_PLUS = re.compile(r"[1-9][0-9 ./()-]{6,20}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_AS_TEXT = "format the column as Text in the spreadsheet first, then write it again"
_EXACT = ("case_number", "lines", "identifier", "document_sha256")


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a row: in which column, a stable code, what, and how to mend it."""

    column: str
    code: str
    what: str
    cure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What all rows of a file are held against; `districts` are all, by the court that each belongs to."""

    court_id: str
    batch_id: str
    drafted_by: str
    at: datetime
    header: Header
    districts: Mapping[str, str]
    drafting_in: frozenset[str]
    languages: frozenset[str]
    legal_basis: str = ""
    document_sha256: str = ""
    document_at_hand: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """A row in which nothing is wrong by itself; `number` counts the file's rows, the heading being the first."""

    number: int
    district_id: str
    case_number: str
    subject: Subject
    lines: tuple[Line, ...]
    authority: Authority
    languages: tuple[str, ...]
    valid_for: timedelta
    texts: Mapping[str, str] = field(default_factory=dict)


class RowReader:
    """Reads rows; what it learns of countries, zones and languages it keeps for the next."""

    def __init__(self, terms: Terms) -> None:
        """Read rows under `terms`."""
        self._terms = terms
        self._possible = PossibleLines()
        self._identifiers = QuickIdentifiers()
        self._zones = {""}

    def read(self, number: int, cells: Sequence[str]) -> OrderRow | list[Flaw]:
        """Return what a row says, or its flaws, of each column the first."""
        flaws: list[Flaw] = []
        width = len(self._terms.header.names)
        if any(cell.strip() for cell in cells[width:]):
            what = f"the row has more cells ({len(cells)}) than the heading ({width})"
            return [Flaw("", "too_many_cells", what, "put a text that holds the separator in quotation marks")]
        values = {
            column: self._value(column, cells[place] if place < len(cells) else "", flaws)
            for column, place in self._terms.header.places.items()
        }
        texts = self._texts(cells, flaws)
        if flaws:
            return flaws
        subject = _subject(values, self._identifiers, flaws)
        lines = self._lines(values, flaws)
        languages = self._languages(values.get("languages", ""), texts, flaws)
        valid_for = _validity(values.get("valid_days", ""), flaws)
        case_number = _stated(values["case_number"], "case_number", "give the court's docket number", flaws)
        legal_basis = values.get("legal_basis") or self._terms.legal_basis
        _stated(legal_basis, "legal_basis", "cite the law that allows this order", flaws)
        document = (values.get("document_sha256") or self._terms.document_sha256).lower()
        if _SHA256.fullmatch(document) is None:
            what = "the row names no authority document" if not document else "this is no SHA-256 of a document"
            cure = "give the 64 hexadecimal digits that its upload showed"
            flaws.append(Flaw("document_sha256", "no_document", what, cure))
        district = self._district(values["district"], flaws)
        if flaws or subject is None:
            return flaws
        return OrderRow(
            number=number,
            district_id=district,
            case_number=case_number,
            subject=subject,
            lines=lines,
            authority=Authority(legal_basis=legal_basis, document_sha256=document),
            languages=languages,
            valid_for=valid_for,
            texts=texts,
        )

    def _value(self, column: str, cell: str, flaws: list[Flaw]) -> str:
        """Return what a cell says; what a spreadsheet made of it is told from what a clerk wrote."""
        if cell[:1] == "\x00":
            text = cell[len(_NUMBER) :]
            if column in _EXACT:
                made = "a number" if cell.startswith(_NUMBER) else "a date"
                what = f"the spreadsheet holds {made} here and not a text, and may have dropped a + or a 0 of it"
                flaws.append(Flaw(column, "not_a_text", what, _AS_TEXT))
            return text
        text = unguarded(column, cell)
        if not text or (column not in _EXACT and text.isprintable() and len(text) <= LONGEST_CELL):
            return text
        if column in _EXACT and _SCIENTIFIC.fullmatch(text):
            what = "a spreadsheet has made a number of it, in scientific notation; its last digits are lost"
            flaws.append(Flaw(column, "scientific", what, _AS_TEXT))
        elif len(text) > LONGEST_CELL:
            what = f"the cell has {len(text):,} characters"
            flaws.append(Flaw(column, "too_long", what, f"give {LONGEST_CELL:,} at most"))
        elif column != "lines" and _CONTROL.search(text):
            what = "the cell holds a line break or a control character"
            flaws.append(Flaw(column, "control_character", what, "write it on one line"))
        return text

    def _texts(self, cells: Sequence[str], flaws: list[Flaw]) -> dict[str, str]:
        found: dict[str, str] = {}
        for language, place in self._terms.header.texts.items():
            cell = cells[place] if place < len(cells) else ""
            text = unguarded(TEXT, cell[len(_NUMBER) :] if cell.startswith((_NUMBER, _DATE)) else cell)
            if not text:
                continue
            try:
                clean(text)
            except GatewayError as error:
                flaws.append(flaw_of(TEXT + language, error))
            found[language] = text
        return found

    def _district(self, district: str, flaws: list[Flaw]) -> str:
        owner = self._terms.districts.get(district)
        if owner == self._terms.court_id:
            return district
        own = [each for each, court in self._terms.districts.items() if court == self._terms.court_id]
        if owner is None:
            near = get_close_matches(district, own, n=1, cutoff=0.0)
            what, cure = "the row names no district", "give one of the court's districts"
            if district:
                what = f"there is no district {district[:64]!r}"
                cure = f"the nearest of the court's own is {near[0]!r}" if near else "add the court's districts first"
            flaws.append(Flaw("district", "unknown_district", what, cure))
        else:
            what = f"district {district!r} belongs to another court than {self._terms.court_id!r}"
            flaws.append(Flaw("district", "wrong_district", what, "choose one of the court's own districts"))
        return district

    def _languages(self, stated: str, texts: Mapping[str, str], flaws: list[Flaw]) -> tuple[str, ...]:
        named = [each for each in _BETWEEN_LANGUAGES.split(stated) if each] or ["en"]
        languages = tuple(dict.fromkeys((*named, *texts)))
        for language in languages:
            if not self._has_wording(language):
                known = ", ".join(sorted(self._terms.languages))
                what = f"there are no prompts in {language[:16]!r}"
                flaws.append(Flaw("languages", "unknown_language", what, f"choose among {known}"))
                break
        return languages

    def _has_wording(self, language: str) -> bool:
        """Tell whether there are prompts for a language: a narrow tag (en-GB) finds those of the broader one (en)."""
        tag = language
        while tag:
            if tag in self._terms.languages:
                return True
            tag = tag.rpartition("-")[0]
        return False

    def _lines(self, values: Mapping[str, str], flaws: list[Flaw]) -> tuple[Line, ...]:
        texts = [each for part in _BETWEEN_LINES.split(values["lines"]) if (each := part.strip().strip(_COMMAS))]
        if not texts or len(texts) > MOST_LINES:
            what = "the row names no line" if not texts else f"the row names {len(texts)} lines"
            flaws.append(Flaw("lines", "lines", what, f"name at least one, and {MOST_LINES} at most"))
            return ()
        evidence = _evidence(values.get("line_evidence", ""), len(texts), flaws)
        found: dict[str, Line] = {}
        for text, seen in zip(texts, evidence, strict=True):
            try:
                line = self._line(text, values.get("zone", ""), seen)
            except UnknownZoneError as error:
                flaws.append(flaw_of("zone", error))
                return ()
            except GatewayError as error:
                flaws.append(_flaw_of_line(text, error))
                return ()
            if line.number.number in found:
                flaws.append(Flaw("lines", "same_line", "the row names a line twice", "name each line once"))
                return ()
            found[line.number.number] = line
        return tuple(found.values())

    def _line(self, text: str, usual_zone: str, evidence: str) -> Line:
        written, _, own_zone = text.partition("@")
        number, zone = E164.parse(written), own_zone or usual_zone
        if zone in self._zones and self._possible.certainly(number.number):
            return Line.known(number=number, zone=zone, evidence=evidence)
        try:
            line = Line(number=number, zone=zone, evidence=evidence)
        except OSError as error:
            raise UnknownZoneError(shown=zone) from error  # "Europe" is a folder of the zone database.
        self._zones.add(zone)
        return line


def flaw_of(column: str, error: GatewayError) -> Flaw:
    """Take an error's sentence apart: what is wrong stands before the semicolon or the first stop, the cure behind."""
    text = str(error).rstrip(".")
    what, _, cure = text.partition("; ")
    if not cure:
        what, _, cure = text.partition(". ")
    return Flaw(column, error.code, what, cure or "mend this cell")


def _flaw_of_line(text: str, error: GatewayError) -> Flaw:
    if _NO_PLUS.fullmatch(text):
        what = "the number has no + and no country code, or a spreadsheet has dropped the +"
        return Flaw("lines", "no_plus", what, f"write it as +442079460110; {_AS_TEXT}")
    return flaw_of("lines", error)


def _evidence(text: str, lines: int, flaws: list[Flaw]) -> Sequence[str]:
    """Return each line's evidence: one text holds for all lines, or there is one for each."""
    parts = [part.strip() for part in text.split(_BETWEEN_EVIDENCE)]
    if len(parts) == 1 or lines == 1:
        return [text] * lines
    if len(parts) != lines:
        what = f"there are {len(parts)} pieces of evidence for {lines} lines"
        flaws.append(Flaw("line_evidence", "evidence", what, "give one for all lines, or one for each between ||"))
        return [text] * lines
    return parts


def _subject(values: Mapping[str, str], identifiers: QuickIdentifiers, flaws: list[Flaw]) -> Subject | None:
    name = _stated(values["name"], "name", "give the name as the judgment has it", flaws)
    identifier, form = values.get("identifier", ""), values.get("legal_form", "")
    match values["subject_kind"].casefold():
        case SubjectKind.ORGANISATION.value:
            return _organisation(name, values, identifiers, flaws)
        case SubjectKind.NATURAL_PERSON.value:
            for column, text in (("identifier", identifier), ("legal_form", form)):
                if text:
                    what = f"a natural person has no {column.replace('_', ' ')}"
                    cure = "leave the cell empty, or write organisation as the subject_kind"
                    flaws.append(Flaw(column, "person_with_identifier", what, cure))
            return NaturalPerson(name=name)
        case _:
            what = "this is no kind of subject" if values["subject_kind"] else "the row does not say whom it concerns"
            flaws.append(Flaw("subject_kind", "subject_kind", what, "write organisation or natural_person"))
            return None


def _organisation(
    name: str, values: Mapping[str, str], identifiers: QuickIdentifiers, flaws: list[Flaw]
) -> Organisation | None:
    identifier, form = values.get("identifier", ""), values.get("legal_form", "")
    scheme, colon, text = identifier.replace("\uff1a", ":", 1).partition(":")
    if not colon:
        what = "an organisation is proven by its identifier" if not identifier else "the identifier names no register"
        cure = "write register:number, for example lei:..., uscc:..., siren:..., ein:12-3456789 or company_gb:..."
        flaws.append(Flaw("identifier", "no_identifier", what, cure))
        return None
    try:
        return Organisation(name=name, identifier=identifiers.read(scheme.strip(), text.strip(), form))
    except GatewayError as error:
        column = "legal_form" if error.code == "legal_form" else "identifier"
        flaws.append(flaw_of(column, error))
        return None


def _validity(text: str, flaws: list[Flaw]) -> timedelta:
    try:
        days = float(text.replace(",", ".")) if text else USUAL_DAYS
        valid_for = timedelta(seconds=round(days * 86_400))
    except (ValueError, OverflowError):
        valid_for = timedelta(0)
    if not timedelta(0) < valid_for <= LONGEST_VALIDITY:
        cure = f"give a number of days above 0 and at most {LONGEST_VALIDITY.days}, or leave it empty for 90"
        flaws.append(Flaw("valid_days", "validity", "an order cannot be valid for this long", cure))
    return valid_for


def _stated(text: str, column: str, cure: str, flaws: list[Flaw]) -> str:
    if not text:
        flaws.append(Flaw(column, "nothing_stated", "the cell is empty", cure))
    return text
