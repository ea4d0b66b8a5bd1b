"""How far two databases can be told apart, and what of a model's difference their mix of patients explains."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.predict.shift import N_FOLDS, tell_apart, weigh_like
from twelvelead.study.declaration import Study
from twelvelead.study.transport import Side, audit_missingness, compare_predictors
from twelvelead.terms import DOMAIN, TRANSPORT
from twelvelead.validate import Bootstrap, Judged, auroc_interval, part_difference

MOST = 50_000
"""Recordings of either database that the model which tells them apart is fitted on; more change nothing."""

DECIMALS = 10

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Domain:
    """How far two databases can be told apart.

    Parameters
    ----------
    table : DataFrame keeping `terms.DOMAIN`
        One row.
    weights : DataFrame with columns recording_id, weight
        How many recordings of the external database each of the development database stands for, with mean 1; of
        those that were not drawn nothing is said, and they count for nothing.
    """

    table: pl.DataFrame
    weights: pl.DataFrame


def tabulate_transport(
    study: Study, internal: Side, external: Side, *, targets: Sequence[str], read: Callable[[str], pl.DataFrame]
) -> dict[str, pl.DataFrame]:
    """Tabulate what differs between two databases, and what that does to the full model.

    Parameters
    ----------
    study : Study
        Says how to resample.
    internal, external : Side
        The two databases.
    targets : sequence of str
        Outcomes that were modelled.
    read : callable
        Target to the full model's predictions of held-out and external recordings, keeping `terms.PREDICTIONS`.

    Returns
    -------
    dict of str to DataFrame
        shift, traps, domain and transport, each keeping its contract of `terms`.
    """
    bootstrap, held = plan_resamples(study), internal.predictors["recording_id"].clear()
    judged = {"internal": held, "external": held}
    for target in targets:
        rows = read(target)
        for name, known in judged.items():
            judged[name] = pl.concat([known, rows.filter(pl.col("set") == name)["recording_id"]]).unique()
    domain = compare_domains(
        only(internal, judged["internal"]), only(external, judged["external"]), bootstrap=bootstrap
    )
    return {
        "shift": compare_predictors(internal, external),
        "traps": audit_missingness(internal, external, targets=targets),
        "domain": domain.table,
        "transport": part_by_case_mix(map(read, targets), domain, bootstrap=bootstrap),
    }


def plan_resamples(study: Study) -> Bootstrap:
    """Give the resamples that a study declares; the level is 0.95 where a publication's mistaken one is repeated."""
    declared = study.validation
    return Bootstrap(declared.n_resamples, study.seed, declared.level if study.mode == "sound" else 0.95)


def compare_domains(internal: Side, external: Side, *, bootstrap: Bootstrap) -> Domain:
    """Fit a model that tells two databases apart by the predictors, and weigh the first like the second.

    Parameters
    ----------
    internal, external : Side
        The recordings on which the model is judged here and there; of each at most `MOST` are drawn.
    bootstrap : Bootstrap
        Of the interval of the AUROC; its seed also draws the recordings, and the folds of patients.

    Returns
    -------
    Domain
        Predictors that one database lacks altogether are left out and named: they would tell the two apart alone.
        Where nothing is left, or a database has fewer than three patients, there is no AUROC, and no weight.
    """
    sides = {"internal": internal, "external": external}
    there = {name: {p for p in side.names if side.predictors[p].is_not_nan().any()} for name, side in sides.items()}
    shared = [name for name in internal.names if name in there["internal"] and name in there["external"]]
    absent = [name for name in internal.names if (name in there["internal"]) != (name in there["external"])]
    drawn = {name: _draw(side, shared, seed=bootstrap.seed) for name, side in sides.items()}
    row: dict[str, object] = {f"n_{name}": rows.height for name, rows in drawn.items()} | {
        "predictors": shared,
        "absent": absent,
    }
    row |= {"estimate": None, "lower": None, "upper": None, "level": bootstrap.level}
    weights = pl.DataFrame(schema={"recording_id": pl.String, "weight": pl.Float64})
    if shared and min(rows["patient"].n_unique() for rows in drawn.values()) >= N_FOLDS:
        x = {name: rows.select(shared).cast(pl.Float64).to_numpy() for name, rows in drawn.items()}
        here, elsewhere = tell_apart(
            x["internal"], x["external"], patients_here=drawn["internal"]["patient"].to_numpy(),
            patients_there=drawn["external"]["patient"].to_numpy(), seed=bootstrap.seed,
        )  # fmt: skip
        found = auroc_interval(
            np.repeat([0.0, 1.0], [len(here), len(elsewhere)]),
            np.concatenate([here, elsewhere]),
            # Two databases may use one number for different patients.
            patients=[f"{name} {one}" for name, rows in drawn.items() for one in rows["patient"]],
            level=bootstrap.level,
            n_resamples=bootstrap.n_resamples,
            seed=bootstrap.seed,
        )
        row |= {name: getattr(found, name) for name in ("estimate", "lower", "upper")}
        weights = drawn["internal"].select("recording_id", weight=pl.Series(weigh_like(here)))
    table = pl.DataFrame([row], schema=DOMAIN.schema).with_columns(pl.col(pl.Float64).round(DECIMALS))
    return Domain(DOMAIN.check(table), weights)


def _draw(side: Side, predictors: list[str], *, seed: int) -> pl.DataFrame:
    """Draw recordings: recording_id, patient and predictors, NaN where missing."""
    table = side.predictors.select("recording_id", pl.col(predictors).fill_null(float("nan")))
    table = table.with_columns(patient=side.patients).sort("recording_id")
    chosen = np.random.default_rng(seed).permutation(table.height)[:MOST]
    return table[np.sort(chosen)]


def part_by_case_mix(predictions: Iterable[pl.DataFrame], domain: Domain, *, bootstrap: Bootstrap) -> pl.DataFrame:
    """Part each target's difference between the two databases into the mix of patients and the rest.

    Parameters
    ----------
    predictions : iterable of DataFrame keeping `terms.PREDICTIONS`
        Of one target and one model each, of the sets internal (held out) and external.
    domain : Domain
        As `compare_domains` gives it.
    bootstrap : Bootstrap
        Resamples of patients, and the level.

    Returns
    -------
    DataFrame keeping `terms.TRANSPORT`
        Without the targets that are known in one database only.
    """
    tables = [TRANSPORT.empty()]
    for rows in predictions:
        sides = {name: rows.filter(pl.col("set") == name).sort("recording_id") for name in ("internal", "external")}
        if any(side.is_empty() for side in sides.values()):
            continue
        weighed = sides["internal"].join(domain.weights, on="recording_id", how="left", maintain_order="left")
        judged = {name: Judged(*(side[column].to_numpy() for column in ("y", "p", "patient_id")))
                  for name, side in sides.items()}  # fmt: skip
        weights = weighed["weight"].fill_null(0.0).to_numpy()
        found = part_difference(judged["internal"], weights, judged["external"], bootstrap=bootstrap)
        named = found.with_columns(target=pl.lit(rows["target"][0]), level=pl.lit(bootstrap.level))
        tables.append(named.select(list(TRANSPORT.schema)))
    return TRANSPORT.check(pl.concat(tables).with_columns(pl.col(pl.Float64).round(DECIMALS)))


def only(side: Side, recording_ids: pl.Series) -> Side:
    """Keep some recordings of a side."""
    kept = side.predictors["recording_id"].is_in(recording_ids.implode())
    mask = kept.to_numpy()
    return Side(side.predictors.filter(kept), side.patients.filter(kept), lambda target: side.outcome(target)[mask])
