"""What tests of whole calls look at beside the answers: counters, plays, and a line moved to where it is noon."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Row, select, update
from werkzeug.test import TestResponse

from gateway.app import Running
from gateway.assembly import Parts
from gateway.audit.tables import plays
from gateway.clock import utc_now
from gateway.domain.e164 import E164
from gateway.privacy.blind_index import index_line
from gateway.register import orders
from gateway.register.tables import disputes, lines
from tests.telephone import Telephone, xml

Counters = Mapping[tuple[str, frozenset[tuple[str, str]]], float]
REFUSED = "notice_gateway_webhooks_refused_total"
ANSWERED = "notice_gateway_webhooks_total"
TOKENS_REFUSED = "notice_gateway_tokens_refused_total"


def parts_of(telephone: Telephone) -> Parts:
    running: Running = telephone.app.extensions["notice_gateway"]
    return running.parts


def counters(telephone: Telephone) -> Counters:
    """Return every sample of /metrics but the times at which counters began."""
    text = telephone.app.test_client().get("/metrics").text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def counted(telephone: Telephone, name: str, **labels: str) -> int:
    """Return the sum of a counter over the samples that have `labels`."""
    wanted = set(labels.items())
    return int(sum(value for (each, has), value in counters(telephone).items() if each == name and wanted <= has))


def grown(before: Counters, after: Counters) -> set[str]:
    """Return the names of the counters that moved."""
    return {key[0] for key, value in after.items() if value != before.get(key, 0.0)}


def verbs(response: TestResponse) -> list[str]:
    return [str(element.tag) for element in xml(response)]


def plays_in(telephone: Telephone, purpose: str = "") -> list[Row[*tuple[Any, ...]]]:
    """Return the rows of evidence, oldest first."""
    with parts_of(telephone).studio.engine.connect() as connection:
        found = connection.execute(select(plays).order_by(plays.c.played_at)).all()
    return [row for row in found if row.purpose == purpose or not purpose]


def disputes_in(telephone: Telephone) -> list[str]:
    """Return the ground of every dispute in the courts' inboxes."""
    with parts_of(telephone).studio.engine.connect() as connection:
        return list(connection.execute(select(disputes.c.ground)).scalars())


def order_on(telephone: Telephone, line: str) -> str:
    """Return the id of the one order on a line of the demo."""
    parts = parts_of(telephone)
    with parts.studio.engine.connect() as connection:
        entries = orders.entries(connection, parts.keys)
    return next(entry.order.order_id for entry in entries if line in {each.number.number for each in entry.lines})


def move_to_noon(telephone: Telephone, line: str) -> None:
    """Put a line into a time zone where it is about noon now, so that it is inside permitted hours at any time."""
    put_at_noon(parts_of(telephone), line)


def put_at_noon(parts: Parts, line: str) -> None:
    """Do so in a register that no app was made for."""
    here = lines.c.line_index == index_line(E164(line), parts.keys)
    with parts.studio.engine.begin() as connection:
        connection.execute(update(lines).where(here).values(zone=zone_of_noon(utc_now())))


def zone_of_noon(now: datetime) -> str:
    """Return the zone in which it is twelve o'clock and some minutes; the signs of Etc/GMT are the wrong way round."""
    return f"Etc/GMT{now.hour - 12:+d}"
