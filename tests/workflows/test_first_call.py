from tests.telephone import Telephone, a_call_sid, child, prompts_in, xml


def test_a_caller_of_an_organisation_under_an_order_hears_its_notice_before_the_connection(
    telephone: Telephone,
) -> None:
    answer = telephone.call("+12025550110")
    verbs = [element.tag for element in xml(answer)]
    assert verbs == ["Gather", "Dial"]
    assert len(prompts_in(answer)) == 1


def test_the_callee_of_a_warned_organisation_hears_the_warning_and_the_caller_nothing(telephone: Telephone) -> None:
    sid = a_call_sid()
    answer = telephone.call("+12025550111", sid=sid)
    assert prompts_in(answer) == []
    picked_up = telephone.answer(answer, sid)
    assert len(prompts_in(picked_up)) == 1
    bridged = telephone.press(picked_up, "", child(sid))
    assert len(xml(bridged)) == 0
