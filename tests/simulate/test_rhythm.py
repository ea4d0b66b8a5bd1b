"""Beats: the true rate and irregularity are those of the ten seconds themselves."""

import numpy as np
import pytest

from twelvelead.simulate.rhythm import draw_beats


def row(**changes):
    truth = {
        "heart_rate_bpm": 75.0,
        "rr_sd_ms": 30.0,
        "rhythm": "sinus",
        "qt_interval_ms": 380.0,
        "premature_beat_count": 0,
    }
    return truth | changes


def draw(truth, seed):
    return draw_beats(truth, duration=10.0, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("rhythm", ["sinus", "af"])
def test_mean_and_sd_of_rr_within_the_recording_are_the_true_ones(seed, rhythm):
    beats = draw(row(rhythm=rhythm), seed)
    rr = np.diff(beats.onset[(beats.onset >= 0) & (beats.onset < 10)])
    whole = int((10 - beats.onset[beats.onset >= 0][0]) / 0.8)
    # Rounding aside: a sum of a dozen numbers below 1. An interval more may start inside where the last one ends.
    assert rr[:whole].mean() == pytest.approx(0.8, abs=1e-12)
    assert rr[:whole].std(ddof=1) == pytest.approx(0.030, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_beats_reach_beyond_both_ends(seed):
    onset = draw(row(), seed).onset
    assert onset[0] < -2
    assert onset[-1] > 12
    assert (np.diff(onset) > 0).all()


def test_fibrillation_shows_no_respiratory_order_and_sinus_rhythm_does():
    """Neighbouring sinus intervals resemble one another; fibrillating ones do not."""

    def order(rhythm):
        total = 0.0
        for seed in range(60):
            rr = np.diff(draw(row(rhythm=rhythm), seed).onset)
            rr = rr[np.abs(rr - 0.8) > 1e-12]
            total += np.corrcoef(rr[:-1], rr[1:])[0, 1]
        return total / 60

    assert order("sinus") > 0.15
    assert order("af") < 0.1


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("seed", range(10))
def test_premature_beats_come_early_after_t_and_a_full_pause_follows(n, seed):
    truth = row(premature_beat_count=n)
    with_, without = draw(truth, seed), draw(row(), seed)
    assert with_.premature.sum() == n
    for beat in np.flatnonzero(with_.premature):
        before, after = with_.onset[beat] - with_.onset[beat - 1], with_.onset[beat + 1] - with_.onset[beat]
        assert before < without.onset[beat] - without.onset[beat - 1] - 0.1
        assert before >= with_.qt[beat - 1]
        assert before + after == pytest.approx(without.onset[beat + 1] - without.onset[beat - 1], abs=1e-12)


def test_longer_intervals_are_followed_by_longer_qt():
    beats = draw(row(rhythm="af", rr_sd_ms=120.0), 3)
    preceding = np.diff(beats.onset)
    assert np.corrcoef(preceding, beats.qt[1:])[0, 1] > 0.99
    assert beats.qt.mean() == pytest.approx(0.380, abs=0.002)
