"""Who hears what, as one table: each row is a sentence of the audience rule. The limits have a table of their own."""

from datetime import timedelta

import pytest

from gateway.domain.decide import decide
from gateway.domain.facts import (
    CalleeAnswered,
    CalleeListened,
    CallerListened,
    Capability,
    DialEnded,
    Looping,
    Opaque,
    Outcome,
    Urgency,
)
from gateway.domain.notice import MissingNotices, Purpose
from gateway.domain.order import OrderState
from gateway.domain.plan import Acknowledge, Reason, SuspendLine
from gateway.domain.standing import Ground, NoOrders, Unavailable, UnderOrders
from tests.builders import (
    EVERYTHING,
    NOW,
    a_call,
    a_person,
    a_reply,
    an_order,
    order_on_line,
    person_notices,
    under,
)
from tests.domain.table import (
    Row,
    bridges,
    callee_hears_the_content,
    callee_hears_the_opener,
    callee_hears_the_warning,
    callee_will_be_warned,
    callee_will_hear_the_opener,
    caller_hears_the_public_notice,
    connects,
    ends,
    key_does,
    row,
)

PUBLISHED = an_order()
WARNED = an_order(OrderState.WARNED)
SERVED = an_order(subject=a_person())
DOWN = Unavailable("register_down")

WHO_HEARS_WHAT = [
    row("organisation, order in force: the caller hears it", under(PUBLISHED), caller_hears_the_public_notice()),
    row("organisation, warning period: the callee will be warned", under(WARNED), callee_will_be_warned()),
    row("natural person: the callee alone will hear the opener", under(SERVED), callee_will_hear_the_opener()),
    row("natural person, order not yet in force: nobody hears anything",
        under(an_order(OrderState.WARNED, subject=a_person())), connects(Reason.ORDER_NOT_YET_IN_FORCE, "order-1")),
    row("anybody else: nobody hears anything", NoOrders(), connects(Reason.NO_ORDER)),
    row("a line with an empty list of orders is anybody's", UnderOrders(()), connects(Reason.NO_ORDER)),
    row("the register does not answer: the call connects", DOWN, connects(Reason.REGISTER_UNAVAILABLE)),
]  # fmt: skip

SILENCE = [
    *(
        row(f"{who}, order {state.value}: silence", under(an_order(state, subject=subject)), connects(why, "order-1"))
        for who, subject in (("organisation", PUBLISHED.subject), ("natural person", SERVED.subject))
        for state, why in (
            (OrderState.DRAFT, Reason.ORDER_NOT_APPROVED),
            (OrderState.SUBMITTED, Reason.ORDER_NOT_APPROVED),
            (OrderState.APPROVED, Reason.ORDER_NOT_YET_IN_FORCE),
            (OrderState.SUSPENDED, Reason.ORDER_SUSPENDED),
            (OrderState.LIFTED, Reason.ORDER_LIFTED),
            (OrderState.EXPIRED, Reason.ORDER_EXPIRED),
        )
    ),
    *(
        row(f"{order.subject.__class__.__name__}, order {order.state_at(NOW).value}, {says}: silence",
            under(on_line), connects(why, "order-1"))
        for order in (PUBLISHED, WARNED, SERVED)
        for says, on_line, why in (
            ("district off", order_on_line(order, district_enabled=False), Reason.DISTRICT_OFF),
            ("line suspended", order_on_line(order, line_suspended=True), Reason.LINE_SUSPENDED),
            ("notices not ready", order_on_line(order, notices=MissingNotices()), Reason.NOTICE_NOT_READY),
        )
    ),
]  # fmt: skip

