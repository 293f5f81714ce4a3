"""Where a called line is connected, and whom nothing may delay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.bypass import BypassList
from gateway.domain.e164 import E164
from gateway.domain.errors import InvalidNumberError
from gateway.domain.facts import Destination, Opaque, SipUri, Telephone, Urgency
from gateway.domain.route import InvalidRouteError, RouteLoopError, Routes
from tests import strategies
from tests.builders import CALLEE

TRUNK = "BY" + "0123456789abcdef" * 2
ELSEWHERE = "+442079460199"


@given(strategies.e164s())
def test_without_a_table_a_line_is_connected_to_itself(line: E164) -> None:
    assert Routes().destination_of(line) == Telephone(number=line.number)


@pytest.mark.parametrize(
    ("routes", "destination"),
    [
        (Routes(byoc_trunk=TRUNK), Telephone(number=CALLEE.number, trunk_sid=TRUNK)),
        (Routes(default="sip:{line}@pbx.example.net"), SipUri(uri=f"sip:{CALLEE.number}@pbx.example.net")),
        (Routes(default="SIPS:{line}@pbx.example.net"), SipUri(uri=f"SIPS:{CALLEE.number}@pbx.example.net")),
        (Routes(lines={CALLEE.number: ELSEWHERE}), Telephone(number=ELSEWHERE)),
        (Routes(lines={CALLEE.number: "sip:desk@example.net"}), SipUri(uri="sip:desk@example.net")),
        (Routes(default="sip:{line}@pbx.example.net", lines={ELSEWHERE: CALLEE.number}),
         SipUri(uri=f"sip:{CALLEE.number}@pbx.example.net")),
    ],
    ids=["a trunk", "a default", "a default in capitals", "another number", "a SIP user", "another line's entry"],
)  # fmt: skip
def test_a_line_is_connected_where_the_table_says(routes: Routes, destination: Destination) -> None:
    assert routes.destination_of(CALLEE) == destination


@given(strategies.opaques())
def test_what_is_no_number_is_connected_as_it_came(callee: Opaque) -> None:
    assert Routes(lines={CALLEE.number: ELSEWHERE}).destination_of(callee) == Telephone(number=callee.text)


def test_a_callee_that_is_a_sip_uri_is_called_over_sip() -> None:
    assert Routes().destination_of(Opaque("sip:desk@example.net")) == SipUri(uri="sip:desk@example.net")


@pytest.mark.parametrize(
    "lines",
    [
        {"+442079460110": "+442079460110"},
        {"+442079460110": "+442079460111", "+442079460111": "+442079460110"},
        {"+442079460112": "+442079460110", "+442079460110": "+442079460111", "+442079460111": "+442079460110"},
    ],
    ids=["to itself", "there and back", "into a circle further on"],
)
def test_a_table_that_leads_in_a_circle_is_refused_at_boot(lines: dict[str, str]) -> None:
    with pytest.raises(RouteLoopError, match="Point one of these lines at where it really rings"):
        Routes(lines=lines)


@pytest.mark.parametrize(
    "wrong", ["", "020 7946 0110", "reception", "sip:", "sip:@example.net", "sip:desk@", "tel:+442079460110"]
)
def test_a_table_that_leads_nowhere_is_refused_at_boot(wrong: str) -> None:
    with pytest.raises(InvalidRouteError):
        Routes(lines={CALLEE.number: wrong})
    with pytest.raises(InvalidRouteError):
        Routes(default=wrong)


@pytest.mark.parametrize("trunk", ["BY123", "AC" + "0" * 32, "BY" + "G" * 32])
def test_a_trunk_that_is_none_is_refused_at_boot(trunk: str) -> None:
    with pytest.raises(InvalidRouteError, match="byoc_trunk"):
        Routes(byoc_trunk=trunk)


BYPASS = BypassList.of(short_codes=["112", "999"], country_codes=["44", "33"], numbers=["+44 20 7946 0199"])


@pytest.mark.parametrize("caller", ["112", "+112", "+44112", "+33112", "999", "+44999", "+442079460199"])
def test_a_caller_that_must_never_be_delayed_is_known_in_every_spelling(caller: str) -> None:
    assert BYPASS.urgency_of(caller) is Urgency.NEVER_DELAY


@pytest.mark.parametrize("caller", ["", "anonymous", "113", "+49112", "1129", "+442079460198"])
def test_any_other_caller_is_an_ordinary_one(caller: str) -> None:
    assert BYPASS.urgency_of(caller) is Urgency.ORDINARY


@given(st.text())
def test_an_empty_list_holds_nobody(caller: str) -> None:
    assert BypassList().urgency_of(caller) is Urgency.ORDINARY


def test_a_list_with_what_is_no_number_is_refused() -> None:
    with pytest.raises(InvalidNumberError):
        BypassList.of(short_codes=[], country_codes=[], numbers=["999"])
