"""The columns of a file of orders: which there are, what its header names, and what a cell means.

No column decides who hears a notice: the subject does. A cell whose text a spreadsheet could take for a formula or a
number is written with an apostrophe in front, which is taken off again when it is read.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from gateway.domain.errors import GatewayError

REQUIRED = ("case_number", "district", "subject_kind", "name", "lines")
COLUMNS = (
    "case_number",
    "district",
    "subject_kind",
    "name",
    "identifier",
    "legal_form",
    "lines",
    "zone",
    "line_evidence",
    "legal_basis",
    "languages",
    "valid_days",
    "document_sha256",
)
# What the file of refused rows adds, and what an export adds: there for people to read, and passed over.
ABOUT_ERRORS = ("error_row", "error_column", "error", "how_to_fix")
ABOUT_ORDERS = (
    "order_id",
    "court",
    "batch",
    "state",
    "drafted_at",
    "submitted_at",
    "approved_at",
    "in_force_from",
    "valid_until",
    "suspended_at",
    "lifted_at",
)
TEXT = "text_"
_PASSED_OVER = frozenset((*ABOUT_ERRORS, *ABOUT_ORDERS))
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})?")
# Cells in which a spreadsheet makes numbers or dates of digits.
_OF_DIGITS = frozenset({"case_number", "lines", "identifier"})
_GUARDED = re.compile(r"'+[=+\-@\t\r\n]")
_GUARDED_DIGITS = re.compile(r"'+[=+\-@\t\r\n0-9]")
_RISKY = re.compile(r"'*[=+\-@\t\r\n]")
_RISKY_DIGITS = re.compile(r"'*[=+\-@\t\r\n]|'+[0-9]|[0-9][0-9.,/: -]*(?:[eE][0-9]+)?$")


class FileRefusedError(GatewayError):
    """The file cannot be imported as a whole."""

    code = "import_file"


class HeaderError(FileRefusedError):
    """The header of {file} cannot be used: {why}. {cure}."""

    code = "import_header"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Where in a row each column stands; `names` are the headings as the file has them."""

    names: tuple[str, ...]
    places: Mapping[str, int]
    texts: Mapping[str, int] = field(default_factory=dict)


def read_header(file: str, cells: Sequence[str], *, optional: frozenset[str]) -> Header:
    """Read the heading row. `optional` are columns that somebody stated for the whole file. Raises HeaderError."""
    names = tuple(cell.strip().lstrip("\ufeff").strip() for cell in cells)
    while names and not names[-1]:
        names = names[:-1]
    places: dict[str, int] = {}
    texts: dict[str, int] = {}
    for place, name in enumerate(names):
        known = _known(file, name, place)
        if known in _PASSED_OVER:
            continue
        if known in places or known.removeprefix(TEXT) in texts:
            raise HeaderError(file=file, why=f"column {name!r} is there twice", cure="Keep one of the two")
        if known.startswith(TEXT):
            texts[known.removeprefix(TEXT)] = place
        else:
            places[known] = place
    for name in (*REQUIRED, "legal_basis", "document_sha256"):
        if name not in places and name not in optional:
            raise HeaderError(file=file, why=f"column {name!r} is missing", cure=_cure_of_missing(name, names))
    return Header(names=names, places=places, texts=texts)


def score(cells: Sequence[str]) -> int:
    """Return how many of these cells could be headings of a file of orders."""
    return sum(1 for cell in cells if _plain(cell) in {*COLUMNS, *_PASSED_OVER} or _plain(cell).startswith(TEXT))


def unguarded(column: str, cell: str) -> str:
    """Return what a cell says: white space around it, and an apostrophe that guards it, mean nothing."""
    text = cell.strip()
    if text[:1] == "'":
        guarded = _GUARDED_DIGITS if column in _OF_DIGITS else _GUARDED
        if guarded.match(text):
            return text[1:]
    return text


def guarded(column: str, text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula or a number, and that `unguarded` reads as `text`."""
    risky = _RISKY_DIGITS if column in _OF_DIGITS else _RISKY
    return f"'{text}" if risky.match(text) else text


def _known(file: str, name: str, place: int) -> str:
    plain = _plain(name)
    if not plain:
        raise HeaderError(file=file, why=f"column {place + 1} has no heading", cure="Name it, or remove the column")
    if plain in COLUMNS or plain in _PASSED_OVER:
        return plain
    if plain.startswith(TEXT):
        language = plain.removeprefix(TEXT).replace("_", "-")
        if _LANGUAGE.fullmatch(language) is None:
            cure = "Write for example text_en or text_zh"
            raise HeaderError(file=file, why=f"column {name!r} names no language", cure=cure)
        return TEXT + language
    near = get_close_matches(plain, [*COLUMNS, "text_en"], n=1, cutoff=0.0)[0]
    cure = f"The nearest column is {near!r}; rename it, or remove it. No column decides who hears a notice"
    raise HeaderError(file=file, why=f"column {name!r} is not known", cure=cure)


def _cure_of_missing(name: str, names: Sequence[str]) -> str:
    stated = {
        "legal_basis": " or state the law for all rows (--legal-basis)",
        "document_sha256": " or give one document for all rows (--authority)",
    }
    near = get_close_matches(name, [_plain(each) for each in names], n=1, cutoff=0.6)
    nearest = f"; is it the one headed {near[0]!r}?" if near else ""
    return f"Add it{stated.get(name, '')}{nearest}"


def _plain(name: str) -> str:
    return "_".join(name.strip().lstrip("\ufeff").strip().casefold().replace("-", "_").split())
