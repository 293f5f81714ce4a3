"""What a rotation of keys writes again of errands: kept answers, what jobs were given, and unfinished forms."""

from gateway.errands.tables import claims, jobs, unfinished_forms
from gateway.privacy.rewrite import Sealed

SEALED = (
    Sealed(table=jobs, name="jobs", columns=("payload", "result")),
    Sealed(table=claims, name="claims", columns=("answer",)),
    Sealed(table=unfinished_forms, name="unfinished_forms", columns=("fields",)),
)
