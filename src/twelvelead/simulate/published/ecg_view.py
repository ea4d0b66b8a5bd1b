"""A simulated hospital as ECG-ViEW II publishes its own: measurements, diagnoses, drugs and three laboratory tests."""

from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.simulate.published.analytes import TESTS, target_of
from twelvelead.simulate.published.diseases import BACKGROUND, DISEASES
from twelvelead.simulate.published.effects import Planted
from twelvelead.simulate.published.machine import Floats, measure_by_machine
from twelvelead.simulate.published.mimic_laboratory import result_steps
from twelvelead.simulate.published.outcomes import Fate, draw_fate, truth_table
from twelvelead.simulate.published.population import BLOCK, Block, Plan
from twelvelead.simulate.site import SITE_A, Site

ECG_VIEW = Plan(
    site=Site(
        **{
            **vars(SITE_A),
            "code": "ecgview",
            "name": "Simulated hospital in the layout of ECG-ViEW II",
            "age_mean": 55.0,
            "age_sd": 16.0,
            "female_share": 0.46,
            "condition_shifts": (
                ("atrial_fibrillation", -0.4), ("ventricular_hypertrophy", 0.2), ("ischaemia", -0.2),
                ("right_bundle_branch_block", 0.3), ("left_axis", -0.3),
            ),
            "risk_shifts": (
                ("heart_failure", -0.5), ("coronary_disease", -0.4), ("obstructive_lung_disease", -0.3),
                ("alcoholic_liver_disease", -0.2), ("liver_cancer", 0.4), ("prostate_hyperplasia", -0.3),
                ("potassium", -0.3), ("reflux", 0.3),
            ),
        }
    ),
    single=0.6,
    tail=3.6,
    most=24,
    same_visit=0.35,
    apart_days=(190.0, 260.0),
    calendar=(date(1994, 6, 1), date(2013, 8, 31)),
    shift_days=(0, 0),
)  # fmt: skip
"""Two ECGs per person on average, of two decades; another case mix, the same effects. Dates are not shifted."""

_LABNAMES = {"Potassium": "K", "Calcium, Total": "Ca", "Magnesium": "Mg"}
_ON_PAPER_UNTIL = (date(2003, 1, 1) - ECG_VIEW.calendar[0]).days
_NOT_KEPT = {"PR": 0.55, "P_wave_axis": 0.62, "QRS_axis": 0.58, "T_wave_axis": 0.6}
"""Share of the old records, kept on paper, that lack a number; for the archive's reasons, not the heart's."""

_CODED, _SAMPLED = 0.9, 0.6
_LONGEST_RR, _NO_RR = 30_000, 0.0001
_DRUGS = {
    "C07AB07": "bisoprolol", "C09CA01": "losartan", "B01AC06": "acetylsalicylic acid", "N05AX08": "risperidone",
    "A02BC01": "omeprazole", "C03CA01": "furosemide",
}  # fmt: skip
_MORPHOLOGY = "M95303"  # of a tumour; the tables hold such codes among the diagnoses


def ecg_view_tables(block: Block) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Return a block's rows of every table, and the truth.

    Parameters
    ----------
    block : Block
        Drawn with the plan `ECG_VIEW`.

    Returns
    -------
    tables : dict of str to polars.DataFrame
        By path below the data folder. Blocks are written one under the other.
    truth : polars.DataFrame
        One row per ECG, with `patient_id`; `recording_id` is made as `io.databases` makes it, of person and time.
    """
    fate = draw_fate(block, since_icd10=0)
    person = 1 + block.number * BLOCK + block.recordings["patient"].to_numpy()
    visits = block.recordings.filter("is_first").with_columns(
        personid=1 + block.number * BLOCK + pl.col("patient"),
        coded=pl.Series(block.uniform("coded", fate.version.size) < _CODED),
    )
    tables = {
        "Electrocardiogram.csv": _electrocardiogram(block, person),
        "Person.csv": _person(block),
        "Diagnosis.csv": _diagnosis(block, visits, fate),
        "Drug.csv": _drug(block, visits),
        "Laboratory.csv": _laboratory(block, person, fate),
    }
    name = pl.format("{}-{}", "patient_id", pl.col("recorded_at").dt.strftime("%Y%m%dT%H%M%S"))
    truth = truth_table(block, fate).with_columns(
        patient_id=pl.Series(person).cast(pl.String),
        path=pl.lit(None, pl.String),
        coded=visits["coded"][block.recordings["visit"]],
    )
    return tables, truth.select(name.alias("recording_id"), pl.exclude("patient_id"), "patient_id")


def ecg_view_statics() -> dict[str, pl.DataFrame]:
    """Return the tables that are the same for every hospital of this layout: what the local codes mean."""
    spellings = [s for d in DISEASES for s in d.spellings] + list(BACKGROUND)
    titles = {_local(s.icd10): s.title for s in spellings}
    titles |= {_local(_MORPHOLOGY): "no_data", "DC99999": "Ménière's disease"}
    drugs = {f"DR{j:05d}": name for j, name in enumerate(_DRUGS.values())}
    return {
        "DiagnosisCodeMaster.csv": pl.DataFrame({"diaglocalcode": list(titles), "diagnosis": list(titles.values())}),
        "DrugCodeMaster.csv": pl.DataFrame({"druglocalcode": list(drugs), "drugigrdname": list(drugs.values())}),
    }


def _local(code: str) -> str:
    """Return the hospital's own code of a diagnosis, `DC12467`."""
    return f"DC{sum(ord(c) * 37**j for j, c in enumerate(code)) % 90_000 + 10_000}"