NEVER_HELD_UP = [
    row("a caller who must never be delayed is connected at once", under(PUBLISHED), connects(Reason.NEVER_DELAY),
        call=a_call(urgency=Urgency.NEVER_DELAY)),
    row("nor does the callee of such a call hear anything", under(SERVED), connects(Reason.NEVER_DELAY),
        call=a_call(urgency=Urgency.NEVER_DELAY)),
    row("a callee that is no public number is connected as it came", under(PUBLISHED),
        connects(Reason.CALLEE_NOT_E164), call=a_call(callee=Opaque("reception"))),
    row("a withheld caller hears what every caller hears", under(PUBLISHED), caller_hears_the_public_notice(),
        call=a_call(caller=Opaque("anonymous"))),
    row("a call of our own that comes round again is ended", under(PUBLISHED), ends(Reason.LOOP),
        call=a_call(Looping())),
    *(
        row(f"a provider without {lacking.value} connects {what}", under(order),
            connects(Reason.PROVIDER_CANNOT, "order-1"), call=a_call(capabilities=EVERYTHING - {lacking}))
        for what, order, lacking in (
            ("instead of the public notice", PUBLISHED, Capability.PLAY_TO_CALLER),
            ("instead of a public notice no key can skip", PUBLISHED, Capability.KEYS),
            ("instead of the warning", WARNED, Capability.WHISPER),
            ("instead of a warning no key can skip", WARNED, Capability.KEYS),
            ("instead of the opener", SERVED, Capability.WHISPER),
            ("instead of an opener no key can answer", SERVED, Capability.KEYS),
        )
    ),
    row("a public notice asks for no whisper", under(PUBLISHED), caller_hears_the_public_notice(),
        call=a_call(capabilities=EVERYTHING - {Capability.WHISPER})),
    row("an opener asks for no playing to the caller", under(SERVED), callee_will_hear_the_opener(),
        call=a_call(capabilities=EVERYTHING - {Capability.PLAY_TO_CALLER})),
]  # fmt: skip

ELDER = an_order(order_id="elder", in_force_from=NOW - timedelta(days=6))
PERSONAL = an_order(order_id="personal", subject=a_person())


def _beside_a_person(state: OrderState) -> UnderOrders:
    return under(PUBLISHED, an_order(state, order_id="personal", subject=a_person()))


SEVERAL_ORDERS = [
    row("of two in force the elder is heard, and no other", under(PUBLISHED, ELDER),
        caller_hears_the_public_notice("elder")),
    row("of two equally old the first by identifier is heard", under(an_order(order_id="b"), an_order(order_id="a")),
        caller_hears_the_public_notice("a")),
    row("one in force goes before one in its warning period", under(WARNED, an_order(order_id="later")),
        caller_hears_the_public_notice("later")),
    row("one that is silent gives way to one that is heard", under(an_order(OrderState.LIFTED, order_id="a"), WARNED),
        callee_will_be_warned()),
    row("one whose line is suspended gives way", under(order_on_line(ELDER, line_suspended=True), PUBLISHED),
        caller_hears_the_public_notice()),
    row("a line that is also a natural person's: callers hear nothing, the person hears the opener",
        under(ELDER, PERSONAL), callee_will_hear_the_opener("personal")),
    row("a line that is also a natural person's is not warned either", _beside_a_person(OrderState.SUBMITTED),
        connects(Reason.LINE_ALSO_PRIVATE, "order-1")),
    *(
        row(f"a person's order that is {state.value} still keeps the line private", _beside_a_person(state),
            connects(Reason.LINE_ALSO_PRIVATE, "order-1"))
        for state in (OrderState.DRAFT, OrderState.APPROVED, OrderState.WARNED)
    ),
    row("a person's order that is suspended still keeps the line private", under(
        ELDER, an_order(OrderState.SUSPENDED, order_id="personal", subject=a_person())),
        connects(Reason.LINE_ALSO_PRIVATE, "elder")),
    row("a person's order that is off in its district still keeps the line private", under(
        ELDER, order_on_line(PERSONAL, district_enabled=False)), connects(Reason.LINE_ALSO_PRIVATE, "elder")),
    *(
        row(f"a person's order that is {state.value} keeps nothing private any more", _beside_a_person(state),
            caller_hears_the_public_notice())
        for state in (OrderState.LIFTED, OrderState.EXPIRED)
    ),
]  # fmt: skip

