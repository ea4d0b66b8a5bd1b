"""What each protocol promises: who is on which side, and when it refuses."""

import numpy as np
import pytest
from tests.privacy.making import feature_rows

from twelvelead.privacy import PROTOCOLS, NotEstimable, linkage
from twelvelead.privacy.protocols import cross_record, subject_disjoint, within_record_blocked

# 24 people with 4 recordings each, of 2 days, and 6 with one; two rows per recording, 6 s apart.
SUBJECT = np.r_[np.repeat(np.arange(24), 4), np.arange(24, 30)]
ORDER = np.r_[np.tile(np.arange(4), 24), np.zeros(6, dtype=int)]
DAY = np.r_[np.tile([7, 7, 8, 9], 24), np.full(6, 7)]


def build(subject=SUBJECT, order=ORDER, day=DAY):
    """Make units of two rows per recording."""
    x = np.random.default_rng(0).normal(size=(len(subject), 3))
    single = feature_rows(x, subject, order=order, day=day)
    double = single.take(np.repeat(np.arange(len(subject)), 2))
    double.at_s[1::2] = 6.0
    return double


def rows_of(units):
    return set(zip(units.recording.tolist(), units.at_s.tolist(), strict=True))


@pytest.mark.parametrize("key", PROTOCOLS)
def test_nothing_is_on_both_sides(key):
    units = build()
    for trial in PROTOCOLS[key].trials(units, seed=3):
        assert not rows_of(trial.gallery) & rows_of(trial.probe)
        assert not rows_of(trial.background) & rows_of(trial.probe)
        shared = set(trial.gallery.recording.tolist()) & set(trial.probe.recording.tolist())
        assert bool(shared) == PROTOCOLS[key].leaks
        if not PROTOCOLS[key].leaks:
            for person in np.unique(trial.probe.subject):
                enrolled = trial.gallery.order[trial.gallery.subject == person]
                assert not len(enrolled) or enrolled.max() < trial.probe.order[trial.probe.subject == person].min()


@pytest.mark.parametrize("key", PROTOCOLS)
def test_the_same_seed_gives_the_same_trials(key):
    one, two = (PROTOCOLS[key].trials(build(), seed=3) for _ in range(2))
    assert [rows_of(t.gallery) for t in one] == [rows_of(t.gallery) for t in two]
    assert [rows_of(t.probe) for t in one] == [rows_of(t.probe) for t in two]


@pytest.mark.parametrize("key", PROTOCOLS)
def test_too_few_people_give_no_figure_but_a_reason(key):
    found = PROTOCOLS[key].trials(build(SUBJECT[:36], ORDER[:36], DAY[:36]), seed=0)
    assert isinstance(found, NotEstimable)
    assert "9" in str(found)
    assert str(found).startswith("not estimable, because")


def test_one_day_is_no_two_days():
    for key in ("cross_day", "cross_day_everyone"):
        for day in (np.full(len(SUBJECT), 7), np.full(len(SUBJECT), -1)):
            assert isinstance(PROTOCOLS[key].trials(build(day=day), seed=0), NotEstimable)


def test_days_are_apart():
    for key, n_enrolled in (("cross_day", 24), ("cross_day_everyone", 30)):
        (trial,) = PROTOCOLS[key].trials(build(), seed=0)
        assert set(trial.gallery.day.tolist()) == {7}
        assert set(trial.probe.day.tolist()) == {8, 9}
        assert len(np.unique(trial.gallery.subject)) == n_enrolled


def test_who_is_learnt_from_is_never_judged():
    trials = subject_disjoint(build(), seed=1)
    judged = [set(t.gallery.subject.tolist()) for t in trials]
    assert sum(map(len, judged)) == len(set.union(*judged)) == 24
    for trial, people in zip(trials, judged, strict=True):
        assert set(trial.probe.subject.tolist()) == people
        assert not people & set(trial.background.subject.tolist())
    second = subject_disjoint(build(), seed=1, within=cross_record)
    assert all(set(t.probe.order.tolist()) == {1} for t in second)


def test_half_of_the_people_are_not_enrolled():
    trials = PROTOCOLS["open_set"].trials(build(), seed=0)
    assert len(trials) == 10
    for trial in trials:
        assert len(np.unique(trial.gallery.subject)) == 12
        assert len(np.unique(trial.probe.subject)) == 24
    assert len({frozenset(t.gallery.subject.tolist()) for t in trials}) > 1


def test_halves_keep_their_distance():
    (near,) = within_record_blocked(build(), seed=0, guard_s=5.9)
    assert near.probe.at_s.min() - near.gallery.at_s.max() == 6
    assert isinstance(within_record_blocked(build(), seed=0, guard_s=6.1), NotEstimable)


def test_a_recording_that_was_lost_leaves_no_gap():
    units = build()
    (trial,) = cross_record(units.take(units.order != 0), seed=0)
    assert set(trial.gallery.order.tolist()) == {1}
    assert set(trial.probe.order.tolist()) == {2}


def test_two_releases_share_their_people_by_name():
    known = feature_rows(np.zeros((20, 2)), np.arange(20))
    moved = feature_rows(np.zeros((15, 2)), np.arange(15))
    renamed = linkage(known, type(moved)(**{**vars(moved), "subject_ids": tuple(f"s{k + 5:02d}" for k in range(15))}))
    (trial,) = renamed
    names = trial.probe.subject_ids
    assert [names[k] for k in trial.probe.subject] == [f"s{k + 5:02d}" for k in range(15)]
    assert [names[k] for k in trial.gallery.subject] == [f"s{k:02d}" for k in range(20)]
    few = linkage(known, moved.take(np.arange(5)))
    assert isinstance(few, NotEstimable)
