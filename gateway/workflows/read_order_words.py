"""Read what would be spoken under an order that nobody has approved yet, so that who approves it has read it.

What was proposed stands as it is; for the rest, the templates are filled in as approving the order now would do it.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum

from gateway.domain.court import Court
from gateway.domain.errors import GatewayError
from gateway.domain.notice import Purpose
from gateway.domain.order import Order
from gateway.domain.rights import Right
from gateway.domain.subject import Organisation
from gateway.register import courts, orders, own_words, proposals
from gateway.register.proposals import Proposal
from gateway.workflows.access import demand_order
from gateway.workflows.change import Errand
from gateway.workflows.office import Office
from gateway.workflows.publish_notice import purposes_for, wording_for


class WordsFrom(Enum):
    """Where the words come from."""

    TEMPLATE = "template"
    PROPOSED_TEXT = "proposed_text"
    PROPOSED_RECORDING = "proposed_recording"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One language of one notice as it would be; `text` is empty for a recording, and where it cannot be said.

    `refusal` says why it cannot be said; `seconds` and `proposed_by` are known of what was proposed.
    """

    purpose: Purpose
    language: str
    text: str
    origin: WordsFrom
    seconds: float = 0.0
    proposed_by: str = ""
    refusal: GatewayError | None = None


def read_order_words(office: Office, order_id: str, errand: Errand) -> tuple[Words, ...]:
    """Return what would be spoken were the order approved now: what is heard first, then the content.

    Raises UnknownEntryError, PurgedOrderError.
    """
    with office.reading.begin() as connection:
        demand_order(connection, errand.actor, order_id, Right.ORDERS_READ)
        order = orders.read(connection, order_id, office.keys)
        court = courts.get(connection, order.court_id)
        proposed = {each.language: each for each in proposals.of_order(connection, order_id, office.keys)}
        own = own_words.of_order(connection, order_id, office.keys)
    if isinstance(order.subject, Organisation) and order.in_force_from is None:
        order = replace(order, in_force_from=errand.at + timedelta(days=court.warning_days))
    content, before = purposes_for(order.subject)
    proposed = {language: each for language, each in proposed.items() if each.purpose is content}
    languages = dict.fromkeys((*order.languages, *proposed, *own))
    return (
        *(_from_template(office, order, court, before, language) for language in languages),
        *(_content(office, order, court, language, proposed.get(language), own) for language in languages),
    )


def _content(
    office: Office, order: Order, court: Court, language: str, proposal: Proposal | None, own: dict[str, str]
) -> Words:
    content = purposes_for(order.subject)[0]
    if proposal is not None:
        part = proposal.part
        return Words(
            purpose=content,
            language=language,
            text=part.text,
            origin=WordsFrom.PROPOSED_TEXT if part.text else WordsFrom.PROPOSED_RECORDING,
            seconds=part.rendition.seconds,
            proposed_by=proposal.added_by,
        )
    if language in own:
        return Words(purpose=content, language=language, text=own[language], origin=WordsFrom.IMPORTED)
    return _from_template(office, order, court, content, language)


def _from_template(office: Office, order: Order, court: Court, purpose: Purpose, language: str) -> Words:
    try:
        text = wording_for(office.studio, order, court, purpose, language)
    except GatewayError as refusal:
        return Words(purpose=purpose, language=language, text="", origin=WordsFrom.TEMPLATE, refusal=refusal)
    return Words(purpose=purpose, language=language, text=text, origin=WordsFrom.TEMPLATE)
