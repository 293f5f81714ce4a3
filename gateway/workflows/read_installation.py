"""Read how this installation is set up and how it does: its settings without secrets, and the doctor's findings."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from gateway.domain.rights import Right
from gateway.settings import Settings
from gateway.workflows.change import Errand
from gateway.workflows.doctor import SettingShown, examine_gateway, settings_shown
from gateway.workflows.examine import Finding
from gateway.workflows.office import Office

# A page must not take longer because there are more orders; the command line's doctor looks through all of them.
_MOST_OPENED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The settings in the order of their definition, and the findings in the order in which they were made."""

    settings: tuple[SettingShown, ...]
    findings: tuple[Finding, ...]


def read_installation(
    settings: Settings, office: Office, errand: Errand, signature_works: Callable[[], bool] | None, *, voices: bool
) -> Installation:
    """Return the installation; with `voices` each voice speaks a sentence, which takes its time.

    Only who manages people everywhere may see it. It names folders, hosts and orders of all courts, and nobody who may
    change none of it needs that: operators with districts everywhere switch districts, and a court's own administrator
    answers for one court. Raises NotAllowedError.
    """
    errand.actor.demand(Right.PEOPLE_MANAGE, None, where="the gateway as a whole")
    studio = replace(office.studio, engine=office.reading.engine)
    findings = examine_gateway(settings, studio, signature_works, errand.at, most=_MOST_OPENED, voices=voices)
    return Installation(settings=settings_shown(settings), findings=tuple(findings))
