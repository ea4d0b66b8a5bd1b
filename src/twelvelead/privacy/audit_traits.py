"""Sex, age and rows of numbers, as tables of the audit."""

from typing import Any

import polars as pl

from twelvelead.privacy.estimate import Estimate
from twelvelead.privacy.frontier import Shown, write_estimate
from twelvelead.privacy.protocols import NotEstimable
from twelvelead.privacy.soft import Predict, SoftFigure, linear, nearest, read_age, read_sex
from twelvelead.privacy.transforms_numbers import PRINTED, steps_of
from twelvelead.privacy.uniqueness import uniqueness
from twelvelead.privacy.units import Units
from twelvelead.terms.audits import AUDIT_TRAITS, AUDIT_UNIQUENESS
from twelvelead.validate import Bootstrap

_READERS: tuple[tuple[str, str, Predict], ...] = (
    ("nearest on beats", "beats", nearest),
    ("linear on beats", "beats", linear),
    ("linear on features", "features", linear),
)


def tabulate_traits(shown: Shown, *, bootstrap: Bootstrap) -> pl.DataFrame:
    """Read sex and age off a release in every way there is; see `terms.AUDIT_TRAITS`."""
    rows: list[dict[str, Any]] = []
    for model, view, predict in _READERS:
        units = shown.beats if view == "beats" else shown.features
        if units is None:
            continue
        for trait, found in (
            ("sex", read_sex(units, predict, bootstrap=bootstrap)),
            ("age", read_age(units, predict, bootstrap=bootstrap)),
        ):
            rows += _trait_rows(trait, model, found, level=bootstrap.level)
    return AUDIT_TRAITS.select(rows)


def _trait_rows(
    trait: str, model: str, found: SoftFigure | tuple[SoftFigure, ...] | NotEstimable, *, level: float
) -> list[dict[str, Any]]:
    if isinstance(found, NotEstimable):
        name = "sex_auroc" if trait == "sex" else "age_mae"
        return [{"trait": name, "model": model, "split": "sound"} | write_estimate(found, level=level)]
    rows = []
    for figure in found if isinstance(found, tuple) else (found,):
        of = {"leaky": figure.leaky, "sound": figure.sound, "person": figure.sound_person, "leakage": figure.leakage}
        about = {"trait": f"{trait}_{figure.figure}", "model": model}
        rows += [about | {"split": split} | write_estimate(one, level=level) for split, one in of.items()]
        plain = Estimate(figure.baseline, None, None, figure.sound.n_people, 0)
        rows.append(about | {"split": "baseline"} | write_estimate(plain, level=level))
    return rows


def tabulate_uniqueness(rows: Units, *, bootstrap: Bootstrap) -> pl.DataFrame:
    """Count people who are alone with their printed numbers; see `terms.AUDIT_UNIQUENESS`."""
    table = []
    for to in ("resolution", "error"):
        found = uniqueness(rows, steps=steps_of(PRINTED, to=to), level=bootstrap.level)
        table += [
            {"rounded_to": to, "share": name, "smallest": found.smallest} | write_estimate(one, level=bootstrap.level)
            for name, one in (("unique", found.unique), ("linked", found.linked))
        ]
    return AUDIT_UNIQUENESS.select(table)
