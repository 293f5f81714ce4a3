"""What a clerk answers in the steps of a draft: as it was typed, as it is kept, and as the order that it asks for."""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, replace
from datetime import timedelta

from gateway.domain.e164 import E164
from gateway.domain.order import Authority, Order
from gateway.domain.subject import NaturalPerson, Organisation, Subject, SubjectKind, kind_of
from gateway.register.identifiers import read_identifier
from gateway.register.lines import Line
from gateway.register.order_list import ListedOrder
from gateway.workflows.draft_order import NothingStatedError, OrderRequest, ValidityError

STEPS = ("court", "subject", "lines", "authority", "validity", "check")
MOST_LINES = 500
_DAY = timedelta(days=1)
# Which answers each step asks for.
_ANSWERS_OF: dict[str, tuple[str, ...]] = {
    "court": ("court", "district"),
    "subject": ("case_number", "kind", "name", "scheme", "identifier", "legal_form"),
    "lines": ("lines",),
    "authority": ("legal_basis", "document_name", "document_size", "document_sha256"),
    "validity": ("valid_days", "languages"),
}
_SINGLE = tuple(name for step in STEPS[:-1] for name in _ANSWERS_OF[step] if name not in {"lines", "languages"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedLine:
    """A line as it was typed."""

    number: str = ""
    zone: str = ""
    evidence: str = ""

    @property
    def is_blank(self) -> bool:
        """Tell whether nothing was typed."""
        return not (self.number or self.zone or self.evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """All answers, as they were typed; `order_id` and `order_version` are of the draft that is edited, if one is."""

    order_id: str = ""
    order_version: str = ""
    court: str = ""
    district: str = ""
    case_number: str = ""
    kind: str = ""
    name: str = ""
    scheme: str = ""
    identifier: str = ""
    legal_form: str = ""
    lines: tuple[TypedLine, ...] = ()
    legal_basis: str = ""
    document_name: str = ""
    document_size: str = ""
    document_sha256: str = ""
    valid_days: str = "90"
    languages: tuple[str, ...] = ("en",)

    @property
    def is_organisation(self) -> bool:
        """Tell whether the order concerns an organisation, whose lines need evidence."""
        return self.kind == SubjectKind.ORGANISATION.value


def read_answers(fields: Iterable[tuple[str, str]]) -> Answers:
    """Return answers as they were kept."""
    single: dict[str, str] = {}
    rows: dict[str, list[str]] = {"number": [], "zone": [], "evidence": [], "language": []}
    for name, value in fields:
        if name in rows:
            rows[name].append(value)
        elif name in {*_SINGLE, "order_id", "order_version"}:
            single[name] = value
    lines = zip(rows["number"], rows["zone"], rows["evidence"], strict=False)
    typed = tuple(TypedLine(number=number, zone=zone, evidence=evidence) for number, zone, evidence in lines)
    return Answers(**single, lines=typed, languages=tuple(rows["language"]))


def write_answers(answers: Answers) -> tuple[tuple[str, str], ...]:
    """Return answers as they are kept."""
    return tuple(_written(answers))


def answers_of(listed: ListedOrder, order: Order) -> Answers:
    """Return the answers that an order was drafted from."""
    subject = order.subject
    identifier = subject.identifier if isinstance(subject, Organisation) else None
    days = (order.valid_for or _DAY) / _DAY
    return Answers(
        order_id=order.order_id,
        order_version=str(order.version),
        court=order.court_id,
        district=order.district_id,
        case_number=order.case_number,
        kind=kind_of(subject).value,
        name=subject.name,
        scheme=identifier.scheme.value if identifier else "",
        identifier=identifier.value if identifier else "",
        legal_form=identifier.legal_form if identifier else "",
        lines=tuple(_typed(entry.line) for entry in listed.lines),
        legal_basis=order.authority.legal_basis,
        document_sha256=order.authority.document_sha256,
        valid_days=f"{days:g}",
        languages=order.languages,
    )


def mark_of(answers: Answers, step: str) -> int:
    """Return a number for what a step's answers are, so that another window's answers are not replaced unseen."""
    names = _ANSWERS_OF.get(step, (*_SINGLE, "lines", "languages"))
    return zlib.crc32(repr([getattr(answers, name) for name in names]).encode()) % 10**9


def same_in(step: str, one: Answers, other: Answers) -> bool:
    """Tell whether two sets of answers say the same in a step."""
    return all(getattr(one, name) == getattr(other, name) for name in _ANSWERS_OF[step] if name[:9] != "document_")


def in_another_court(answers: Answers, court_id: str, district_id: str) -> Answers:
    """Return answers for another place; a document is one court's, so that another court has to be given it anew."""
    moved = replace(answers, court=court_id, district=district_id)
    if answers.court in {"", court_id}:
        return moved
    return replace(moved, document_name="", document_size="", document_sha256="")


def subject_of(answers: Answers) -> Subject:
    """Return whom the order concerns. Raises NothingStatedError, or what is wrong with the identifier."""
    if not answers.case_number.strip():
        raise NothingStatedError(what="The case number", cure="give the court's docket number")
    if not answers.name.strip():
        raise NothingStatedError(what="The name", cure="write it as the judgment has it")
    if answers.kind == SubjectKind.NATURAL_PERSON.value:
        return NaturalPerson(name=answers.name.strip())
    if not answers.is_organisation:
        raise NothingStatedError(what="Whom the order concerns", cure="choose an organisation or a natural person")
    identifier = read_identifier(answers.scheme, answers.identifier.strip(), answers.legal_form)
    return Organisation(name=answers.name.strip(), identifier=identifier)


def line_of(typed: TypedLine) -> Line:
    """Return a line. Raises InvalidNumberError, InvalidLineError, UnknownZoneError."""
    return Line(number=E164.parse(typed.number), zone=typed.zone.strip(), evidence=typed.evidence.strip())


def lines_of(answers: Answers) -> tuple[Line, ...]:
    """Return the lines, without rows in which nothing stands. Raises what `line_of` does, NothingStatedError."""
    found = tuple(line_of(each) for each in answers.lines if not each.is_blank)
    if not found:
        raise NothingStatedError(what="The line", cure="name at least one")
    return found


def authority_of(answers: Answers) -> Authority:
    """Return what the order rests on. Raises NothingStatedError, NoDocumentError."""
    if not answers.legal_basis.strip():
        raise NothingStatedError(what="The legal basis", cure="cite the law that allows this order")
    return Authority(legal_basis=answers.legal_basis.strip(), document_sha256=answers.document_sha256)


def validity_of(days: str) -> timedelta:
    """Return for how long the order is asked for. Raises ValidityError."""
    try:
        valid_for = timedelta(days=float(days))
    except (ValueError, OverflowError) as error:
        raise ValidityError(days=0, limit=366) from error
    if not _DAY <= valid_for <= 366 * _DAY:
        raise ValidityError(days=valid_for / _DAY, limit=366)
    return valid_for


def request_of(answers: Answers) -> OrderRequest:
    """Return what is to be drafted. Raises what is missing or wrong first."""
    if not answers.district:
        raise NothingStatedError(what="The district", cure="choose one of the court's own")
    return OrderRequest(
        court_id=answers.court,
        district_id=answers.district,
        case_number=answers.case_number.strip(),
        subject=subject_of(answers),
        lines=lines_of(answers),
        authority=authority_of(answers),
        valid_for=validity_of(answers.valid_days),
        languages=answers.languages,
    )


def demand_step(answers: Answers, step: str) -> None:
    """Raise what is missing or wrong in one step's answers."""
    match step:
        case "court":
            if not answers.district:
                raise NothingStatedError(what="The district", cure="choose one of the court's own")
        case "subject":
            subject_of(answers)
        case "lines":
            lines_of(answers)
        case "authority":
            authority_of(answers)
        case _:
            validity_of(answers.valid_days)


def _written(answers: Answers) -> Iterator[tuple[str, str]]:
    for name in ("order_id", "order_version", *_SINGLE):
        yield name, getattr(answers, name)
    for line in answers.lines:
        yield from zip(("number", "zone", "evidence"), astuple(line), strict=True)
    for language in answers.languages:
        yield "language", language


def _typed(line: Line) -> TypedLine:
    return TypedLine(number=line.number.number, zone=line.zone, evidence=line.evidence)
