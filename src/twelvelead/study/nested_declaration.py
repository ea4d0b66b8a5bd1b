"""What a study declares that asks whether a block of predictors adds anything to another."""

from typing import Literal, Self

from pydantic import Field, model_validator

from twelvelead.study.declaration import Declared, Study

PERMUTED = "permuted"
NETWORK = "network"


class Block(Declared):
    """A block of predictors.

    Parameters
    ----------
    name : str
        Short, such as crf or ecg: models are called after their blocks.
    title : str
        In words, for the report.
    columns : tuple of str
        Patterns (`*` and `?`) of columns of the database's features and of its table of recordings; and `sex_male`.
    exclude : tuple of str
        Patterns of columns that are left out.
    """

    name: str = Field(pattern=r"^[a-z0-9]+$")
    title: str
    columns: tuple[str, ...] = Field(min_length=1)
    exclude: tuple[str, ...] = ()


class Fit(Declared):
    """One way of bringing the blocks together; see `predict.FusionClassifier`.

    Examples
    --------
    >>> Fit(fusion="late", learner="xgboost").name, Fit(fusion="intermediate").name
    ('late_xgboost', 'intermediate')
    """

    fusion: Literal["early", "intermediate", "late"] = "early"
    learner: Literal["logistic", "xgboost"] = "logistic"

    @property
    def name(self) -> str:
        """What the models of both blocks are called after."""
        return self.fusion if self.fusion == "intermediate" else f"{self.fusion}_{self.learner}"

    @property
    def alone(self) -> str:
        """What the models of one block are called after: how the blocks are joined makes no difference there."""
        return NETWORK if self.fusion == "intermediate" else self.learner


class Held(Declared):
    """Which rows of the table of recordings are whose.

    Parameters
    ----------
    column : str
        A column of the table of recordings.
    development, held_out : str
        Its values.
    """

    column: str
    development: str
    held_out: str


class Claims(Declared):
    """What the publication says it found, to see whether that is arithmetically possible; as printed.

    Parameters
    ----------
    n : int
        People of the test.
    nri, nri_p, idi, idi_p : str or None
        Net reclassification and integrated discrimination improvement, and their p values: `<0.001` or `0.0099`.
    auroc_new, auroc_base, delta_p : str or None
        The two AUROCs, and the p value of DeLong's test between them.
    """

    n: int = Field(ge=2)
    nri: str | None = None
    nri_p: str | None = None
    idi: str | None = None
    idi_p: str | None = None
    auroc_new: str | None = None
    auroc_base: str | None = None
    delta_p: str | None = None


class Nested(Declared):
    """How two blocks are compared.

    Parameters
    ----------
    base, added : Block
        What is known anyhow, and what may add to it.
    fits : tuple of Fit
        The ways of joining them; each is compared with a model of the base block by the same learner. The first is the
        one that the study's conclusion rests on, and the one that is fitted again with the added block permuted.
    replicates : {"mean", "concat", "random_intercept"}
        How a person's recordings at baseline become one row; see `predict.Replicates`.
    n_recordings : int
        Recordings per person that are used, the first ones.
    horizon_y : float or None
        For an outcome that begins after baseline (targets with link "time"): years within which.
    labels : {"incident", "prevalent_development"}
        "prevalent_development" repeats a fault: in the development cohort those who have the disease at baseline are
        the events, while the test is of those who get it.
    held : Held or None
        Where the database says who is held out. None: the declared split, cross-fitted.
    cuts : tuple of float
        Limits of the classes of risk, fixed before the data are seen.
    claims : Claims or None
        Of the publication.
    """

    base: Block
    added: Block
    fits: tuple[Fit, ...] = Field(min_length=1)
    replicates: Literal["mean", "concat", "random_intercept"] = "mean"
    n_recordings: int = Field(default=1, ge=1)
    horizon_y: float | None = Field(default=None, gt=0)
    labels: Literal["incident", "prevalent_development"] = "incident"
    held: Held | None = None
    cuts: tuple[float, ...] = Field(default=(0.1, 0.2), min_length=1)
    claims: Claims | None = None

    @model_validator(mode="after")
    def _it_can_be_compared(self) -> Self:
        faults = [
            ("base and added must have different names", self.base.name == self.added.name),
            ("fits must differ", len(set(self.fits)) < len(self.fits)),
            ("cuts must be ascending risks", list(self.cuts) != sorted({c for c in self.cuts if 0 < c < 1})),
            ("prevalent labels need a horizon for the test", self.labels != "incident" and self.horizon_y is None),
        ]
        if wrong := [what for what, holds in faults if holds]:
            msg = f"{'; '.join(wrong)}. Mend the declaration of the blocks."
            raise ValueError(msg)
        return self


class NestedStudy(Study):
    """A study that compares nested models; of `Study`'s choices it uses neither model, xrays nor families.

    Parameters
    ----------
    nested : Nested
        What is compared, and how.
    """

    nested: Nested

    @model_validator(mode="after")
    def _blocks_are_of_the_database(self) -> Self:
        if self.predictors.embedded:
            msg = f'nested models must have features = "measured"; got {self.predictors.features!r}. To compare an '
            raise ValueError(
                msg + 'embedding with measurements, declare a study with features = "measured + embedded".'
            )
        return self

    @model_validator(mode="after")
    def _there_is_one_target(self) -> Self:
        if len(self.targets) != 1:
            msg = f"nested models must have one target; got {len(self.targets)}. Declare a study for each."
            raise ValueError(msg)
        return self
