"""The rows of the trail, as the page has them: a template that worked them out took longer than all else."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from flask import url_for
from markupsafe import Markup, escape

from gateway.audit.reading import TrailEntry
from gateway.console.addresses import in_query
from gateway.console.languages import instants_in, text
from gateway.console.languages import later as _l
from gateway.console.trail_words import (
    ShownDetail,
    actor_in_words,
    details_in_words,
    done_in_words,
    is_short,
    subject_href,
)
from gateway.domain.court import Court


def trail_rows(
    entries: Iterable[TrailEntry], names: Mapping[str, str], courts: Mapping[str, Court], zone: str
) -> Markup:
    """Return the rows of a table; `names` has names for ids, as far as the reader may know them."""
    writer = _Writer(
        names=names,
        courts=courts,
        when=instants_in(zone),
        base=url_for("list_audit"),
        about=text(_l("all about it")),
    )
    return Markup("\n".join(map(writer.row, entries)))  # noqa: S704  (each part is escaped where it is made)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    """What the rows of one page share; what was done and who did it is written once for the many rows that say so."""

    names: Mapping[str, str]
    courts: Mapping[str, Court]
    when: Callable[[datetime], Markup]
    base: str
    about: Markup
    _done: dict[str, Markup] = field(default_factory=dict)
    _actors: dict[str, str] = field(default_factory=dict)

    def row(self, entry: TrailEntry) -> str:
        court = self.courts.get(entry.court_id)
        return (
            '<tr class="govuk-table__row">\n'
            f'<td class="govuk-table__cell govuk-table__cell--numeric">{entry.seq}</td>\n'
            f'<td class="govuk-table__cell">{self.when(entry.at)}</td>\n'
            f'<td class="govuk-table__cell">{self._done_in(entry.tag)}{self._details(entry)}</td>\n'
            f'<td class="govuk-table__cell audit-id">{self._subject(entry)}</td>\n'
            f'<td class="govuk-table__cell audit-id">{self._actor(entry.actor)}</td>\n'
            f'<td class="govuk-table__cell">{escape(court.name if court else entry.court_id)}</td>\n'
            "</tr>\n"
        )

    def _done_in(self, tag: str) -> Markup:
        if tag not in self._done:
            self._done[tag] = escape(done_in_words(tag))
        return self._done[tag]

    def _details(self, entry: TrailEntry) -> str:
        details = tuple(details_in_words(entry))
        if not details:
            return ""
        items = "".join(f"<li>{escape(each.name)}: {self._detail(each)}</li>" for each in details)
        listed = f'\n<ul class="govuk-list audit-details">{items}</ul>\n'
        if is_short(details):
            return listed
        summary = text(_l("Details of entry %(number)s"), number=entry.seq)
        return f'<details class="audit-more"><summary>{summary}</summary>{listed}</details>'

    def _detail(self, detail: ShownDetail) -> str:
        if detail.at is not None:
            return self.when(detail.at)
        return _link(detail.href, detail.value) if detail.href else escape(detail.value)

    def _subject(self, entry: TrailEntry) -> str:
        subject_id = entry.subject_id
        href, name = subject_href(entry), self.names.get(subject_id, subject_id)
        shown = _link(href, name) if href else escape(name)
        if not subject_id:
            return shown
        return (
            f'{shown}<br><a class="govuk-link govuk-link--muted" href="{self._asking("subject", subject_id)}">'
            f'{self.about}<span class="govuk-visually-hidden"> ({escape(subject_id)})</span></a>'
        )

    def _actor(self, actor_id: str) -> str:
        if actor_id not in self._actors:
            name = escape(actor_in_words(self.names.get(actor_id, actor_id)))
            every = text(_l("all that they did"))
            hidden = f'<span class="govuk-visually-hidden"> ({every})</span>'
            href = self._asking("actor", actor_id)
            self._actors[actor_id] = f'<a class="govuk-link" href="{href}">{name}{hidden}</a>'
        return self._actors[actor_id]

    def _asking(self, name: str, value: str) -> Markup:
        """Return where the trail is listed for one thing or for one actor."""
        return escape(f"{self.base}?{name}={in_query(value)}")


def _link(href: str, name: str) -> str:
    return f'<a class="govuk-link" href="{escape(href)}">{escape(name)}</a>'