def korean_code(icd10: str) -> str:
    """Return the code of the Korean classification: of up to four characters, with a dot and without placeholders.

    Examples
    --------
    >>> korean_code("I5022"), korean_code("I10"), korean_code("W19XXXA")
    ('I50.2', 'I10', 'W19')
    """
    category, detail = icd10[:3], icd10[3:4]
    return category if detail in {"", "X"} else f"{category}.{detail}"


def _electrocardiogram(block: Block, person: NDArray[np.int64]) -> pl.DataFrame:
    """Return `Electrocardiogram.csv`: PR is missing in atrial fibrillation, and in many old records of any rhythm."""
    measured = measure_by_machine(block)
    n = person.size
    on_paper = block.recordings["real_day"].to_numpy() < _ON_PAPER_UNTIL
    lost = block.uniform("archive", n, 1 + len(_NOT_KEPT)).T
    rr = np.where(lost[0] < _NO_RR, _LONGEST_RR, measured["rr"])
    kept = {name: ~(on_paper & (lost[j + 1] < share)) for j, (name, share) in enumerate(_NOT_KEPT.items())}
    waves = (("P_wave", "p_axis"), ("QRS", "qrs_axis"), ("T_wave", "t_axis"))
    axes = {f"{wave}_axis": (measured[name] + 90) % 360 - 90 for wave, name in waves}
    axes = {name: np.where(axis == -90, 270, axis) for name, axis in axes.items()}  # from −89 to 270
    department, index = block.uniform("department", n), block.uniform("acci", n)
    columns: dict[str, Any] = {
        "personid": person,
        "ecgdate": block.recordings["recorded_at"],
        "ecgdept": np.array(["H", "O", "E", "I"])[(department * 4).astype(int)],
        "ecgsource": np.where(on_paper, "M", "E"),
        "RR": rr,
        "PR": np.where(kept["PR"], measured["pr"], np.nan),
        "QRS": measured["qrs"],
        "QT": measured["qt"].astype(int),
        "QTc": np.floor(measured["qt"] / np.sqrt(measured["rr"] / 1000)).astype(int),
        **{name: np.where(kept[name], axis, np.nan) for name, axis in axes.items()},
        "ACCI": np.floor(block.recordings["age_years"].to_numpy() / 15 + 4 * index**2).astype(int),
    }
    return pl.DataFrame(columns).with_columns(pl.col(pl.Float64).fill_nan(None))


