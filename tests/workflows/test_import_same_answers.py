"""What is quicker in an import gives the answers of what is slow: the same numbers, identifiers and rows."""

from datetime import timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from gateway.domain.e164 import E164
from gateway.domain.errors import GatewayError
from gateway.domain.order import Authority, Order
from gateway.domain.subject import NaturalPerson, Organisation, RegistryIdentifier, Subject
from gateway.privacy.bulk import BulkCipher
from gateway.privacy.field import FieldCipher
from gateway.privacy.keys import derive
from gateway.privacy.ring import KeyRing
from gateway.register import lines, orders
from gateway.register.identifiers import read_identifier
from gateway.register.lines import Line
from gateway.register.load import load_of
from gateway.register.possible_lines import PossibleLines
from gateway.register.quick_identifiers import QuickIdentifiers
from gateway.register.tables import orders as orders_table
from tests.builders import NOW, a_digest, an_organisation

SQLITE = sqlite.dialect()
KEYS = KeyRing(derive(b"k" * 32))
POSSIBLE, IDENTIFIERS = PossibleLines(), QuickIdentifiers()
PUBLIC_CODES = ("1", "44", "86", "49", "39", "54", "52", "33", "7", "800", "61", "55", "852", "979", "290", "225")
NUMBERS = st.one_of(
    st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True),
    st.builds(
        lambda code, rest: f"+{code}{rest}",
        st.sampled_from(PUBLIC_CODES),
        st.from_regex(r"[0-9]{4,12}", fullmatch=True),
    ),
).filter(lambda number: 8 <= len(number) <= 16)


def is_line(number: str) -> bool:
    try:
        Line(number=E164(number))
    except GatewayError:
        return False
    return True


@settings(max_examples=1500, deadline=None)
@given(number=NUMBERS)
@example(number="+442079460110")
@example(number="+4402079460110")
@example(number="+390612345678")
@example(number="+541112345678")
def test_a_number_that_is_certainly_possible_is_one_that_a_line_may_have(number: str) -> None:
    if POSSIBLE.certainly(number):
        assert is_line(number)


def test_nearly_every_good_number_is_known_quickly() -> None:
    good = ["+12025550110", "+442079460110", "+61255500120", "+8613800138000", "+33123456789", "+85221234567"]
    assert all(POSSIBLE.certainly(number) for number in good)


def identifier(read: object, scheme: str, text: str, form: str) -> RegistryIdentifier | str:
    try:
        return read(scheme, text, form)  # type: ignore[operator,no-any-return]
    except GatewayError as error:
        return f"{error.code} {error}"


@settings(max_examples=600, deadline=None)
@given(
    scheme=st.sampled_from(["ein", "EIN", "lei", "siren", "uscc", "company_gb", "vat"]),
    text=st.one_of(
        st.from_regex(r"[0-9]{2}-?[0-9]{7}", fullmatch=True),
        st.from_regex(r"[0-9]{2}-[0-9]{7}", fullmatch=True).map(lambda text: f"12{text[2:]}"),
        st.text(max_size=12),
    ),
    form=st.sampled_from(["Inc.", "", " SARL ", "sole proprietor", "..."]),
)
@example(scheme="ein", text="12-0000000", form="Inc.")
@example(scheme="ein", text="12-345678\u0669", form="Inc.")
def test_an_identifier_is_read_alike_whether_its_like_was_seen_or_not(scheme: str, text: str, form: str) -> None:
    identifier(IDENTIFIERS.read, "ein", "12-3456789", "Inc.")
    assert identifier(IDENTIFIERS.read, scheme, text, form) == identifier(read_identifier, scheme, text, form)


SUBJECTS: st.SearchStrategy[Subject] = st.one_of(
    st.text(min_size=1, max_size=40).map(lambda name: NaturalPerson(name=name)),
    st.text(min_size=1, max_size=40).map(an_organisation),
).filter(lambda subject: isinstance(subject, Organisation | NaturalPerson))


@settings(max_examples=150, deadline=None)
@given(
    subject=SUBJECTS,
    case_number=st.text(min_size=1, max_size=30),
    evidence=st.sampled_from(["", "its web page", "\u7f51\u7ad9"]),
    words=st.dictionaries(st.sampled_from(["en", "zh"]), st.text(min_size=1, max_size=30)),
)
def test_the_rows_of_an_import_are_the_rows_of_the_register(
    subject: Subject, case_number: str, evidence: str, words: dict[str, str]
) -> None:
    order = Order(
        order_id="ord_00000000000a000001",
        court_id="lakeside",
        district_id="lakeside-north",
        case_number=case_number,
        subject=subject,
        authority=Authority(legal_basis="Rule 69", document_sha256=a_digest("order")),
        drafted_by="per_1",
        drafted_at=NOW,
        submitted_at=NOW,
        languages=("en", "zh"),
        valid_for=timedelta(days=30),
        batch_id="bat_00000000000a",
    )
    line = Line(number=E164("+442079460110"), zone="Europe/London", evidence=evidence)
    cipher = FieldCipher(KEYS)
    number, quick, quick_lines, quick_words = load_of(7, order, [line], words, BulkCipher(KEYS), KEYS)
    assert number == 7
    names = [column.name for column in orders_table.columns if column.name != "purged_at"]
    slow = orders.row_of(order, cipher, KEYS)
    assert set(names) == set(slow)
    row = dict(zip(names, quick, strict=True))
    for name, value in slow.items():
        column = orders_table.c[name]
        bind = column.type.bind_processor(SQLITE) if value is not None else None
        stored = bind(value) if bind else value
        if isinstance(stored, bytes) and name != "case_index":
            place = f"orders.{name}:{order.order_id}"
            assert cipher.decrypt(row[name], place=place) == cipher.decrypt(stored, place=place)  # type: ignore[arg-type]
        else:
            assert row[name] == stored
    slow_line = lines.row_of(order.order_id, line, cipher, KEYS)
    quick_line = dict(
        zip(("line_id", "order_id", "line_index", "line", "zone", "evidence"), quick_lines[0], strict=True)
    )
    assert set(quick_line) == set(slow_line)
    assert all(quick_line[name] == slow_line[name] for name in ("order_id", "line_index", "zone"))
    sealed, place = quick_line["line"], f"lines.line:{quick_line['line_id']!s}"
    assert isinstance(sealed, bytes)
    assert cipher.decrypt(sealed, place=place) == "+442079460110"
    assert {word[1] for word in quick_words} == set(words)


def test_no_two_values_are_encrypted_with_the_same_nonce() -> None:
    cipher = BulkCipher(KEYS)
    nonces = {cipher.encrypt("x", place="p")[7:19] for _ in range(5_000)}
    assert len(nonces) == 5_000
