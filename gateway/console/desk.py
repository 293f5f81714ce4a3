"""What the pages of the console share."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gateway.db.snapshot import Snapshot
from gateway.people.oidc import OidcSettings
from gateway.privacy.ring import KeyRing
from gateway.settings import Settings
from gateway.workflows.hear_notice import Booth
from gateway.workflows.office import Office
from gateway.workflows.people_desk import PeopleDesk
from gateway.workflows.sound_pictures import SoundPictures


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The office, what people sign in with, the identity provider where there is one, and the settings to show.

    There is one desk in a process, and so one booth, where texts are spoken before anybody proposes them,
    and one memory of what sounds look like.
    `signature_works` signs and checks a webhook with each token, for the doctor; None leaves that out.
    """

    office: Office
    people: PeopleDesk
    settings: Settings
    oidc: OidcSettings | None = None
    booth: Booth = field(default_factory=Booth)
    pictures: SoundPictures = field(default_factory=SoundPictures)
    signature_works: Callable[[], bool] | None = None

    def at(self, moment: Snapshot) -> "Desk":
        """Return this desk, reading one moment of the register."""
        return replace(self, office=replace(self.office, reading=moment), people=replace(self.people, reading=moment))

    @property
    def keys(self) -> KeyRing:
        """Return the key ring."""
        return self.office.keys

    @property
    def is_https(self) -> bool:
        """Tell whether browsers reach the gateway over TLS: cookies are then marked as secure."""
        return self.settings.public_origin.startswith("https://")
