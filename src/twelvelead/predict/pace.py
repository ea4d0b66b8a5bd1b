"""How slowly a model should learn, by how many recordings it has to learn from."""

from typing import Any

from twelvelead.predict.thin import MANY


def suited(n_recordings: int) -> dict[str, Any]:
    """Return the choices of `RiskClassifier` that should not be its defaults for so many development recordings.

    Parameters
    ----------
    n_recordings : int
        Development recordings.

    Returns
    -------
    dict
        Nothing up to 20,000: the defaults are for hundreds to thousands of recordings. Beyond: larger steps, since
        there is less noise to average away, and the fewest predictors that rank nearly as well as the best, since a
        difference of 0.002 that can't be told from none is not worth a predictor.

    Examples
    --------
    >>> suited(1_000)
    {}
    >>> suited(640_000)["learning_rate"]
    0.1
    """
    if n_recordings <= MANY:
        return {}
    return {
        "rounds": 300,
        "learning_rate": 0.1,
        "early_stopping": 15,
        "elimination_rounds": 75,
        "elimination_learning_rate": 0.1,
        "rule": "near_best",
    }
