"""Try a call: type a line, keys and a time, and hear what caller and callee would hear; no call is made."""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

from flask import request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as Answer

from gateway.audio.waveform import peaks
from gateway.console import refusals
from gateway.console.notice_card import decimal
from gateway.console.page import HTTP_SEE_OTHER, Page, Visit, shown
from gateway.console.sound_answer import sound_answer
from gateway.console.try_address import opened, sealed
from gateway.console.try_form import RING_SECONDS, TryForm
from gateway.console.try_picture import track
from gateway.console.try_words import decided, told, who
from gateway.domain.errors import InvalidNumberError
from gateway.register.errors import UnknownEntryError
from gateway.workflows.hear_notice import COLUMNS
from gateway.workflows.read_courts import read_courts
from gateway.workflows.simulate_call import DEFAULT_CALLER, Party
from gateway.workflows.try_call import try_call
from gateway.workflows.try_script import TriedCall, TryScript


def begin_try(visit: Visit) -> Mapping[str, Any]:
    """Begin with the call of the address, else with a call that comes in now."""
    found = opened(request.args.get("script", ""), visit.desk.keys)
    if found is not None:
        return _values(*found)
    zone = next((court.zone for court in read_courts(visit.desk.office, visit.errand).values()), "UTC")
    # The form knows minutes. What was approved or lifted a moment ago counts: so the next one, and not the present one.
    soon = visit.at.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return _values(TryScript(callee="", at=soon, caller=DEFAULT_CALLER, ring_seconds=RING_SECONDS), zone)


def show_try(visit: Visit, form: TryForm) -> Answer:
    """Show the form, and below it what would be heard in the call of the address."""
    address = request.args.get("script", "")
    found = opened(address, visit.desk.keys) if request.method == "GET" else None
    courts = read_courts(visit.desk.office, visit.errand)
    call = _tried(visit, found[0]) if found is not None else None
    return shown(
        "try/try.html",
        form=form,
        zones=[*dict.fromkeys(court.zone for court in courts.values()), "UTC"],
        call=call,
        script=found[0] if found else None,
        zone=found[1] if found else "UTC",
        tracks=_tracks(call, address) if call else (),
        decided=decided,
        told=told,
        who=who,
        decimal=decimal,
        was_lost=bool(address) and found is None and request.method == "GET",
    )


def send_try(visit: Visit, form: TryForm) -> Answer:
    """Try the call once, so that what is wrong is said in the form, and go on to the address that holds it."""
    script = form.script()
    try:
        _tried(visit, script)
    except InvalidNumberError as error:
        # The line is a number: the form has seen to it.
        form.refuse("caller", refusals.message_of(error))
        answer = show_try(visit, form)
        answer.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
        return answer
    return redirect(
        url_for("try_call", script=sealed(script, str(form.zone.data).strip(), visit.desk.keys), _anchor="result"),
        HTTP_SEE_OTHER,
    )


def get_try_sound(visit: Visit, party: str) -> Answer:
    """Answer with what one party would hear, tried again for who asks: an address opens nothing to a stranger."""
    found = opened(request.args.get("script", ""), visit.desk.keys)
    if found is None or party not in {Party.CALLER.value, Party.CALLEE.value}:
        raise UnknownEntryError(what="track", shown=party, cure="")
    call = _tried(visit, found[0])
    return sound_answer(call.caller_wav if party == Party.CALLER.value else call.callee_wav)


def _tried(visit: Visit, script: TryScript) -> TriedCall:
    return try_call(visit.desk.office, script, visit.errand, visit.desk.settings.bypass())


def _tracks(call: TriedCall, address: str) -> tuple[dict[str, Any], ...]:
    return tuple(
        {
            "party": party,
            "src": url_for("try_sound", party=party.value, script=address),
            "picture": track(call, party, peaks(wav, COLUMNS)),
            "is_silent": not call.heard_by(party),
        }
        for party, wav in ((Party.CALLER, call.caller_wav), (Party.CALLEE, call.callee_wav))
    )


def _values(script: TryScript, zone: str) -> dict[str, Any]:
    local = script.at.astimezone(ZoneInfo(zone))
    return {
        "line": script.callee,
        "caller": script.caller,
        "withheld": not script.caller,
        "keys": " ".join(f"{key.digit}@{key.at:g}" for key in script.keys),
        "day": f"{local:%Y-%m-%d}",
        "time": f"{local:%H:%M}",
        "zone": zone,
        "ring": f"{script.ring_seconds:g}",
    }


PAGES = (
    Page(name="try_call", path="/try", show=show_try, form=TryForm, begin=begin_try, send=send_try),
    Page(name="try_sound", path="/try/<party>.wav", show=get_try_sound),
)
