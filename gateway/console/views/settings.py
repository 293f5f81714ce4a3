"""Settings: how this installation is set up, with secrets masked, and what the doctor finds."""

from flask import request
from werkzeug.wrappers import Response as Answer

from gateway.console.page import Page, Visit, shown
from gateway.workflows.examine import Verdict
from gateway.workflows.read_installation import read_installation

_WORST_FIRST = (Verdict.BAD, Verdict.WARNING, Verdict.GOOD)


def show_settings(visit: Visit) -> Answer:
    """Show the findings, the worst first, and the settings."""
    desk, voices = visit.desk, bool(request.args.get("voices"))
    found = read_installation(desk.settings, desk.office, visit.errand, desk.signature_works, voices=voices)
    findings = sorted(found.findings, key=lambda each: _WORST_FIRST.index(each.verdict))
    return shown("settings/settings.html", settings=found.settings, findings=findings, voices=voices)


PAGES = (Page(name="show_settings", path="/settings", show=show_settings),)
