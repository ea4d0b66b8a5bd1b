"""What many tests at once do to a p value, and which targets are really several."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import false_discovery_control

from twelvelead.terms import StudyError

Floats = NDArray[np.float64]

METHODS = ("bh", "by", "holm")


def adjust(p_values: ArrayLike, *, method: str, n_tests: int | None = None) -> Floats:
    """Return p values adjusted for the number of tests.

    Parameters
    ----------
    p_values : array of shape (n,)
        NaN where a test gave none; it stays NaN.
    method : {"bh", "by", "holm"}
        Benjamini-Hochberg and Benjamini-Yekutieli hold the false discovery rate, the first where tests are independent
        or positively dependent, the second under any dependence; Holm holds the chance of any false discovery.
    n_tests : int or None
        Tests that were declared, those without a p value too. None: those with one.

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    StudyError
        If a p value is not in [0, 1], there are more of them than tests, or the method is unknown.

    Notes
    -----
    A test that was declared and could not be done counts as one with p = 1: leaving out what turned out too rare
    would make the family smaller after the fact.

    References
    ----------
    Benjamini Y, Hochberg Y. Controlling the false discovery rate. doi:10.1111/j.2517-6161.1995.tb02031.x
    Benjamini Y, Yekutieli D. The control of the false discovery rate under dependency. doi:10.1214/aos/1013699998
    Holm S. A simple sequentially rejective multiple test procedure. Scand J Stat 1979;6:65-70.

    Examples
    --------
    Three tests were declared, one could not be done: the least p counts three times, the other 3/2 times.

    >>> adjust([0.01, 0.03, np.nan], method="bh", n_tests=3).round(6).tolist()
    [0.03, 0.045, nan]
    >>> adjust([0.01, 0.03, np.nan], method="holm").round(6).tolist()
    [0.02, 0.03, nan]
    """
    p = np.asarray(p_values, dtype=float)
    real = ~np.isnan(p)
    given = p[real]
    total = len(given) if n_tests is None else n_tests
    if method not in METHODS:
        msg = f"method must be one of {', '.join(METHODS)}; got {method!r}. Use bh."
        raise StudyError(msg)
    if np.any((given < 0) | (given > 1)) or total < len(given):
        msg = f"p values must be in [0, 1] and no more than the tests; got {len(given)} for {total}. Mend them."
        raise StudyError(msg)
    out = np.full(p.shape, np.nan)
    if len(given):
        all_tests = np.concatenate([given, np.ones(total - len(given))])
        adjusted = _holm(all_tests) if method == "holm" else false_discovery_control(all_tests, method=method)
        out[real] = adjusted[: len(given)]
    return out


def _holm(p: Floats) -> Floats:
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    out = np.empty_like(p)
    out[order] = np.minimum(steps, 1.0)
    return out


def parents(targets: Iterable[str]) -> Mapping[str, str]:
    """Return, for each target whose code lies within that of another target, the nearest such target.

    Parameters
    ----------
    targets : iterable of str
        Targets named by their code: `I48`, `I48.0`, `I480`. Dots and case are ignored.

    Returns
    -------
    mapping of str to str
        Child to parent. Targets without a parent are not in it.

    Examples
    --------
    >>> dict(parents(["I48", "I48.1", "I48.19", "E11", "i50.2"]))
    {'I48.1': 'I48', 'I48.19': 'I48.1'}
    """
    names = sorted(set(targets))
    by_code = {_code(name): name for name in names}
    found = {}
    for name in names:
        code = _code(name)
        shorter = (code[:length] for length in range(len(code) - 1, 2, -1))
        parent = next((by_code[prefix] for prefix in shorter if prefix in by_code), None)
        if parent is not None and _is_code(code):
            found[name] = parent
    return found


def families(targets: Iterable[str], parent_of: Mapping[str, str]) -> Mapping[str, str]:
    """Return the topmost ancestor of each target: targets of one family are one finding, told more or less closely.

    Parameters
    ----------
    targets : iterable of str
        Targets that are tested.
    parent_of : mapping of str to str
        Child to parent; see `parents`.

    Returns
    -------
    mapping of str to str
        As many different values as there are families: the effective number of tests.

    Raises
    ------
    StudyError
        If a target is its own ancestor.

    Examples
    --------
    >>> tested = ["I48", "I48.1", "I48.19", "E11"]
    >>> found = families(tested, parents(tested))
    >>> found["I48.19"], len(set(found.values()))
    ('I48', 2)
    """
    names = sorted(set(targets))
    found = {}
    for name in names:
        top = name
        for _ in range(len(parent_of) + 1):
            if top not in parent_of:
                break
            top = parent_of[top]
        else:
            msg = f"no target may be its own ancestor; got {name!r}. Mend the parents."
            raise StudyError(msg)
        found[name] = top
    return found


def _code(name: str) -> str:
    return name.replace(".", "").upper()


def _is_code(code: str) -> bool:
    """Whether it looks like an ICD-10 code: a letter, a digit, then letters and digits."""
    return len(code) > 3 and code[0].isalpha() and code[1].isdigit() and code[2:].isalnum()
