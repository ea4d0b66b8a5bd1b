"""What a study declares about itself, before any data is read."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from twelvelead.cohort import CodeRule, Eligibility, Outcome

Mode = Literal["sound", "paper"]
Features = Literal["measured", "embedded", "measured + embedded"]


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
    optional : bool
        Whether the study goes on without it where it is not there.
    rule : dict
        What is different in the rules of the outcomes there, such as `{link = "time", window_h = [-2160, 2160]}`:
        fields of `Outcome`.
    embeddings : str
        The table of the ECGs' embeddings, relative to `folder`; read where the models may know them.
    """

    kind: str
    folder: str = "."
    optional: bool = False
    rule: dict[str, Any] = {}
    embeddings: str = "embeddings.parquet"

    @field_validator("rule")
    @classmethod
    def _rule_has_fields_of_outcomes(cls, rule: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(rule) - set(Outcome.model_fields))
        if unknown:
            msg = f"rule must hold fields of an outcome ({', '.join(Outcome.model_fields)}); got {', '.join(unknown)}."
            raise ValueError(msg)
        return rule


class Predictors(Declared):
    """What the models may know.

    Parameters
    ----------
    features : {"measured", "embedded", "measured + embedded"}
        What is known of an ECG: measurements that have names, an encoder's embedding (`twelvelead embed`), or both.
        With both, a model that knows the measurements only is fitted beside, and what the embedding adds is reported.
    source : {"waveforms", "database"}
        Whether the waveforms are measured here, or the measurements that the database itself has are taken, such as a
        machine's.
    include, exclude : tuple of str
        Patterns of the measurements' names (`*` and `?`); one is used if it matches `include` and not `exclude`. An
        embedding is used whole.
    demographics : tuple of {"age_years", "sex_male"}
        Demographic predictors.
    others : tuple of str
        Numeric columns of the database's table of recordings that the full model knows, too; such as `delay_h`, the
        time from the ECG to the X-ray, which a publication used although nobody knows it when predicting.
    """

    features: Features = "measured"
    source: Literal["waveforms", "database"] = "waveforms"
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    demographics: tuple[Literal["age_years", "sex_male"], ...] = ("age_years", "sex_male")
    others: tuple[str, ...] = ()

    @property
    def measured(self) -> bool:
        """Whether models may know measurements."""
        return self.features != "embedded"

    @property
    def embedded(self) -> bool:
        """Whether models may know embeddings."""
        return self.features != "measured"


class Split(Declared):
    """How held-out patients are kept apart.

    Parameters
    ----------
    method : {"holdout", "cross_fit"}
        One held-out part, or every patient held out once (for small data).
    n_folds : int
        Folds of the cross-fitting; with "holdout", one of `n_folds` parts is held out.
    published : str or None
        Column of the database that holds published folds, which are used instead of own ones where it is there.
    held_out : int
        Of the published folds, the one that is held out.
    age_bands_years : tuple of float
        Limits of the age bands that the folds are balanced in.
    """

    method: Literal["holdout", "cross_fit"]
    n_folds: int = Field(default=5, ge=2)
    published: str | None = None
    held_out: int = Field(default=0, ge=0)
    age_bands_years: tuple[float, ...] = (40, 55, 70)


class Family(Declared):
    """Many targets that differ in their code only: all codes that enough recordings have.

    Parameters
    ----------
    rule : dict
        Fields of `Outcome` that all have in common: system, link, …; without name, title and codes.
    characters : tuple of int
        Lengths of the codes, categories being 3 characters long.
    min_recordings : int
        Fewest recordings of the development database with a code or one below it.
    largest : int
        Most targets, the commonest first.
    """

    rule: dict[str, Any]
    characters: tuple[int, ...] = (3, 4, 5)
    min_recordings: int = Field(default=200, ge=2)
    largest: int = Field(default=5000, ge=1)


class Xrays(Declared):
    """Chest X-rays as what is predicted, each by the ECG before it.

    Parameters
    ----------
    unit : {"study", "image"}
        What is one row: an ECG with the nearest X-ray study after it, or, as published, every image.
    within_h : float
        Longest delay from the ECG to the X-ray, in hours.
    system : str
        Whose findings.
    """

    unit: Literal["study", "image"] = "study"
    within_h: float = Field(default=24.0, gt=0)
    system: str = "chest_xray"


