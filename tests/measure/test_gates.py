"""Gates on real recordings at ../shared/data: what is found, what is refused, and no P wave in fibrillation.

In sample: the detector's weights, the refiner and the probability of P were set on these very records of the
Lobachevsky and the MIT-BIH database. What they give on others, training/marks.py finds by leaving records out. The
recordings of PTB-XL have set nothing here.
"""

import ast
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from twelvelead import io
from twelvelead.measure import features_contract, measure_many
from twelvelead.measure.windows import OVERLAP_S, PIECE_S, measure_windows
from twelvelead.terms import FAILURES, FIDUCIALS

DATA = Path(__file__).parents[2].parent / "shared" / "data"
WITHIN_S = 0.150
"""A mark is found if one lies within 150 ms of it, as everybody counts."""


def pair(reference, found):
    """Pair marks one to one, nearest first; returns the errors in s of the pairs, and what is left of `found`."""
    gap = found[None, :] - reference[:, None]
    rows, columns = np.nonzero(np.abs(gap) <= WITHIN_S)
    errors, left_r, left_f = [], set(range(reference.size)), set(range(found.size))
    for k in np.argsort(np.abs(gap[rows, columns]), kind="stable"):
        if rows[k] in left_r and columns[k] in left_f:
            left_r.remove(rows[k])
            left_f.remove(columns[k])
            errors.append(gap[rows[k], columns[k]])
    return np.array(errors), found[sorted(left_f)]


def test_pairs_are_one_to_one_and_nearest_first():
    errors, left = pair(np.array([1.0, 1.1, 5.0]), np.array([1.08, 1.2, 3.0]))
    np.testing.assert_allclose(errors, [-0.02])  # 1.1 takes 1.08; 1.2 is more than 150 ms from 1.0
    assert left.tolist() == [1.2, 3.0]


@pytest.fixture(scope="module")
def ptbxl():
    """All recordings of the PTB-XL sample measured, and the diagnoses of each: {id: set of SCP codes}."""
    folder = DATA / "ptbxl"
    if not folder.is_dir():
        pytest.skip("the PTB-XL sample is not at ../shared/data/ptbxl")
    table = pl.read_csv(folder / "ptbxl_database.csv")
    codes = {Path(name).name: set(ast.literal_eval(scp)) for name, scp in table["filename_hr", "scp_codes"].rows()}
    paths = sorted((folder / "records500").rglob("*.hea"))
    return [path.stem for path in paths], measure_many(io.read(path) for path in paths), codes


def test_every_recording_is_measured_or_refused_with_a_reason(ptbxl):
    names, rows, _ = ptbxl
    features_contract().check(rows.features)
    FIDUCIALS.check(rows.fiducials)
    FAILURES.check(rows.failures)
    told = [*rows.features["recording_id"], *rows.failures["recording_id"]]
    assert sorted(told) == sorted(names)
    assert rows.features.height >= 0.98 * len(names)  # a real 12-lead ECG in use can be measured
    assert rows.features["qrs_duration_ms"].null_count() == 0
    marked = rows.fiducials.filter(pl.col("lead") == "global").group_by("recording_id").len()
    counted = dict(marked.iter_rows())
    assert all(counted[row["recording_id"]] == row["beat_count"] for row in rows.features.iter_rows(named=True))


def test_no_p_wave_is_found_in_fibrillation(ptbxl):
    """Nine tenths of the beats of recordings that a cardiologist called fibrillation have no P wave."""
    names, rows, codes = ptbxl
    ill = [name for name in names if "AFIB" in codes[name]]
    beats = rows.fiducials.filter((pl.col("lead") == "global") & pl.col("recording_id").is_in(ill))
    assert len(ill) >= 8
    assert beats["p_peak_s"].null_count() >= 0.90 * beats.height
    # … and that is no habit of leaving P out: sinus rhythm keeps it.
    well = [name for name in names if {"NORM", "SR"} <= codes[name]]
    beats = rows.fiducials.filter((pl.col("lead") == "global") & pl.col("recording_id").is_in(well))
    assert beats["p_peak_s"].null_count() <= 0.05 * beats.height


LEAST = {"p": (0.97, 0.97), "r": (0.999, 0.997), "t": (0.995, 0.992)}
"""Share of the annotated waves that is found, and share of those found that is right, in each lead on its own."""


def test_in_sample_waves_of_the_lobachevsky_database(ludb):
    numbers = sorted(int(path.stem) for path in (DATA / "ludb").glob("*.hea"))
    count = {wave: np.zeros(3) for wave in LEAST}  # annotated, found, false
    for number in numbers:
        recording, marks = ludb(number)
        table = measure_many([recording]).fiducials
        for lead, reference in marks.items():
            every = np.concatenate(list(reference.values()))
            of_lead = table.filter(lead=lead)
            for wave in LEAST:
                found = of_lead[f"{wave}_peak_s"].drop_nulls().to_numpy()
                annotated = reference.get(f"{wave}_peak", np.empty(0))
                errors, left = pair(annotated, found)
                false = ((left >= every.min()) & (left <= every.max())).sum()
                count[wave] += annotated.size, errors.size, false
    for wave, (annotated, found, false) in count.items():
        assert found / annotated >= LEAST[wave][0], wave
        assert found / (found + false) >= LEAST[wave][1], wave


BEATS = (*range(1, 14), 25, 30, 34, 35, 38, 41)
"""Codes of the annotation format that stand for a beat; 32 and 33 begin and end ventricular flutter."""


def test_in_sample_beats_of_the_mit_bih_database(annotation):
    folder = DATA / "mitdb"
    if not folder.is_dir():
        pytest.skip("the MIT-BIH arrhythmia database is not at ../shared/data/mitdb")
    count = np.zeros(3)  # annotated, found, false
    for path in sorted(folder.glob("*.hea")):
        source = io.open_recording(path)
        rows = measure_windows(source.windows(PIECE_S, overlap=OVERLAP_S), recording_id=path.stem)
        assert rows.failures.is_empty(), path.stem
        found = rows.fiducials.filter(lead="global")["r_peak_s"].drop_nulls().unique().sort().to_numpy()
        at, codes = np.array(annotation(path.with_suffix(".atr"))).T
        reference = at[np.isin(codes, BEATS)] / source.fs
        for a, b in zip(at[codes == 32] / source.fs, at[codes == 33] / source.fs, strict=True):  # it has no beats
            reference = reference[(reference < a) | (reference > b)]
            found = found[(found < a - WITHIN_S) | (found > b + WITHIN_S)]
        errors, left = pair(reference, found)
        count += reference.size, errors.size, left.size
    annotated, found, false = count
    assert found / annotated >= 0.997
    assert found / (found + false) >= 0.995