ANSWERED = a_call(CalleeAnswered(order_id="order-1"))
AT_PICK_UP = [
    row("the callee picks up in the warning period: the warning", under(WARNED), callee_hears_the_warning(),
        call=ANSWERED),
    row("the person picks up: the opener, and no content", under(SERVED), callee_hears_the_opener(), call=ANSWERED),
    *(
        row(f"{what} while the telephone rang: {who} hears nothing", standing, bridges(why), call=ANSWERED)
        for who, order in (("the person", SERVED), ("the organisation", WARNED))
        for what, standing, why in (
            ("lifted", under(an_order(OrderState.LIFTED, subject=order.subject)), Reason.ORDER_LIFTED),
            ("suspended", under(an_order(OrderState.SUSPENDED, subject=order.subject)), Reason.ORDER_SUSPENDED),
            ("expired", under(an_order(OrderState.EXPIRED, subject=order.subject)), Reason.ORDER_EXPIRED),
            ("district switched off", under(order_on_line(order, district_enabled=False)), Reason.DISTRICT_OFF),
            ("line suspended", under(order_on_line(order, line_suspended=True)), Reason.LINE_SUSPENDED),
            ("notices withdrawn", under(order_on_line(order, notices=MissingNotices())), Reason.NOTICE_NOT_READY),
            ("line taken out of the order", NoOrders(), Reason.NO_ORDER),
            ("register gone", DOWN, Reason.REGISTER_UNAVAILABLE),
        )
    ),
    row("the order came into force while the telephone rang: callers hear it from the next call on",
        under(PUBLISHED), bridges(Reason.PUBLICATION_ORDER_IN_FORCE), call=ANSWERED),
    row("a person's order on the line appeared while the telephone rang: no warning",
        under(WARNED, PERSONAL), bridges(Reason.LINE_ALSO_PRIVATE), call=ANSWERED),
    row("another order than the one that asked to be heard is not heard", under(PERSONAL), bridges(Reason.NO_ORDER),
        call=ANSWERED),
]  # fmt: skip


def _pressed(key: str, purpose: Purpose) -> Row:
    """Write the row of a key that does nothing on `purpose` but end it."""
    order = WARNED if purpose is Purpose.WARNING else SERVED
    call = a_call(CalleeListened(order_id="order-1", purpose=purpose, key=key))
    heard = bridges(Reason.KEY_PRESSED if key else Reason.NOTICE_HEARD)
    return row(f"{key or 'no key'} on the {purpose.value}: the parties talk", under(order), heard, call=call)


def _on_opener(key: str) -> CalleeListened:
    return CalleeListened(order_id="order-1", purpose=Purpose.OPENER, key=key)


def _on_content(key: str) -> CalleeListened:
    return CalleeListened(order_id="order-1", purpose=Purpose.PRIVATE, key=key)