class Fault(Declared):
    """A fault of the published method that mode "paper" repeats.

    Parameters
    ----------
    name : str
        In a few words.
    text : str
        What it does to the figures, and what mode "sound" does instead.
    """

    name: str
    text: str


class Model(Declared):
    """How the gradient-boosted trees are fitted, per target.

    Parameters
    ----------
    preset : {"sound", "xgboost_defaults", "eliminated_stumps"}
        "sound": as the other parameters say. The other two repeat publications, in which one fold validates: XGBoost
        at its defaults, uncalibrated (doi:10.48550/arXiv.2412.03717); or recursive elimination by XGBoost at its
        defaults, then stumps and an isotonic curve (doi:10.48550/arXiv.2509.17674).
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

    preset: Literal["sound", "xgboost_defaults", "eliminated_stumps"] = "sound"
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
    method : {"studentised", "percentile"}
        How the intervals of AUROC and its differences are made; "percentile", as most publications have it, is too
        narrow with few events or high AUROC.
    false_discovery_rate : float
        Held over all targets for the hypotheses that the full model predicts at all, predicts well (AUROC above 0.7),
        and better than age and sex do. In mode "paper" none are tested.
    explained : int
        Most predictions per target and set that are explained by Shapley values, drawn by lot; all where there are
        fewer.
    """

    n_resamples: int = Field(default=1000, ge=100)
    level: float = Field(default=0.95, gt=0, lt=1)
    unit: Literal["patient", "recording"] = "patient"
    thresholds: tuple[float, ...] = (0.1, 0.2, 0.3)
    method: Literal["studentised", "percentile"] = "studentised"
    false_discovery_rate: float = Field(default=0.05, gt=0, lt=1)
    explained: int = Field(default=5000, ge=1)


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
    codes : CodeRule
        How diagnosis codes become ICD-10.
    stays : {"sound", "paper"}
        How an ECG finds its stay, as `cohort.link_stays` has it.
    xrays : Xrays or None
        If X-ray findings are predicted.
    targets : tuple of Outcome
        What is predicted, one model each.
    families : tuple of Family
        Further targets, by their codes' frequency in the development database.
    split, model, validation : Split, Model, Validation
        How.
    seed : int
        Seed of every random choice.
    mode : {"sound", "paper"}
        "paper" repeats the published method with its faults, each of which the report names.
    publication : str
        The publication whose study it is.
    paper : dict
        What is different in mode "paper": keys of this declaration, merged over it.
    faults : tuple of Fault
        What is wrong with that.
    """

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    title: str
    question: str
    database: DatabaseUse
    external: DatabaseUse | None = None
    eligibility: Eligibility = Eligibility()
    predictors: Predictors = Predictors()
    codes: CodeRule = CodeRule()
    stays: Literal["sound", "paper"] = "sound"
    xrays: Xrays | None = None
    targets: tuple[Outcome, ...] = ()
    families: tuple[Family, ...] = ()
    split: Split
    model: Model = Model()
    validation: Validation = Validation()
    seed: int = Field(ge=0)
    mode: Mode = "sound"
    publication: str = ""
    paper: dict[str, Any] = {}
    faults: tuple[Fault, ...] = ()

    @model_validator(mode="after")
    def _publications_embed_nothing(self) -> Self:
        if self.mode == "paper" and self.predictors.embedded:
            msg = (
                f'mode "paper" repeats publications, whose features are "measured"; got {self.predictors.features!r}. '
            )
            raise ValueError(msg + "Declare features under [paper.predictors], or run in mode sound.")
        return self

    @model_validator(mode="after")
    def _something_is_predicted(self) -> Self:
        if not self.targets and not self.families:
            msg = "a study must predict something; got neither targets nor families. Declare one."
            raise ValueError(msg)
        return self

    @field_validator("targets")
    @classmethod
    def _names_differ(cls, targets: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
        names = [t.name for t in targets]
        if len(set(names)) != len(names):
            msg = f"targets must have different names; got {sorted(n for n in set(names) if names.count(n) > 1)} twice."
            raise ValueError(msg)
        return targets
