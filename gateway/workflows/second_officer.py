"""The second officer: who must be a person, and must be somebody else than who wrote what is approved."""

from sqlalchemy import Connection

from gateway.domain.errors import GatewayError, SameOfficerError
from gateway.domain.order import Order
from gateway.domain.rights import ActorKind
from gateway.people import api_keys
from gateway.people.errors import UnknownApiKeyError
from gateway.privacy.ring import KeyRing
from gateway.register.documents import Document
from gateway.register.proposals import Proposal
from gateway.workflows.change import Errand

_KEY = "key_"


class NotAPersonError(GatewayError):
    """Only a person can approve: {what}. Sign in as an officer who has the right to."""

    code = "not_a_person"


class OwnKeyError(SameOfficerError):
    """API key {key}, which {officer!r} issued, wrote a part of this; an officer who did not issue it must approve."""


class OwnProposalError(SameOfficerError):
    """Officer {officer!r} proposed a notice of this order and cannot approve it too; a second officer must."""


class OwnDocumentError(SameOfficerError):
    """Officer {officer!r} uploaded this document and cannot extend the order on it too; a second officer must."""


def demand_officer(errand: Errand) -> None:
    """Raise NotAPersonError where a program asks for what a person must answer for."""
    if errand.actor.kind is ActorKind.API_KEY:
        raise NotAPersonError(what="this request was made with an API key")


def demand_second(connection: Connection, keys: KeyRing, order: Order, officer: str) -> None:
    """Raise SameOfficerError where an officer wrote any of an order, or issued the key of a program that did."""
    if order.is_by(officer):
        raise SameOfficerError(officer=officer)
    for drafter in (order.drafted_by, *order.earlier_drafters):
        _demand_no_key_of(connection, keys, drafter, officer)


def demand_second_hearing(connection: Connection, keys: KeyRing, proposal: Proposal, officer: str) -> None:
    """Raise OwnProposalError or OwnKeyError where an officer proposed a notice, or issued the key that did."""
    if proposal.added_by.casefold() == officer.casefold():
        raise OwnProposalError(officer=officer)
    _demand_no_key_of(connection, keys, proposal.added_by, officer)


def demand_second_reading(connection: Connection, keys: KeyRing, document: Document, officer: str) -> None:
    """Raise OwnDocumentError or OwnKeyError where an officer uploaded a document, or issued the key that did."""
    if document.uploaded_by.casefold() == officer.casefold():
        raise OwnDocumentError(officer=officer)
    _demand_no_key_of(connection, keys, document.uploaded_by, officer)


def _demand_no_key_of(connection: Connection, keys: KeyRing, author: str, officer: str) -> None:
    """Whoever issued a key has seen its secret, and can do in its name whatever the key may do."""
    if not author.startswith(_KEY):
        return
    try:
        issuer = api_keys.get(connection, keys, author).created_by
    except UnknownApiKeyError:
        return  # Not the id of a key after all: the command line takes officers by any name.
    if issuer.casefold() == officer.casefold():
        raise OwnKeyError(officer=officer, key=author)
