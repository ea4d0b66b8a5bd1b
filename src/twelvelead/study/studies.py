"""The studies that come with the package, and declarations from files."""

import json
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from twelvelead.study.declaration import Features, Mode, Study
from twelvelead.study.nested_declaration import NestedStudy
from twelvelead.terms import StudyError

PAPER_FEATURES = (
    "rr_mean_ms", "p_axis_deg", "qrs_axis_deg", "t_axis_deg", "p_duration_ms", "qrs_duration_ms", "pr_interval_ms",
    "qt_interval_ms", "qtc_bazett_ms", "jt_interval_ms", "qrs_t_angle_frontal_deg",
)  # fmt: skip
"""What a machine's table of measurements lets the publications use (doi:10.48550/arXiv.2509.17674)."""

USUAL: dict[str, Any] = {
    "predictors": {"include": PAPER_FEATURES, "features": "measured"},
    "model": {"preset": "eliminated_stumps"},
    "validation": {"unit": "recording", "level": 0.05, "method": "percentile"},
}
"""What mode "paper" means for a study that is no publication's."""


def builtin_studies() -> tuple[str, ...]:
    """Names of the studies that come with the package, sorted."""
    library = resources.files("twelvelead.study") / "library"
    return tuple(sorted(p.name.removesuffix(".toml") for p in library.iterdir() if p.name.endswith(".toml")))


def parse_study(text: str, *, name: str) -> Study:
    """Read a declaration from TOML text.

    Parameters
    ----------
    text : str
        The TOML document.
    name : str
        What it is called in messages: a file or a built-in study.

    Raises
    ------
    StudyError
        If it is not TOML, or a key is unknown, missing or out of range; every fault is listed.
    """
    try:
        return _validate(tomllib.loads(text), name=name)
    except tomllib.TOMLDecodeError as error:
        msg = f"study {name} must be TOML; got {error}. Mend the line."
        raise StudyError(msg) from error


def parse_json(text: str, *, name: str) -> Study:
    """Read the declaration that a finished study keeps in its folder; raises as `parse_study` does."""
    try:
        return _validate(json.loads(text), name=name)
    except json.JSONDecodeError as error:
        msg = f"study {name} must be JSON; got {error}. Run the study again."
        raise StudyError(msg) from error


def _validate(declared: Any, *, name: str) -> Study:  # noqa: ANN401 - whatever a file held
    form = NestedStudy if isinstance(declared, dict) and "nested" in declared else Study
    try:
        return form.model_validate(declared)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']} (got {e['input']!r})" for e in error.errors())
        msg = (
            f"study {name} must keep the declaration's rules; got {error.error_count()} fault(s): {faults}. Mend them."
        )
        raise StudyError(msg) from error


def load_study(name_or_path: str) -> Study:
    """Load a built-in study by its name, or a declaration by its path.

    Raises
    ------
    StudyError
        If there is neither a built-in study nor a readable TOML file of that name.
    """
    path = Path(name_or_path)
    if name_or_path in builtin_studies():
        text = (resources.files("twelvelead.study") / "library" / f"{name_or_path}.toml").read_text(encoding="utf-8")
    elif path.is_file():
        text = path.read_text(encoding="utf-8")
    else:
        msg = (
            f"study must be a built-in one ({', '.join(builtin_studies())}) or a TOML file; got {name_or_path!r}. "
            "Name one of these or give the path of your declaration."
        )
        raise StudyError(msg)
    return parse_study(text, name=name_or_path)


def declare(
    name_or_path: str,
    *,
    seed: int | None = None,
    mode: Mode = "sound",
    features: Features | None = None,
    embedded: bool = False,
) -> Study:
    """Load a declaration and set its seed and mode.

    Parameters
    ----------
    name_or_path : str
        As for `load_study`.
    seed : int or None
        Instead of the declared one.
    mode : {"sound", "paper"}
        "paper" takes the published method with its faults, as the study declares them. Where it declares none, those
        that the publications share: a machine's few measurements are the predictors, recordings instead of patients
        are resampled, and the interval is the central 5 % of the resamples, printed as 95 %.
    features : {"measured", "embedded", "measured + embedded"} or None
        Instead of the declared ones.
    embedded : bool
        Whether a table of embeddings is given: a study of measurements then becomes one of both, unless `features` says
        otherwise.

    Raises
    ------
    StudyError
        As `load_study` does; and if embeddings are asked for where a study can't have them, or given and not asked for.
    """
    study = load_study(name_or_path)
    declared = study.model_dump() | {"mode": mode} | ({} if seed is None else {"seed": seed})
    if mode == "paper":
        declared = merge(declared, study.paper or USUAL)
    wanted = features or ("measured + embedded" if embedded and not study.predictors.embedded else None)
    if wanted is not None:
        declared = merge(declared, {"predictors": {"features": wanted}})
    if embedded and features == "measured":
        msg = 'features must name "embedded" where a table of embeddings is given; got "measured". '
        raise StudyError(msg + "Leave out --embeddings, or --features.")
    return _validate(declared, name=name_or_path)


def merge(declared: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Lay one declaration over another: tables are merged key by key, everything else is replaced.

    Examples
    --------
    >>> merge({"split": {"n_folds": 5, "method": "holdout"}, "seed": 0}, {"split": {"n_folds": 20}})
    {'split': {'n_folds': 20, 'method': 'holdout'}, 'seed': 0}
    """
    merged = dict(declared)
    for key, value in other.items():
        mine = merged.get(key)
        merged[key] = merge(mine, value) if isinstance(mine, dict) and isinstance(value, dict) else value
    return merged
