"""What a rotation of keys writes again of errands: kept answers, and what jobs were given."""

from gateway.errands.tables import claims, jobs
from gateway.privacy.rewrite import Sealed

SEALED = (
    Sealed(table=jobs, name="jobs", columns=("payload", "result")),
    Sealed(table=claims, name="claims", columns=("answer",)),
)
