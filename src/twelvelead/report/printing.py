"""Our drawings as PDF and PNG, millimetre for millimetre."""

import io
import re
import warnings
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
from defusedxml.ElementTree import fromstring
from numpy.typing import NDArray

from twelvelead.terms import InputError, MissingExtra

PICTURES = (".svg", ".pdf", ".png")
MM_PER_INCH, POINTS_PER_INCH = 25.4, 72.0
DPI = (20, 600)
_DOT_MM = 1e-3  # matplotlib draws no line of no length, not even with round ends
MOST_PIXELS = 400_000_000  # of a sheet of 525 mm at 600 dpi, and a row for each of twelve leads

_STEP = re.compile(r"([MLHVhz])([^MLHVhz]*)")
_ANCHORS = {"start": "left", "middle": "center", "end": "right"}
_CAPS = {"butt": "butt", "round": "round", "square": "projecting"}
_SETTINGS: dict[Any, Any] = {"path.simplify": False, "pdf.fonttype": 42, "pdf.compression": 6, "text.usetex": False,
             "font.family": ["DejaVu Sans"], "text.hinting": "none", "text.antialiased": True}  # fmt: skip


def require_picture_name(path: Path) -> None:
    """Refuse a name that no picture can have, before the work for it is done.

    Raises
    ------
    InputError
        If the suffix is none of `PICTURES`.
    """
    if path.suffix.lower() not in PICTURES:
        msg = f"a picture's name must end in {', '.join(PICTURES)}; got {path.name!r}. Rename it."
        raise InputError(msg)


def print_drawing(svg: str, suffix: str, *, dpi: float = 200) -> bytes:
    """Turn a drawing in millimetres into the bytes of a file.

    Parameters
    ----------
    svg : str
        A drawing of this room whose user unit is 1 mm.
    suffix : {".svg", ".pdf", ".png"}
        What it becomes.
    dpi : float
        Pixels per inch of a PNG, which says so itself; 20 to 600.

    Returns
    -------
    bytes
        The same for the same drawing. A PDF's page is as large as the drawing; a PNG lacks less than the last pixel.

    Raises
    ------
    InputError
        If the suffix or the resolution is another, or the picture would be too large.
    MissingExtra
        If matplotlib is not installed, which PDF and PNG need.

    Notes
    -----
    A drawing has rect, line, circle, path (of M, L, H, V, h and z) and text, with few attributes; these are drawn as
    they are. No SVG renderer that makes both PDF and PNG comes without a library of the system.
    """
    require_picture_name(Path(f"drawing{suffix}"))
    if suffix == ".svg":
        return svg.encode()
    root = fromstring(svg, forbid_dtd=True)
    width, height = (float(size) for size in str(root.get("viewBox")).split()[2:])
    if suffix == ".png":
        _check_resolution(dpi, size=(width, height))
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        msg = f"a {suffix[1:].upper()} needs matplotlib, an SVG does not. Run: pip install 'twelvelead[plot]'"
        raise MissingExtra(msg) from error
    target = io.BytesIO()
    with warnings.catch_warnings(), mpl.rc_context(_SETTINGS):
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")  # a box stands for such a letter
        figure = Figure(figsize=(width / MM_PER_INCH, height / MM_PER_INCH))
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
        axes.set_axis_off()
        for order, element in enumerate(root):
            _draw(axes, element, order=order)
        if suffix == ".pdf":
            origin = dict.fromkeys(("Creator", "Producer", "CreationDate"))
            figure.savefig(target, format="pdf", metadata={**origin, "Title": root.get("aria-label")})
        else:
            figure.savefig(target, format="png", dpi=dpi, metadata={"Software": None})
    return target.getvalue()


def _check_resolution(dpi: float, *, size: tuple[float, float]) -> None:
    if not DPI[0] <= dpi <= DPI[1]:
        msg = f"dpi must be {DPI[0]} to {DPI[1]}; got {dpi:g}. Choose another, or a PDF, which has none."
        raise InputError(msg)
    pixels = size[0] * size[1] * (dpi / MM_PER_INCH) ** 2
    if pixels > MOST_PIXELS:
        msg = f"a PNG must have at most {MOST_PIXELS / 1e6:.0f} million pixels; got {pixels / 1e6:.0f} million. "
        msg += "Choose fewer dpi, or a PDF."
        raise InputError(msg)


