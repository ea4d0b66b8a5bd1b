"""People, releases and what is seen of them."""

from dataclasses import fields, replace
from datetime import date, datetime

import numpy as np
import pytest

from twelvelead.measure import CATALOGUE, measure
from twelvelead.privacy import Release, Sample, add_noise, beat_units, feature_units, resample_to, simulated_people
from twelvelead.privacy.units import PER_UNIT, Units
from twelvelead.signal import Recording
from twelvelead.terms import InputError


def flat(name, leads=("I",)):
    return Recording(np.zeros((len(leads), 5000)), leads, 500, id=name)


@pytest.fixture(scope="module")
def release():
    return simulated_people(4, 2, seed=5)


def test_a_sample_is_checked():
    with pytest.raises(InputError, match="female, male or None"):
        Sample(flat("r"), "a", sex="F")
    with pytest.raises(InputError, match="identifier"):
        Sample(flat(""), "a")
    assert Sample(flat("r"), "a", datetime(2004, 12, 7, 9, 30)).day == date(2004, 12, 7)
    assert Sample(flat("r"), "a", date(2004, 12, 7)).day == date(2004, 12, 7)


def test_a_release_has_no_recording_twice():
    with pytest.raises(InputError, match="'r' twice"):
        Release((Sample(flat("r"), "a"), Sample(flat("r"), "b")))


def test_recordings_are_numbered_in_time_and_ties_stand_as_given(release):
    days = (date(2020, 5, 2), date(2020, 5, 1), date(2020, 5, 2), date(2020, 5, 2))
    ecgs = [s.recording for s in release.samples[:4]]
    units = feature_units(Release(tuple(Sample(r, "a", d) for r, d in zip(ecgs, days, strict=True))))
    assert units.order.tolist() == [1, 0, 2, 3]
    assert units.day.tolist() == [d.toordinal() for d in days]


def test_a_blind_unit_tells_nothing_but_its_signal_and_its_group(release):
    dated = Release(tuple(replace(s, recorded_at=date(2020, 5, 1)) for s in release.samples))
    units = beat_units(dated, leads=("II",))
    seen = units.blind()
    shown = {name for name in PER_UNIT if np.array_equal(getattr(seen, name), getattr(units, name), equal_nan=True)}
    assert shown == {"x", "group", "at_s"}
    tables = {"names", "recording_ids", "subject_ids", "devices", "fs", "at_r_s", "unmeasured"}
    assert set(PER_UNIT) == {f.name for f in fields(Units)} - tables


def test_what_cannot_be_measured_is_listed(release):
    samples = (*release.samples, Sample(flat("still", release.samples[0].recording.leads), "zoe"))
    for units in (beat_units(Release(samples), leads=("II",)), feature_units(Release(samples))):
        assert [name for name, _ in units.unmeasured] == ["still"]
        assert units.unmeasured[0][1]
        assert "zoe" in units.subject_ids
        assert "still" not in {units.recording_ids[k] for k in units.recording}


def test_leads_are_those_of_all(release):
    one = Sample(Recording(release.samples[0].recording["II"][None], ("II",), 500, id="one"), "zoe")
    assert beat_units(Release((*release.samples, one))).names == ("II",)
    with pytest.raises(InputError, match="share a lead"):
        beat_units(Release((Sample(flat("x", ("A",)), "a"), Sample(flat("y", ("B",)), "b"))))


@pytest.mark.parametrize("change", [resample_to(500), resample_to(100), resample_to(25), add_noise(0.05, seed=1)])
def test_beats_stand_at_one_place_after_any_change(release, change):
    before, after = (beat_units(r, leads=("I", "V2")) for r in (release, change(release)))
    assert after.x.shape[1:] == (2, 175)
    assert not after.unmeasured
    lags = range(-8, 9)
    for k in range(len(release.samples)):
        one, two = (np.median(u.x[u.recording == k], axis=0) for u in (before, after))
        alike = [np.corrcoef(one[:, 10:-10].ravel(), np.roll(two, lag)[:, 10:-10].ravel())[0, 1] for lag in lags]
        assert abs(lags[int(np.argmax(alike))]) <= 3  # 12 ms; a QRS complex lasts 80 ms or more
        assert max(alike) > 0.8


def test_the_complex_stands_at_r(release):
    units = beat_units(release, leads=("I", "II", "V2"))
    slope = np.square(np.diff(np.median(units.x, axis=0), axis=1)).sum(axis=0)
    centre = (slope * (np.arange(len(slope)) + 0.5)).sum() / slope.sum() / units.fs
    assert centre == pytest.approx(units.at_r_s, abs=0.02)


def test_rows_are_those_of_measure(release):
    units = feature_units(release)
    row, _ = measure(release.samples[3].recording)
    expected = [np.nan if row[m.name] is None else row[m.name] for m in CATALOGUE]
    np.testing.assert_allclose(units.x[units.recording == 3][0], expected, rtol=1e-6)
    windows = feature_units(release, names=["heart_rate_bpm"], window_s=4)
    assert np.bincount(windows.recording).tolist() == [2] * 8
    assert windows.at_s[:2].tolist() == [2.0, 7.0]
    with pytest.raises(InputError, match="CATALOGUE"):
        feature_units(release, names=["shoe_size"])


def test_noise_is_of_the_recording_alone(release):
    noisy = add_noise(0.1, seed=3)
    alone = noisy(Release(release.samples[2:3])).samples[0].recording.signal
    assert np.array_equal(alone, noisy(release).samples[2].recording.signal)
    added = alone - release.samples[2].recording.signal
    assert added.std() == pytest.approx(0.1, rel=0.02)
    assert noisy(resample_to(100)(release)).label.endswith("100 Hz, noise of 0.1 mV")
    with pytest.raises(InputError, match="at least 0"):
        add_noise(-1, seed=0)
