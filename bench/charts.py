"""Charts as SVG, drawn here: bars in groups, with the spread of the rounds; readable on light and dark, and aloud."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_WIDTH, _LABELS, _FIGURES = 760, 170, 150
_BAR, _GAP, _GROUP_GAP, _HEAD, _HEADING, _FOOT = 18, 6, 16, 54, 24, 14
_BASELINE, _WHISKER = 13, 4
# Each colour has a contrast of three to one at least against white and against GitHub's dark ground.
_COLOURS = ("#1f7a5c", "#5b76c9", "#b0662a", "#8a6bb8", "#7d7d86")
_STYLE = """
text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:#1f2328}
.title{font-size:16px;font-weight:600}.group{font-weight:600}.figure{font-variant-numeric:tabular-nums}
.ground{fill:#fff}.spread{stroke:#1f2328;stroke-width:1.5;fill:none}.axis{stroke:#8c959f}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.ground{fill:#0d1117}.spread{stroke:#e6edf3}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: the median, and the smallest and largest of the rounds; `colour` is a place in the list of colours."""

    label: str
    colour: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Bars under one heading."""

    heading: str
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart; `unit` follows each figure."""

    title: str
    unit: str
    groups: Sequence[Group]

    def in_words(self) -> str:
        """Return all figures as sentences, for whoever cannot see the picture."""
        groups = (
            f"{group.heading}: " + ", ".join(f"{bar.label} {_figure(bar.value)}" for bar in group.bars)
            for group in self.groups
        )
        return f"{self.title} ({self.unit}). {'. '.join(groups)}."


def draw(chart: Chart) -> str:
    """Return the chart as an SVG document."""
    scale = (_WIDTH - _LABELS - _FIGURES) / max(bar.high for group in chart.groups for bar in group.bars)
    parts, top = [], _HEAD
    for group in chart.groups:
        parts.append(f'<text class="group" x="16" y="{top + _BASELINE}">{escape(group.heading)}</text>')
        top += _HEADING
        bottom = top + len(group.bars) * (_BAR + _GAP)
        parts.append(f'<line class="axis" x1="{_LABELS}" x2="{_LABELS}" y1="{top - _GAP}" y2="{bottom}"/>')
        for bar in group.bars:
            parts.append(_drawn(bar, chart.unit, top, scale))
            top += _BAR + _GAP
        top += _GROUP_GAP
    height = top - _GROUP_GAP + _FOOT
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img"'
        f' aria-labelledby="title words"><title id="title">{escape(chart.title)}</title>'
        f'<desc id="words">{escape(chart.in_words())}</desc><style>{_STYLE}</style>'
        f'<rect class="ground" width="{_WIDTH}" height="{height}" rx="8"/>'
        f'<text class="title" x="16" y="30">{escape(chart.title)}</text>{"".join(parts)}</svg>\n'
    )


def _drawn(bar: Bar, unit: str, top: int, scale: float) -> str:
    width, low, high = (_LABELS + value * scale for value in (bar.value, bar.low, bar.high))
    middle, text = top + _BAR / 2, top + _BASELINE
    return (
        f'<text x="{_LABELS - 8}" y="{text}" text-anchor="end">{escape(bar.label)}</text>'
        f'<rect x="{_LABELS}" y="{top}" width="{width - _LABELS:.1f}" height="{_BAR}" rx="2"'
        f' fill="{_COLOURS[bar.colour % len(_COLOURS)]}"/>'
        f'<path class="spread" d="M{low:.1f} {middle - _WHISKER}v{2 * _WHISKER}M{low:.1f} {middle}H{high:.1f}'
        f'M{high:.1f} {middle - _WHISKER}v{2 * _WHISKER}"/>'
        f'<text class="figure" x="{max(width, high) + 8:.1f}" y="{text}">{_figure(bar.value)} {escape(unit)}</text>'
    )


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"  # noqa: PLR2004  (three digits say enough)