def _draw(axes: Any, element: Element, *, order: int) -> None:  # noqa: ANN401 - matplotlib's axes
    """Draw one element above those before it."""
    from matplotlib.patches import Circle, PathPatch, Rectangle
    from matplotlib.path import Path as Line

    patch: Any
    kind = element.tag.rpartition("}")[2]
    if kind == "text":
        _draw_text(axes, element, order=order)
        return
    if kind == "rect":
        corner = (_number(element, "x"), _number(element, "y"))
        patch = Rectangle(corner, _number(element, "width"), _number(element, "height"), **_style(element))
    elif kind == "circle":
        patch = Circle((_number(element, "cx"), _number(element, "cy")), _number(element, "r"), **_style(element))
    elif kind == "line":
        ends = [[_number(element, f"{axis}{end}") for axis in "xy"] for end in (1, 2)]
        patch = PathPatch(Line(ends), **_style(element))
    elif kind == "path":
        points, codes = _read_path(element.get("d", ""))
        patch = PathPatch(Line(points, codes), **_style(element))
    else:  # title and desc
        return
    patch.set_zorder(order)
    patch.set_snap(False)  # a line stays where it is, also between two pixels
    patch.set_clip_on(False)
    axes.add_artist(patch)


def _draw_text(axes: Any, element: Element, *, order: int) -> None:  # noqa: ANN401 - matplotlib's axes
    from matplotlib.patheffects import withStroke

    drawn = axes.text(
        _number(element, "x"),
        _number(element, "y"),
        element.text or "",
        fontsize=_points(_number(element, "font-size")),
        fontweight="bold" if element.get("font-weight") == "600" else "normal",
        color=element.get("fill", "#000"),
        ha=_ANCHORS[element.get("text-anchor", "start")],
        va="baseline",
        parse_math=False,
        zorder=order,
    )
    if element.get("paint-order") == "stroke":
        wide = _points(_number(element, "stroke-width"))
        drawn.set_path_effects([withStroke(linewidth=wide, foreground=element.get("stroke"))])


def _read_path(d: str) -> tuple[NDArray[np.float64], list[int]]:
    """Return a path's points, shape (n, 2), and for each whether the pen is down (2) or not (1).

    Examples
    --------
    >>> points, codes = _read_path("M1 2H3V4h-1")
    >>> points.tolist(), codes
    ([[1.0, 2.0], [3.0, 2.0], [3.0, 4.0], [2.0, 4.0]], [1, 2, 2, 2])
    """
    points: list[tuple[float, float]] = []
    codes: list[int] = []
    x = y = 0.0
    for step, numbers in _STEP.findall(d):
        values = [float(value) for value in numbers.split()]
        if step in "ML":
            x, y = values
        elif step == "V":
            y = values[0]
        elif step != "z":
            x = values[0] if step == "H" else x + (values[0] or _DOT_MM)
        else:
            x, y = points[max(k for k, code in enumerate(codes) if code == 1)]
        points.append((x, y))
        codes.append(1 if step == "M" else 2)
    return np.array(points).reshape(-1, 2), codes


def _style(element: Element) -> dict[str, Any]:
    """Translate the pen, whose widths and dashes are in mm there and in points here."""
    width = _points(_number(element, "stroke-width", 1.0))
    dashes = [_points(float(length)) / width for length in element.get("stroke-dasharray", "").split()]
    return {
        "facecolor": element.get("fill", "none" if element.tag.endswith(("path", "line")) else "#000"),
        "edgecolor": element.get("stroke", "none"),
        "linewidth": width if element.get("stroke") else 0.0,
        "linestyle": (0, dashes) if dashes else "solid",
        "capstyle": _CAPS[element.get("stroke-linecap", "butt")],
        "joinstyle": element.get("stroke-linejoin", "miter"),
    }


def _number(element: Element, name: str, default: float = 0.0) -> float:
    return float(element.get(name, default))


def _points(mm: float) -> float:
    return mm * POINTS_PER_INCH / MM_PER_INCH
