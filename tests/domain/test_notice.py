"""Notices refuse the wrong subject at run time too, and a public notice ends in time."""

from dataclasses import FrozenInstanceError, replace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.errors import AudienceError, GatewayError, NoticeEmptyError, NoticeTooLongError
from gateway.domain.notice import (
    PUBLIC_NOTICE_MAX_SECONDS,
    Opener,
    PrivateNotice,
    PublicNotice,
    Purpose,
    Rendition,
    WarningNotice,
    seconds_of,
)
from gateway.domain.subject import NaturalPerson, Organisation
from tests import strategies
from tests.builders import a_person, a_public_notice, a_rendition, an_organisation

FOR_ORGANISATIONS, FOR_PERSONS = (PublicNotice, WarningNotice), (Opener, PrivateNotice)


@pytest.mark.parametrize("kind", FOR_ORGANISATIONS)
@settings(max_examples=25)
@given(strategies.people(), strategies.several_renditions())
def test_a_notice_for_organisations_cannot_be_made_about_a_person(
    kind: type[PublicNotice | WarningNotice], person: NaturalPerson, renditions: tuple[Rendition, ...]
) -> None:
    with pytest.raises(AudienceError, match="Organisation"):
        kind(subject=cast("Any", person), renditions=renditions)


@pytest.mark.parametrize("kind", FOR_PERSONS)
@settings(max_examples=25)
@given(strategies.organisations(), strategies.several_renditions())
def test_a_notice_for_persons_cannot_be_made_about_an_organisation(
    kind: type[Opener | PrivateNotice], organisation: Organisation, renditions: tuple[Rendition, ...]
) -> None:
    with pytest.raises(AudienceError, match="NaturalPerson"):
        kind(subject=cast("Any", organisation), renditions=renditions)


@pytest.mark.parametrize("nobody", [None, "Northwind Trading Ltd", Organisation])
def test_a_public_notice_about_what_is_no_organisation_cannot_be_made(nobody: object) -> None:
    with pytest.raises(AudienceError):
        PublicNotice(subject=cast("Any", nobody), renditions=(a_rendition(),))


def test_a_public_notice_cannot_be_turned_into_one_about_a_person() -> None:
    notice = a_public_notice()
    with pytest.raises(AudienceError):
        replace(notice, subject=cast("Any", a_person()))
    with pytest.raises(FrozenInstanceError):
        notice.subject = cast("Any", a_person())  # type: ignore[misc]  # The point of the test.
    assert isinstance(notice.subject, Organisation)


def test_a_public_notice_cannot_be_told_to_serve_another_purpose() -> None:
    with pytest.raises(TypeError):
        cast("Any", PublicNotice)(subject=an_organisation(), renditions=(a_rendition(),), purpose=Purpose.PRIVATE)


@pytest.mark.parametrize("kind", [PublicNotice, WarningNotice, Opener, PrivateNotice])
def test_a_notice_without_anything_to_play_cannot_be_made(kind: Any) -> None:  # noqa: ANN401  (any kind of notice)
    subject = an_organisation() if kind in FOR_ORGANISATIONS else a_person()
    with pytest.raises(NoticeEmptyError):
        kind(subject=subject, renditions=())


@pytest.mark.parametrize("seconds", [[20.0], [12.0, 8.0], [0.1]])
def test_a_public_notice_of_twenty_seconds_is_short_enough(seconds: list[float]) -> None:
    notice = a_public_notice(renditions=tuple(a_rendition(seconds=each) for each in seconds))
    assert seconds_of(notice.renditions) <= PUBLIC_NOTICE_MAX_SECONDS == 20


@pytest.mark.parametrize("seconds", [[20.01], [12.0, 8.1], [float("inf")]], ids=str)
def test_a_public_notice_that_lasts_longer_is_refused(seconds: list[float]) -> None:
    with pytest.raises(NoticeTooLongError):
        a_public_notice(renditions=tuple(a_rendition(seconds=each) for each in seconds))


@pytest.mark.parametrize("seconds", [[float("nan")], [19.0, float("nan")], [30.0, -15.0]], ids=str)
def test_a_public_notice_cannot_pass_for_short_by_a_length_that_is_none(seconds: list[float]) -> None:
    with pytest.raises(GatewayError):
        a_public_notice(renditions=tuple(a_rendition(seconds=each) for each in seconds))


def test_a_notice_that_is_too_long_is_told_by_how_much() -> None:
    with pytest.raises(NoticeTooLongError, match=r"lasts 20\.5 s; callers wait at most 20 s"):
        a_public_notice(renditions=(a_rendition(seconds=20.5),))


@given(st.lists(strategies.renditions(60.0), min_size=1, max_size=4))
def test_public_notices_hold_their_limit_whatever_they_are_made_of(renditions: list[Rendition]) -> None:
    try:
        notice = PublicNotice(subject=an_organisation(), renditions=tuple(renditions))
    except NoticeTooLongError:
        assert seconds_of(tuple(renditions)) > 20
    else:
        assert seconds_of(notice.renditions) <= 20


def test_no_representation_of_a_persons_notice_holds_the_name() -> None:
    notice = PrivateNotice(subject=a_person("Jo Bloggs"), renditions=(a_rendition(),))
    assert "Bloggs" not in repr(notice)
