"""Segments: the limits that our delineation sets, at the right place of each beat."""

import numpy as np
import pytest

from twelvelead.measure import Mark, observe
from twelvelead.privacy import Release, Sample, beat_units, simulated_people
from twelvelead.privacy.segments import SEGMENTS, Segmented, lay_out, mean_beat, segment_beats, split_qrs
from twelvelead.signal import Recording
from twelvelead.terms import InputError

EDGES_S = [-0.20, -0.10, -0.05, -0.02, 0.02, 0.05, 0.12, 0.32]
TIME_S = np.arange(175) / 250 - 0.25


@pytest.fixture(scope="module")
def simulated():
    release = simulated_people(10, 1, seed=3)
    units = beat_units(release, leads=("I", "II", "V5"))
    return release, units, segment_beats(release, units)


def lasting(places):
    """Milliseconds of each segment at 250 Hz."""
    return dict(zip(SEGMENTS, np.bincount(places, minlength=len(SEGMENTS)) * 4.0, strict=True))


def test_every_sample_has_one_segment_in_the_order_of_the_beat():
    places = lay_out(EDGES_S, TIME_S)
    turns = places[np.r_[True, np.diff(places) != 0]]
    assert [SEGMENTS[k] for k in turns] == ["TP", "P", "PR", "Q", "R", "S", "ST", "T", "TP"]
    wanted = {"P": 100, "PR": 52, "Q": 28, "R": 40, "S": 32, "ST": 68, "T": 200}  # to a sample of 4 ms
    for name, ms in wanted.items():
        assert abs(lasting(places)[name] - ms) <= 4


def test_without_p_what_precedes_qrs_is_tp():
    edges = [np.nan, np.nan, *EDGES_S[2:]]
    lasts = lasting(lay_out(edges, TIME_S))
    assert lasts["P"] == lasts["PR"] == 0
    assert lasts["TP"] == pytest.approx(200 + 130, abs=8)


def test_an_edge_before_an_earlier_one_stands_where_that_does():
    edges = list(EDGES_S)
    edges[6] = 0.03  # T begins before the end of QRS
    assert lasting(lay_out(edges, TIME_S))["ST"] == 0


def test_r_is_the_tallest_positive_wave():
    """An rSr' complex: the second r is the taller one; what precedes it counts as Q."""
    complex_mv = np.array([0.0, 0.2, 0.1, -0.3, -0.1, 0.5, 0.3, -0.1])
    assert split_qrs(complex_mv) == (5, 7)


def test_segments_are_those_of_the_delineation(simulated):
    release, _, segmented = simulated
    assert not segmented.unsegmented
    for number in np.unique(segmented.units.recording):
        own = segmented.units.recording == number
        places = segmented.of_sample[own]
        assert (places == places[0]).all(), "one set of marks for each recording"
        marks = observe(release.samples[number].recording, ("I", "II", "V5")).global_marks_s
        lasts = lasting(places[0])
        qrs = 1000 * np.nanmedian(marks[:, Mark.QRS_OFFSET] - marks[:, Mark.QRS_ONSET])
        assert lasts["Q"] + lasts["R"] + lasts["S"] == pytest.approx(qrs, abs=8)
        if np.isfinite(marks[:, Mark.P_ONSET]).all():
            p = 1000 * np.nanmedian(marks[:, Mark.P_OFFSET] - marks[:, Mark.P_ONSET])
            assert lasts["P"] == pytest.approx(p, abs=12)


def test_r_holds_the_middle_of_the_beat_and_t_its_last_hump(simulated):
    _, units, segmented = simulated
    at_r = round(units.at_r_s * units.fs)
    in_qrs = np.isin(segmented.of_sample[:, at_r], [SEGMENTS.index(name) for name in "QRS"])
    assert in_qrs.all()
    beat = mean_beat(segmented)[1]
    rise = {
        name: np.ptp(beat[(segmented.of_sample == SEGMENTS.index(name)).mean(axis=0) > 0.9]) for name in ("ST", "T")
    }
    assert rise["T"] > 10 * rise["ST"]


def test_p_that_is_not_seen_is_where_it_usually_is(simulated):
    """Noise of 0.2 mV hides every P wave of one recording; its P segment is the middle of the others', from QRS."""
    release, _, clean = simulated
    first = release.samples[0]
    noise = 0.2 * np.random.default_rng(0).normal(size=first.recording.signal.shape)
    noisy = Recording(first.recording.signal + noise, first.recording.leads, first.recording.fs, id="noisy")
    both = Release((Sample(noisy, "somebody"), *release.samples[1:]))
    segmented = segment_beats(both, beat_units(both, leads=("I", "II", "V5")))
    assert "noisy" in segmented.without_p
    own = segmented.of_sample[segmented.units.recording == 0]
    others = clean.of_sample[clean.units.recording > 0]
    assert lasting(own[0])["P"] == pytest.approx(np.median([lasting(row)["P"] for row in others]), abs=16)


def test_shares_of_runs_sum_to_one(simulated):
    _, _, segmented = simulated
    for width in (1, 7, 175):
        shares = segmented.shares(width)
        assert shares.shape == (len(segmented.units), 175 // width, len(SEGMENTS))
        np.testing.assert_allclose(shares.sum(axis=2), 1.0)


def test_what_cannot_be_delineated_is_listed_or_refused(simulated):
    release, units, segmented = simulated
    flat = Recording(
        np.zeros_like(release.samples[0].recording.signal), release.samples[0].recording.leads, 500, id="x"
    )
    partly = Release((Sample(flat, "x"), *release.samples[1:]))
    got = segment_beats(partly, units)
    assert [name for name, _ in got.unsegmented] == ["x"]
    assert 0 not in got.units.recording
    with pytest.raises(InputError, match="at least one recording must be delineated"):
        segment_beats(Release((Sample(flat, "x"),)), units.take(units.recording == 0))
    with pytest.raises(InputError, match="each sample of each beat"):
        Segmented(units, segmented.of_sample[:, 1:], "by hand")
