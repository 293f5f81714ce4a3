"""An order's life in the reader's language."""

from enum import Enum

from flask_babel import gettext, ngettext

from gateway.console.words import word
from gateway.domain.rights import CALLEE, COMMAND_LINE, GATEWAY
from gateway.domain.standing import Ground
from gateway.register.disputes import Resolution
from gateway.workflows.read_order_life import LifeEvent, LifeKind


def what_happened(event: LifeEvent) -> str:
    """Return what an event is, in one line."""
    match event.kind:
        case LifeKind.DONE:
            return _word(event.tag)
        case LifeKind.REMARKED:
            return str(gettext("Written about: %(act)s", act=_word(event.tag)))
        case LifeKind.PLAYED:
            return str(
                ngettext(
                    "%(notice)s: heard %(num)s time that day",
                    "%(notice)s: heard %(num)s times that day, the last time now",
                    event.count,
                    notice=_word(event.purpose),
                )
            )
        case LifeKind.KEY_PRESSED:
            return str(
                ngettext(
                    "Key %(key)s pressed %(num)s time that day",
                    "Key %(key)s pressed %(num)s times that day, the last time now",
                    event.count,
                    key=event.key,
                )
            )
        case LifeKind.DISPUTE_OPENED:
            return str(gettext("Dispute opened: %(ground)s", ground=word(Ground(event.word))))
        case LifeKind.DISPUTE_RESOLVED:
            return str(gettext("Dispute resolved: %(resolution)s", resolution=word(Resolution(event.word))))
        case LifeKind.WARNING_BEGINS | LifeKind.IN_FORCE_FROM | LifeKind.EXPIRES:
            return word(event.kind)


def who(name: str) -> str:
    """Return who did something, for the ids that are no person's in the reader's language."""
    ours = {
        COMMAND_LINE.actor_id: gettext("the command line"),
        GATEWAY.actor_id: gettext("the gateway itself"),
        CALLEE.actor_id: gettext("whoever picked up the telephone"),
    }
    return str(ours.get(name, name))


def _word(code: Enum | None) -> str:
    return word(code) if code is not None else ""
