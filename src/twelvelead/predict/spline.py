"""What age and sex alone say: a logistic regression on restricted cubic splines, the baseline of every ECG model."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted, validate_data

from twelvelead.predict.events import as_events
from twelvelead.predict.log_odds_classifier import LogOddsClassifier
from twelvelead.terms import InputError

FORMAT = "twelvelead spline model 1"
FEW_VALUES = 10
"""A predictor of no more values than this is taken as it is: sex, a yes or no, a count."""

Floats = NDArray[np.float64]


class SplineLogistic(LogOddsClassifier):
    """Predict a risk from a few predictors by smooth curves, whose slope may differ by sex.

    Parameters
    ----------
    quantiles : tuple of float
        Quantiles of a predictor at which its curve has knots, at least 3; the defaults are Harrell's for 4 knots [1]_.
    penalty : float
        Ridge penalty on the coefficients of the predictors scaled to unit variance, in recordings: it keeps the curves
        finite where a predictor separates the outcomes, and vanishes beside a thousand recordings.

    Attributes
    ----------
    curves_ : tuple of (float, ...)
        Knots of each predictor, in its own unit; none where it enters as it is.
    fill_ : tuple of float
        The median of each predictor, which stands in where it is missing.
    known_missing_ : tuple of bool
        Whether it was missing in development; then being missing has a coefficient of its own.
    intercept_, coef_ : float, ndarray
        Of the columns: predictor by predictor its value, its curve's further terms, its being missing; then the
        products of each predictor that enters as it is with the value of each that has a curve.
    selection_ : list
        Empty: nothing is selected.
    classes_, n_features_in_, feature_names_in_, feature_names_
        As in `RiskClassifier`.

    Notes
    -----
    Between the outer knots a curve is piecewise cubic, beyond them straight. No class weights, no calibration: a
    logistic regression's mean risk is the prevalence of what it was fitted on.

    References
    ----------
    .. [1] Harrell FE. Regression modeling strategies. doi:10.1007/978-3-319-19425-7

    Examples
    --------
    >>> from scipy.special import expit
    >>> rng = np.random.default_rng(0)
    >>> age = rng.uniform(20, 90, 2000)
    >>> y = (rng.uniform(size=2000) < expit((age - 70) / 8)).astype(int)
    >>> model = SplineLogistic().fit(age[:, None], y)
    >>> np.abs(model.predict_proba([[60], [70], [80]])[:, 1] - expit([-1.25, 0, 1.25])).max() < 0.05
    np.True_
    """

    def __init__(self, *, quantiles: tuple[float, ...] = (0.05, 0.35, 0.65, 0.95), penalty: float = 1.0) -> None:
        self.quantiles = quantiles
        self.penalty = penalty

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Place the knots and fit the coefficients.

        Parameters
        ----------
        X : array or DataFrame of shape (n_recordings, n_features)
            Predictors; NaN or null where missing.
        y : array of shape (n_recordings,)
            Outcome, two classes; the one that sorts last is the event.
        groups : array or None
            Not used: nothing is tuned, so that there is nothing to keep apart. The argument is `RiskClassifier`'s.

        Returns
        -------
        SplineLogistic
            The model itself.

        Raises
        ------
        StudyError
            If there are not two classes.
        """
        table, outcome = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan")
        self.classes_, event = as_events(outcome)
        self.feature_names_ = tuple(getattr(self, "feature_names_in_", [f"x{i}" for i in range(table.shape[1])]))
        absent = np.isnan(table)
        self.known_missing_ = tuple(bool(a) for a in absent.any(axis=0) & ~absent.all(axis=0))
        known = [column[~gone] for column, gone in zip(table.T, absent.T, strict=True)]
        self.fill_ = tuple(float(np.median(column)) if len(column) else 0.0 for column in known)
        self.curves_ = tuple(_knots(column, self.quantiles) for column in known)
        design = self._design(table)
        spread = np.std(design, axis=0)
        spread[spread == 0] = 1.0
        # C is 1 / penalty; the intercept bears none.
        found = LogisticRegression(C=1 / self.penalty, solver="newton-cholesky", tol=1e-8, max_iter=200)
        found.fit((design - design.mean(axis=0)) / spread, event)
        # The last bits depend on where the arrays lie in memory.
        self.coef_ = np.round(found.coef_[0] / spread, 12)
        self.intercept_ = round(float(found.intercept_[0] - design.mean(axis=0) @ self.coef_), 12)
        self.selection_: list[dict[str, Any]] = []
        return self

    def margin(self, X: ArrayLike) -> Floats:
        """Return the log-odds, shape (n_recordings,)."""
        check_is_fitted(self)
        table: Floats = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        # Row by row in the same order of additions: a recording's risk does not depend on its batch.
        out: Floats = self.intercept_ + np.sum(self._design(table) * self.coef_, axis=1)
        return out

    def _design(self, table: Floats) -> Floats:
        columns = []
        for j, (knots, fill) in enumerate(zip(self.curves_, self.fill_, strict=True)):
            absent = np.isnan(table[:, j])
            x = np.where(absent, fill, table[:, j])
            columns += [x, *restricted_cubic(x, knots)]
            if self.known_missing_[j]:
                columns.append(absent.astype(np.float64))
        plain, curved = self._sides()
        filled = np.where(np.isnan(table), self.fill_, table)
        columns += [filled[:, i] * filled[:, j] for i in plain for j in curved]
        return np.column_stack(columns)

    def _sides(self) -> tuple[list[int], list[int]]:
        """Predictors that enter as they are, and those that enter as a curve."""
        plain = [j for j, knots in enumerate(self.curves_) if not knots]
        return plain, [j for j, knots in enumerate(self.curves_) if knots]


