"""Authority documents: a PDF by its content, kept once, readable by who may; of a refused one nothing is left."""

import io
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError

from gateway.assembly import Parts
from gateway.domain.rights import InCourt, InDistrict, NotAllowedError, Role
from gateway.errands.claims import AlreadyDoneError
from gateway.privacy.errors import FileTooLargeError
from gateway.register.errors import UnknownEntryError
from gateway.register.tables import documents
from gateway.workflows.change import Errand
from gateway.workflows.keep_document import LARGEST_DOCUMENT, NotAPdfError, keep_document, read_document
from gateway.workflows.office import Office
from tests.builders_office import (
    COURT,
    DISTRICT,
    NOON,
    OTHER_COURT,
    PDF,
    SISTER,
    a_claim,
    a_document,
    a_draft,
    an_errand,
    trail_of,
)

CHUNK = 64 * 1024


class Stream(io.BytesIO):
    """A file of any length that is made as it is read, and remembers how much was asked of it."""

    def __init__(self, size: int, head: bytes = b"%PDF-1.7\n") -> None:
        super().__init__()
        self.size, self.head, self.place, self.given = size, head, 0, 0

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert size >= 0, "a document must never be read whole"
        count = max(0, min(size, self.size - self.place))
        found = self.head[self.place : self.place + count].ljust(count, b"x")
        self.place, self.given = self.place + count, self.given + count
        return found

    def seek(self, offset: int, whence: int = 0) -> int:
        assert whence == 0
        self.place = offset
        return offset


def kept(office: Office) -> int:
    with office.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(documents)).scalar_one()


def content_of(office: Office, document_id: str, errand: Errand | None = None) -> bytes:
    _document, chunks = read_document(office, document_id, errand or an_errand())
    return b"".join(chunks)


def test_a_document_comes_back_as_it_was_given_and_lies_sealed_on_the_disk(parts: Parts, office: Office) -> None:
    content = PDF + bytes(range(256)) * 1000
    document = a_document(office, content)
    assert content_of(office, document.document_id) == content
    assert document.size == len(content)
    files = [path.read_bytes() for path in parts.settings.vault_dir.iterdir()]
    assert len(files) == 1
    assert b"the signed order" not in files[0]
    assert trail_of(office, document.document_id) == ["office:document:uploaded"]


def test_the_same_content_is_one_document_of_a_court_and_another_of_another_court(office: Office) -> None:
    first = a_document(office)
    assert a_document(office, errand=an_errand(by="per_2", at=NOON.replace(hour=13))) == first
    foreign = a_document(office, errand=an_errand(scope=InCourt(court_id=OTHER_COURT)), court_id=OTHER_COURT)
    assert foreign.document_id != first.document_id
    assert office.vault.names() == {first.document_id, foreign.document_id}
    assert trail_of(office).count("office:document:uploaded") == 2


@pytest.mark.parametrize(
    "content", [b"", b"%PD", b"PK\x03\x04 a word processor's file", b" %PDF-1.7", b"\xef\xbb\xbf%PDF-"]
)
def test_what_is_no_pdf_by_its_content_is_refused_and_leaves_nothing(office: Office, content: bytes) -> None:
    with pytest.raises(NotAPdfError):
        a_document(office, content)
    assert (kept(office), office.vault.names()) == (0, frozenset())


def test_a_document_that_is_too_large_is_refused_without_reading_it_to_its_end(office: Office) -> None:
    endless = Stream(100 * LARGEST_DOCUMENT)
    with pytest.raises(FileTooLargeError):
        keep_document(office, COURT, endless, an_errand())
    assert endless.given <= LARGEST_DOCUMENT + 3 * CHUNK
    assert (kept(office), office.vault.names()) == (0, frozenset())


def test_a_source_that_breaks_off_leaves_nothing(parts: Parts, office: Office) -> None:
    class Breaking(Stream):
        def read(self, size: int | None = -1) -> bytes:
            if self.given > CHUNK:
                raise OSError("the connection was closed")
            return super().read(size)

    with pytest.raises(OSError, match="closed"):
        keep_document(office, COURT, Breaking(10 * CHUNK), an_errand())
    assert kept(office) == 0
    assert list(parts.settings.vault_dir.iterdir()) == []


def test_a_document_whose_entry_fails_leaves_no_file(parts: Parts, office: Office) -> None:
    with office.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit_head RENAME TO elsewhere"))
    with pytest.raises(DBAPIError):
        a_document(office)
    assert list(parts.settings.vault_dir.iterdir()) == []
    assert kept(office) == 0


def test_a_repeated_request_is_refused_before_the_file_is_read(office: Office) -> None:
    errand = replace(an_errand(), claim=a_claim())
    a_document(office, errand=errand)
    unread = Stream(10 * CHUNK)
    with pytest.raises(AlreadyDoneError):
        keep_document(office, COURT, unread, errand)
    assert unread.given == 0
    assert len(office.vault.names()) == 1


def test_a_document_that_was_purged_can_be_uploaded_again(office: Office) -> None:
    first = a_document(office)
    with office.engine.begin() as connection:
        connection.execute(update(documents).values(purged_at=NOON, file_key=None))
    office.vault.remove(first.document_id)
    with pytest.raises(UnknownEntryError):
        read_document(office, first.document_id, an_errand())
    again = a_document(office)
    assert again.document_id != first.document_id
    assert content_of(office, again.document_id) == PDF
    assert kept(office) == 1


def test_a_document_is_read_by_its_court_and_by_the_districts_whose_orders_rest_on_it(office: Office) -> None:
    document = a_document(office)
    here, beside = (an_errand(scope=InDistrict(court_id=COURT, district_id=each)) for each in (DISTRICT, SISTER))
    abroad = an_errand(scope=InCourt(court_id=OTHER_COURT))
    for errand in (here, beside, abroad, an_errand(Role.OPERATOR)):
        with pytest.raises(UnknownEntryError):
            read_document(office, document.document_id, errand)
    a_draft(office)
    assert content_of(office, document.document_id, here) == PDF
    for errand in (beside, abroad):
        with pytest.raises(UnknownEntryError):
            read_document(office, document.document_id, errand)


def test_whoever_drafts_or_approves_anywhere_in_a_court_uploads_to_it_and_nobody_else(office: Office) -> None:
    for role in (Role.CLERK, Role.APPROVER):
        errand = an_errand(role, scope=InDistrict(court_id=COURT, district_id=DISTRICT))
        assert a_document(office, role.value.join(("%PDF-", "")).encode(), errand=errand).court_id == COURT
    for role in (Role.OPERATOR, Role.AUDITOR, Role.ADMINISTRATOR):
        with pytest.raises(NotAllowedError):
            a_document(office, errand=an_errand(role))
    with pytest.raises(UnknownEntryError, match="court"):
        a_document(office, errand=an_errand(scope=InCourt(court_id=OTHER_COURT)))
