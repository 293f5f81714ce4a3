"""A portion of a file's rows held against the register, and made into rows of it: what every worker of an import does.

A row whose case the register has already is held against that order: the same content is known, other content a flaw.
"""

import marshal
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, Engine, select

from gateway.domain.order import Order
from gateway.domain.subject import Organisation
from gateway.privacy.blind_index import indexes_of_case
from gateway.privacy.bulk import BulkCipher
from gateway.privacy.ring import KeyRing
from gateway.register import documents, lines, notices, own_words
from gateway.register.batches import BatchState
from gateway.register.lines import Line
from gateway.register.load import Loaded, load_of, order_id
from gateway.register.orders import read_order
from gateway.register.tables import batches, orders
from gateway.workflows.import_columns import TEXT
from gateway.workflows.import_rows import Flaw, OrderRow, RowReader, Terms
from gateway.workflows.publish_notice import purposes_for

NEW, KNOWN, OWN = 0, 1, 2
_USUAL = timedelta(days=90)
_UNFINISHED = {BatchState.LOADING.value, BatchState.WITHDRAWN.value}

# Rows of a file with their numbers, as they go to a worker.
Rows = list[tuple[int, list[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What became of a portion: each row that stands, with its case's index and whether it is new; and all flaws.

    `loaded` holds the new ones' encrypted rows, marshalled, for they only pass through on their way to the database.
    """

    seen: list[tuple[int, bytes, int]]
    flaws: list[tuple[int, str, str, str, str]]
    loaded: bytes

    def without(self, numbers: frozenset[int]) -> bytes:
        """Return what `loaded` holds, without some of the rows."""
        rows: list[Loaded] = marshal.loads(self.loaded)  # noqa: S302  (our own process made it)
        return marshal.dumps([each for each in rows if each[0] not in numbers])


class Checker:
    """Checks portions of rows under the same terms, one after the other, in one thread."""

    def __init__(self, terms: Terms, keys: KeyRing, reading: Engine) -> None:
        """Read the register through `reading`; encrypt with `keys`."""
        self._terms = terms
        self._keys = keys
        self._reading = reading
        self._cipher = BulkCipher(keys)
        self._reader = RowReader(terms)
        self._documents = {terms.document_sha256: True} if terms.document_at_hand else {}

    def check(self, rows: Rows) -> Checked:
        """Check a portion."""
        flaws: list[tuple[int, str, str, str, str]] = []
        read: list[tuple[OrderRow, tuple[bytes, ...]]] = []
        for number, cells in rows:
            found = self._reader.read(number, cells)
            if isinstance(found, OrderRow):
                read.append((found, indexes_of_case(self._terms.court_id, found.case_number, self._keys)))
            else:
                flaws.extend(_with(number, found))
        seen: list[tuple[int, bytes, int]] = []
        loaded: list[Loaded] = []
        with self._reading.connect() as connection:
            present = self._present(connection, [index for _, indexes in read for index in indexes])
            for row, indexes in read:
                there = next((present[index] for index in indexes if index in present), None)
                wrong = self._held_against(connection, row, there) if there else self._objections(connection, row)
                if wrong:
                    flaws.extend(_with(row.number, wrong))
                elif there is None:
                    seen.append((row.number, indexes[0], NEW))
                    loaded.append(self._load(row))
                else:
                    own = there.order.batch_id == self._terms.batch_id
                    seen.append((row.number, indexes[0], OWN if own else KNOWN))
        return Checked(seen=seen, flaws=flaws, loaded=marshal.dumps(loaded))

    def _load(self, row: OrderRow) -> Loaded:
        terms = self._terms
        order = Order(
            order_id=order_id(terms.batch_id, row.number),
            court_id=terms.court_id,
            district_id=row.district_id,
            case_number=row.case_number,
            subject=row.subject,
            authority=row.authority,
            drafted_by=terms.drafted_by,
            drafted_at=terms.at,
            submitted_at=terms.at,
            languages=row.languages,
            valid_for=row.valid_for,
            batch_id=terms.batch_id,
        )
        return load_of(row.number, order, row.lines, row.texts, self._cipher, self._keys)

    def _present(self, connection: Connection, indexes: Sequence[bytes]) -> Mapping[bytes, "_There"]:
        statement = (
            select(orders, batches.c.state.label("batch_state"))
            .join(batches, batches.c.batch_id == orders.c.batch_id, isouter=True)
            .where(orders.c.court_id == self._terms.court_id, orders.c.case_index.in_(indexes))
        )
        rows = connection.execute(statement).all() if indexes else ()
        if not rows:
            return {}
        on = lines.of_orders(connection, [row.order_id for row in rows], self._cipher)
        return {
            row.case_index: _There(
                order=read_order(row, self._cipher),
                lines=frozenset(_key(each.line) for each in on.get(row.order_id, ())),
                unfinished=row.batch_state in _UNFINISHED and row.approved_at is None,
            )
            for row in rows
        }

    def _held_against(self, connection: Connection, row: OrderRow, there: "_There") -> list[Flaw]:
        order = there.order
        if there.unfinished and order.batch_id != self._terms.batch_id:
            what = f"the case is in batch {order.batch_id}, which is neither finished nor wholly withdrawn"
            cure = f"import that file again, or `notice-gateway orders withdraw-batch {order.batch_id}`"
            return [Flaw("case_number", "unfinished_batch", what, cure)]
        differing = [
            column
            for column, same in (
                ("district", row.district_id == order.district_id),
                ("name", _text(row.subject.name) == _text(order.subject.name)),
                ("subject_kind", type(row.subject) is type(order.subject)),
                ("identifier", _identifier(row.subject) == _identifier(order.subject)),
                ("lines", frozenset(map(_key, row.lines)) == there.lines),
                ("legal_basis", row.authority.legal_basis == _text(order.authority.legal_basis)),
                ("document_sha256", row.authority.document_sha256 == order.authority.document_sha256),
                ("languages", row.languages == order.languages),
                ("valid_days", row.valid_for == (order.valid_for or _USUAL)),
            )
            if not same
        ]
        differing.extend(self._other_words(connection, row, order))
        if not differing:
            return []
        what = f"the court has an order for this case already, with other content in {', '.join(differing)}"
        cure = "leave this row out, or change that order itself; a new judgment has a case number of its own"
        return [Flaw(differing[0], "other_content", what, cure)]

    def _other_words(self, connection: Connection, row: OrderRow, order: Order) -> list[str]:
        """Return the columns of texts that say something else than the order does, played already or not."""
        if not row.texts:
            return []
        content = purposes_for(order.subject)[0]
        parts = notices.written_parts(connection, order, content, self._cipher)
        words = {part.rendition.language.casefold(): part.text for part in parts}
        words |= own_words.of_order(connection, order.order_id, self._keys)
        return [TEXT + language for language, text in row.texts.items() if _text(words.get(language, "")) != text]

    def _objections(self, connection: Connection, row: OrderRow) -> list[Flaw]:
        """Return what stands against a new order: what only matters for one that is not there yet."""
        flaws = []
        if row.district_id not in self._terms.drafting_in:
            what = f"you may not draft orders in district {row.district_id!r}"
            flaws.append(Flaw("district", "not_allowed", what, "ask an administrator for a role that may"))
        if not self._has_document(connection, row.authority.document_sha256):
            what = f"the court has no authority document with the hash {row.authority.document_sha256[:12]}..."
            flaws.append(Flaw("document_sha256", "no_such_document", what, "upload the PDF first"))
        if isinstance(row.subject, Organisation) and not all(line.evidence for line in row.lines):
            what = "an organisation's line needs evidence that the organisation publishes it as its own"
            flaws.append(Flaw("line_evidence", "line_evidence", what, "state where it does, and when that was seen"))
        return flaws

    def _has_document(self, connection: Connection, sha256: str) -> bool:
        if sha256 not in self._documents:
            self._documents[sha256] = documents.find(connection, self._terms.court_id, sha256) is not None
        return self._documents[sha256]


@dataclass(frozen=True, slots=True, kw_only=True)
class _There:
    """An order that the register has for a case, with its lines; `unfinished` where its batch is not whole."""

    order: Order
    lines: frozenset[tuple[str, str, str]]
    unfinished: bool


def _with(number: int, flaws: Iterable[Flaw]) -> list[tuple[int, str, str, str, str]]:
    return [(number, each.column, each.code, each.what, each.cure) for each in flaws]


def _key(line: Line) -> tuple[str, str, str]:
    return line.number.number, line.zone, _text(line.evidence)


def _text(text: str) -> str:
    return text.strip()


def _identifier(subject: object) -> object:
    return subject.identifier if isinstance(subject, Organisation) else None
