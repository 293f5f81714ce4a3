"""The picture of a sound, made on the server: its outline over time as SVG, with seconds below it.

Places along the clock are percentages, so that a picture fits any width and its letters stay as large as the page's.
"""

from collections.abc import Callable, Sequence

from markupsafe import Markup

_HEIGHT, _AXIS = 88, 20
# Silence is a thin line, for a picture of nothing at all looks broken.
_THINNEST = 0.015
_STEPS = (1, 2, 5, 10, 20, 30, 60, 120)
_MOST_TICKS = 6


def waveform(
    peaks: Sequence[float],
    seconds: float,
    *,
    key: str,
    title: str,
    description: str,
    write: Callable[[int], str] = str,
) -> Markup:
    """Draw peaks (0 to 1 of full scale) that span `seconds`.

    `key` begins the ids within the picture and must be the only one of its kind on the page. `title` and `description`
    are what a screen reader says; `write` writes whole seconds as the reader's language has them.
    """
    return Markup("").join(
        (
            opening(key, _HEIGHT + _AXIS, title, description, "wave"),
            Markup('<rect class="wave__ground" x="0" y="0" width="100%" height="{}" fill="#f3f5f6"/>').format(_HEIGHT),
            outline(peaks, x="0", y=0, width="100%", height=_HEIGHT),
            axis(seconds, top=_HEIGHT, write=write),
            Markup("</svg>"),
        )
    )


def opening(key: str, height: int, title: str, description: str, name: str) -> Markup:
    """Begin a picture that is as wide as its place; what it shows is told to those who do not see it."""
    return Markup(
        '<svg class="{name}" xmlns="http://www.w3.org/2000/svg" width="100%" height="{height}" role="img"'
        ' aria-labelledby="{key}-title {key}-description" font-size="12">'
        '<title id="{key}-title">{title}</title><desc id="{key}-description">{description}</desc>'
    ).format(name=name, height=height, key=key, title=title, description=description)


def outline(peaks: Sequence[float], *, x: str, y: int, width: str, height: int) -> Markup:
    """Draw the outline of a sound into a box that stretches with the picture."""
    sizes = [max(peak, _THINNEST) for peak in peaks] or [_THINNEST]
    above = "".join(f"L{place} {-size:.3f}" for place, size in enumerate([*sizes, sizes[-1]]))
    below = "".join(f"L{len(sizes) - place} {size:.3f}" for place, size in enumerate([sizes[-1], *reversed(sizes)]))
    return Markup(
        '<svg x="{}" y="{}" width="{}" height="{}" viewBox="0 -1.05 {} 2.1" preserveAspectRatio="none">'
        '<path class="wave__line" fill="#1f3a4d" d="M0 0{}{}Z"/></svg>'
    ).format(x, y, width, height, len(sizes), above, below)


def ticks_of(seconds: float) -> tuple[int, ...]:
    """Return the whole seconds to write below a picture: at most seven, 0 among them."""
    step = next((each for each in _STEPS if seconds / each <= _MOST_TICKS), _STEPS[-1])
    return tuple(range(0, int(seconds) + 1, step))


def place(at: float, seconds: float) -> str:
    """Return where an instant is along the clock."""
    return f"{100 * at / seconds if seconds else 0:.3f}%"


def axis(seconds: float, *, top: int, write: Callable[[int], str]) -> Markup:
    """Write the seconds below a picture; what stands at its right end is written to the left of its mark."""
    text = Markup('<text class="wave__second" x="{}" y="{}" text-anchor="{}">{}</text>')
    line = Markup('<line class="wave__tick" x1="{0}" y1="{1}" x2="{0}" y2="{2}" stroke="#505a5f"/>')
    parts = []
    for tick in ticks_of(seconds):
        where = place(tick, seconds)
        is_last = seconds - tick < seconds * 0.04
        anchor = "start" if tick == 0 else "end" if is_last else "middle"
        parts.append(line.format(where, top, top + 4) + text.format(where, top + 16, anchor, write(tick)))
    return Markup("").join(parts)
