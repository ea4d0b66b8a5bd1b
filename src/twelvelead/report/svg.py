"""The few SVG elements that the drawings are made of; every text and attribute is escaped here."""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape

FONT = "system-ui, 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif"
INK = "#1a1a1a"
MUTED = "#5a5a5a"
HAIRLINE = "#d9d9d9"

Point = tuple[float, float]
Attributes = Mapping[str, str | float]

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: object) -> str:
    r"""Escape a text for markup and drop the control characters that XML forbids.

    Examples
    --------
    >>> clean("<script>\x00")
    '&lt;script&gt;'
    """
    return escape(_FORBIDDEN.sub("", str(text)), quote=True)


def number(value: float) -> str:
    """Write a coordinate with at most two decimals.

    Examples
    --------
    >>> number(1.50), number(-0.001), number(12)
    ('1.5', '0', '12')
    """
    short = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if short == "-0" else short


def element(name: str, attributes: Attributes, *content: str) -> str:
    """Build one element; `content` is markup already, attribute values are not.

    Examples
    --------
    >>> element("rect", {"x": 1.0, "fill": "none"})
    '<rect x="1" fill="none"/>'
    """
    written = "".join(
        f' {key}="{clean(value) if isinstance(value, str) else number(value)}"' for key, value in attributes.items()
    )
    inside = "".join(content)
    return f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>"


def text(at: Point, content: object, attributes: Attributes | None = None) -> str:
    """Write a text at a point."""
    return element("text", {"x": at[0], "y": at[1], **(attributes or {})}, clean(content))


def line(start: Point, end: Point, attributes: Attributes | None = None) -> str:
    """Draw a straight line."""
    ends: Attributes = {"x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1]}
    return element("line", {**ends, "stroke": INK, **(attributes or {})})


def path(points: Iterable[Point], attributes: Attributes) -> str:
    """Draw a line through points, unfilled unless told otherwise."""
    d = "".join(f"{'L' if i else 'M'}{number(x)} {number(y)}" for i, (x, y) in enumerate(points))
    return element("path", {"d": d, "fill": "none", **attributes}) if d else ""


def dots(points: Iterable[Point], *, diameter: float, colour: str, opacity: float = 1) -> str:
    """Draw many dots as one path of round pen touches, about 12 bytes each."""
    d = "".join(f"M{number(x)} {number(y)}h0" for x, y in points)
    if not d:
        return ""
    pen: Attributes = {"stroke": colour, "stroke-width": diameter, "stroke-linecap": "round", "stroke-opacity": opacity}
    return element("path", {"d": d, "fill": "none", **pen})


def marker(at: Point, shape: str, colour: str) -> str:
    """Draw a marker about 8 px wide: circle, square, diamond, triangle or wedge, which is one upside down."""
    x, y = at
    corners: dict[str, Sequence[Point]] = {
        "square": ((-3.5, -3.5), (3.5, -3.5), (3.5, 3.5), (-3.5, 3.5)),
        "diamond": ((0, -4.8), (4.8, 0), (0, 4.8), (-4.8, 0)),
        "triangle": ((0, -4.6), (4.6, 3.6), (-4.6, 3.6)),
        "wedge": ((0, 4.6), (4.6, -3.6), (-4.6, -3.6)),
    }
    if shape == "circle":
        return element("circle", {"cx": x, "cy": y, "r": 4.0, "fill": colour})
    return path(((x + dx, y + dy) for dx, dy in corners[shape]), {"fill": colour})


def wrap(content: object, width: int) -> list[str]:
    """Break a text into lines of at most `width` characters, between words where that is possible.

    Examples
    --------
    >>> wrap("ECG recordings in the database", 14)
    ['ECG recordings', 'in the', 'database']
    """
    lines: list[str] = []
    for word in str(content).split():
        rest = word
        if lines and len(lines[-1]) + 1 + len(rest) <= width:
            lines[-1] += f" {rest}"
            continue
        while len(rest) > width:
            lines.append(rest[:width])
            rest = rest[width:]
        lines.append(rest)
    return lines or [""]


def document(size: Point, *body: str, title: str, desc: str, unit: str = "") -> str:
    """Close a drawing into one SVG document that a screen reader can announce.

    Parameters
    ----------
    size : (float, float)
        Width and height, in `unit`; one user unit is one `unit`.
    *body : str
        Elements.
    title, desc : str
        What is drawn, and what it shows, in words.
    unit : str
        "mm" for true scale on paper; empty for CSS pixels.
    """
    width, height = (number(v) for v in size)
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{clean(title)}" width="{width}{unit}" '
        f'height="{height}{unit}" viewBox="0 0 {width} {height}" font-family="{clean(FONT)}">'
    )
    return f"{opening}<title>{clean(title)}</title><desc>{clean(desc)}</desc>{''.join(body)}</svg>"
