"""The two classical local smoothers, as R gives them by default: lowess and loess."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LOWESS_SPAN = 2 / 3
LOESS_SPAN = 0.75
CELL = 0.2
"""A loess cell with more than span × this share of the recordings is cut at its median."""

MARGIN = 0.005
"""The outermost cells of loess reach this share of the range beyond the data."""


def lowess(x: Floats, y: Floats, *, at: Floats) -> Floats:
    """Return locally linear means without robustness steps, shape (n_at,).

    Parameters
    ----------
    x, y : ndarray of shape (n,)
        At least two different `x`.
    at : ndarray of shape (n_at,)
        Where to smooth; level beyond the data.

    Notes
    -----
    Each line is fitted to the nearest two thirds with tricube weights. Lines are fitted at points a hundredth of the
    range apart and joined, as is R's default, so that the time does not grow with the square of the recordings.

    References
    ----------
    Cleveland WS. Robust locally weighted regression and smoothing scatterplots. doi:10.1080/01621459.1979.10481038

    Examples
    --------
    A straight line is its own smooth:

    >>> lowess(np.arange(9.0), 2 * np.arange(9.0), at=np.array([2.5])).round(9).tolist()
    [5.0]
    """
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    nearest = max(min(int(LOWESS_SPAN * len(x) + 1e-9), len(x)), 2)
    knots = _lowess_knots(x, 0.01 * (x[-1] - x[0]))
    left = 0
    level = np.empty(len(knots))
    for k, i in enumerate(knots):
        while left + nearest < len(x) and x[i] - x[left] > x[left + nearest] - x[i]:
            left += 1
        level[k] = _local_line(x, y, at=x[i], radius=max(x[i] - x[left], x[left + nearest - 1] - x[i]))
    out: Floats = np.interp(at, x[knots], level)
    return out


def _lowess_knots(x: Floats, delta: float) -> list[int]:
    """Return places in ascending `x` where lines are fitted: from each the last within `delta`, or the next."""
    found = [0]
    while x[found[-1]] < x[-1]:
        here = x[found[-1]]
        beyond = int(np.searchsorted(x, here + delta, side="right"))
        last = int(np.searchsorted(x, x[beyond - 1], side="left"))
        found.append(last if x[last] > here else beyond)
    return found


def _local_line(x: Floats, y: Floats, *, at: float, radius: float) -> float:
    """Return the line of tricube weights, at its centre; without a radius the mean of those at `at`."""
    first = int(np.searchsorted(x, at - radius, side="left"))
    last = int(np.searchsorted(x, at + radius, side="right"))
    near = x[first:last]
    far = np.abs(near - at) / (radius or 1.0)
    # R calls weights near the centre 1 and near the edge 0.
    weight = np.where(far <= 0.001, 1.0, np.where(far <= 0.999, (1 - far**3) ** 3, 0.0))
    weight /= weight.sum()
    middle = weight @ near
    spread = weight @ (near - middle) ** 2
    if np.sqrt(spread) > 0.001 * (x[-1] - x[0]):
        weight *= 1 + (at - middle) * (near - middle) / spread
    return float(weight @ y[first:last])


def loess(x: Floats, y: Floats, *, at: Floats) -> Floats:
    """Return locally quadratic means, shape (n_at,), joined by cubics between the vertices of cells.

    Parameters
    ----------
    x, y : ndarray of shape (n,)
    at : ndarray of shape (n_at,)
        Where to smooth, within the range of `x`.

    Notes
    -----
    Each quadratic is fitted to the nearest three quarters with tricube weights. As in R's default, fits are made at the
    vertices of cells with at most 15 % of the recordings each; between them runs the cubic that has both fits'
    values and slopes.

    References
    ----------
    Cleveland WS, Devlin SJ. Locally weighted regression. doi:10.1080/01621459.1988.10478639

    Examples
    --------
    A parabola is its own smooth:

    >>> loess(np.arange(9.0), np.arange(9.0) ** 2, at=np.array([2.5])).round(9).tolist()
    [6.25]
    """
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    nearest = min(len(x), int(LOESS_SPAN * len(x) + 1e-5))
    edge = MARGIN * (x[-1] - x[0])
    most = int(len(x) * LOESS_SPAN * CELL)
    vertices = np.unique([x[0] - edge, *_cuts(x, most), x[-1] + edge])
    value, slope = np.array([_local_parabola(x, y, at=v, nearest=nearest) for v in vertices]).T
    cell = np.clip(np.searchsorted(vertices, at, side="right") - 1, 0, len(vertices) - 2)
    width = np.diff(vertices)[cell]
    t = (at - vertices[cell]) / width
    out: Floats = (
        (1 + 2 * t) * (1 - t) ** 2 * value[cell]
        + t**2 * (3 - 2 * t) * value[cell + 1]
        + width * (t * (1 - t) ** 2 * slope[cell] - t**2 * (1 - t) * slope[cell + 1])
    )
    return out


def _cuts(x: Floats, most: int) -> list[float]:
    """Return the medians at which ascending `x` is cut until no part has more than `most`; ties are never parted."""
    if len(x) <= max(most, 1) or x[0] == x[-1]:
        return []
    middle = (len(x) - 1) // 2
    ends = np.flatnonzero(np.diff(x))  # last place of each run of equal values but the last
    cut = int(ends[np.argmin(np.abs(ends - middle))])
    return [*_cuts(x[: cut + 1], most), float(x[cut]), *_cuts(x[cut + 1 :], most)]


def _local_parabola(x: Floats, y: Floats, *, at: float, nearest: int) -> tuple[float, float]:
    """Return value and slope at `at` of the parabola of tricube weights; NaN where most `x` are one and the same."""
    far = np.abs(x - at)
    radius = float(np.partition(far, nearest - 1)[nearest - 1])
    if not radius:  # three quarters of all recordings have one risk
        return float("nan"), float("nan")
    near = far < radius
    root = np.sqrt((1 - (far[near] / radius) ** 3) ** 3)
    z = (x[near] - at) / radius
    design = root[:, None] * np.column_stack([np.ones_like(z), z, z**2])
    found = np.linalg.lstsq(design, root * y[near], rcond=None)[0]
    return float(found[0]), float(found[1]) / radius
