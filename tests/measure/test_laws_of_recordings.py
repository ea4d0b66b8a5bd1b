"""The laws of the CATALOGUE on real recordings: what a typical one may change by when it is sampled otherwise, &c."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twelvelead.io import read
from twelvelead.measure import CATALOGUE, measure_many
from twelvelead.signal import Recording, resample

EVERY = 9
"""One recording in nine: 39 of the 350."""

# What a measurement may change by in the median recording: times by one sample of 250 Hz, other units by what a
# sample of 500 Hz can move on the synthetic heart.
MEDIAN = {"ms": 4.0, "mV": 0.010, "mV*ms": 1.0, "mV/s": 0.30, "deg": 2.0, "1": 0.05, "1/min": 0.1}
AMPLITUDES = {"mV", "mV*ms", "mV/s"}
# Noise above 40 Hz is what a lower rate loses.
NOISE = ("noise_", "beat_scatter")
MORE = {"qrs_total_voltage_mv": 12.0, "cornell_product_mvms": 4.0, "st_axis_deg": 2.0, "u_amplitude": 3.0}
"""How many times that: the sum of twelve leads; 1 mV times QRS duration; the axis of an ST segment that hardly deviates
in most; what counts as 0 below 20 µV."""

BY_NAME = pytest.mark.parametrize("measurement", CATALOGUE, ids=lambda m: m.name)


def vary(recording):
    signal = recording.signal
    return {
        "whole": recording,
        "resampled": resample(recording, fs=250),
        "shifted": replace(recording, signal=signal[:, 37:]),
        "double": replace(recording, signal=2 * signal),
        "half": replace(recording, signal=signal / 2),
        "offset": replace(recording, signal=signal + np.float32(4)),
        "reversed": Recording(signal[::-1], recording.leads[::-1], recording.fs, id=recording.id),
    }


def limit_of(measurement):
    return MEDIAN[measurement.unit] * max([1.0, *(v for k, v in MORE.items() if measurement.name.startswith(k))])


@pytest.fixture(scope="module")
def recordings():
    folder = Path(__file__).parents[2].parent / "shared" / "data" / "ptbxl" / "records500"
    if not folder.is_dir():
        pytest.skip("the PTB-XL sample is not at ../shared/data/ptbxl")
    return [read(path) for path in sorted(folder.rglob("*.hea"))[::EVERY]]


@pytest.fixture(scope="module")
def tables(recordings):
    """{change: table of features}, all of the same recordings in the same order."""
    changed = [vary(recording) for recording in recordings]
    found = {how: measure_many((c[how] for c in changed), fiducials=False).features for how in changed[0]}
    for table in found.values():
        assert table["recording_id"].equals(found["whole"]["recording_id"])
    return found


def change(measurement, tables, how, *, factor=1.0):
    """Median over the recordings of how far a measurement moves, and the share of them that lose or gain it."""
    a, b = (tables[of][measurement.name].to_numpy() for of in ("whole", how))
    both = np.isfinite(a) & np.isfinite(b)
    gap = np.abs(a[both] * factor - b[both])
    if measurement.unit == "deg":
        gap = np.minimum(gap, 360 - gap)
    return (np.median(gap) if gap.size else 0.0), (np.isfinite(a) != np.isfinite(b)).mean()


def assert_steady(measurement, tables, how, *, limit, factor=1.0):
    moved, lost = change(measurement, tables, how, factor=factor)
    assert moved <= limit
    assert lost <= 0.05


@pytest.mark.parametrize("measurement", [m for m in CATALOGUE if not m.name.startswith(NOISE)], ids=lambda m: m.name)
def test_half_the_sampling_rate_changes_little(measurement, tables):
    assert_steady(measurement, tables, "resampled", limit=limit_of(measurement))


@BY_NAME
def test_a_later_start_changes_little(measurement, tables):
    assert_steady(measurement, tables, "shifted", limit=limit_of(measurement))


@BY_NAME
def test_an_offset_changes_nothing(measurement, tables):
    # 4 mV leave single precision 0.5 µV: a mark moves by less than a quarter of a sample, a wave's end by one.
    assert_steady(measurement, tables, "offset", limit=0.1 * limit_of(measurement))


@BY_NAME
def test_order_of_leads_changes_nothing(measurement, tables):
    # Sums over the leads are rounded otherwise in another order.
    assert_steady(measurement, tables, "reversed", limit=0.1 * limit_of(measurement))


# They count by a limit in mV, and count more of a larger heart: test_laws.py recounts them.
LIMITED = ("qrs_low_voltage_count", "qrs_fragmented_count")


# Not 0: waves of the QRS complex last while they exceed 20 µV, by definition; and the refiner sees how large a wave is,
# by which it moves a mark.
@pytest.mark.parametrize("how", ["double", "half"])
@pytest.mark.parametrize("measurement", [m for m in CATALOGUE if m.name not in LIMITED], ids=lambda m: m.name)
def test_gain_scales_amplitudes_and_moves_no_mark(measurement, how, tables):
    factor = {"double": 2.0, "half": 0.5}[how] if measurement.unit in AMPLITUDES else 1.0
    assert_steady(measurement, tables, how, factor=factor, limit=limit_of(measurement) * max(1.0, factor))


@pytest.mark.parametrize("how", ["resampled", "double", "half"])
@pytest.mark.parametrize("name", ["p_duration_ms", "pr_interval_ms", "qrs_duration_ms", "qt_interval_ms"])
def test_intervals_of_nearly_every_recording_move_by_less_than_two_samples(name, how, tables):
    gap = (tables["whole"][name] - tables[how][name]).abs().drop_nulls()
    assert (gap <= 4.0).mean() >= 0.90


def test_batch_mates_change_no_bit(recordings, tables):
    alone = [measure_many([recording], fiducials=False).features for recording in recordings]
    backwards = measure_many(recordings[::-1], fiducials=False).features
    assert tables["whole"].equals(backwards.reverse(), null_equal=True)
    for k, row in enumerate(alone):
        assert tables["whole"][k].equals(row, null_equal=True)
