"""Read the courts that somebody may see."""

from gateway.domain.court import Court
from gateway.register import courts
from gateway.workflows.access import sees_court
from gateway.workflows.change import Errand
from gateway.workflows.office import Office


def read_courts(office: Office, errand: Errand) -> dict[str, Court]:
    """Return the courts that the asker may see, by id, in the order of their ids."""
    with office.reading.connect() as connection:
        every = courts.all_of(connection)
    return {court.court_id: court for court in every if sees_court(errand.actor, court.court_id)}
