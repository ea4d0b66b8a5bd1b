"""What published figures can't be, by arithmetic alone: no data are needed to see it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import ndtr, ndtri

from twelvelead.terms import InputError
from twelvelead.validate.bounds import least_error_of_auroc, least_p_of_nri, usual_error_of_auroc
from twelvelead.validate.integer_counts import Rates, possible_counts
from twelvelead.validate.published import Printed, printed

Row = tuple[str, bool, str]

TIGHTEST = 0.9
"""Share of the least width that is let pass: limits of a thousand resamples are themselves off by some per cent."""


@dataclass(frozen=True)
class Published:
    """What a publication says of a model, or of two; numbers as printed, best as strings, which keep trailing zeros.

    Parameters
    ----------
    n : int
        People in the evaluation.
    events : int or None
        Those with the event, if it is said.
    nri, nri_p : str, float or None
        Net reclassification index, and its p value: `<0.001` or `0.012`.
    idi, idi_p : str, float or None
        Integrated discrimination improvement, and its p value.
    auroc_new, auroc_base, delta_p : str, float or None
        AUROC of both models, and the p value of their paired difference.
    auroc, lower, upper : str, float or None
        An AUROC and its interval.
    level : float
        Confidence level that the interval is said to have.
    sensitivity, specificity, ppv, npv : str, float or None
        Rates at one threshold: `0.82` or `82.0%`.
    """

    n: int
    events: int | None = None
    nri: str | float | None = None
    nri_p: str | float | None = None
    idi: str | float | None = None
    idi_p: str | float | None = None
    auroc_new: str | float | None = None
    auroc_base: str | float | None = None
    delta_p: str | float | None = None
    auroc: str | float | None = None
    lower: str | float | None = None
    upper: str | float | None = None
    level: float = 0.95
    sensitivity: str | float | None = None
    specificity: str | float | None = None
    ppv: str | float | None = None
    npv: str | float | None = None


def consistency(published: Published) -> pl.DataFrame:
    """Say which published claims are arithmetically possible.

    Parameters
    ----------
    published : Published
        The claims. What is not given is not judged.

    Returns
    -------
    DataFrame with columns claim, possible, why
        One row per claim. `possible` is False only where no data whatever give the figures; `why` has the bound, and
        for what is possible the condition under which it is.

    Raises
    ------
    InputError
        If n or the events are no counts, or a number can't be read.

    Notes
    -----
    The bounds are derived in `least_p_of_nri` and `least_error_of_auroc`; they take each patient for one person who
    was counted once. Rates are searched for whole numbers of people, as in the GRIM test.

    References
    ----------
    Brown NJL, Heathers JAJ. The GRIM test. doi:10.1177/1948550616673876

    Examples
    --------
    >>> found = consistency(Published(n=395, nri="0.0153", nri_p="<0.001"))
    >>> found["possible"].to_list()
    [False, False]
    >>> consistency(Published(n=10, events=3, sensitivity="0.50"))["possible"].to_list()
    [False]
    """
    n, events = published.n, published.events
    if n < 2 or (events is not None and not 0 < events < n):
        msg = f"n must be people and events some of them; got n = {n}, events = {events}. Mend them."
        raise InputError(msg)
    rows = [*_nri(published), *_idi(published), *_difference(published), *_interval(published), *_rates(published)]
    schema = {"claim": pl.String, "possible": pl.Boolean, "why": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _nri(published: Published) -> Iterator[Row]:
    if published.nri is None or published.nri_p is None:
        return
    nri, p = printed(published.nri, "nri"), printed(published.nri_p, "nri_p")
    size = max(abs(nri.lower), abs(nri.upper))
    n, events = published.n, published.events
    largest = n - 1 if events is None else max(events, n - events)
    halves = n // 2 if events is None else events
    continuous = size / np.sqrt(1 / halves + 1 / (n - halves))
    for form in ("pooled", "unpooled"):
        least = least_p_of_nri(size, n_largest=largest, form=form)
        yield (
            f"NRI {nri.text} with p {_sign(p)} ({form} z test)",
            p.upper >= least,
            f"With {largest} events or non-events at most, z² ≤ {largest} × {size:.6g}"
            f"{f' / (1 − {size:.6g})' if form == 'unpooled' else ''}: p ≥ {least:.3g}. If it is the continuous index "
            f"and every risk changes, p is about {2 * ndtr(-continuous):.2g}.",
        )


def _idi(published: Published) -> Iterator[Row]:
    if published.idi is None or published.idi_p is None:
        return
    idi, p = printed(published.idi, "idi"), printed(published.idi_p, "idi_p")
    low, high = sorted((abs(idi.lower), abs(idi.upper)))
    halves = published.n // 2 if published.events is None else published.events
    scale = np.sqrt(1 / halves + 1 / (published.n - halves))
    smallest = low / _z(p.lower) if p.lower > 0 else 0.0
    largest = high / _z(p.upper)
    # Changes of risk lie in [−1, 1]: none has a standard deviation above 1.
    yield (
        f"IDI {idi.text} with p {_sign(p)}",
        bool(smallest <= scale * np.sqrt(published.n / max(published.n - 2, 1))),
        f"It needs a standard error of at most {largest:.3g}: changes of risk with a standard deviation of at most "
        f"{largest / scale:.2g}{_assumed(published, halves)}.",
    )


def _difference(published: Published) -> Iterator[Row]:
    given = (published.auroc_new, published.auroc_base, published.delta_p)
    if any(value is None for value in given):
        return
    new, base = printed(given[0] or 0, "auroc_new"), printed(given[1] or 0, "auroc_base")
    p = printed(given[2] or 0, "delta_p")
    n, delta = published.n, new.value - base.value
    # Where events are not said: the most favourable number, a fifth, and a tenth.
    numbers = [published.events] if published.events is not None else [max(n // k, 1) for k in (2, 5, 10)]
    error = abs(delta) / _z(p.upper)
    needed = []
    for events in numbers:
        one, two = (usual_error_of_auroc(a.value, n_events=events, n_nonevents=n - events) for a in (new, base))
        needed.append((one**2 + two**2 - error**2) / (2 * one * two))
    said = ", ".join(f"{r:.3f} with {events} events" for r, events in zip(needed, numbers, strict=True))
    yield (
        f"ΔAUROC {delta:.4g} with p {_sign(p)}",
        True,
        f"Only if the two AUROCs correlate by at least {said}, with standard errors as usual (Hanley and McNeil); "
        "so high a correlation means that both models rank nearly alike.",
    )


def _interval(published: Published) -> Iterator[Row]:
    given = (published.auroc, published.lower, published.upper)
    if any(value is None for value in given):
        return
    auroc, lower, upper = (printed(v or 0, name) for v, name in zip(given, ("auroc", "lower", "upper"), strict=True))
    claim = f"{published.level:.0%} interval {lower.text} to {upper.text} of AUROC {auroc.text}"
    if not lower.lower <= auroc.upper or not auroc.lower <= upper.upper or not 0 <= lower.value <= upper.value <= 1:
        yield claim, False, "An interval contains its estimate and lies between 0 and 1."
        return
    events = published.events
    least = min(_least_error(a, published.n, events) for a in (auroc.lower, auroc.upper))
    z = float(ndtri((1 + published.level) / 2))
    width = upper.upper - lower.lower
    usual = _usual_width(auroc.value, published)
    # A central interval of another level, from errors as usual: the publication may have taken wrong percentiles.
    fits = 2 * ndtr(z * (upper.value - lower.value) / usual) - 1
    yield (
        claim,
        width >= TIGHTEST * 2 * z * least,
        f"No {published.n} people{f' with {events} events' if events is not None else ''} and risks without ties give "
        f"a standard error below {least:.3g}, that is a width below {2 * z * least:.3g}; printed is "
        f"{upper.value - lower.value:.3g}, usual would be {usual:.2g}. It fits a central interval of {fits:.0%}.",
    )


def _least_error(auroc: float, n: int, events: int | None) -> float:
    a = min(max(auroc, 1 - auroc), 1.0)
    numbers = np.unique(np.linspace(1, n - 1, 199).astype(int)) if events is None else np.array([events])
    return min(least_error_of_auroc(a, n_events=int(m), n_nonevents=int(n - m)) for m in numbers)


def _usual_width(auroc: float, published: Published) -> float:
    events = published.n // 2 if published.events is None else published.events
    error = usual_error_of_auroc(auroc, n_events=events, n_nonevents=published.n - events)
    return float(2 * ndtri((1 + published.level) / 2)) * error


def _rates(published: Published) -> Iterator[Row]:
    names = ("sensitivity", "specificity", "ppv", "npv")
    read = {name: printed(value, name) for name in names if (value := getattr(published, name)) is not None}
    if not read:
        return
    limits = Rates(**{name: (p.lower, p.upper) for name, p in read.items()})
    said = ", ".join(f"{name} {p.text}" for name, p in read.items())
    numbers = range(1, published.n) if published.events is None else [published.events]
    found = [counts for events in numbers if (counts := possible_counts(limits, events, published.n - events))]
    if not found:
        of = f"of {published.n} people" + (f" with {published.events} events" if published.events is not None else "")
        yield said, False, f"No whole numbers of true and false positives and negatives {of} give these rates."
        return
    tp, fn, fp, tn = found[0]
    which = f" with {len(found)} different numbers of events, first {tp + fn}" if published.events is None else ""
    yield (
        said,
        True,
        f"Possible{which}: for instance {tp} true and {fp} false positives, {fn} false and {tn} true negatives.",
    )


def _sign(p: Printed) -> str:
    return p.text if p.text.startswith("<") else f"= {p.text}"


def _z(p: float) -> float:
    return float(-ndtri(min(p, 1.0) / 2)) or 1e-300


def _assumed(published: Published, events: int) -> str:
    return f", if {events} had the event" if published.events is None else ""
