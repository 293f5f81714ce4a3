"""The bridge's own screen, put together where the register's database and keys are at hand (docs/adr/0025)."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from gateway.assembly import Parts, put_together
from gateway.dialects import sip
from gateway.domain.errors import GatewayError
from gateway.domain.facts import CallFacts
from gateway.domain.plan import CallPlan
from gateway.providers.sip.bridge.errors import ScreenAwayError
from gateway.register import installation
from gateway.settings import Settings
from gateway.watch import Watch
from gateway.workflows.answer_call import answer_stranger

# The count of calls is written down every ten seconds, and nothing else is.
_CONNECTIONS = 2


class BridgeScreen:
    """Knows lines that are under no order, as a worker of the gateway does, and counts the calls to them."""

    def __init__(self, parts: Parts, failed: Callable[[str], None]) -> None:
        """Begin to keep a screen of the register in `parts`; `failed` is told what went wrong, in a word."""
        self._parts = parts
        self._watch = Watch(
            parts, screen_failed=lambda: failed("screen not read"), tally_failed=lambda: failed("calls not counted")
        )
        self.dialect = sip(parts)
        self._watch.start()

    def answer(self, facts: CallFacts, now: datetime) -> CallPlan | None:
        """Return what happens with a call to a line that is certainly under no order; None for any other."""
        plan = answer_stranger(self._watch.screen, facts, now) if self._watch.keeper.is_current else None
        if plan is not None:
            self._watch.tally.count(plan.decision)
        return plan

    def is_own_key(self, key_id: str) -> bool:
        """Tell whether the register's keys are those of whoever names `key_id`."""
        return any(key_id == each.key_id for each in self._parts.keys.known)

    def close(self) -> None:
        """Write down what was counted, and close the database."""
        self._watch.stop()
        self._parts.close()


def open_screen(settings: Settings, failed: Callable[[str], None]) -> BridgeScreen:
    """Open the register that `settings` name, and load its screen. Raises ScreenAwayError where there is none."""
    try:
        parts = put_together(settings.model_copy(update={"database_connections": _CONNECTIONS}))
    except (GatewayError, OSError) as error:
        raise ScreenAwayError(why=getattr(error, "code", "no register")) from error
    try:
        with parts.screens.connect() as connection:
            installation.demand(connection, parts.keys)
        return BridgeScreen(parts, failed)
    except (GatewayError, SQLAlchemyError) as error:
        parts.close()
        raise ScreenAwayError(why=getattr(error, "code", "database")) from error
