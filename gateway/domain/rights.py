"""Who may do what, and where: roles give rights, grants put them in a place, an actor carries its grants."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import assert_never

from gateway.domain.errors import GatewayError

# For so many sets of grants and rights a process keeps what they extend to; who holds them it does not keep.
_KEPT = 1024


class NotAllowedError(GatewayError):
    """You lack the right {right} for {where}; ask an administrator of the gateway for a role that has it."""

    code = "not_allowed"


class Right(Enum):
    """One thing that an actor may be allowed to do."""

    COURTS_READ = "courts:read"
    COURTS_MANAGE = "courts:manage"
    DISTRICTS_SWITCH = "districts:switch"
    ORDERS_READ = "orders:read"
    ORDERS_DRAFT = "orders:draft"
    ORDERS_APPROVE = "orders:approve"
    ORDERS_END = "orders:end"
    ORDERS_EXPORT = "orders:export"
    SATISFACTION_REPORT = "satisfaction:report"
    DISPUTES_READ = "disputes:read"
    DISPUTES_RESOLVE = "disputes:resolve"
    PLAYS_READ = "plays:read"
    STATISTICS_READ = "statistics:read"
    AUDIT_READ = "audit:read"
    PEOPLE_MANAGE = "people:manage"
    API_KEYS_MANAGE = "api_keys:manage"
    WEBHOOKS_MANAGE = "webhooks:manage"


class Role(Enum):
    """What a person is at a court, a district, or everywhere."""

    CLERK = "clerk"
    APPROVER = "approver"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


_OFFICER = frozenset(
    {
        Right.COURTS_READ,
        Right.ORDERS_READ,
        Right.ORDERS_END,
        Right.DISPUTES_READ,
        Right.PLAYS_READ,
        Right.STATISTICS_READ,
    }
)
RIGHTS_OF: Mapping[Role, frozenset[Right]] = {
    Role.CLERK: _OFFICER | {Right.ORDERS_DRAFT},
    Role.APPROVER: _OFFICER | {Right.ORDERS_APPROVE, Right.DISPUTES_RESOLVE, Right.ORDERS_EXPORT},
    Role.OPERATOR: frozenset({Right.COURTS_READ, Right.DISTRICTS_SWITCH, Right.STATISTICS_READ}),
    Role.AUDITOR: frozenset(
        {
            Right.COURTS_READ,
            Right.ORDERS_READ,
            Right.ORDERS_EXPORT,
            Right.DISPUTES_READ,
            Right.PLAYS_READ,
            Right.STATISTICS_READ,
            Right.AUDIT_READ,
        }
    ),
    Role.ADMINISTRATOR: frozenset(
        {
            Right.COURTS_READ,
            Right.COURTS_MANAGE,
            Right.PEOPLE_MANAGE,
            Right.API_KEYS_MANAGE,
            Right.WEBHOOKS_MANAGE,
            Right.STATISTICS_READ,
        }
    ),
}
# A program never approves, resolves or administers: those need a person who can be asked why.
API_KEY_RIGHTS = frozenset(
    {
        Right.COURTS_READ,
        Right.DISTRICTS_SWITCH,
        Right.ORDERS_READ,
        Right.ORDERS_DRAFT,
        Right.ORDERS_END,
        Right.ORDERS_EXPORT,
        Right.SATISFACTION_REPORT,
        Right.DISPUTES_READ,
        Right.PLAYS_READ,
        Right.STATISTICS_READ,
        Right.AUDIT_READ,
    }
)


@dataclass(frozen=True, slots=True)
class Everywhere:
    """All courts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InCourt:
    """One court with all its districts."""

    court_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InDistrict:
    """One district with all districts below it."""

    court_id: str
    district_id: str


Scope = Everywhere | InCourt | InDistrict


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A right in a place."""

    right: Right
    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a thing lies: its court, and its district with all districts above it; empty for the court as a whole."""

    court_id: str
    district_path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Everything one right extends to: for lists, which show what lies within and nothing else."""

    everywhere: bool
    courts: frozenset[str]
    districts: frozenset[str]

    @property
    def is_empty(self) -> bool:
        """Tell whether the right was granted nowhere."""
        return not (self.everywhere or self.courts or self.districts)


class ActorKind(Enum):
    """What kind of actor did something."""

    PERSON = "person"
    API_KEY = "api_key"
    COMMAND_LINE = "command_line"
    CALLEE = "callee"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Whoever does something; `actor_id` is opaque (per_..., key_...) and names nobody to a thief of the database."""

    actor_id: str
    kind: ActorKind
    grants: frozenset[Grant]

    def may(self, right: Right, place: Place | None) -> bool:
        """Tell whether `right` was granted for `place`; None is the gateway as a whole."""
        return any(grant.right is right and _covers(grant.scope, place) for grant in self.grants)

    def reach(self, right: Right) -> Reach:
        """Return everything that `right` extends to."""
        return _reach(self.grants, right)

    def demand(self, right: Right, place: Place | None, *, where: str) -> None:
        """Raise NotAllowedError where `right` was not granted for `place`; `where` says it in words."""
        if not self.may(right, place):
            raise NotAllowedError(right=right.value, where=where)


def grants_of(role: Role, scope: Scope) -> frozenset[Grant]:
    """Return what a role means in a place."""
    return frozenset(Grant(right=right, scope=scope) for right in RIGHTS_OF[role])


def everything_for(rights: Iterable[Right]) -> frozenset[Grant]:
    """Return each of `rights`, everywhere."""
    return frozenset(Grant(right=right, scope=Everywhere()) for right in rights)


# Who sits at the machine holds its keys. What the command line does in the name of officers, it must name them for.
COMMAND_LINE = Actor(actor_id="command-line", kind=ActorKind.COMMAND_LINE, grants=everything_for(Right))
GATEWAY = Actor(actor_id="gateway", kind=ActorKind.GATEWAY, grants=everything_for(Right))
CALLEE = Actor(actor_id="callee", kind=ActorKind.CALLEE, grants=frozenset())


@lru_cache(maxsize=_KEPT)
def _reach(grants: frozenset[Grant], right: Right) -> Reach:
    scopes = [grant.scope for grant in grants if grant.right is right]
    return Reach(
        everywhere=any(isinstance(scope, Everywhere) for scope in scopes),
        courts=frozenset(scope.court_id for scope in scopes if isinstance(scope, InCourt)),
        districts=frozenset(scope.district_id for scope in scopes if isinstance(scope, InDistrict)),
    )


def _covers(scope: Scope, place: Place | None) -> bool:
    match scope:
        case Everywhere():
            return True
        case InCourt(court_id=court_id):
            return place is not None and place.court_id == court_id
        case InDistrict(court_id=court_id, district_id=district_id):
            return place is not None and place.court_id == court_id and district_id in place.district_path
        case _:
            assert_never(scope)
