"""What shall happen next in a call: a short tuple of frozen steps. A dialect renders steps; it never decides."""

from dataclasses import dataclass
from enum import Enum

from gateway.domain.facts import Destination
from gateway.domain.notice import CalleeNotice, PublicNotice
from gateway.domain.standing import Ground


class Decision(Enum):
    """What a webhook was answered with, in one word."""

    PUBLIC_NOTICE = "public_notice"
    WARNING = "warning"
    PRIVATE_NOTICE = "private_notice"
    CONNECT = "connect"
    END = "end"


class Reason(Enum):
    """Why; each is a metric label and stable."""

    PUBLICATION_ORDER_IN_FORCE = "publication_order_in_force"
    WARNING_PERIOD = "warning_period"
    SERVICE_ORDER_IN_FORCE = "service_order_in_force"
    NO_ORDER = "no_order"
    ORDER_NOT_APPROVED = "order_not_approved"
    ORDER_NOT_YET_IN_FORCE = "order_not_yet_in_force"
    ORDER_SUSPENDED = "order_suspended"
    ORDER_LIFTED = "order_lifted"
    ORDER_EXPIRED = "order_expired"
    DISTRICT_OFF = "district_off"
    LINE_SUSPENDED = "line_suspended"
    LINE_ALSO_PRIVATE = "line_also_private"
    NOTICE_NOT_READY = "notice_not_ready"
    OUTSIDE_PERMITTED_HOURS = "outside_permitted_hours"
    OPENER_CAP = "opener_cap"
    CONTENT_CAP = "content_cap"
    ACKNOWLEDGED = "acknowledged"
    NEVER_DELAY = "never_delay"
    CALLEE_NOT_E164 = "callee_not_e164"
    PROVIDER_CANNOT = "provider_cannot"
    REGISTER_UNAVAILABLE = "register_unavailable"
    EVIDENCE_NOT_KEPT = "evidence_not_kept"
    ENDED_MEANWHILE = "ended_meanwhile"
    NOTICE_HEARD = "notice_heard"
    KEY_PRESSED = "key_pressed"
    CONTESTED = "contested"
    WRONG_PERSON = "wrong_person"
    DIAL_ENDED = "dial_ended"
    RETRY_WITHOUT_NOTICE = "retry_without_notice"
    LOOP = "loop"
    BAD_TOKEN = "bad_token"  # noqa: S105  (a reason's name, no secret)
    INTERNAL_ERROR = "internal_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayToCaller:
    """Play `notice` on the caller's leg before connecting; any key skips."""

    order_id: str
    notice: PublicNotice


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayToCallee:
    """Play `notice` on the callee's leg, which hears us alone; `listens` tells whether keys are gathered."""

    order_id: str
    notice: CalleeNotice
    listens: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspendLine:
    """Take the called line out of `order_id` at once and tell the court why."""

    order_id: str
    ground: Ground


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge:
    """Note that the holder of the line acknowledged `order_id`: seven days of silence."""

    order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """Connect to `destination`; `whisper_for` names the order on which the callee is spoken to first."""

    destination: Destination
    whisper_for: str = ""


@dataclass(frozen=True, slots=True)
class Bridge:
    """Let the two legs, which are already up, talk to each other."""


@dataclass(frozen=True, slots=True)
class End:
    """End the call: it is over, or it would go round in a circle."""


Step = PlayToCaller | PlayToCallee | SuspendLine | Acknowledge | Connect | Bridge | End


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPlan:
    """The steps in order, with what was decided and why; `order_id` is empty where no order had a part in it."""

    steps: tuple[Step, ...]
    decision: Decision
    reason: Reason
    order_id: str = ""
