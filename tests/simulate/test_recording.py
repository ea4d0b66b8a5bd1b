"""Waveforms and true marks: laws that hold for every recording of either hospital."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from twelvelead.simulate import SITE_A, SITE_B, hospital, recording, true_fiducials
from twelvelead.simulate.noise import convert, draw_noise, pass_band
from twelvelead.terms import CHEST_LEADS, FIDUCIALS, LEADS

SITES = {"a": SITE_A, "b": SITE_B}


@pytest.fixture(scope="module", params=["a", "b"])
def case(request, hospital_a, hospital_b):
    """A site, and rows of its truth: the first forty, and some of every rhythm and morphology."""
    truth = {"a": hospital_a, "b": hospital_b}[request.param].truth
    rare = [
        truth.filter(condition).head(4)
        for condition in (
            pl.col("rhythm") == "af",
            pl.col("premature_beat_count") == 2,
            pl.col("bundle_branch_block") == "left",
            pl.col("bundle_branch_block") == "right",
            pl.col("has_low_voltage"),
            pl.col("heart_rate_bpm") == pl.col("heart_rate_bpm").max(),
            pl.col("heart_rate_bpm") == pl.col("heart_rate_bpm").min(),
        )
    ]
    assert all(table.height for table in rare)
    return SITES[request.param], list(pl.concat([truth.head(40), *rare]).iter_rows(named=True))


def quiet(site):
    """Return the same site with a machine that adds nothing."""
    return replace(site, wander_mv=0.0, mains_mv=0.0, muscle_mv=0.0, band_hz=(1e-9, 1e9), adc_step_mv=1e-5)


def test_every_recording_is_what_its_machine_would_store(case):
    site, rows = case
    for row in rows:
        ecg = recording(row, site=site)
        assert ecg.id.startswith(f"sim-{site.code}-")
        assert (ecg.fs, ecg.leads, ecg.duration, ecg.start) == (site.fs, site.leads, 10.0, row["recorded_at"])
        assert ecg.signal.dtype == np.float32
        assert np.isfinite(ecg.signal).all()
        steps = ecg.signal.astype(float) / site.adc_step_mv
        assert np.abs(steps - np.rint(steps)).max() < 1e-2  # float32 has seven digits, an amplitude below 10,000 steps
        # One half step each is lost where a sum of two odd numbers of steps is halved.
        assert np.abs(ecg["II"] - ecg["I"] - ecg["III"]).max() < 0.01 * site.adc_step_mv
        assert np.abs(ecg["aVR"] + (ecg["I"] + ecg["II"]) / 2).max() < 0.51 * site.adc_step_mv
        assert np.abs(ecg["aVF"] - ecg["II"] + ecg["I"] / 2).max() < 0.51 * site.adc_step_mv


def test_amplitudes_are_those_a_heart_gives(case):
    site, rows = case
    for row in rows:
        ecg = recording(row, site=site)
        spread = np.array([np.ptp(ecg[lead]) for lead in CHEST_LEADS])
        assert 0.3 < spread.max() < 8.0
        assert np.abs(ecg.signal).max() < 6.0


def test_a_recording_depends_on_its_row_alone(case):
    site, rows = case
    once = [recording(row, site=site).signal.tobytes() for row in rows[:12]]
    again = [recording(row, site=site).signal.tobytes() for row in rows[:12][::-1]][::-1]
    assert once == again
    assert len(set(once)) == 12


def test_silence_between_the_true_marks_and_signal_within(case):
    """Without noise and filter the waveform is zero outside the marks and nowhere else."""
    site, rows = case
    for row in [r for r in rows if r["rhythm"] == "sinus"][:25]:
        ecg = recording(row, site=quiet(site))
        marks = true_fiducials(row, site=site).filter(pl.col("lead") == "global")
        t = np.arange(ecg.n_samples) / ecg.fs
        within = np.zeros(t.size, dtype=bool)
        for wave in ("p", "qrs", "t"):
            spans = marks.select(f"{wave}_onset_s", f"{wave}_offset_s").drop_nulls()
            for start, end in spans.iter_rows():
                within |= (t > start) & (t < end)
        # A beat cut by either end has no marks, so look at what lies between the first and last complete beat.
        inner = (t > marks["qrs_onset_s"][0]) & (t < marks["qrs_offset_s"][-1])
        flat = ecg.signal - np.median(ecg.signal[:, inner & ~within], axis=1, keepdims=True)
        loud = np.abs(flat).max(axis=0)
        # The low-pass is not fully off at the Nyquist frequency: 0.02 mV beside a QRS of 2 mV at 250 Hz.
        assert loud[inner & ~within].max() < 0.02
        assert np.median(loud[inner & within]) > 0.05


def test_marks_keep_their_contract_and_give_back_the_true_intervals(case):
    site, rows = case
    for row in rows:
        marks = true_fiducials(row, site=site)
        FIDUCIALS.check(marks)
        assert marks["lead"].unique(maintain_order=True).to_list() == ["global", *site.leads]
        beats = marks.filter(pl.col("lead") == "global")
        qrs = 1000 * (beats["qrs_offset_s"] - beats["qrs_onset_s"])
        usual = (qrs - row["qrs_duration_ms"]).abs() < 1e-6
        assert usual.sum() >= beats.height - row["premature_beat_count"]
        ordinary = beats.filter(usual)
        pr = 1000 * (ordinary["qrs_onset_s"] - ordinary["p_onset_s"]).drop_nulls()
        if row["rhythm"] == "af":
            assert pr.is_empty()
            assert row["pr_interval_ms"] is None
        else:
            assert pr.to_numpy() == pytest.approx(row["pr_interval_ms"], abs=1e-6)
        qt = 1000 * (ordinary["t_offset_s"] - ordinary["qrs_onset_s"]).drop_nulls()
        # Beat by beat QT follows RR; a tenth is more than a quarter of the relative change of RR over three.
        assert qt.mean() == pytest.approx(row["qt_interval_ms"], rel=0.02)
        if row["premature_beat_count"] == 0:
            rr = np.diff(beats["qrs_onset_s"].to_numpy())
            # Exact but for a last beat that the end of the recording cuts: then one interval of six or more is missing.
            assert 60 / rr.mean() == pytest.approx(row["heart_rate_bpm"], rel=0.02 if row["rhythm"] == "sinus" else 0.1)


def test_marks_are_in_order_and_waves_do_not_overlap(case):
    site, rows = case
    names = [c for c in FIDUCIALS.schema if c.endswith("_s")]
    for row in rows:
        marks = true_fiducials(row, site=site)
        times = marks.select(names).to_numpy()
        for one in times:
            present = one[~np.isnan(one)]
            assert (np.diff(present) >= 0).all()
        beats = marks.filter(pl.col("lead") == "global")
        gap = (beats["p_onset_s"].shift(-1) - beats["t_offset_s"]).drop_nulls()
        assert (gap > 0).all()


def test_a_leads_own_marks_lie_within_the_global_ones(case):
    site, rows = case
    for row in rows[:10]:
        marks = true_fiducials(row, site=site)
        whole = marks.filter(pl.col("lead") == "global").drop("lead", "recording_id")
        both = marks.filter(pl.col("lead") != "global").join(whole, on="beat", suffix="_global", validate="m:1")
        for wave in ("p", "qrs", "t"):
            assert (both[f"{wave}_onset_s"] >= both[f"{wave}_onset_s_global"]).all()
            assert (both[f"{wave}_offset_s"] <= both[f"{wave}_offset_s_global"]).all()


def test_a_wave_a_lead_does_not_show_has_no_marks_there():
    row = hospital(1, site=SITE_A, seed=1).truth.row(0, named=True) | {"p_size_mv": 0.001, "rhythm": "sinus"}
    row |= {"pr_interval_ms": 160.0, "p_duration_ms": 100.0}
    marks = true_fiducials(row, site=SITE_A).filter(pl.col("lead") != "global")
    assert marks["p_onset_s"].null_count() == marks.height
    assert marks["qrs_onset_s"].null_count() == 0


@pytest.mark.parametrize(
    ("column", "lead", "mark"),
    [
        ("r_amplitude_v5_mv", "V5", "r_peak_s"),
        ("qrs_nadir_v1_mv", "V1", "r_peak_s"),
        ("t_amplitude_v3_mv", "V3", "t_peak_s"),
        ("t_amplitude_v5_mv", "V5", "t_peak_s"),
    ],
)
def test_true_amplitudes_can_be_read_off_the_noisy_waveform(case, column, lead, mark):
    """The median over the beats of the sample at the true peak, from the sample at the QRS onset, is the truth."""
    site, rows = case
    errors = []
    for row in rows:
        ecg = recording(row, site=site)
        marks = true_fiducials(row, site=site).filter(pl.col("lead") == lead).drop_nulls(["qrs_onset_s", mark])
        # Where S is the main deflection of V1, or R of V5, its mark is there; elsewhere it is another wave's.
        if row["rhythm"] == "af" or row["premature_beat_count"] or row["bundle_branch_block"] == "right":
            continue
        at = [np.rint(marks[name].to_numpy() * site.fs).astype(int) for name in (mark, "qrs_onset_s")]
        at = [np.minimum(index, ecg.n_samples - 1) for index in at]
        if marks.height:
            errors.append(np.median(ecg[lead][at[0]] - ecg[lead][at[1]]) - row[column])
    # Noise of the two samples, wander between them, and a peak that 250 Hz and a 100 Hz filter make up to 8 % lower.
    assert len(errors) > 20
    assert abs(np.median(errors)) < 0.05
    assert np.quantile(np.abs(errors), 0.8) < 0.12


def test_noise_has_the_stated_size():
    site = replace(SITE_A, mains_mv=0.0)
    levels = [draw_noise(5000, site=site, level=2.0, rng=np.random.default_rng(seed)).std() for seed in range(40)]
    # 2 x sqrt(0.05² + 0.008²) = 0.1013 mV; 40 draws of five waves in eight leads leave a few per cent.
    assert np.sqrt(np.mean(np.square(levels))) == pytest.approx(0.1013, abs=0.01)


def test_the_machines_filter_passes_its_band_and_halves_the_power_at_its_corners():
    t = np.arange(10_000) / SITE_A.fs
    for f, gain in ((10.0, 1.0), (150.0, np.sqrt(0.5)), (0.05, np.sqrt(0.5)), (0.0, 0.0)):
        wave = np.cos(2 * np.pi * f * t, dtype=np.float32)[None]
        passed = pass_band(wave, site=SITE_A)
        assert passed.std() == pytest.approx(gain * wave.std(), abs=0.003)


def test_conversion_rounds_to_the_nearest_step():
    assert convert(np.array([[0.012, -0.013]], dtype=np.float32), site=SITE_B).tolist() == [[2.0, -3.0]]


def test_leads_are_where_the_site_says(hospital_b):
    """Hospital B stores aVF before aVL; aVF is II minus half of I whatever its place."""
    ecg = recording(hospital_b.truth.row(0, named=True), site=SITE_B)
    assert ecg.leads.index("aVF") < ecg.leads.index("aVL")
    assert set(ecg.leads) == set(LEADS)
    assert np.abs(ecg.signal[4] - (ecg["II"] - ecg["I"] / 2)).max() < SITE_B.adc_step_mv
