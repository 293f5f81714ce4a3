"""The audience rule as types: what mypy refuses, so that no code review has to."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

# Each line that breaks the rule names the error mypy must report there; every other line must pass.
SNIPPET = """
from gateway.domain.notice import (
    Opener, OrganisationNotices, PersonNotices, PrivateNotice, PublicNotice, Purpose, Renditions, Reply, WarningNotice
)
from gateway.domain.plan import CallPlan, Decision, PlayToCallee, PlayToCaller, Reason
from gateway.domain.subject import NaturalPerson, Organisation, Subject


def build(organisation: Organisation, person: NaturalPerson, anybody: Subject, renditions: Renditions) -> None:
    public = PublicNotice(subject=organisation, renditions=renditions)
    warning = WarningNotice(subject=organisation, renditions=renditions)
    opener = Opener(subject=person, renditions=renditions)
    private = PrivateNotice(subject=person, renditions=renditions)
    reply = Reply(purpose=Purpose.CONTESTED, renditions=renditions)
    PublicNotice(subject=person, renditions=renditions)  # refused: arg-type
    PublicNotice(subject=anybody, renditions=renditions)  # refused: arg-type
    WarningNotice(subject=person, renditions=renditions)  # refused: arg-type
    Opener(subject=organisation, renditions=renditions)  # refused: arg-type
    PrivateNotice(subject=organisation, renditions=renditions)  # refused: arg-type
    if isinstance(anybody, Organisation):
        PublicNotice(subject=anybody, renditions=renditions)
    PlayToCaller(order_id="order-1", notice=public)
    PlayToCaller(order_id="order-1", notice=warning)  # refused: arg-type
    PlayToCaller(order_id="order-1", notice=opener)  # refused: arg-type
    PlayToCaller(order_id="order-1", notice=private)  # refused: arg-type
    PlayToCaller(order_id="order-1", notice=reply)  # refused: arg-type
    PlayToCallee(order_id="order-1", notice=warning, listens=True)
    PlayToCallee(order_id="order-1", notice=private, listens=True)
    PlayToCallee(order_id="order-1", notice=public, listens=True)  # refused: arg-type
    OrganisationNotices(public=public, warning=warning)
    OrganisationNotices(public=private, warning=warning)  # refused: arg-type
    PersonNotices(opener=public, private=private, acknowledged=reply, contested=reply, wrong_person=reply)  # refused: arg-type
    public.subject = organisation  # refused: misc
    CallPlan(steps=(opener,), decision=Decision.CONNECT, reason=Reason.NO_ORDER)  # refused: arg-type
"""  # noqa: E501  (a marker stands on the line it is about)


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    """Run mypy once, with the repository's own configuration, and return the error on each line of the snippet."""
    folder = tmp_path_factory.mktemp("types")
    snippet = folder / "snippet.py"
    snippet.write_text(SNIPPET, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--config-file", str(REPOSITORY / "pyproject.toml")]
    ran = subprocess.run(
        [*command, "--cache-dir", str(folder / "cache"), str(snippet)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.stderr == ""
    found = re.findall(r"snippet\.py:(\d+): error: .*\[([a-z-]+)\]$", ran.stdout, re.MULTILINE)
    return {int(line): code for line, code in found}


EXPECTED = {
    number: refused.group(1)
    for number, line in enumerate(SNIPPET.splitlines(), start=1)
    if (refused := re.search(r"# refused: ([a-z-]+)$", line))
}


@pytest.mark.parametrize("line", EXPECTED, ids=lambda line: SNIPPET.splitlines()[line - 1].strip())
def test_mypy_refuses_what_would_break_the_audience_rule(line: int, refusals: dict[int, str]) -> None:
    assert refusals.get(line) == EXPECTED[line]


def test_mypy_accepts_what_keeps_the_audience_rule(refusals: dict[int, str]) -> None:
    assert set(refusals) == set(EXPECTED)
