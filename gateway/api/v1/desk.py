"""What the views of the API share."""

from dataclasses import dataclass

from sqlalchemy import Engine

from gateway.people.oidc import OidcSettings
from gateway.privacy.ring import KeyRing
from gateway.workflows.office import Office
from gateway.workflows.people_desk import PeopleDesk


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The office, what people sign in with, and the identity provider where there is one."""

    office: Office
    people: PeopleDesk
    oidc: OidcSettings | None = None

    @property
    def reading(self) -> Engine:
        """Return the engine for lists and pages, which takes no lock that a writer would wait for."""
        return self.office.reading.engine

    @property
    def keys(self) -> KeyRing:
        """Return the key ring."""
        return self.office.keys
