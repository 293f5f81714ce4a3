"""The results of the SIP path are renewed by themselves, and outlive the other results."""

from bench.sip_section import TITLE, kept, renewed

PAGE = "# Results\n\nSome figures.\n"
SECTION = f"{TITLE}\n\nOther figures.\n"


def test_a_section_is_added_and_renewed_and_the_rest_stays() -> None:
    once = renewed(PAGE, SECTION)
    assert once.startswith(PAGE)
    assert kept(once).strip() == SECTION.strip()
    again = renewed(once, SECTION.replace("Other", "New"))
    assert again == once.replace("Other", "New")


def test_a_page_without_a_section_keeps_none() -> None:
    assert kept(PAGE) == ""
    assert PAGE + kept(PAGE) == PAGE