def restricted_cubic(x: Floats, knots: tuple[float, ...]) -> list[Floats]:
    """Return the terms that a restricted cubic spline has beside the straight line.

    Parameters
    ----------
    x : ndarray of shape (n_recordings,)
        A predictor.
    knots : tuple of float
        Ascending; with fewer than 3 there is only the line.

    Returns
    -------
    list of ndarray of shape (n_recordings,)
        As many as there are knots, less 2, each in the unit of `x`: zero below the first knot, straight above the last.

    Examples
    --------
    With knots 0, 1, 2 the term is x³/4 up to 1, and 1.5 x − 1.5 beyond 2.

    >>> [term.tolist() for term in restricted_cubic(np.array([-1.0, 1.0, 2.0, 4.0]), (0.0, 1.0, 2.0))]
    [[0.0, 0.25, 1.5, 4.5]]
    """
    if len(knots) < 3:
        return []
    last, one_before = knots[-1], knots[-2]

    def cube(knot: float) -> Floats:
        out: Floats = np.maximum(x - knot, 0.0) ** 3
        return out

    scale = (last - knots[0]) ** 2
    gap = last - one_before
    return [
        (cube(t) - cube(one_before) * (last - t) / gap + cube(last) * (one_before - t) / gap) / scale
        for t in knots[:-2]
    ]


def spline_card(model: SplineLogistic) -> dict[str, Any]:
    """Return a fitted model as what JSON can hold.

    Parameters
    ----------
    model : SplineLogistic
        Fitted.

    Returns
    -------
    dict
        Format, parameters, classes, predictors, and everything that predicts: knots, medians, coefficients.
    """
    check_is_fitted(model)
    return {
        "format": FORMAT,
        "parameters": {"quantiles": list(model.quantiles), "penalty": model.penalty},
        "classes": model.classes_.tolist(),
        "features": list(model.feature_names_),
        "named": hasattr(model, "feature_names_in_"),
        "knots": [list(knots) for knots in model.curves_],
        "fill": list(model.fill_),
        "known_missing": list(model.known_missing_),
        "intercept": model.intercept_,
        "coefficients": model.coef_.tolist(),
    }


def from_spline_card(card: Mapping[str, Any]) -> SplineLogistic:
    """Put a model together that predicts exactly what the one that the card was made of predicts.

    Parameters
    ----------
    card : mapping
        As `spline_card` returns it.

    Returns
    -------
    SplineLogistic

    Raises
    ------
    InputError
        If the card is of another format, or lacks something.
    """
    if card.get("format") != FORMAT:
        msg = f"a spline card must be of format {FORMAT!r}; got {card.get('format')!r}. Use the version that wrote it."
        raise InputError(msg)
    try:
        return _assemble(card)
    except (KeyError, TypeError, ValueError) as error:
        msg = f"a spline card must hold all that the model needs; got {type(error).__name__}: {error}. Write it anew."
        raise InputError(msg) from error


def _assemble(card: Mapping[str, Any]) -> SplineLogistic:
    chosen = card["parameters"]
    model = SplineLogistic(quantiles=tuple(chosen["quantiles"]), penalty=float(chosen["penalty"]))
    model.feature_names_ = tuple(card["features"])
    model.n_features_in_ = len(model.feature_names_)
    if card["named"]:
        model.feature_names_in_ = np.array(model.feature_names_, dtype=object)
    model.classes_ = np.array(card["classes"])
    model.curves_ = tuple(tuple(float(t) for t in knots) for knots in card["knots"])
    model.fill_ = tuple(float(v) for v in card["fill"])
    model.known_missing_ = tuple(bool(v) for v in card["known_missing"])
    model.intercept_ = float(card["intercept"])
    model.coef_ = np.array(card["coefficients"], dtype=np.float64)
    model.selection_ = []
    width = model._design(np.zeros((1, model.n_features_in_))).shape[1]
    numbers = [model.intercept_, *model.coef_, *model.fill_, *(t for knots in model.curves_ for t in knots)]
    shapes = (len(model.classes_), len(model.curves_), len(model.fill_), model.coef_.shape)
    if shapes != (2, model.n_features_in_, model.n_features_in_, (width,)) or not np.isfinite(numbers).all():
        msg = f"{width} finite coefficients of {model.n_features_in_} predictors were expected"
        raise ValueError(msg)
    return model


def _knots(known: Floats, quantiles: tuple[float, ...]) -> tuple[float, ...]:
    if len(np.unique(known)) <= FEW_VALUES:
        return ()
    knots = np.unique(np.quantile(known, quantiles))
    return tuple(knots.tolist()) if len(knots) >= 3 else ()
