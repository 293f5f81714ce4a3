"""A tried call in words: what was decided and why, and what happens when at whose telephone."""

from collections.abc import Mapping
from typing import assert_never

from flask_babel import LazyString, gettext

from gateway.console.languages import lazily as _l
from gateway.console.notice_card import decimal, tongue
from gateway.console.words import word
from gateway.domain.plan import Decision
from gateway.workflows.simulate_call import Party
from gateway.workflows.try_script import TriedEntry, What

_DECIDED: Mapping[Decision, LazyString] = {
    Decision.PUBLIC_NOTICE: _l("The caller hears the public notice and is then connected."),
    Decision.WARNING: _l("The called organisation hears a warning. The caller hears nothing of it and is connected."),
    Decision.PRIVATE_NOTICE: _l("Only who is called is spoken to. The caller hears nothing of it and is connected."),
    Decision.CONNECT: _l("The call is connected, and no notice is played."),
    Decision.END: _l("The call ends."),
}
_KEYS_TO_NOBODY = {What.KEY_NOT_LISTENED_TO, What.KEY_AFTER_THE_END}
_SHORT: Mapping[What, LazyString] = {
    What.HEARS_RINGING: _l("Ringing"),
    What.TALKS: _l("Talk"),
}


def decided(decision: Decision) -> str:
    """Say what a decision means for caller and callee."""
    return str(_DECIDED[decision])


def short(entry: TriedEntry) -> str:
    """Name what is heard, in a word or two for a picture."""
    if entry.purpose is not None:
        return str(gettext("%(purpose)s (%(language)s)", purpose=word(entry.purpose), language=tongue(entry.language)))
    return str(_SHORT.get(entry.what, ""))


def who(entry: TriedEntry) -> str:
    """Say at whose telephone something happens."""
    if entry.what in _KEYS_TO_NOBODY:
        return str(gettext("Nobody"))
    return str(gettext("Gateway")) if entry.party is Party.PROVIDER else word(entry.party)


def told(entry: TriedEntry) -> str:  # noqa: C901, PLR0912  (one line for each thing that can happen)
    """Say what happens, in a sentence."""
    match entry.what:
        case What.CALLS:
            return str(gettext("Calls the line."))
        case What.DECIDES:
            return _decides(entry)
        case What.HEARS:
            return str(
                gettext("Hears: %(what)s, for %(seconds)s s.", what=short(entry), seconds=decimal(entry.seconds))
            )
        case What.SOUND_MISSING:
            return str(gettext("Would hear: %(what)s, but its sound file is missing.", what=short(entry)))
        case What.PRESSES:
            return str(gettext("Presses %(key)s.", key=entry.digit))
        case What.KEY_NOT_LISTENED_TO:
            return str(gettext("Key %(key)s is pressed while nobody listens for keys.", key=entry.digit))
        case What.KEY_AFTER_THE_END:
            return str(gettext("Key %(key)s would be pressed after the end of the call.", key=entry.digit))
        case What.HEARS_RINGING:
            return str(gettext("Hears the ringing tone for %(seconds)s s.", seconds=decimal(entry.seconds)))
        case What.RINGS:
            return str(gettext("The telephone rings."))
        case What.ANSWERS:
            return str(gettext("Answers."))
        case What.WOULD_SUSPEND_LINE:
            ground = word(entry.ground) if entry.ground else ""
            return str(gettext("A real call would take the line out of the order: %(ground)s.", ground=ground))
        case What.WOULD_ACKNOWLEDGE:
            return str(gettext("A real call would note that the person acknowledged: seven days of silence."))
        case What.BRIDGES:
            return str(gettext("Caller and callee are connected."))
        case What.TALKS:
            return str(
                gettext(
                    "Hears the other one talk; a tone of %(seconds)s s stands for it.", seconds=decimal(entry.seconds)
                )
            )
        case What.IS_NOT_CONNECTED:
            return str(gettext("Is not connected."))
        case What.ENDS:
            return str(gettext("The call ends here."))
        case What.IS_CUT_OFF:
            return str(gettext("The call goes on for longer than can be tried, and is cut off here."))
        case _:
            assert_never(entry.what)


def is_heard_by(entry: TriedEntry, party: Party) -> bool:
    """Tell whether an entry is a sound in the recording of a party."""
    return entry.party is party and entry.seconds > 0


def _decides(entry: TriedEntry) -> str:
    decision = word(entry.decision) if entry.decision else ""
    reason = word(entry.reason) if entry.reason else ""
    return str(gettext("Decides: %(decision)s. %(reason)s", decision=decision, reason=reason))
