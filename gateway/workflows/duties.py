"""What the worker does besides webhooks: the handlers of jobs by their kind, and what is done again and again."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from gateway.audit import call_counts
from gateway.domain.rights import GATEWAY
from gateway.errands import claims
from gateway.outbox import deliveries
from gateway.people import challenges, sessions, throttle
from gateway.workflows.batch_jobs import batch_handlers
from gateway.workflows.change import Errand
from gateway.workflows.checkpoint_audit import Ledger, checkpoint_of_the_day
from gateway.workflows.keep_form import forget_forms
from gateway.workflows.office import Office
from gateway.workflows.purge_ended import purge_daily
from gateway.workflows.run_jobs import Handler
from gateway.workflows.sweep_batches import sweep_batches
from gateway.workflows.work import Round

# A request is repeated within minutes, and its answer may hold what is shown once.
KEEP_CLAIMS = timedelta(hours=24)
# A message is given up after some three days; for the rest of these, who runs the receiver can have it again.
KEEP_MESSAGES = timedelta(days=90)
# Sessions, challenges and counters of sign-ins mean nothing once they are over; a day helps who looks into a complaint.
KEEP_SIGN_INS = timedelta(days=1)
# A year of calls by the hour, and a month to compare it with the year before.
KEEP_CALL_COUNTS = timedelta(days=400)


def handlers_of(office: Office, clock: Callable[[], datetime]) -> Mapping[str, Handler]:
    """Return who carries out which kind of job."""
    return batch_handlers(office, clock)


def rounds_of(office: Office, *, checkpoints: Path, retention_days: int) -> tuple[Round, ...]:
    """Return what is to be done, and how often; `checkpoints` is their folder."""
    ledger = Ledger(office=office.engine, reading=office.reading.engine, keys=office.keys, folder=checkpoints)

    def checkpoint(now: datetime) -> None:
        checkpoint_of_the_day(ledger, Errand(actor=GATEWAY, at=now))

    def purge(now: datetime) -> None:
        purge_daily(office, days=retention_days, now=now)

    def round_of(name: str, every: timedelta, forget: Callable[[Connection, datetime], int], keep: timedelta) -> Round:
        return Round(name=name, every=every, do=partial(_forget, office, forget, keep))

    hour, day = timedelta(hours=1), timedelta(days=1)
    return (
        # Each hour, so that the checkpoint of a day is there soon after its midnight (UTC); a day has one only.
        Round(name="checkpoint", every=hour, do=checkpoint),
        Round(name="purge", every=day, do=purge),
        Round(name="sweep_batches", every=day, do=partial(sweep_batches, office)),
        Round(name="forget_forms", every=hour, do=partial(forget_forms, office)),
        round_of("forget_claims", hour, claims.forget, KEEP_CLAIMS),
        round_of("forget_messages", day, deliveries.forget, KEEP_MESSAGES),
        round_of("forget_sessions", hour, sessions.forget, KEEP_SIGN_INS),
        round_of("forget_challenges", hour, challenges.forget, KEEP_SIGN_INS),
        round_of("forget_call_counts", day, call_counts.forget, KEEP_CALL_COUNTS),
        round_of("forget_attempts", hour, throttle.forget, KEEP_SIGN_INS),
    )


def _forget(office: Office, forget: Callable[[Connection, datetime], int], keep: timedelta, now: datetime) -> None:
    with office.engine.begin() as connection:
        forget(connection, now - keep)
