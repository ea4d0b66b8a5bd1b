"""What a study declares about itself, before any data is read."""

import json
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from twelvelead.cohort import Eligibility, Outcome
from twelvelead.terms import StudyError

Mode = Literal["sound", "paper"]

PAPER_FEATURES = (
    "rr_mean_ms", "p_axis_deg", "qrs_axis_deg", "t_axis_deg", "p_duration_ms", "qrs_duration_ms", "pr_interval_ms",
    "qt_interval_ms", "qtc_bazett_ms", "jt_interval_ms", "qrs_t_angle_frontal_deg",
)  # fmt: skip
"""What a machine's table of measurements lets the publications use (doi:10.48550/arXiv.2509.17674)."""


class Declared(BaseModel):
    """A part of a study: frozen, and refusing keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DatabaseUse(Declared):
    """Which database is read, and where it lies below the study's data folder.

    Parameters
    ----------
    kind : str
        A database of `io.databases`.
    folder : str
        Its folder, relative to `--data`.
    """

    kind: str
    folder: str = "."


class Predictors(Declared):
    """What the models may know.

    Parameters
    ----------
    include, exclude : tuple of str
        Patterns of CATALOGUE names (`*` and `?`); a measurement is used if it matches `include` and not `exclude`.
    demographics : tuple of {"age_years", "sex_male"}
        Demographic predictors.
    """

    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    demographics: tuple[Literal["age_years", "sex_male"], ...] = ("age_years", "sex_male")


class Split(Declared):
    """How held-out patients are kept apart.

    Parameters
    ----------
    method : {"holdout", "cross_fit"}
        One held-out part, or every patient held out once (for small data).
    n_folds : int
        Folds of the cross-fitting; with "holdout", one of `n_folds` parts is held out.
    age_bands_years : tuple of float
        Limits of the age bands that the folds are balanced in.
    """

    method: Literal["holdout", "cross_fit"]
    n_folds: int = Field(default=5, ge=2)
    age_bands_years: tuple[float, ...] = (40, 55, 70)


class Model(Declared):
    """How the gradient-boosted trees are fitted, per target.

    Parameters
    ----------
    n_members : int
        Members of the model. Each sees another part of the development patients for training, tuning and calibration.
    elimination : float
        Predictors dropped at each step of the recursive feature elimination: a share below 1, or 1 for one at a time.
    smallest : int
        Fewest predictors that the elimination reaches.
    growth : {"shallow", "forest"}
        "shallow": one tree of depth 3 a round, up to 400 rounds. "forest": a forest of eight trees of depth 5 a round,
        up to 60 rounds; steadier with some hundred recordings and hundreds of correlated predictors.
    calibration : {"logistic", "isotonic"}
        How margins become risks, on patients that neither selection nor early stopping saw.
    """

    n_members: int = Field(default=5, ge=1)
    elimination: float = Field(default=0.3, gt=0, le=1)
    smallest: int = Field(default=4, ge=1)
    growth: Literal["shallow", "forest"] = "shallow"
    calibration: Literal["logistic", "isotonic"] = "logistic"


class Validation(Declared):
    """How the predictions are judged.

    Parameters
    ----------
    n_resamples : int
        Bootstrap resamples.
    level : float
        Confidence level of the intervals.
    unit : {"patient", "recording"}
        What is resampled.
    thresholds : tuple of float
        Risks at which net benefit, sensitivity and predictive values are stated; fixed before the data are seen.
    """

    n_resamples: int = Field(default=1000, ge=100)
    level: float = Field(default=0.95, gt=0, lt=1)
    unit: Literal["patient", "recording"] = "patient"
    thresholds: tuple[float, ...] = (0.1, 0.2, 0.3)


class Study(Declared):
    """One prediction study, declared.

    Parameters
    ----------
    name : str
        Short name, as given on the command line.
    title : str
        Title of the report.
    question : str
        What the study answers, in a sentence.
    database, external : DatabaseUse
        Development database, and the one for external validation, if there is one.
    eligibility : Eligibility
        Who may enter, and by which ECG.
    predictors : Predictors
        What the models may know.
    targets : tuple of Outcome
        What is predicted, one model each.
    split, model, validation : Split, Model, Validation
        How.
    seed : int
        Seed of every random choice.
    mode : {"sound", "paper"}
        "paper" repeats the published method with its faults, each of which the report names.
    """

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    title: str
    question: str
    database: DatabaseUse
    external: DatabaseUse | None = None
    eligibility: Eligibility = Eligibility()
    predictors: Predictors = Predictors()
    targets: tuple[Outcome, ...] = Field(min_length=1)
    split: Split
    model: Model = Model()
    validation: Validation = Validation()
    seed: int = Field(ge=0)
    mode: Mode = "sound"

    @field_validator("targets")
    @classmethod
    def _names_differ(cls, targets: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
        names = [t.name for t in targets]
        if len(set(names)) != len(names):
            msg = f"targets must have different names; got {sorted(n for n in set(names) if names.count(n) > 1)} twice."
            raise ValueError(msg)
        return targets


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
    try:
        return Study.model_validate(declared)
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


def declare(name_or_path: str, *, seed: int | None = None, mode: Mode = "sound") -> Study:
    """Load a declaration and set its seed and mode.

    Parameters
    ----------
    name_or_path : str
        As for `load_study`.
    seed : int or None
        Instead of the declared one.
    mode : {"sound", "paper"}
        "paper" takes the published method with its faults: a machine's few measurements are the predictors, recordings
        instead of patients are resampled, and the interval is the central 5 % of the resamples that the papers print
        as 95 %.
    """
    study = load_study(name_or_path)
    changes: dict[str, Any] = {"mode": mode}
    if seed is not None:
        changes["seed"] = seed
    if mode == "paper":
        changes["predictors"] = {**study.predictors.model_dump(), "include": PAPER_FEATURES}
        changes["validation"] = {**study.validation.model_dump(), "unit": "recording", "level": 0.05}
    return _validate({**study.model_dump(), **changes}, name=name_or_path)