WRONG_PERSON = SuspendLine(order_id="order-1", ground=Ground.WRONG_PERSON)
CONTESTED = SuspendLine(order_id="order-1", ground=Ground.CONTESTED)
UNSPOKEN = under(order_on_line(SERVED, notices=person_notices(replies=False)))
KEYS = [
    row("1 on the opener: the content", under(SERVED), callee_hears_the_content(), call=a_call(_on_opener("1"))),
    row("9 on the opener: the line is suspended, wrong person", under(SERVED),
        key_does(WRONG_PERSON, Reason.WRONG_PERSON, a_reply(Purpose.WRONG_PERSON)), call=a_call(_on_opener("9"))),
    row("2 on the content: acknowledged", under(SERVED), key_does(
        Acknowledge(order_id="order-1"), Reason.ACKNOWLEDGED, a_reply(Purpose.ACKNOWLEDGED)),
        call=a_call(_on_content("2"))),
    row("3 on the content: contested, the line is suspended", under(SERVED),
        key_does(CONTESTED, Reason.CONTESTED, a_reply(Purpose.CONTESTED)), call=a_call(_on_content("3"))),
    row("9 on the content: the line is suspended, wrong person", under(SERVED),
        key_does(WRONG_PERSON, Reason.WRONG_PERSON, a_reply(Purpose.WRONG_PERSON)), call=a_call(_on_content("9"))),
    *(_pressed(key, Purpose.OPENER) for key in ("", *"2345678", *"0*#", "11", "one")),
    *(_pressed(key, Purpose.PRIVATE) for key in ("", *"145678", *"0*#", "99")),
    *(_pressed(key, Purpose.WARNING) for key in ("", *"123456789", *"0*#")),
    *(
        row(f"{key} takes effect where the court has recorded no confirmation", UNSPOKEN, key_does(effect, why, None),
            call=a_call(_on_content(key)))
        for key, effect, why in (
            ("2", Acknowledge(order_id="order-1"), Reason.ACKNOWLEDGED),
            ("3", CONTESTED, Reason.CONTESTED),
            ("9", WRONG_PERSON, Reason.WRONG_PERSON),
        )
    ),
    row("1 after the order was lifted: no content", under(an_order(OrderState.LIFTED, subject=a_person())),
        bridges(Reason.ORDER_LIFTED), call=a_call(_on_opener("1"))),
    row("1 after the district was switched off: no content", under(order_on_line(SERVED, district_enabled=False)),
        bridges(Reason.DISTRICT_OFF), call=a_call(_on_opener("1"))),
    row("1 after the line was suspended: no content", under(order_on_line(SERVED, line_suspended=True)),
        bridges(Reason.LINE_SUSPENDED), call=a_call(_on_opener("1"))),
    row("9 after the order was lifted is still believed", under(an_order(OrderState.LIFTED, subject=a_person())),
        key_does(WRONG_PERSON, Reason.WRONG_PERSON, a_reply(Purpose.WRONG_PERSON)), call=a_call(_on_opener("9"))),
    row("3 after the district was switched off is still believed", under(order_on_line(SERVED, district_enabled=False)),
        key_does(CONTESTED, Reason.CONTESTED, a_reply(Purpose.CONTESTED)), call=a_call(_on_content("3"))),
    row("9 after the notices were withdrawn is still believed", under(order_on_line(SERVED, notices=MissingNotices())),
        key_does(WRONG_PERSON, Reason.WRONG_PERSON, None), call=a_call(_on_opener("9"))),
    row("a key on an order that the line is not under: the parties talk", NoOrders(), bridges(Reason.KEY_PRESSED),
        call=a_call(_on_opener("9"))),
    *(
        row(f"{key} while the register is down: the parties talk, and the loss is counted", DOWN,
            bridges(Reason.REGISTER_UNAVAILABLE), call=a_call(_on_opener(key)))
        for key in ("1", "9")
    ),
]  # fmt: skip

AFTERWARDS = [
    row("the caller heard the notice out: connected", under(PUBLISHED), connects(Reason.NOTICE_HEARD, "order-1"),
        call=a_call(CallerListened(order_id="order-1", key=""))),
    row("the caller skipped the notice with any key: connected", under(PUBLISHED),
        connects(Reason.KEY_PRESSED, "order-1"), call=a_call(CallerListened(order_id="order-1", key="7"))),
    row("after one notice no second is heard in the call", under(PUBLISHED, PERSONAL),
        connects(Reason.NOTICE_HEARD, "order-1"), call=a_call(CallerListened(order_id="order-1", key=""))),
    row("the caller heard the notice and the register went down: connected", DOWN,
        connects(Reason.NOTICE_HEARD, "order-1"), call=a_call(CallerListened(order_id="order-1", key=""))),
    *(
        row(f"{outcome.value} after {'a whisper' if whispered else 'a plain connect'}: over", under(SERVED),
            ends(Reason.DIAL_ENDED), call=a_call(DialEnded(outcome=outcome, whispered=whispered)))
        for outcome in Outcome for whispered in (True, False)
        if not (outcome is Outcome.FAILED and whispered)
    ),
    row("a failed attempt with a whisper is tried again without", under(SERVED), connects(Reason.RETRY_WITHOUT_NOTICE),
        call=a_call(DialEnded(outcome=Outcome.FAILED, whispered=True))),
]  # fmt: skip

TABLE = [*WHO_HEARS_WHAT, *SILENCE, *NEVER_HELD_UP, *SEVERAL_ORDERS, *AT_PICK_UP, *KEYS, *AFTERWARDS]


@pytest.mark.parametrize("row", TABLE, ids=[row.says for row in TABLE])
def test_who_hears_what(row: Row) -> None:
    assert decide(row.call, row.standing, row.at) == row.plan


def test_no_two_rows_say_the_same() -> None:
    assert len({row.says for row in TABLE}) == len(TABLE)
