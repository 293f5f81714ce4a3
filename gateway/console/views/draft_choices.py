"""What there is to choose from in the steps of a draft."""

from flask_babel import gettext

from gateway.console.page import Visit
from gateway.console.views.draft_forms import DraftForm, choices_of
from gateway.console.views.draft_places import read_places
from gateway.console.views.draft_steps import Answers
from gateway.console.views.draft_summary import name_of_language
from gateway.console.words import word
from gateway.domain.subject import Scheme

_MOST_LANGUAGES = 8


def make_ready(visit: Visit, form: DraftForm, step: str, answers: Answers) -> None:
    """Leave the fields of a step, and fill in what there is to choose from; an edited order stays with its court."""
    form.narrow(step)
    match step:
        case "court":
            places = read_places(visit).values()
            open_to = [
                each for each in places if each.may_draft and (not answers.order_id or each.court_id == answers.court)
            ]
            form.district.choices = choices_of(gettext("Choose"), {each.district_id: each.name for each in open_to})
            if len(open_to) == 1 and not form.district.data:
                form.district.data = open_to[0].district_id
        case "subject":
            form.scheme.choices = choices_of(gettext("Choose"), {scheme.value: word(scheme) for scheme in Scheme})
        case "lines":
            for entry in form.lines.entries:
                entry.form.needs_evidence = answers.is_organisation
        case "validity":
            _offer_languages(visit, form, answers)
        case _:
            pass


def _offer_languages(visit: Visit, form: DraftForm, answers: Answers) -> None:
    """Offer as many languages as there are wordings; those that the draft has already stay to be chosen."""
    known = dict.fromkeys((*sorted(visit.desk.office.studio.wording.languages()), *answers.languages))
    while len(form.languages.entries) < min(len(known), _MOST_LANGUAGES):
        form.languages.append_entry("")
    names = {tag: name_of_language(tag) for tag in known}
    for place, entry in enumerate(form.languages.entries):
        entry.choices = choices_of("" if place == 0 else gettext("No further language"), names)
        entry.label.text = (
            gettext("Heard first") if place == 0 else gettext("Heard then (%(number)s)", number=place + 1)
        )
