"""P waves one by one and the order of beats, on ECGs drawn so that the truth is known."""

import math

import numpy as np
import pytest

from twelvelead.interpret.atrial import find_p_waves, keeps_time, unconducted
from twelvelead.interpret.case import examine
from twelvelead.interpret.sequences import long_intervals, premature_beats
from twelvelead.signal.recording import Recording
from twelvelead.terms import LEADS

FS, DURATION = 500.0, 10.0
# Vectors that give ordinary leads: P, QRS and T all upright in II and V5.
SHARES = np.array([0.7, 1.0, 0.3, -0.85, 0.2, 0.65, -0.5, 0.6, 0.9, 1.2, 1.1, 0.9])


def bump(t, at, width):
    return np.exp(-0.5 * ((t - at) / width) ** 2)


def draw(qrs_s, p_s, *, wide=()):
    """Draw an ECG with P waves and QRS complexes at the given times; those in `wide` are broad and inverted."""
    t = np.arange(int(FS * DURATION)) / FS
    one = sum(0.15 * bump(t, at, 0.022) for at in p_s)
    for k, at in enumerate(qrs_s):
        if k in wide:
            one = one - 1.3 * bump(t, at, 0.035) + 0.4 * bump(t, at + 0.3, 0.05)
        else:
            one = one - 0.1 * bump(t, at - 0.025, 0.008) + bump(t, at, 0.012) - 0.2 * bump(t, at + 0.028, 0.009)
            one = one + 0.3 * bump(t, at + 0.28, 0.045)
    noise = np.random.default_rng(0).normal(0, 0.004, (12, t.size))
    return Recording((SHARES[:, None] * one + noise).astype(np.float32), LEADS, FS, id="drawn")


REGULAR = np.arange(0.5, 9.8, 0.8)


def test_every_p_is_found_where_it_was_drawn():
    case = examine(draw(REGULAR, REGULAR - 0.16))
    found = find_p_waves(case.recording, case.heartbeat)
    inside = REGULAR[1:] - 0.16
    assert len(found) == pytest.approx(len(inside), abs=1)
    for p in inside:
        assert abs(found - p).min() < 0.02
    assert case.values["p_unconducted_count"] == 0
    assert case.values["pr_scatter_ms"] < 10


def test_a_dropped_beat_leaves_its_p_behind():
    """The seventh P of a regular atrium is followed by no QRS."""
    p = REGULAR - 0.16
    case = examine(draw(np.delete(REGULAR, 6), p))
    assert case.values["rr_longest_to_preceding_ratio"] == pytest.approx(2.0, abs=0.03)
    assert case.values["p_unconducted_in_pause_count"] == 1
    late = unconducted(find_p_waves(case.recording, case.heartbeat), case.heartbeat)
    assert abs(late - p[6]).min() < 0.03


def test_a_pause_without_p_is_not_a_block():
    case = examine(draw(np.delete(REGULAR, 6), np.delete(REGULAR, 6) - 0.16))
    assert case.values["rr_longest_to_preceding_ratio"] == pytest.approx(2.0, abs=0.03)
    assert case.values["p_unconducted_in_pause_count"] == 0


def test_atria_that_keep_their_own_time():
    case = examine(draw(np.arange(0.6, 9.8, 1.3), np.arange(0.2, 9.9, 0.74)))
    assert case.values["pr_scatter_ms"] > 40
    assert case.values["p_own_time_ratio"] > 0.9


def test_keeping_time_needs_five_waves_and_can_fail():
    assert math.isnan(keeps_time(np.array([0.0, 1.0, 2.0, 3.0])))
    assert keeps_time(np.array([0.0, 0.62, 1.45, 1.93, 3.1, 3.62, 4.9])) < 0.9


def test_a_premature_wide_beat_and_its_width():
    beats = np.sort(np.append(np.delete(REGULAR, 6), REGULAR[5] + 0.45))
    case = examine(draw(beats, np.delete(REGULAR, 6) - 0.16, wide=(6,)))
    assert premature_beats(case.heartbeat) == (6,)
    assert case.values["premature_qrs_widest_ms"] > 1.3 * case.values["qrs_extent_ms"]
    (span,) = case.evidence("premature_beat_count").spans
    assert span.start_s < beats[6] < span.end_s


def test_no_beat_is_premature_in_a_regular_rhythm():
    case = examine(draw(REGULAR, REGULAR - 0.16))
    assert premature_beats(case.heartbeat) == ()
    assert case.values["premature_beat_count"] == 0
    assert math.isnan(case.values["premature_qrs_widest_ms"])


def test_long_intervals_by_hand():
    ratios = long_intervals(np.array([0.0, 1.0, 2.0, 2.5, 4.5]))
    np.testing.assert_allclose(ratios[1:], [1.0, 0.5, 2.0])
    assert math.isnan(ratios[0])
