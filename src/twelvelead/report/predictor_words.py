"""What the models were allowed to know, in sentences."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from twelvelead.report.wording import join_words

MEASURED = "measured"
_EMBEDDING = "embedding_"
_NAMES = {"age_years": "age in years", "sex_male": "sex (male 1, female 0)"}
_MADE = {
    "waveforms": "made from the waveforms by this software",
    "database": "as the database itself has them, from the electrocardiograph",
}


def describe_predictors(predictors: Mapping[str, Any], *, n_predictors: int, n_embedded: int = 0) -> list[str]:
    """Say what the models were allowed to know.

    Parameters
    ----------
    predictors : mapping
        As declared.
    n_predictors, n_embedded : int
        Measurements of the ECG, and numbers of its embedding, that were offered.

    Examples
    --------
    >>> declared = {"features": "embedded", "demographics": ["age_years"], "include": ["*"], "exclude": []}
    >>> describe_predictors(declared, n_predictors=0, n_embedded=64)[1]
    'No measurement was offered; demographic predictors: age in years.'
    """
    features = predictors.get("features", MEASURED)
    demographics = join_words([_NAMES[d] for d in predictors["demographics"]]) or "none"
    others = f"; further predictors: {join_words(predictors['others'])}" if predictors.get("others") else ""
    beside = f"demographic predictors: {demographics}{others}."
    sentences = []
    if features != MEASURED:
        sentences.append(
            f"An embedding of the ECG was offered: {n_embedded} numbers without names that an encoder made of the "
            "waveform. The encoder was taken as it is; whether recordings of this study helped to train it is not "
            "known here."
        )
    if features == "embedded":
        sentences.append(f"No measurement was offered; {beside}")
    else:
        sentences.append(_describe_measured(predictors, n_predictors, beside))
    if features == "measured + embedded":
        sentences.append(
            "What the embedding adds is the difference of AUROC from a model of all else, which is fitted in the same "
            "way on the same recordings and folds."
        )
    return [*sentences, "A missing value was not imputed: each tree learns which branch it takes."]


def _describe_measured(predictors: Mapping[str, Any], n: int, beside: str) -> str:
    patterns = f"matching {join_words([f'“{p}”' for p in predictors['include']])}"
    if predictors["exclude"]:
        patterns += f" but not {join_words([f'“{p}”' for p in predictors['exclude']])}"
    made = _MADE[predictors.get("source", "waveforms")]
    return f"{n} measurements of the ECG were offered ({patterns}), {made}; {beside}"


def count_embedded(predictors: Mapping[str, Any], columns: Sequence[str]) -> int:
    """Count the numbers of an embedding that the models may know.

    Examples
    --------
    >>> count_embedded({"features": "embedded"}, ["embedding_000", "embedding_001"]), count_embedded({}, ["rr_mean_ms"])
    (2, 0)
    """
    if predictors.get("features", MEASURED) == MEASURED:
        return 0
    return sum(name.startswith(_EMBEDDING) for name in columns)


def count_offered(predictors: Mapping[str, Any], columns: Sequence[str]) -> int:
    """Count the measurements that the declared patterns let the models know.

    Examples
    --------
    >>> count_offered({"include": ["*"], "exclude": ["qtc_*"]}, ["pr_interval_ms", "qtc_bazett_ms"])
    1
    """
    include, exclude = predictors["include"], predictors["exclude"]
    features = predictors.get("features", MEASURED)
    if features == "embedded":
        return 0
    measured = columns if features == MEASURED else [name for name in columns if not name.startswith(_EMBEDDING)]
    return sum(
        any(fnmatchcase(name, p) for p in include) and not any(fnmatchcase(name, p) for p in exclude)
        for name in measured
    )