def _person(block: Block) -> pl.DataFrame:
    """Return `Person.csv`: 1 is male, and the year of birth is known to five years."""
    born = block.patients["anchor_year"] - block.patients["anchor_age"]
    return block.patients.select(
        personid=1 + block.number * BLOCK + pl.col("patient"),
        sex=pl.when("female").then(0).otherwise(1),
        Birthyeargroup=((born - 1890) // 5).clip(0, 24),
        ethnicity=pl.lit("Korean"),
    )


def _diagnosis(block: Block, visits: pl.DataFrame, fate: Fate) -> pl.DataFrame:
    """Return `Diagnosis.csv`.

    Notes
    -----
    Nine in ten visits are coded, within five days after their first ECG. A third of the people have codes that say
    nothing about any ECG, a hundred days and more after their last.
    """
    n = visits.height
    late = np.floor(5 * block.uniform("diagdate", n)).astype(int)
    dated = visits.select("personid", diagdate=_days_after("recorded_at", late), coded="coded")
    tables = []
    for d in DISEASES:
        for number, s in enumerate(d.spellings):
            has = fate.diseases[d.name] & (fate.spelling[d.name] == number)
            tables.append(_coded(dated.filter(pl.Series(has) & pl.col("coded")), s.icd10))
    background = block.uniform("background", n, len(BACKGROUND)) < np.array([s.share for s in BACKGROUND])
    background[:, 0] |= ~background.any(axis=1)
    for j, s in enumerate(BACKGROUND):
        tables.append(_coded(dated.filter(pl.Series(background[:, j]) & pl.col("coded")), s.icd10))
    rare = block.uniform("morphology", n) < 0.01
    tables.append(_coded(dated.filter(pl.Series(rare)), _MORPHOLOGY))
    return pl.concat([*tables, *_unrelated(block, visits)]).sort("personid", "diagdate", "diagcode")


def _unrelated(block: Block, visits: pl.DataFrame) -> list[pl.DataFrame]:
    last = visits.group_by("personid", maintain_order=True).agg(pl.col("recorded_at").max())
    days = 100 + np.floor(300 * block.uniform("unrelated_day", last.height)).astype(int)
    dated = last.select("personid", diagdate=_days_after("recorded_at", days))
    chance = block.uniform("unrelated", last.height, len(DISEASES))
    some = (block.uniform("unrelated_person", last.height) < 0.33)[:, None] & (chance < 0.15)
    return [
        _coded(dated.filter(pl.Series(some[:, j])), d.spellings[0].icd10)
        for j, d in enumerate(DISEASES)
        if d.sex is None
    ]


def _days_after(column: str, days: NDArray[Any]) -> pl.Expr:
    """Return the day so many days later."""
    return pl.col(column).dt.truncate("1d") + pl.Series(days * 86_400_000_000).cast(pl.Duration("us"))


def _coded(rows: pl.DataFrame, icd10: str) -> pl.DataFrame:
    code = icd10 if icd10 == _MORPHOLOGY else korean_code(icd10)
    return rows.select(
        "personid",
        "diagdate",
        diagcode=pl.lit(code),
        diaglocalcode=pl.lit(_local(icd10)),
        diagdept=pl.lit("IM"),
    )


def _drug(block: Block, visits: pl.DataFrame) -> pl.DataFrame:
    """Return `Drug.csv`; what is prescribed depends on nothing."""
    given = block.uniform("drug", visits.height, len(_DRUGS)) < 0.15
    tables = [
        visits.filter(pl.Series(given[:, j])).select(
            "personid",
            drugdate=pl.col("recorded_at").dt.truncate("1d"),
            druglocalcode=pl.lit(f"DR{j:05d}"),
            atccode=pl.lit(code),
            drugdept=pl.lit("IM"),
            route=pl.lit("PO"),
            duration=pl.lit(30),
        )
        for j, code in enumerate(_DRUGS)
    ]
    return pl.concat(tables).sort("personid", "drugdate", "atccode")


def _laboratory(block: Block, person: NDArray[np.int64], fate: Fate) -> pl.DataFrame:
    """Return `Laboratory.csv`: names and values only; at three in five ECGs, within 59 min.

    The limits that abnormal results exceed are those of the same tests in the layout of MIMIC-IV.
    """
    n = person.size
    drawn, minute = block.uniform("blood", n, 2).T
    shift = pl.Series(np.floor(-59 + 118 * minute).astype(np.int64) * 60_000_000).cast(pl.Duration("us"))
    tables = []
    for test in TESTS:
        if test.label not in _LABNAMES:
            continue
        rows = np.flatnonzero(drawn < _SAMPLED)
        values = _values(block, test.outcome, fate, rows)
        tables.append(
            pl.DataFrame(
                {
                    "personid": person[rows],
                    "labdate": (block.recordings["recorded_at"] + shift)[rows],
                    "labname": np.full(rows.size, _LABNAMES[test.label]),
                    "labvalue": values / test.per_unit,
                }
            )
        )
    return pl.concat(tables).sort("personid", "labdate", "labname")


def _values(block: Block, outcome: Planted, fate: Fate, rows: NDArray[np.int64]) -> Floats:
    test = next(t for t in TESTS if t.outcome is outcome)
    female = block.recordings["female"].to_numpy()[rows]
    steps = result_steps(
        test,
        decides=fate.results[outcome.name][rows],
        risk=fate.risks[outcome.name][rows],
        place=block.uniform(f"place/{target_of(test)}", block.recordings.height)[rows],
        female=female,
        later=np.zeros(rows.size, dtype=bool),
    )
    return steps["valuenum"]
