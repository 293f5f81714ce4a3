"""Where a called line is connected: the same number, a trunk, or what the route table says."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.domain.e164 import E164
from gateway.domain.errors import GatewayError
from gateway.domain.facts import Destination, Opaque, Party, SipUri, Telephone

# No class of characters overlaps the separator behind it, so that matching takes time in proportion to the length.
_SIP = re.compile(r"sips?:[^\s<>\"@]+@[^\s<>\"?@]+", re.IGNORECASE)
_LINE = "{line}"


class RouteLoopError(GatewayError):
    """The route table leads {line} back to itself: {path}. Point one of these lines at where it really rings."""

    code = "route_loop"


class InvalidRouteError(GatewayError):
    """Route {field} = {shown!r}: {why}."""

    code = "invalid_route"


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """Called line to destination; `default` may hold `{line}`. Raises RouteLoopError, InvalidRouteError.

    A destination is an E.164 number or a SIP URI. `byoc_trunk` (BY and 32 hex digits) carries dialled numbers over the
    operator's own trunk.
    """

    default: str = _LINE
    byoc_trunk: str = ""
    lines: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check every entry and follow every chain, so that a loop is refused at boot and not met by a caller."""
        _check("default", self.default.replace(_LINE, "+12025550100"))
        if self.byoc_trunk and re.fullmatch(r"BY[0-9a-f]{32}", self.byoc_trunk) is None:
            raise InvalidRouteError(field="byoc_trunk", shown=self.byoc_trunk, why="write BY and 32 hex digits")
        for line, destination in self.lines.items():
            _check("line", line)
            _check(line, destination)
        for line in self.lines:
            self._refuse_loop(line)

    def destination_of(self, callee: Party) -> Destination:
        """Return where `callee` is connected; what is no E.164 number is connected as it came."""
        match callee:
            case E164(number=number):
                return self._to(self.lines.get(number) or self.default.replace(_LINE, number))
            case Opaque(text=text):
                return SipUri(uri=text) if _SIP.fullmatch(text) else Telephone(number=text)

    def _to(self, destination: str) -> Destination:
        if destination.lower().startswith(("sip:", "sips:")):
            return SipUri(uri=destination)
        return Telephone(number=destination, trunk_sid=self.byoc_trunk)

    def _refuse_loop(self, line: str) -> None:
        path = [line]
        while (following := self.lines.get(path[-1])) is not None:
            path.append(following)
            if following in path[:-1]:
                raise RouteLoopError(line=line, path=" -> ".join(path))


def _check(name: str, destination: str) -> None:
    if _SIP.fullmatch(destination):
        return
    try:
        E164(destination)
    except GatewayError as error:
        why = "write an E.164 number such as +442079460110, or a SIP URI such as sip:{line}@trunk.example.net"
        raise InvalidRouteError(field=name, shown=destination, why=why) from error
