"""Words that nobody needs any more, and that an officer takes up again just when they are to be removed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from gateway.assembly import Parts
from gateway.audio.library import Library
from gateway.clock import utc_now
from gateway.register.notices import Part
from gateway.register.tables import renditions
from gateway.workflows.change import at_the_command_line
from gateway.workflows.publish_notice import Studio, Text, render
from gateway.workflows.purge_ended import purge_ended
from tests.conftest import a_studio

WORDS = Text(text="Nobody needs these words any more.")
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Interrupted(Library):
    """A library that has something else done first when it is asked what is old."""

    first: Callable[[], object]

    def older_than(self, instant: datetime) -> Iterator[str]:
        self.first()
        return Library.older_than(self, instant)


@pytest.fixture
def later() -> datetime:
    """A time when nothing that is made now is fresh any more."""
    return utc_now() + 3 * DAY


def a_studio_at(parts: Parts, now: datetime) -> Studio:
    return replace(a_studio(parts), clock=lambda: now)


def purge(parts: Parts, at: datetime, library: Library | None = None) -> None:
    studio = parts.studio if library is None else replace(parts.studio, library=library)
    list(purge_ended(replace(parts.office, studio=studio), at_the_command_line(at), days=365))


def is_kept(parts: Parts, part: Part) -> bool:
    """Tell whether a rendition is kept, in the register and with every file, or nowhere at all."""
    with parts.studio.engine.connect() as connection:
        row = connection.execute(select(renditions).where(renditions.c.rendition_id == part.rendition_id)).one_or_none()
    made = part.rendition
    found = {parts.studio.library.holds(file) for file in (made.mulaw, made.alaw, made.wideband)} | {row is not None}
    assert len(found) == 1
    return found == {True}


def test_what_was_taken_up_again_is_kept_for_a_day(parts: Parts, later: datetime) -> None:
    part = render(a_studio(parts), WORDS, "en")
    assert render(a_studio_at(parts, later), WORDS, "en") == part
    purge(parts, later)
    assert is_kept(parts, part)
    purge(parts, later + 2 * DAY)
    assert not is_kept(parts, part)


def test_what_was_removed_is_made_again(parts: Parts, later: datetime) -> None:
    part = render(a_studio(parts), WORDS, "en")
    purge(parts, later)
    assert not is_kept(parts, part)
    assert render(a_studio_at(parts, later), WORDS, "en") == part
    assert is_kept(parts, part)


def test_what_is_taken_up_between_the_register_and_the_files_is_kept(parts: Parts, later: datetime) -> None:
    part = render(a_studio(parts), WORDS, "en")
    taken: list[Part] = []
    library = Interrupted(
        root=parts.studio.library.root, first=lambda: taken.append(render(a_studio_at(parts, later), WORDS, "en"))
    )
    purge(parts, later, library)
    assert taken == [part]
    assert is_kept(parts, part)
