"""Charts made on the server: stacked bars as SVG, and the rows of the table that stands beside them.

No colour is said here: shapes have classes, which the style sheet colours, and are told apart without it too, by a
gap between them and by a pattern. There is no style attribute, which the Content-Security-Policy would ignore.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

# As wide as a small telephone's screen: there a unit is a pixel, and the text is as large as it says.
_WIDTH, _TOP, _PLOT_HEIGHT, _LABEL_HEIGHT, _LEGEND_HEIGHT = 360, 12, 150, 24, 20
_TEXT, _LETTER = 12, 7.5
_GAP = 1
_FEWEST_UNITS = 4
# What is laid over a bar's own fill: nothing, stripes one way, dots, stripes the other way.
_PATTERNS = (
    "",
    '<path d="M0 6L6 0" class="chart__ink" stroke="#fff" stroke-width="1.5"/>',
    '<circle cx="3" cy="3" r="1.5" class="chart__ink-dot" fill="#fff"/>',
    '<path d="M0 0L6 6" class="chart__ink" stroke="#fff" stroke-width="1.5"/>',
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One kind of thing that is counted, with a count for each label."""

    name: str
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartRow:
    """One row of the table: a label, the counts of the series in their order, and their sum."""

    label: str
    counts: tuple[int, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture, and the same in numbers."""

    svg: Markup
    names: tuple[str, ...]
    rows: tuple[ChartRow, ...]


def bars(
    series: Sequence[Series],
    labels: Sequence[str],
    *,
    key: str,
    title: str,
    description: str,
    write: Callable[[int], str] = str,
) -> Chart:
    """Stack `series` into a bar for each of `labels`, the first series at the bottom.

    `key` begins the ids within the picture, and must be the only one of its kind on the page. `title` and `description`
    are what a screen reader says; `write` writes a number as the reader's language has it. Raises ValueError where a
    series has not one count for each label, or where there are more series than patterns.
    """
    if any(len(each.counts) != len(labels) for each in series) or len(series) > len(_PATTERNS):
        raise ValueError("give a count for each label, and at most four series")
    rows = tuple(
        ChartRow(label=label, counts=counts, total=sum(counts))
        for label, counts in zip(labels, _columns(series, len(labels)), strict=True)
    )
    top = _round_up(max((row.total for row in rows), default=0))
    left = max(len(write(top)), 2) * _LETTER + 8
    place = _Place(key=key, left=left, step=(_WIDTH - left) / max(len(rows), 1), top=top)
    height = _TOP + _PLOT_HEIGHT + _LABEL_HEIGHT + _LEGEND_HEIGHT * len(series)
    svg = Markup("").join(
        (
            _opening(key, height, title, description),
            _patterns(key, len(series)),
            _axis(place, write),
            *(_bar(place, number, row.counts) for number, row in enumerate(rows)),
            _labels(place, labels),
            *(_legend(place, number, each.name) for number, each in enumerate(series)),
            Markup("</svg>"),
        )
    )
    return Chart(svg=svg, names=tuple(each.name for each in series), rows=rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where things are: the plot begins at `left`, a column is `step` wide, and `top` is the count at its upper end."""

    key: str
    left: float
    step: float
    top: int

    def height_of(self, count: int) -> float:
        return _PLOT_HEIGHT * count / self.top


def _columns(series: Sequence[Series], size: int) -> list[tuple[int, ...]]:
    return [tuple(each.counts[number] for each in series) for number in range(size)]


def _round_up(highest: int) -> int:
    """Return the end of the scale: 1, 2 or 5 with zeros behind it, times four, so that its quarters are whole."""
    power = 1
    while True:
        for lead in (1, 2, 5):
            if lead * power * _FEWEST_UNITS >= highest:
                return lead * power * _FEWEST_UNITS
        power *= 10


def _opening(key: str, height: int, title: str, description: str) -> Markup:
    return Markup(
        '<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="100%" role="img"'
        ' aria-labelledby="{key}-title {key}-description" font-size="{text}">'
        '<title id="{key}-title">{title}</title><desc id="{key}-description">{description}</desc>'
    ).format(width=_WIDTH, height=height, key=key, text=_TEXT, title=title, description=description)


def _patterns(key: str, number: int) -> Markup:
    made = (
        Markup('<pattern id="{}-p{}" width="6" height="6" patternUnits="userSpaceOnUse">{}</pattern>').format(
            key,
            place,
            Markup(_PATTERNS[place]),  # noqa: S704  (a constant of this module)
        )
        for place in range(1, number)
    )
    return Markup("<defs>{}</defs>").format(Markup("").join(made))


def _axis(place: _Place, write: Callable[[int], str]) -> Markup:
    """Draw a line at each quarter of the scale, and write its count at every other one."""
    parts = []
    for quarter in range(_FEWEST_UNITS + 1):
        count = place.top * quarter // _FEWEST_UNITS
        y = _TOP + _PLOT_HEIGHT - place.height_of(count)
        line = '<line class="chart__grid" x1="{:.1f}" y1="{:.1f}" x2="{}" y2="{:.1f}" stroke="#b1b4b6"/>'
        parts.append(Markup(line).format(place.left, y, _WIDTH, y))  # noqa: S704  (a constant)
        if quarter % 2 == 0:
            text = '<text class="chart__count" x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>'
            parts.append(Markup(text).format(place.left - 4, y + 4, write(count)))  # noqa: S704  (a constant)
    return Markup("").join(parts)


def _bar(place: _Place, number: int, counts: Sequence[int]) -> Markup:
    x, width = place.left + number * place.step + place.step * 0.15, place.step * 0.7
    parts, y = [], float(_TOP + _PLOT_HEIGHT)
    for series, count in enumerate(counts):
        height = place.height_of(count)
        if count <= 0:
            continue
        y -= height
        # What is counted at all is seen, and a gap parts it from what lies below.
        parts.append(_block(place.key, series, (x, y, width, max(height - _GAP, 0.75))))
    return Markup("").join(parts)


def _block(key: str, series: int, box: tuple[float, float, float, float]) -> Markup:
    shape = Markup('x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.2f}"').format(*box)
    block = Markup('<rect class="chart__bar chart__bar--{}" {}/>').format(series + 1, shape)
    if _PATTERNS[series]:
        block += Markup('<rect {} fill="url(#{}-p{})"/>').format(shape, key, series)
    return block


def _labels(place: _Place, labels: Sequence[str]) -> Markup:
    """Write as many labels as there is room for, the first one always."""
    room = max((len(each) for each in labels), default=1) * _LETTER + 6
    every = max(1, -int(-room // place.step))
    text = Markup('<text class="chart__label" x="{:.1f}" y="{}" text-anchor="middle">{}</text>')
    y = _TOP + _PLOT_HEIGHT + 16
    return Markup("").join(
        text.format(place.left + (number + 0.5) * place.step, y, label)
        for number, label in enumerate(labels)
        if number % every == 0
    )


def _legend(place: _Place, number: int, name: str) -> Markup:
    y = _TOP + _PLOT_HEIGHT + _LABEL_HEIGHT + number * _LEGEND_HEIGHT
    text = Markup('<text class="chart__name" x="{:.1f}" y="{}">{}</text>')
    return _block(place.key, number, (place.left, y + 2, 14, 12)) + text.format(place.left + 20, y + 12, escape(name))
